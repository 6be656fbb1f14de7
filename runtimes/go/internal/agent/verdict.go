package agent

import (
	"bytes"
	"regexp"
	"strings"
	"syscall"

	"agentloop/internal/events"
	"agentloop/internal/text"
)

const (
	count = `[0-9]+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected|reruns?)`

	noTestsRan = "no tests ran"
)

var (
	escapeSequence = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]`)
	summaryLine    = regexp.MustCompile(
		`^(?:=+ )?(` + count + `(?:, ` + count + `)*|` + noTestsRan + `)` + duration + `(?: =+)?$`)
)

// judge returns the verdict on a verifier that has ended. The exit code alone proves nothing: a solution that
// calls os._exit(0) exits with 0, and so does a test module that skips itself.
//
// Source: runtimes/contract/vectors/verdicts.json.
func judge(status syscall.WaitStatus, timedOut bool, stdout []byte) string {
	if timedOut {
		return events.TimedOut
	}
	counts, ok := lastSummary(stdout)
	switch {
	case !ok:
		return events.NoSummary
	case counts.failed:
		return events.Failed
	case !counts.passed || counts.other:
		return events.Unproven
	case status.Exited() && status.ExitStatus() == 0:
		return events.Passed
	}
	return events.Failed
}

// counts is what a summary counts: whether anything passed, failed or was an error, or is something else but a
// warning, be there none of it.
type counts struct {
	passed, failed, other bool
}

// lastSummary returns the counts of the last line that is a summary as a whole.
func lastSummary(stdout []byte) (counts, bool) {
	for more := true; more; {
		at := bytes.LastIndexByte(stdout, '\n')
		line := escapeSequence.ReplaceAll(stdout[at+1:], nil)
		if summary := summaryLine.FindSubmatch(bytes.TrimRight(line, text.WhiteSpace)); summary != nil {
			return parseCounts(string(summary[1])), true
		}
		if more = at >= 0; more {
			stdout = stdout[:at]
		}
	}
	return counts{}, false
}

func parseCounts(summary string) counts {
	var counts counts
	if summary == noTestsRan {
		return counts
	}
	for count := range strings.SplitSeq(summary, ", ") {
		number, name, _ := strings.Cut(count, " ")
		some := strings.Trim(number, "0") != ""
		switch name {
		case "passed":
			counts.passed = counts.passed || some
		case "failed", "error", "errors":
			counts.failed = counts.failed || some
			counts.other = counts.other || !some
		case "warning", "warnings":
		default:
			counts.other = true
		}
	}
	return counts
}
