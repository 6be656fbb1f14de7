// Package command runs the verifier, or any other command, in a workspace: a few at a time, first come, first
// served.
//
// Source: runtimes/CONTRACT.md, "Verification".
package command

import (
	"context"
	"time"

	"agentloop/internal/events"
)

// Limits are the rules that a command runs under.
type Limits struct {
	Environment []string // all of it, each "name=value"
	Timeout     time.Duration
	OutputBytes int // of stdout, and of stderr
}

// Run runs a command in a folder.
func Run(ctx context.Context, argv []string, folder string, limits Limits) (Finished, error) {
	process, err := begin(argv, folder, limits)
	if err != nil {
		return Finished{}, err
	}
	return process.finish(ctx, limits.Timeout)
}

// Verifier runs one command in many folders.
type Verifier struct {
	argv   []string
	limits Limits
	slots  chan struct{}
}

// NewVerifier returns a verifier that runs its command at most slots times at once.
func NewVerifier(argv []string, limits Limits, slots int) *Verifier {
	return &Verifier{argv: argv, limits: limits, slots: make(chan struct{}, slots)}
}

// Verify runs the command in a folder and stamps attempt.
func (v *Verifier) Verify(ctx context.Context, folder string, attempt *events.Attempt) (Finished, error) {
	attempt.Queue = events.Now()
	select {
	case v.slots <- struct{}{}: // Those that wait here are served in their order.
	case <-ctx.Done():
		return Finished{}, ctx.Err()
	}
	defer func() { <-v.slots }()
	attempt.Spawn = events.Now()
	process, err := begin(v.argv, folder, v.limits)
	if err != nil {
		return Finished{}, err
	}
	attempt.Started = events.Now()
	finished, err := process.finish(ctx, v.limits.Timeout)
	if err != nil {
		return Finished{}, err
	}
	attempt.Exit = events.Now()
	attempt.Ended, attempt.Status, attempt.TimedOut = true, finished.Status, finished.TimedOut
	return finished, nil
}

func begin(argv []string, folder string, limits Limits) (*child, error) {
	program, err := FindProgram(argv[0], limits.Environment)
	if err != nil {
		return nil, err
	}
	return start(program, argv, limits.Environment, folder, limits.OutputBytes)
}
