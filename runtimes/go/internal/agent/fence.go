package agent

import (
	"strings"

	"agentloop/internal/text"
)

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
	indent, signs, rest := cutFence(line)
	if indent > f.indent+3 || !strings.HasPrefix(signs, f.signs) {
		return false
	}
	return strings.Trim(withoutEndTokens(rest, " \t"), " \t") == ""
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

// cutFence takes a line apart: how far it is indented, its first signs if they are those of a fence, and what
// follows them.
func cutFence(line string) (indent int, signs, rest string) {
	indent = leading(line, ' ', len(line))
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
	version, found := strings.CutPrefix(tag, "python")
	if !found {
		version, found = strings.CutPrefix(tag, "py")
	}
	return found && strings.Trim(version, "0123456789.") == ""
}

// withoutEndTokens returns a text without the end tokens at its end and the space, of these characters, around them.
//
// They are what a model's template ends a message with, and some endpoints pass them on as text.
func withoutEndTokens(said, space string) string {
	for {
		trimmed := strings.TrimRight(said, space)
		rest := trimmed
		for _, token := range [...]string{"</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>"} {
			rest = strings.TrimSuffix(rest, token)
		}
		if named, found := strings.CutSuffix(rest, "|>"); found {
			name := strings.TrimRightFunc(named, func(c rune) bool { return c < 0x80 && isWordByte(byte(c)) })
			if before, found := strings.CutSuffix(name, "<|"); found && len(name) < len(named) {
				rest = before
			}
		}
		if len(rest) == len(trimmed) {
			return said
		}
		said = strings.TrimRight(rest, space)
	}
}
