package jsontext

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestCanonical(t *testing.T) {
	for written, expected := range map[string]string{
		`{"b": 1, "a": [true, null, {}], "": []}`: `{"":[],"a":[true,null,{}],"b":1}`,
		`{"a":1,"a":2}`:                           `{"a":2}`,
		`"\u0041\/\ud83d\ude00"`:                  `"A/😀"`,
		`"\b\f\n\r\t\u0001\u001f\u007f<>&\u2028"`: `"\b\f\n\r\t\u0001\u001f` + "\x7f<>&\u2028\"",
		`1.0`: `1`, `-0`: `0`, `-0.0`: `0`, `1e2`: `100`, `0.25`: `0.25`, `0.0001`: `0.0001`,
		`0.00001`: `1e-05`, `1.5E-7`: `1.5e-07`, `1e22`: `10000000000000000000000`,
		`1e23`:                           `99999999999999991611392`,
		`123456789012345678901234567890`: `123456789012345678901234567890`,
	} {
		value, ok := Parse([]byte(written))
		canonical, err := value.AppendCanonical(nil)
		if !ok || err != nil || string(canonical) != expected {
			t.Errorf("%s: %s, %v; expected %s", written, canonical, err, expected)
		}
	}
}

func TestNumberBeyondADouble(t *testing.T) {
	value, _ := Parse([]byte(`[{"a":1e999}]`))
	if _, err := value.AppendCanonical(nil); err == nil || err.Error() != "1e999 is too large for a double" {
		t.Error(err)
	}
}

func TestHalvesOfSurrogatePairs(t *testing.T) {
	for text, whole := range map[string]bool{
		`["\ud83d\ude00"]`: true, `"\\ud83d"`: true, `"\ufffd"`: true,
		`"\ud83d"`: false, `{"\ude00":1}`: false, `"\ud83d\ud83d\ude00"`: false, `"\ud83dx"`: false,
	} {
		value, ok := Parse([]byte(text))
		if !ok || value.IsUnicode() != whole {
			t.Errorf("%s: %t, expected %t", text, value.IsUnicode(), whole)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, text := range []string{`null`, `7`, `"x"`, `[]`, `{}`, `{"b":1}`} {
		value, _ := Parse([]byte(text))
		if found := value.Member("a").First().Member("b"); found != nil || found.Text() != "" {
			t.Errorf("%s: %s", text, found)
		}
	}
}

// FuzzCanonical compares with encoding/json: the canonical text means the same, and is its own canonical text.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(` { "a" : [ 1.5 , "\"}]" ] , "b\\" : { } } `))
	f.Add([]byte("[\n[ ],{},\"\\\\\",-0.0,1e-7 ]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		value, ok := Parse(text)
		if ok != json.Valid(text) {
			t.Fatalf("Parse(%q) is %t", text, ok)
		}
		if !ok || !value.IsUnicode() {
			return
		}
		canonical, err := value.AppendCanonical(nil)
		if err != nil {
			return
		}
		if !reflect.DeepEqual(decoded(t, text), decoded(t, canonical)) {
			t.Errorf("%q: %q", text, canonical)
		}
		again, err := Value(canonical).AppendCanonical(nil)
		if err != nil || string(again) != string(canonical) {
			t.Errorf("%q, then %q", canonical, again)
		}
	})
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}
