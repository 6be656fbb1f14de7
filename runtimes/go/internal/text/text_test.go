package text

import (
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	// The examples of the Unicode standard, section 3.9, table 3-8 and before it.
	for bytes, expected := range map[string]string{
		"":   "",
		"é😀": "é😀",
		"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64": "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd",
		"\xC0\xAF\xE0\x80\xBF":                                 "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD",
		"\xED\xA0\x80":                                         "\uFFFD\uFFFD\uFFFD",
		"\xF0\x9F\x98":                                         "\uFFFD",
		"\xE2\x82":                                             "\uFFFD",
	} {
		if text := Decode([]byte(bytes)); text != expected {
			t.Errorf("%q: %q, expected %q", bytes, text, expected)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("a\xE2\x82b"))
	f.Fuzz(func(t *testing.T, bytes []byte) {
		text := Decode(bytes)
		if !utf8.ValidString(text) || utf8.Valid(bytes) && text != string(bytes) {
			t.Errorf("%q: %q", bytes, text)
		}
	})
}
