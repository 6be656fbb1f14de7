// Package run makes one run: what the run file names is put together, and every way to end has its exit status.
//
// Source: runtimes/CONTRACT.md, "Exit".
package run

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"agentloop/internal/agent"
	"agentloop/internal/chat"
	"agentloop/internal/command"
	"agentloop/internal/events"
	"agentloop/internal/fields"
)

// run is a run under way.
type run struct {
	loop  agent.Loop
	stop  context.CancelCauseFunc
	began events.Time

	mutex sync.Mutex
	tasks *agent.Tasks
}

// stopped is the cause of a run that a signal has ended.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return s.signal.String() }

// Perform does the run of a run file and returns the exit status. It fails before anything is done, or when the
// run cannot go on.
func Perform(path string) (status int, err error) {
	defer recovered(&err)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	file, err := LoadFile(path)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	go func() { stop(stopped{(<-signals).(syscall.Signal)}) }()
	return file.perform(ctx, stop)
}

// perform does the run until ctx ends, which stop makes it do.
func (f *File) perform(ctx context.Context, stop context.CancelCauseFunc) (int, error) {
	tasks, err := agent.OpenTasks(f.tasks)
	if err != nil {
		return 0, err
	}
	defer tasks.Close()
	log, err := events.Create(f.events, stop)
	if err != nil {
		return 0, fields.InvalidInput("events: %v; name a file that is not there, in a folder that is", err)
	}
	r := &run{stop: stop, tasks: tasks, loop: agent.Loop{
		Chat:       &chat.Client{Endpoint: f.endpoint, Timeouts: f.timeouts, Retries: f.retries},
		Request:    f.request,
		Prompts:    f.prompts,
		Verifier:   command.NewVerifier(f.argv, f.limits, f.slots),
		Workspaces: f.workspaces,
		Events:     log,
		MaxRetries: f.maxRetries,
	}}
	r.began = log.RunStart()
	r.work(ctx, f.agents)
	r.interruptWaiting()
	log.RunEnd()
	r.loop.Chat.Close()
	if err := log.Err(); err != nil {
		return 1, err
	}
	return exitStatus(context.Cause(ctx))
}

// exitStatus returns what a run ends with that was stopped for a cause, or for none.
func exitStatus(cause error) (int, error) {
	switch cause := cause.(type) {
	case nil:
		return 0, nil
	case stopped:
		return 128 + int(cause.signal), nil
	}
	return 1, cause
}

// work has the agents solve tasks until there are none left, or until ctx ends. An agent that panics ends the run.
func (r *run) work(ctx context.Context, agents int) {
	var group sync.WaitGroup
	for range agents {
		group.Go(func() {
			if err := r.solveTasks(ctx); err != nil {
				r.stop(err)
			}
		})
	}
	group.Wait()
}

// solveTasks is the work of one agent. It fails only with a panic.
func (r *run) solveTasks(ctx context.Context) (err error) {
	defer recovered(&err)
	a := agent.NewAgent(&r.loop)
	for ctx.Err() == nil {
		task := r.next()
		if task == nil {
			return nil
		}
		if !r.waitForStart(ctx, task) {
			r.interrupt(task)
			return nil
		}
		a.Solve(ctx, task)
	}
	return nil
}

// next returns the next task, or nil. A tasks file that has become invalid ends the run.
func (r *run) next() *agent.Task {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	task, err := r.tasks.Next()
	if err != nil && err != io.EOF {
		r.stop(err)
	}
	return task
}

// waitForStart waits until a task is due, or returns false when ctx ends first.
func (r *run) waitForStart(ctx context.Context, task *agent.Task) bool {
	// Not by the moment when it is due, which may be more than 64 bits hold.
	left := task.StartAfter - time.Duration(events.Now()-r.began)
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// interruptWaiting writes the outcome of the tasks that no agent has taken.
func (r *run) interruptWaiting() {
	for task := r.next(); task != nil; task = r.next() {
		r.interrupt(task)
	}
}

// interrupt writes the outcome of a task that was never begun.
func (r *run) interrupt(task *agent.Task) {
	r.loop.Events.Task(task.ID, events.Error, 0, events.Interrupted)
}
