// Package text holds what several rules of the contract say about text.
package text

import (
	"strings"
	"unicode/utf8"
)

// WhiteSpace is what the vectors of the contract call white space.
const WhiteSpace = " \t\n\r\v\f"

// Decode returns bytes as UTF-8, with U+FFFD for each maximal subpart of what is not UTF-8.
//
// Source: the WHATWG encoding standard, "UTF-8 decoder".
func Decode(bytes []byte) string {
	if utf8.Valid(bytes) {
		return string(bytes)
	}
	var decoded strings.Builder
	for len(bytes) > 0 {
		character, length := utf8.DecodeRune(bytes)
		if character == utf8.RuneError && length == 1 {
			// As long as it could still become a character, it is one subpart.
			for length < len(bytes) && !utf8.FullRune(bytes[:length+1]) {
				length++
			}
		}
		decoded.WriteRune(character)
		bytes = bytes[length:]
	}
	return decoded.String()
}

// OneLine returns a text with one space for each run of white space and control characters, none at its ends.
//
// Source: runtimes/contract/vectors/reasons.json.
func OneLine(text string) string { return strings.Join(strings.FieldsFunc(text, endsWord), " ") }

func endsWord(c rune) bool {
	return c <= ' ' || c >= 0x7F && c <= 0x9F || c == '\u2028' || c == '\u2029'
}
