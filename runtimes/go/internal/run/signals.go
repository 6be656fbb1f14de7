package run

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const (
	signalCount = 64

	setMask = 2 // SIG_SETMASK

	signalSetBytes = signalCount / 8
)

// StartClean starts the program again, in the same process, if its parent left signals ignored or blocked: Go hands
// those down to children, whose signals all have to be at their default, and has no way to change that afterwards.
// It also keeps inherited descriptors from the children.
func StartClean() error {
	if err := passNoDescriptorsOn(); err != nil {
		return err
	}
	ignored, blocked, err := inherited()
	if err != nil || ignored == 0 && blocked == 0 {
		return err
	}
	// The mask is the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var byDefault [4]uint64 // As much as a sigaction of the kernel is: SIG_DFL, and no flags.
	for number := range signalCount {
		if ignored>>number&1 == 1 {
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(number+1), uintptr(unsafe.Pointer(&byDefault)), 0,
				signalSetBytes, 0, 0)
		}
	}
	var none uint64
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&none)), 0, signalSetBytes, 0, 0)
	return os.NewSyscallError("exec", syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// inherited returns the signals that are ignored and those that are blocked, a bit for each.
//
// Source: proc_pid_status(5).
func inherited() (ignored, blocked uint64, err error) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "SigIgn":
			ignored, err = strconv.ParseUint(value, 16, signalCount)
		case "SigBlk":
			blocked, err = strconv.ParseUint(value, 16, signalCount)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/thread-self/status: %w", err)
		}
	}
	return ignored, blocked, nil
}

func passNoDescriptorsOn() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		if number, err := strconv.Atoi(entry.Name()); err == nil && number > 2 {
			syscall.CloseOnExec(number)
		}
	}
	return nil
}
