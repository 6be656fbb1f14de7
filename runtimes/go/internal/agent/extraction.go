package agent

import (
	"strings"

	"agentloop/internal/text"
)

// thoughts are the tags around what a model thinks before it answers.
var thoughts = [...]struct{ begin, end string }{
	{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"[THINK]", "[/THINK]"},
}

// extract returns the Python code block of a reply that answers, ending in exactly one LF, or false if there is none.
//
// Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
func extract(reply, entryPoint string) (string, bool) {
	rest := strings.ReplaceAll(withoutThoughts(withoutEndTokens(reply, text.WhiteSpace)), "\r\n", "\n")
	var best block
	for section := 0; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		opening, ok := openingFence(line)
		if !ok {
			if end := endOfThought(line); end >= 0 {
				section++
				opening, ok = openingFence(line[end:])
			}
		}
		if !ok {
			continue
		}
		found := block{section: section, isPython: isPython(opening.tag)}
		found.code, rest = opening.block(rest)
		if found.code == "" || opening.tag != "" && !found.isPython {
			continue
		}
		found.defines = entryPoint != "" && defines(found.code, entryPoint)
		if !best.isBetterThan(&found) {
			best = found
		}
	}
	return best.code, best.code != ""
}

// block is a block that may be the answer.
type block struct {
	section           int // how many ends of thought precede it
	defines, isPython bool
	code              string
}

func (b *block) isBetterThan(other *block) bool {
	switch {
	case b.section != other.section:
		return b.section > other.section
	case b.defines != other.defines:
		return b.defines
	case b.isPython != other.isPython:
		return b.isPython
	}
	return len(b.code) > len(other.code)
}

// withoutThoughts returns what follows the thoughts that a reply begins with.
func withoutThoughts(reply string) string {
	for {
		answer, found := afterThought(strings.TrimLeft(reply, text.WhiteSpace))
		if !found {
			return reply
		}
		reply = answer
	}
}

// afterThought returns what follows the thought that text begins with, or false if it begins with none that ends.
func afterThought(text string) (string, bool) {
	for _, thought := range thoughts {
		if inner, begins := strings.CutPrefix(text, thought.begin); begins {
			_, after, ends := strings.Cut(inner, thought.end)
			return after, ends
		}
	}
	return "", false
}

// endOfThought returns where the last end of a thought in a line ends, or -1.
func endOfThought(line string) int {
	last := -1
	for _, thought := range thoughts {
		if at := strings.LastIndex(line, thought.end); at >= 0 {
			last = max(last, at+len(thought.end))
		}
	}
	return last
}

// defines returns whether a line of the code defines a name at the top of the module.
func defines(code, name string) bool {
	for line := range strings.Lines(code) {
		if after, found := strings.CutPrefix(line, name); found {
			after = strings.TrimLeft(after, " \t")
			if strings.HasPrefix(after, "=") && !strings.HasPrefix(after, "==") {
				return true
			}
		}
		defined, isDefinition := afterWord(line, "class")
		if !isDefinition {
			if inner, isAsync := afterWord(line, "async"); isAsync {
				line = inner
			}
			defined, isDefinition = afterWord(line, "def")
		}
		if after, found := strings.CutPrefix(defined, name); isDefinition && found && !continuesName(after) {
			return true
		}
	}
	return false
}

// afterWord returns what follows a word and the spaces or tabs, at least one, behind it.
func afterWord(line, word string) (string, bool) {
	after, found := strings.CutPrefix(line, word)
	rest := strings.TrimLeft(after, " \t")
	return rest, found && len(rest) < len(after)
}

// continuesName returns whether a Python name that text follows is longer than it seems.
func continuesName(text string) bool {
	return text != "" && (isWordByte(text[0]) || text[0] >= 0x80)
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}
