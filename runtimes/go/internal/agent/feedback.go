package agent

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"agentloop/internal/text"
)

const (
	feedbackLimitBytes = 4000

	duration = ` in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?`
)

var (
	// pytest makes this line as wide as the screen, so how many signs there are depends on the duration.
	wideSummary = regexp.MustCompile(`(?m)^=+ (.*)` + duration + ` =+$`)

	varying = []struct {
		what     *regexp.Regexp
		constant string
	}{
		{regexp.MustCompile(duration), ``},
		{regexp.MustCompile(` at 0x[0-9a-fA-F]+`), ` at 0x0`},
		{regexp.MustCompile(`/pytest-of-[^/ \t\n\r\v\f]+/pytest-[0-9]+`), `/pytest`},
		{regexp.MustCompile(`(^|[ \t\n\r\v\f'"(])[^ \t\n\r\v\f'"(]*/lib/python3\.[0-9]+/`), `${1}lib/python3/`},
	}
)

// normalise makes what the tests printed in a workspace fit to be shown to a model, and the same wherever the
// same test fails: the last 4,000 bytes of it at most.
//
// Source: runtimes/contract/vectors/feedback.json.
func normalise(stdout, stderr []byte, workspace string) string {
	between := ""
	if len(stdout) > 0 && len(stderr) > 0 {
		between = "\n"
	}
	said := text.Decode(bytes.Join([][]byte{stdout, stderr}, []byte(between)))
	said = strings.ReplaceAll(said, "\r\n", "\n")
	said = strings.ReplaceAll(said, workspace+"/", "")
	said = strings.ReplaceAll(said, workspace, ".")
	said = wideSummary.ReplaceAllString(said, `${1}`)
	for _, each := range varying {
		said = each.what.ReplaceAllString(said, each.constant)
	}
	return lastBytes(strings.TrimRight(said, text.WhiteSpace), feedbackLimitBytes)
}

// lastBytes returns the last bytes of a text, less a character that is cut at their start.
func lastBytes(said string, limit int) string {
	if len(said) <= limit {
		return said
	}
	said = said[len(said)-limit:]
	for said != "" && !utf8.RuneStart(said[0]) {
		said = said[1:]
	}
	return said
}
