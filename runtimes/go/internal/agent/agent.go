// Package agent is the agent: ask, extract, write, verify, retry.
package agent

import (
	"context"

	"agentloop/internal/chat"
	"agentloop/internal/command"
	"agentloop/internal/events"
	"agentloop/internal/text"
	"agentloop/internal/workspace"
)

// atFault is the reason of an attempt that a panic ends.
const atFault = "this program is at fault"

// Loop is what all agents share.
type Loop struct {
	Chat       *chat.Client
	Request    Request
	Prompts    *Prompts
	Verifier   *command.Verifier
	Workspaces string // absolute and free of symbolic links
	Events     *events.File
	MaxRetries int
}

// Agent works on one task after the other.
type Agent struct {
	loop         *Loop
	conversation Conversation
}

// NewAgent returns an agent that shares the loop.
func NewAgent(loop *Loop) *Agent {
	return &Agent{loop: loop, conversation: Conversation{request: &loop.Request, prompts: loop.Prompts}}
}

// Solve works on a task until its tests pass or its attempts, 1 + MaxRetries, are used up; the events are written
// whatever happens.
func (a *Agent) Solve(ctx context.Context, task *Task) {
	attempt := events.Attempt{Task: task.ID, Attempt: 1, Begin: events.Now(), Verdict: events.Error, Reason: atFault}
	defer func() {
		a.loop.Events.Task(task.ID, outcome(attempt.Verdict), attempt.Attempt, attempt.Reason)
	}()
	a.conversation.Begin(task)
	task.Prompt = "" // The conversation has it.
	a.record(ctx, task, &attempt)
	for !isFinal(attempt.Verdict) && attempt.Attempt <= a.loop.MaxRetries {
		attempt = attempt.Following()
		a.record(ctx, task, &attempt)
	}
}

// record makes an attempt and writes its event.
func (a *Agent) record(ctx context.Context, task *Task, attempt *events.Attempt) {
	attempt.Verdict, attempt.Reason = events.Error, atFault
	defer func() {
		attempt.End = events.Now()
		a.loop.Events.Attempt(attempt)
	}()
	verdict, err := a.step(ctx, task, attempt)
	switch {
	case err == nil:
		attempt.Verdict, attempt.Reason = verdict, ""
	case ctx.Err() != nil:
		attempt.Verdict, attempt.Reason = events.Interrupted, events.Interrupted
	default:
		attempt.Verdict, attempt.Reason = events.Error, text.OneLine(err.Error())
	}
}

func (a *Agent) step(ctx context.Context, task *Task, attempt *events.Attempt) (verdict string, err error) {
	reply, err := a.loop.Chat.Complete(ctx, a.conversation.Body(), attempt)
	if err != nil {
		return "", err
	}
	code, ok := extract(reply, task.EntryPoint)
	if !ok {
		a.conversation.NoCode(reply)
		return events.NoCode, nil
	}
	finished, folder, err := a.verify(ctx, code, task.Tests, attempt)
	if err != nil {
		return "", err
	}
	verdict = judge(finished.Status, finished.TimedOut, finished.Stdout)
	switch verdict {
	case events.Passed:
	case events.TimedOut:
		a.conversation.TimedOut(reply)
	default:
		a.conversation.TestsFailed(reply, normalise(finished.Stdout, finished.Stderr, folder))
	}
	return verdict, nil
}

// verify runs the tests in a workspace that is gone when they have ended.
func (a *Agent) verify(ctx context.Context, code, tests string, attempt *events.Attempt) (finished command.Finished, folder string, err error) {
	own, err := workspace.New(a.loop.Workspaces)
	if err != nil {
		return finished, "", err
	}
	defer func() {
		if failure := own.Remove(); err == nil {
			err = failure
		}
	}()
	tools := workspace.NewTools(own.Path)
	if err := tools.WriteFile("solution.py", code); err != nil {
		return finished, "", err
	}
	if err := tools.WriteFile("test_solution.py", tests); err != nil {
		return finished, "", err
	}
	finished, err = a.loop.Verifier.Verify(ctx, own.Path, attempt)
	return finished, own.Path, err
}

func isFinal(verdict string) bool {
	return verdict == events.Passed || verdict == events.Error || verdict == events.Interrupted
}

func outcome(verdict string) string {
	switch verdict {
	case events.Passed:
		return events.Passed
	case events.Error, events.Interrupted:
		return events.Error
	}
	return events.Failed
}
