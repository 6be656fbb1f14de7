package run

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	s.save(t)
	return Perform(s.path)
}

// save writes the run file.
func (s *scene) save(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(s.file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.path, string(text))
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
