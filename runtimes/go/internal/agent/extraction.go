package agent

import (
	"strings"

	"agentloop/internal/text"
)

// extract returns the Python code block of a reply, ending in exactly one LF, or false if there is none.
//
// Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
func extract(reply string) (string, bool) {
	if thought := strings.LastIndex(reply, "</think>"); thought >= 0 {
		reply = reply[thought+len("</think>"):]
	}
	var tagged, untagged string
	rest := strings.ReplaceAll(reply, "\r\n", "\n")
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		opening, ok := openingFence(line)
		if !ok {
			continue
		}
		var code string
		code, rest = opening.block(rest)
		switch {
		case isPython(opening.tag) && len(code) >= len(tagged):
			tagged = code
		case opening.tag == "" && len(code) >= len(untagged):
			untagged = code
		}
	}
	if tagged != "" {
		return tagged, true
	}
	return untagged, untagged != ""
}

// fence is the line that begins a code block.
type fence struct {
	indent int
	signs  string // backticks or tildes
	tag    string
}

func openingFence(line string) (fence, bool) {
	indent, signs, info := cutFence(line)
	if len(signs) < 3 || signs[0] == '`' && strings.Contains(info, "`") {
		return fence{}, false
	}
	info = strings.TrimLeft(info, " \t")
	if end := strings.IndexAny(info, " \t"); end >= 0 {
		info = info[:end]
	}
	return fence{indent, signs, strings.Map(lowerASCII, info)}, true
}

func (f fence) isClosedBy(line string) bool {
	_, signs, rest := cutFence(line)
	return strings.HasPrefix(signs, f.signs) && strings.Trim(rest, " \t") == ""
}

// block returns the code up to the closing fence and what follows that; the code is empty if it is white space
// only.
func (f fence) block(rest string) (string, string) {
	var code strings.Builder
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if f.isClosedBy(line) {
			break
		}
		code.WriteString(line[leading(line, ' ', f.indent):])
		code.WriteByte('\n')
	}
	if strings.Trim(code.String(), text.WhiteSpace) == "" {
		return "", rest
	}
	return strings.TrimRight(code.String(), "\n") + "\n", rest
}

// cutFence takes a line apart: how far it is indented, by at most 3 spaces, its first signs if they are those of
// a fence, and what follows them.
func cutFence(line string) (indent int, signs, rest string) {
	indent = leading(line, ' ', 3)
	line = line[indent:]
	if line == "" || line[0] != '`' && line[0] != '~' {
		return indent, "", line
	}
	length := leading(line, line[0], len(line))
	return indent, line[:length], line[length:]
}

// leading returns how many times sign is repeated at the beginning of line, limit at most.
func leading(line string, sign byte, limit int) int {
	count := 0
	for count < len(line) && count < limit && line[count] == sign {
		count++
	}
	return count
}

func lowerASCII(character rune) rune {
	if character >= 'A' && character <= 'Z' {
		return character - 'A' + 'a'
	}
	return character
}

func isPython(tag string) bool {
	return tag == "python" || tag == "python3" || tag == "py" || tag == "py3"
}
