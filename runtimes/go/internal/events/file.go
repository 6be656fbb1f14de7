// Package events writes the event file.
//
// Source: runtimes/CONTRACT.md, "Events".
package events

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"agentloop/internal/jsontext"
)

const contractVersion = 1

// File is a file of JSON lines, each written by one system call so that a reader never waits for one.
//
// Once an event is lost nothing that the run does can be believed: the failure is reported once, and no more is
// written.
type File struct {
	descriptor int
	path       string
	failed     func(error)

	mutex sync.Mutex
	line  []byte
	err   error
}

// Create makes the file, which must not be there: two runs never share one. The first failure to write to it is
// given to failed.
func Create(path string, failed func(error)) (*File, error) {
	const flags = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_APPEND | syscall.O_CLOEXEC
	descriptor, err := syscall.Open(path, flags, 0o644)
	if err != nil {
		return nil, &os.PathError{Op: "create", Path: path, Err: err}
	}
	return &File{descriptor: descriptor, path: path, failed: failed}, nil
}

// RunStart writes that the run begins, and returns when it did.
func (f *File) RunStart() Time {
	began := Now()
	f.append(func(line []byte) []byte {
		return fmt.Appendf(line, `{"event":"run_start","t":%d,"contract_version":%d,"pid":%d}`+"\n",
			began, contractVersion, os.Getpid())
	})
	return began
}

// Attempt writes that an attempt is over.
func (f *File) Attempt(attempt *Attempt) { f.append(attempt.appendTo) }

// Task writes what became of a task: Passed, Failed or Error, the last of them with a reason.
func (f *File) Task(task, outcome string, attempts int, reason string) {
	f.append(func(line []byte) []byte {
		line = jsontext.AppendQuoted(append(line, `{"event":"task","task":`...), task)
		line = appendInteger(append(line, `,"t":`...), int64(Now()))
		line = jsontext.AppendQuoted(append(line, `,"outcome":`...), outcome)
		line = appendInteger(append(line, `,"attempts":`...), int64(attempts))
		line = appendTextOrNull(append(line, `,"reason":`...), reason)
		return append(line, "}\n"...)
	})
}

// RunEnd writes that the run is over.
func (f *File) RunEnd() {
	f.append(func(line []byte) []byte {
		return fmt.Appendf(line, `{"event":"run_end","t":%d}`+"\n", Now())
	})
}

// Err returns the failure to write an event, if there was one.
func (f *File) Err() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.err
}

func (f *File) append(event func(line []byte) []byte) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.err != nil {
		return
	}
	f.line = event(f.line[:0])
	for rest := f.line; len(rest) > 0; {
		written, err := syscall.Write(f.descriptor, rest)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			f.err = &os.PathError{Op: "write", Path: f.path, Err: err}
			f.failed(f.err)
			return
		}
		rest = rest[written:]
	}
}
