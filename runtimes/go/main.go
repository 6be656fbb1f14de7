// Agentloop is a runtime for coding agents over an OpenAI-compatible endpoint: write, run the tests, retry.
package main

import (
	"errors"
	"os"
	"syscall"

	"agentloop/internal/fields"
	"agentloop/internal/run"
	"agentloop/internal/text"
)

const usage = "usage: agentloop run.json, or agentloop tools FOLDER"

func main() {
	status, err := perform(os.Args[1:])
	if err != nil {
		status = 1
		if errors.Is(err, fields.ErrInvalidInput) {
			status = 2
		}
		// Not by os.Stderr, for which Go makes a reader that is gone the end of the process.
		syscall.Write(syscall.Stderr, []byte("agentloop: "+text.OneLine(err.Error())+"\n"))
	}
	os.Exit(status)
}

func perform(arguments []string) (int, error) {
	if err := run.StartClean(); err != nil {
		return 0, err
	}
	switch {
	case len(arguments) == 2 && arguments[0] == "tools":
		return 0, run.ServeTools(arguments[1], os.Stdin, os.Stdout)
	case len(arguments) == 1:
		return run.Perform(arguments[0])
	}
	return 0, fields.InvalidInput("%d arguments are given; %s", len(arguments), usage)
}
