package agent

import (
	"strings"

	"agentloop/internal/jsontext"
)

// template is a text with placeholders, taken apart once: texts at even places, placeholders at odd ones.
type template []string

func parseTemplate(text string, placeholders ...string) template {
	var parsed template
	for {
		at, found := len(text), ""
		for _, placeholder := range placeholders {
			if first := strings.Index(text, placeholder); first >= 0 && first < at {
				at, found = first, placeholder
			}
		}
		parsed = append(parsed, text[:at])
		if found == "" {
			return parsed
		}
		parsed = append(parsed, found)
		text = text[at+len(found):]
	}
}

// appendEscaped appends the text, with values in place of the placeholders, as it is within a JSON string.
func (t template) appendEscaped(to []byte, value func(placeholder string) string) []byte {
	for i, part := range t {
		if i%2 == 1 {
			part = value(part)
		}
		to = jsontext.AppendEscaped(to, part)
	}
	return to
}
