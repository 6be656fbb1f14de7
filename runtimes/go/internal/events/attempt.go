package events

import (
	"strconv"
	"syscall"
	"unsafe"

	"agentloop/internal/jsontext"
)

// Verdicts of an attempt.
//
// Source: runtimes/CONTRACT.md, "Events".
const (
	Passed      = "passed"
	Failed      = "failed"
	Unproven    = "unproven"
	NoSummary   = "no_summary"
	TimedOut    = "timed_out"
	NoCode      = "no_code"
	Error       = "error"
	Interrupted = "interrupted"
)

// Time is in nanoseconds of CLOCK_MONOTONIC; 0 is a phase that did not happen.
type Time int64

// Now returns the present.
func Now() Time {
	const clockMonotonic = 1
	var now syscall.Timespec
	// What the time package reads of this clock it keeps to itself.
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return Time(now.Nano())
}

// Attempt is the record of one attempt, stamped by everything that works on it. The contract says what each
// field means.
type Attempt struct {
	Task    string
	Attempt int

	Begin, Request, First, Last, Queue, Spawn, Started, Exit, End Time

	TransportRetries int
	TransportTime    Time

	RequestSHA256, CompletionSHA256 string
	Usage                           []byte // canonical JSON

	Ended    bool // the verifier did, by Status
	Status   syscall.WaitStatus
	TimedOut bool

	Verdict string
	Reason  string
}

// Following returns the record of the next attempt, which begins when this one ends.
func (a *Attempt) Following() Attempt {
	return Attempt{Task: a.Task, Attempt: a.Attempt + 1, Begin: a.End}
}

func (a *Attempt) appendTo(line []byte) []byte {
	line = jsontext.AppendQuoted(append(line, `{"event":"attempt","task":`...), a.Task)
	line = appendInteger(append(line, `,"attempt":`...), int64(a.Attempt))
	for _, phase := range [...]struct {
		name string
		time Time
	}{
		{"t_begin", a.Begin},
		{"t_request", a.Request},
		{"t_first", a.First},
		{"t_last", a.Last},
		{"t_queue", a.Queue},
		{"t_spawn", a.Spawn},
		{"t_started", a.Started},
		{"t_exit", a.Exit},
		{"t_end", a.End},
	} {
		line = append(append(append(line, `,"`...), phase.name...), `":`...)
		if phase.time == 0 {
			line = append(line, "null"...)
		} else {
			line = appendInteger(line, int64(phase.time))
		}
	}
	line = appendInteger(append(line, `,"transport_retries":`...), int64(a.TransportRetries))
	line = appendInteger(append(line, `,"transport_ns":`...), int64(a.TransportTime))
	line = appendTextOrNull(append(line, `,"request_sha256":`...), a.RequestSHA256)
	line = appendTextOrNull(append(line, `,"completion_sha256":`...), a.CompletionSHA256)
	line = append(line, `,"usage":`...)
	if a.Usage == nil {
		line = append(line, "null"...)
	} else {
		line = append(line, a.Usage...)
	}
	line = AppendStatus(append(line, ','), a.Ended, a.Status)
	line = strconv.AppendBool(append(line, `,"timed_out":`...), a.TimedOut)
	line = appendTextOrNull(append(line, `,"verdict":`...), a.Verdict)
	line = appendTextOrNull(append(line, `,"reason":`...), a.Reason)
	return append(line, "}\n"...)
}

// AppendStatus appends the members exit_code and signal: how a process ended, if it has.
func AppendStatus(to []byte, ended bool, status syscall.WaitStatus) []byte {
	switch {
	case ended && status.Exited():
		to = appendInteger(append(to, `"exit_code":`...), int64(status.ExitStatus()))
		return append(to, `,"signal":null`...)
	case ended:
		return appendInteger(append(to, `"exit_code":null,"signal":`...), int64(status.Signal()))
	}
	return append(to, `"exit_code":null,"signal":null`...)
}

func appendInteger(line []byte, integer int64) []byte { return strconv.AppendInt(line, integer, 10) }

func appendTextOrNull(line []byte, text string) []byte {
	if text == "" {
		return append(line, "null"...)
	}
	return jsontext.AppendQuoted(line, text)
}
