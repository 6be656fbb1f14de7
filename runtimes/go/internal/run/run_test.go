package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"agentloop/internal/fields"
)

// scene is a run file, and all that it names, in a folder of its own.
type scene struct {
	path string
	file map[string]any
}

func newScene(t *testing.T, baseURL, verifier string, tasks int) *scene {
	t.Helper()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	prompts := `{"system":"s","user":"{task_id}","tests_failed":"{output}","timed_out":"slow","no_code":"none"}`
	write(t, in("prompts.json"), prompts)
	if err := os.Mkdir(in("workspaces"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := &scene{in("run.json"), map[string]any{
		"contract_version": 1, "tasks_file": in("tasks.jsonl"), "prompts_file": in("prompts.json"),
		"base_url": baseURL, "model": "m", "request": map[string]any{}, "agents": 2, "max_retries": 1,
		"verify": map[string]any{
			"argv": []string{"sh", "-c", verifier}, "env": map[string]string{"PATH": os.Getenv("PATH")},
			"timeout_s": 60, "slots": 1, "output_limit_bytes": 1000},
		"timeouts":   map[string]any{"connect_s": 60, "event_idle_s": 60, "total_s": 60},
		"transport":  map[string]any{"max_retries": 0, "base_s": 0, "cap_s": 0},
		"workspaces": in("workspaces"), "events": in("events.jsonl"),
	}}
	s.writeTasks(t, make([]any, tasks)...)
	return s
}

// writeTasks makes a task for each start; nil is none.
func (s *scene) writeTasks(t *testing.T, starts ...any) {
	t.Helper()
	var lines strings.Builder
	for number, start := range starts {
		task := map[string]any{
			"task_id": string(rune('a' + number)), "prompt": "p", "tests": "t", "entry_point": "f"}
		if start != nil {
			task["start_after_ns"] = start
		}
		json.NewEncoder(&lines).Encode(task)
	}
	write(t, s.file["tasks_file"].(string), lines.String())
}

func (s *scene) perform(t *testing.T) (int, error) {
	t.Helper()
	text, err := json.Marshal(s.file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.path, string(text))
	return Perform(s.path)
}

// eventFields are what the tests look at of any event.
type eventFields struct {
	Event, Task, Verdict, Outcome, Reason string

	T        int64
	Begin    int64 `json:"t_begin"`
	Attempts int
}

// String returns the event's name and its verdict or outcome.
func (e eventFields) String() string {
	return strings.TrimSpace(e.Event + " " + e.Task + " " + e.Verdict + e.Outcome)
}

// events returns every event of a run.
func (s *scene) events(t *testing.T) []eventFields {
	t.Helper()
	text, err := os.ReadFile(s.file["events"].(string))
	if err != nil {
		t.Fatal(err)
	}
	var all []eventFields
	for line := range strings.Lines(string(text)) {
		var one eventFields
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, one)
	}
	return all
}

// named returns the events of a run by their names, with | between them.
func named(events []eventFields) string {
	var names []string
	for _, event := range events {
		names = append(names, event.String())
	}
	return strings.Join(names, "|")
}

// endpoint answers every request with a completion.
func endpoint(t *testing.T, requested func()) string {
	t.Helper()
	chunk, err := json.Marshal(map[string]any{"choices": []any{map[string]any{
		"delta": map[string]string{"content": "```python\nx = 1\n```\n"}, "finish_reason": "stop"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested()
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: "+string(chunk)+"\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

func TestRunThatPassesAtTheSecondAttempt(t *testing.T) {
	const verifier = `test -s solution.py && test "$(cat test_solution.py)" = t || exit 9
		mkdir ../../once 2> /dev/null && echo "1 failed in 0.01s" && exit 1
		echo "1 passed in 0.01s"`
	s := newScene(t, endpoint(t, func() {}), verifier, 1)
	status, err := s.perform(t)
	expected := "run_start|attempt a failed|attempt a passed|task a passed|run_end"
	if events := named(s.events(t)); status != 0 || err != nil || events != expected {
		t.Errorf("%d, %v, %s", status, err, events)
	}
}

func TestSignalEndsTheRunInOrder(t *testing.T) {
	stop := func() { syscall.Kill(os.Getpid(), syscall.SIGTERM) }
	s := newScene(t, endpoint(t, stop), "sleep 1000", 3)
	s.file["agents"] = 1
	status, err := s.perform(t)
	events := named(s.events(t))
	expected := "run_start|attempt a interrupted|task a error|task b error|task c error|run_end"
	if status != 143 || err != nil || events != expected {
		t.Errorf("%d, %v, %s", status, err, events)
	}
	if left, _ := os.ReadDir(s.file["workspaces"].(string)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoTaskBeginsBeforeItsStart(t *testing.T) {
	starts := map[string]int64{"a": 0, "b": 60e6, "c": 60e6, "d": 120e6}
	s := newScene(t, endpoint(t, func() {}), `echo "1 passed in 0.01s"`, 0)
	s.writeTasks(t, nil, starts["b"], starts["c"], starts["d"])
	status, err := s.perform(t)
	events := s.events(t)
	began := 0
	for _, event := range events {
		if event.Event == "attempt" {
			began++
			if after := event.Begin - events[0].T; after < starts[event.Task] {
				t.Errorf("%s began after %d ns, expected %d at least", event.Task, after, starts[event.Task])
			}
		}
	}
	if status != 0 || err != nil || began != len(starts) {
		t.Errorf("%d, %v, %s", status, err, named(events))
	}
}

func TestSignalEndsTheWaitForAStart(t *testing.T) {
	stop := func() { syscall.Kill(os.Getpid(), syscall.SIGTERM) }
	s := newScene(t, endpoint(t, stop), "sleep 1000", 0)
	s.writeTasks(t, nil, math.MaxInt64)
	status, err := s.perform(t)
	events := s.events(t)
	ofB := slices.DeleteFunc(slices.Clone(events), func(e eventFields) bool { return e.Task != "b" })
	if status != 143 || err != nil || named(ofB) != "task b error" {
		t.Fatalf("%d, %v, %s", status, err, named(events))
	}
	if ofB[0].Attempts != 0 || ofB[0].Reason != "interrupted" {
		t.Errorf("%d attempts, %s", ofB[0].Attempts, ofB[0].Reason)
	}
}

func TestInvalidStarts(t *testing.T) {
	for _, start := range []string{"-1", "1.5", "1.0", `"1"`, "true", "null", "9223372036854775808"} {
		s := newScene(t, "http://localhost/v1", "true", 0)
		s.writeTasks(t, nil, json.RawMessage(start))
		_, err := s.perform(t)
		expected := fmt.Sprintf("%s, line 2: start_after_ns is %s; it must be an integer of at least 0",
			s.file["tasks_file"], start)
		if !errors.Is(err, fields.ErrInvalidInput) || err.Error() != expected {
			t.Errorf("%v, expected %s", err, expected)
		}
	}
}

func TestInvalidRunFiles(t *testing.T) {
	for line, spoil := range map[string]func(s *scene){
		`verify.slots is 0; it must be an integer of at least 1`: func(s *scene) {
			s.file["verify"].(map[string]any)["slots"] = 0
		},
		`model is missing; it must be a string`:               func(s *scene) { delete(s.file, "model") },
		`agents is true; it must be an integer of at least 1`: func(s *scene) { s.file["agents"] = true },
		`base_url is "x"; it must be http:// or https:// and a host, with a port, a path and a query if need be`: func(s *scene) {
			s.file["base_url"] = "x"
		},
	} {
		s := newScene(t, "http://localhost/v1", "true", 1)
		spoil(s)
		_, err := s.perform(t)
		if !errors.Is(err, fields.ErrInvalidInput) || err.Error() != s.path+": "+line {
			t.Errorf("%v, expected %s", err, line)
		}
		if _, err := os.Stat(s.file["events"].(string)); !os.IsNotExist(err) {
			t.Error("an event file was made")
		}
	}
}

func TestTools(t *testing.T) {
	calls := `{"tool":"write_file","path":"a","content":"text"}
{"tool":"list_dir","path":""}
{"tool":"bash","command":"cat a; exit 3","env":{"PATH":` + quoted(os.Getenv("PATH")) + `},"timeout_s":60,"output_limit_bytes":9}
{"tool":"read_file","path":"../a"}
{"tool":"fly"}`
	expected := `{"result":null}
{"result":["a"]}
{"result":{"stdout":"text","stderr":"","exit_code":3,"signal":null,"timed_out":false}}
{"error":"\"../a\": is not a path inside the workspace"}
{"error":"call: tool is \"fly\"; it must be write_file, read_file, list_dir, search or bash"}
`
	var answers bytes.Buffer
	if err := ServeTools(t.TempDir(), strings.NewReader(calls), &answers); err != nil || answers.String() != expected {
		t.Errorf("%v\n%s", err, answers.String())
	}
}

func quoted(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
