package run

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// recovered makes a panic the error of the function that defers it.
func recovered(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("this program is at fault, at %s: %v", placeOfPanic(), fault)
	}
}

// placeOfPanic returns the file and the line that panicked, to those that the panic makes run.
func placeOfPanic() string {
	const framesAtMost = 32
	var stack [framesAtMost]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(0, stack[:])])
	for inPanic := false; ; {
		frame, more := frames.Next()
		if inPanic && !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		inPanic = inPanic || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
