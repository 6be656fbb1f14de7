package chat

import (
	"strings"

	"agentloop/internal/jsontext"
	"agentloop/internal/text"
)

const (
	reasonLimit = 300 // code points
	cut         = "…"
	hidden      = "***"
)

// presentable puts what the endpoint said in one short line without the key: endpoints are known to quote it.
//
// Source: runtimes/contract/vectors/reasons.json.
func (e *Endpoint) presentable(said string) string {
	// Before anything is cut, so that no part of the key is left.
	for _, spelling := range e.spellings {
		said = strings.ReplaceAll(said, spelling, hidden)
	}
	line := text.OneLine(e.withoutBeginnings(said))
	count := 0
	for at := range line {
		if count == reasonLimit {
			return line[:at]
		}
		count++
	}
	return line
}

// withoutBeginnings hides each beginning of a spelling of the key that was cut.
func (e *Endpoint) withoutBeginnings(said string) string {
	if len(e.spellings) == 0 {
		return said
	}
	var shown strings.Builder
	for {
		before, after, found := strings.Cut(said, cut)
		if !found {
			shown.WriteString(said)
			return shown.String()
		}
		if length := e.beginningAtEndOf(before); length > 0 {
			before = before[:len(before)-length] + hidden
		}
		shown.WriteString(before)
		shown.WriteString(cut)
		said = after
	}
}

// beginningAtEndOf returns the length of the longest beginning of a spelling that a text ends in.
func (e *Endpoint) beginningAtEndOf(said string) int {
	longest := 0
	for _, spelling := range e.spellings {
		for length := min(len(spelling), len(said)); length > longest; length-- {
			if strings.HasSuffix(said, spelling[:length]) {
				longest = length
			}
		}
	}
	return longest
}

// spellings returns the key as it is, and as writers of JSON have it; nothing if there is none.
func spellings(key string) []string {
	if key == "" {
		return nil
	}
	quoted := string(jsontext.AppendEscaped(nil, key))
	return []string{key, quoted, strings.ReplaceAll(quoted, "/", `\/`)}
}
