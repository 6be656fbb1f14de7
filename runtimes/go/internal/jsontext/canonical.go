package jsontext

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Numbers below are written with an exponent, as in Python.
const smallestWithoutExponent = 0.0001

// AppendCanonical appends v as the one JSON text that all runtimes agree on: keys sorted by code point, no white
// space, only what JSON demands is escaped, and a number without a fraction is an integer. It fails at a number
// that is too large for a double.
//
// Source: runtimes/CONTRACT.md, "One task", and runtimes/contract/vectors/README.md, messages.json.
func (v Value) AppendCanonical(text []byte) ([]byte, error) {
	var err error
	switch {
	case v.IsObject():
		text = append(text, '{')
		for i, sorted := range v.sorted() {
			if i > 0 {
				text = append(text, ',')
			}
			text = append(AppendQuoted(text, sorted.name), ':')
			if text, err = sorted.value.AppendCanonical(text); err != nil {
				return nil, err
			}
		}
		return append(text, '}'), nil
	case v.IsArray():
		text = append(text, '[')
		for element := range v.Elements() {
			if text[len(text)-1] != '[' {
				text = append(text, ',')
			}
			if text, err = element.AppendCanonical(text); err != nil {
				return nil, err
			}
		}
		return append(text, ']'), nil
	case v.IsString():
		return AppendQuoted(text, v.Text()), nil
	case v.IsNumber():
		return v.appendNumber(text)
	}
	return append(text, v...), nil
}

// AppendQuoted appends text as a canonical JSON string.
func AppendQuoted(to []byte, text string) []byte {
	return append(AppendEscaped(append(to, '"'), text), '"')
}

// AppendEscaped appends text as it is within a canonical JSON string.
func AppendEscaped(to []byte, text string) []byte {
	plain := 0
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		to = appendEscape(append(to, text[plain:i]...), text[i])
		plain = i + 1
	}
	return append(to, text[plain:]...)
}

func appendEscape(to []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(to, '\\', c)
	case '\b':
		return append(to, `\b`...)
	case '\f':
		return append(to, `\f`...)
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	}
	return fmt.Appendf(to, `\u%04x`, c)
}

type member struct {
	name  string
	value Value
}

// sorted returns the members of an object, each name once, by code point.
func (v Value) sorted() []member {
	var members []member
	for name, value := range v.Members() {
		members = append(members, member{name.Text(), value})
	}
	slices.Reverse(members) // Of several by one name the last counts.
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(members, func(a, b member) bool { return a.name == b.name })
}

func (v Value) appendNumber(text []byte) ([]byte, error) {
	if !bytes.ContainsAny(v, ".eE") {
		if string(v) == "-0" {
			v = v[1:]
		}
		return append(text, v...), nil
	}
	number, err := strconv.ParseFloat(string(v), 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is too large for a double", v)
	case number == 0: // Also in place of -0.
		return append(text, '0'), nil
	case number == math.Trunc(number):
		return strconv.AppendFloat(text, number, 'f', 0, 64), nil
	case math.Abs(number) < smallestWithoutExponent:
		return strconv.AppendFloat(text, number, 'e', -1, 64), nil
	}
	return strconv.AppendFloat(text, number, 'f', -1, 64), nil
}
