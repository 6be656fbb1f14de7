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
	countPattern = `[0-9]+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected|reruns?)`

	noTestsRan = "no tests ran"
)

var (
	escapeSequence = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]`)
	summaryLine    = regexp.MustCompile(
		`^(?:=+ )?(` + countPattern + `(?:, ` + countPattern + `)*|` + noTestsRan + `)` + duration + `(?: =+)?$`)
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

// summaryCounts says which counts a summary line holds: something passed, something failed or was an error, or the
// line names anything else but warnings, even a count of 0.
type summaryCounts struct {
	passed, failed, other bool
}

// lastSummary returns the counts of the last line that is a summary as a whole.
func lastSummary(stdout []byte) (summaryCounts, bool) {
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
	return summaryCounts{}, false
}

func parseCounts(summary string) summaryCounts {
	var counts summaryCounts
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
