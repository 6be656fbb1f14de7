// Package fields asks for the fields of JSON objects from files by their type.
package fields

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"agentloop/internal/jsontext"
)

// ErrInvalidInput is what every error about a run file, or about something it names, is.
var ErrInvalidInput = errors.New("invalid input")

// InvalidInput returns an ErrInvalidInput whose one line says what, where and what to do.
func InvalidInput(format string, values ...any) error {
	return invalidInput(fmt.Sprintf(format, values...))
}

type invalidInput string

func (i invalidInput) Error() string        { return string(i) }
func (i invalidInput) Is(target error) bool { return target == ErrInvalidInput }

// Fields are the fields of one JSON object. Each is asked for by its type; the first that is missing or of
// another type is the error that Err returns, and from there on every answer may be a zero value.
type Fields struct {
	where  string
	prefix string
	object jsontext.Value
	err    *error
}

// OfFile returns the fields of the JSON object that a file holds.
func OfFile(path string) (Fields, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Fields{}, InvalidInput("%v; name a UTF-8 file that is there", err)
	}
	return Of(path, text)
}

// Of returns the fields of the JSON object that text is; errors name it where.
func Of(where string, text []byte) (Fields, error) {
	value, ok := jsontext.Parse(text)
	if !ok || !utf8.Valid(text) || !value.IsUnicode() {
		return Fields{}, InvalidInput("%s: is not JSON in UTF-8; write one JSON object there", where)
	}
	if !value.IsObject() {
		return Fields{}, InvalidInput("%s: holds %s; write one JSON object there", where, shown(value))
	}
	return Fields{where: where, object: value, err: new(error)}, nil
}

// Err returns the error about the first field that was not as it was asked for.
func (f Fields) Err() error { return *f.err }

// Has returns whether a field is there, of whatever type.
func (f Fields) Has(name string) bool { return f.object.Member(name) != nil }

// Refuse makes a field the error: it must be what is wanted.
func (f Fields) Refuse(name, wanted string) {
	if *f.err != nil {
		return
	}
	found := "is missing"
	if value := f.object.Member(name); value != nil {
		found = "is " + shown(value)
	}
	*f.err = InvalidInput("%s: %s%s %s; it must be %s", f.where, f.prefix, name, found, wanted)
}

// RefuseUnshown is Refuse for a field that may hold a password, so that its value is not shown.
func (f Fields) RefuseUnshown(name, wanted string) {
	if *f.err == nil {
		*f.err = InvalidInput("%s: %s%s (not shown) must be %s", f.where, f.prefix, name, wanted)
	}
}

// Text returns a string, which may be empty.
func (f Fields) Text(name string) string {
	value := f.object.Member(name)
	if !value.IsString() {
		f.Refuse(name, "a string")
	}
	return value.Text()
}

// Argument returns a string that is fit for a command line.
func (f Fields) Argument(name string) string {
	text := f.Text(name)
	if strings.Contains(text, "\x00") {
		f.Refuse(name, "a string without NUL")
	}
	return text
}

// Arguments returns the strings of an array that is not empty; they are fit for a command line.
func (f Fields) Arguments(name string) []string {
	var arguments []string
	value := f.object.Member(name)
	fit := value.IsArray()
	for element := range value.Elements() {
		fit = fit && isArgument(element)
		arguments = append(arguments, element.Text())
	}
	if !fit || len(arguments) == 0 {
		f.Refuse(name, "a list of strings, at least one")
	}
	return arguments
}

// Environment returns the strings of an object as "name=value"; they are fit for a process's environment.
func (f Fields) Environment(name string) []string {
	environment := []string{}
	value := f.object.Member(name)
	fit := value.IsObject()
	for quotedVariable, content := range value.Members() {
		variable := quotedVariable.Text()
		fit = fit && variable != "" && !strings.ContainsAny(variable, "=\x00") && isArgument(content)
		environment = append(environment, variable+"="+content.Text())
	}
	if !fit {
		f.Refuse(name, "an object of strings")
	}
	return environment
}

// Object returns an object with any fields.
func (f Fields) Object(name string) jsontext.Value {
	value := f.object.Member(name)
	if !value.IsObject() {
		f.Refuse(name, "an object")
	}
	return value
}

// Fields returns an object whose fields are to be asked for in turn; their errors are this one's.
func (f Fields) Fields(name string) Fields {
	return Fields{where: f.where, prefix: f.prefix + name + ".", object: f.Object(name), err: f.err}
}

// Integer returns an integer of at least a bound.
func (f Fields) Integer(name string, atLeast int) int {
	value, err := strconv.Atoi(string(f.object.Member(name)))
	if err != nil || value < atLeast {
		f.Refuse(name, fmt.Sprintf("an integer of at least %d", atLeast))
	}
	return value
}

// Positive returns a number above 0.
func (f Fields) Positive(name string) float64 {
	number := f.number(name)
	if !(number > 0) {
		f.Refuse(name, "a number above 0")
	}
	return number
}

// NotNegative returns a number of at least 0.
func (f Fields) NotNegative(name string) float64 {
	number := f.number(name)
	if !(number >= 0) {
		f.Refuse(name, "a number of at least 0")
	}
	return number
}

// Path returns an absolute path.
func (f Fields) Path(name string) string {
	text := f.Argument(name)
	path, err := filepath.Abs(text)
	if text == "" || err != nil {
		f.Refuse(name, "a path")
	}
	return path
}

// WritableFolder returns the path, free of symbolic links, of a folder that is there and can be written to.
func (f Fields) WritableFolder(name string) string {
	const writeAndSearch = 3
	path, err := filepath.EvalSymlinks(f.Path(name))
	if err == nil {
		// With a slash it can be nothing but a folder.
		err = syscall.Access(path+"/", writeAndSearch)
	}
	if err != nil {
		f.Refuse(name, "an existing folder that can be written to")
	}
	return path
}

// number returns NaN for what is no number, or too large for a double.
func (f Fields) number(name string) float64 {
	value := f.object.Member(name)
	number, err := strconv.ParseFloat(string(value), 64)
	if !value.IsNumber() || err != nil {
		return math.NaN()
	}
	return number
}

func isArgument(value jsontext.Value) bool {
	return value.IsString() && !strings.Contains(value.Text(), "\x00")
}

// shown returns a value for a message, in one line and not too long.
func shown(value jsontext.Value) string {
	const limit = 60
	text := []rune(strings.Join(strings.Fields(string(value)), " "))
	if len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(text)
}
