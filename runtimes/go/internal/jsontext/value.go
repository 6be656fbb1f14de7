// Package jsontext reads and writes JSON in place: a value stays the bytes that it was written as.
//
// encoding/json checks the syntax; it is not asked to decode, because what a chunk of a stream holds is wanted
// without a copy, whatever types its other fields have.
package jsontext

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const space = " \t\r\n"

// Value is one JSON value without white space around it; nil is no value.
type Value []byte

// Parse returns the value that data holds, or false if data is not JSON. The value shares data's memory.
func Parse(data []byte) (Value, bool) {
	if !json.Valid(data) {
		return nil, false
	}
	return bytes.Trim(data, space), true
}

// IsObject returns whether the value is an object.
func (v Value) IsObject() bool { return len(v) > 0 && v[0] == '{' }

// IsArray returns whether the value is an array.
func (v Value) IsArray() bool { return len(v) > 0 && v[0] == '[' }

// IsString returns whether the value is a string.
func (v Value) IsString() bool { return len(v) > 0 && v[0] == '"' }

// IsNumber returns whether the value is a number.
func (v Value) IsNumber() bool { return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

// IsNull returns whether the value is there and null.
func (v Value) IsNull() bool { return len(v) > 0 && v[0] == 'n' }

// Member returns a member of an object, the last if there are several by that name; nil if there is none, or
// if v is no object.
func (v Value) Member(name string) Value {
	var found Value
	for quoted, value := range v.Members() {
		if quoted.is(name) {
			found = value
		}
	}
	return found
}

// Members goes through the names and the values of an object, or through nothing if v is no object.
func (v Value) Members() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		if !v.IsObject() {
			return
		}
		rest := afterSpace(v[1:], ' ')
		for rest[0] != '}' {
			name := Value(rest[:end(rest)])
			rest = afterSpace(rest[len(name):], ':')
			value := Value(rest[:end(rest)])
			rest = afterSpace(rest[len(value):], ',')
			if !yield(name, value) {
				return
			}
		}
	}
}

// Elements goes through the elements of an array, or through nothing if v is no array.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.IsArray() {
			return
		}
		rest := afterSpace(v[1:], ' ')
		for rest[0] != ']' {
			element := Value(rest[:end(rest)])
			rest = afterSpace(rest[len(element):], ',')
			if !yield(element) {
				return
			}
		}
	}
}

// First returns the first element of an array; nil if there is none, or if v is no array.
func (v Value) First() Value {
	for element := range v.Elements() {
		return element
	}
	return nil
}

// Text returns what a string says, with U+FFFD for half of a surrogate pair; "" if v is no string.
func (v Value) Text() string {
	if !v.IsString() {
		return ""
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	// What is escaped is never shorter than what it stands for.
	return string(v.AppendText(make([]byte, 0, len(v))))
}

// AppendText appends what a string says.
func (v Value) AppendText(text []byte) []byte {
	if !v.IsString() {
		return text
	}
	inner := v[1 : len(v)-1]
	for {
		at := bytes.IndexByte(inner, '\\')
		if at < 0 {
			return append(text, inner...)
		}
		character, length := unescape(inner[at:])
		text = utf8.AppendRune(append(text, inner[:at]...), character)
		inner = inner[at+length:]
	}
}

// IsUnicode returns whether no string in v holds half of a surrogate pair.
func (v Value) IsUnicode() bool {
	for {
		// Only strings hold backslashes.
		at := bytes.IndexByte(v, '\\')
		if at < 0 {
			return true
		}
		character, length := unescape(v[at:])
		if utf16.IsSurrogate(character) {
			return false
		}
		v = v[at+length:]
	}
}

// IsModest returns whether v is nested no deeper than levels and no number in it is beyond a double.
func (v Value) IsModest(levels int) bool {
	for i := 0; i < len(v); {
		length := 1
		switch c := v[i]; {
		case c == '"':
			length = stringEnd(v[i:])
		case c == '{' || c == '[':
			levels--
		case c == '}' || c == ']':
			levels++
		case Value(v[i:]).IsNumber():
			length = end(v[i:])
			if _, err := strconv.ParseFloat(string(v[i:i+length]), 64); err != nil {
				return false
			}
		}
		if levels < 0 {
			return false
		}
		i += length
	}
	return true
}

// is returns whether a string says text.
func (v Value) is(text string) bool {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1:len(v)-1]) == text
	}
	return v.Text() == text
}

// afterSpace returns what follows white space and separators; a space is no separator of its own.
func afterSpace(rest []byte, separator byte) []byte {
	for i, c := range rest {
		if c > ' ' && c != separator {
			return rest[i:]
		}
	}
	return nil
}

// end returns where the first value of rest ends.
func end(rest []byte) int {
	switch rest[0] {
	case '"':
		return stringEnd(rest)
	case '{', '[':
		for i, depth := 0, 0; ; i++ {
			switch rest[i] {
			case '"':
				i += stringEnd(rest[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	if at := bytes.IndexAny(rest, space+",]}"); at >= 0 {
		return at
	}
	return len(rest)
}

func stringEnd(rest []byte) int {
	for i := 1; ; i++ {
		switch rest[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// unescape returns the character that an escape sequence stands for, a surrogate if it is half of a pair, and
// the sequence's length.
func unescape(sequence []byte) (rune, int) {
	switch sequence[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		character := hexadecimal(sequence[2:6])
		if utf16.IsSurrogate(character) && bytes.HasPrefix(sequence[6:], []byte(`\u`)) {
			if pair := utf16.DecodeRune(character, hexadecimal(sequence[8:12])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return character, 6
	}
	return rune(sequence[1]), 2
}

func hexadecimal(digits []byte) rune {
	number, _ := strconv.ParseUint(string(digits), 16, 32)
	return rune(number)
}
