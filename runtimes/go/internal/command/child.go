package command

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Finished is how a process ended and what it wrote last.
type Finished struct {
	Status   syscall.WaitStatus
	TimedOut bool
	Stdout   []byte
	Stderr   []byte
}

// openNothing opens what children read as their stdin, once for all of them.
var openNothing = sync.OnceValues(func() (int, error) {
	return syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
})

// child is a running process, the leader of its own group.
//
// A pidfd tells the end of exactly this process, without a thread that waits. os/exec is not used, because its
// Wait reaps the leader before the group can be killed, whose number is then free for another's.
type child struct {
	pid            int
	pidfd          *os.File
	stdout, stderr *output
}

// start starts a program in a folder, keeping the end of its stdout and of its stderr.
func start(program string, argv, environment []string, folder string, outputLimit int) (*child, error) {
	stdout, err := newOutput(outputLimit)
	if err != nil {
		return nil, err
	}
	stderr, err := newOutput(outputLimit)
	if err != nil {
		stdout.close()
		return nil, err
	}
	pid, pidfd, err := fork(program, argv, environment, folder, stdout, stderr)
	if err != nil {
		stdout.close()
		stderr.close()
		return nil, err
	}
	stdout.drain()
	stderr.drain()
	return &child{pid: pid, pidfd: pidfd, stdout: stdout, stderr: stderr}, nil
}

func fork(program string, argv, environment []string, folder string, stdout, stderr *output) (int, *os.File, error) {
	nothing, err := openNothing()
	if err != nil {
		return 0, nil, err
	}
	var pidfd int
	pid, err := syscall.ForkExec(program, argv, &syscall.ProcAttr{
		Dir:   folder,
		Env:   environment,
		Files: []uintptr{uintptr(nothing), uintptr(stdout.writeEnd), uintptr(stderr.writeEnd)},
		Sys:   &syscall.SysProcAttr{Setpgid: true, PidFD: &pidfd},
	})
	if err != nil {
		return 0, nil, &os.PathError{Op: "start", Path: program, Err: err}
	}
	// Only what does not block is watched by the runtime's poller.
	if err := syscall.SetNonblock(pidfd, true); err != nil {
		kill(pid)
		reap(pid)
		return 0, nil, os.NewSyscallError("fcntl", err)
	}
	return pid, os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// finish waits until the process has ended, or until the timeout or the end of ctx; then its group is killed and
// it is reaped, and so they are if a panic ends the wait. The error is that of ctx.
func (c *child) finish(ctx context.Context, timeout time.Duration) (finished Finished, err error) {
	defer c.pidfd.Close()
	waited := c.waitAndKill(ctx, timeout, &finished.Status)
	finished.TimedOut = errors.Is(waited, os.ErrDeadlineExceeded)
	finished.Stdout, finished.Stderr = c.stdout.tail(), c.stderr.tail()
	return finished, ctx.Err()
}

func (c *child) waitAndKill(ctx context.Context, timeout time.Duration, status *syscall.WaitStatus) error {
	defer func() {
		// What the leader has left behind, while its number still belongs to the group.
		kill(c.pid)
		*status = reap(c.pid)
	}()
	return c.wait(ctx, timeout)
}

func (c *child) wait(ctx context.Context, timeout time.Duration) error {
	process, err := c.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	c.pidfd.SetReadDeadline(time.Now().Add(timeout))
	release := context.AfterFunc(ctx, func() { c.pidfd.SetReadDeadline(time.Unix(1, 0)) })
	defer release()
	return process.Read(hasEnded)
}

// hasEnded returns whether the process of a pidfd has, without reaping it.
func hasEnded(pidfd uintptr) bool {
	const readable = 1
	watched := struct {
		descriptor      int32
		events, revents int16
	}{int32(pidfd), readable, 0}
	var noTime syscall.Timespec
	count, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&watched)), 1,
		uintptr(unsafe.Pointer(&noTime)), 0, 0, 0)
	return count == 1
}

func kill(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL)
	// The leader may have moved to another group.
	syscall.Kill(pid, syscall.SIGKILL)
}

func reap(pid int) syscall.WaitStatus {
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}
