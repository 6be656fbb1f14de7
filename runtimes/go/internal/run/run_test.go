package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"agentloop/internal/fields"
)

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

// faulty is a context that panics once when it is asked for its end at a certain moment.
type faulty struct {
	context.Context
	isDue func() bool
	once  *sync.Once
}

func (f faulty) Done() <-chan struct{} {
	if f.isDue() {
		f.once.Do(func() { panic("faulty") })
	}
	return f.Context.Done()
}

// TestPanicEndsTheRunInOrder has one agent panic in its workspace while the verifier of the other is running.
func TestPanicEndsTheRunInOrder(t *testing.T) {
	var s *scene
	var pid string
	var requests atomic.Int64
	baseURL := endpoint(t, func() {
		for isSecond := requests.Add(1) == 2; isSecond && pid == ""; runtime.Gosched() {
			number, _ := os.ReadFile(s.file["workspaces"].(string) + "/../pid")
			pid = strings.TrimSpace(string(number))
		}
	})
	s = newScene(t, baseURL, "echo $$ > ../../pid; exec sleep 1000", 3)
	s.save(t)
	file, err := LoadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	both := func() bool {
		workspaces, _ := os.ReadDir(file.workspaces)
		return len(workspaces) == 2
	}
	status, err := file.perform(faulty{ctx, both, new(sync.Once)}, stop)
	if status != 1 || err == nil || !regexp.MustCompile(`at run_test\.go:[0-9]+: faulty$`).MatchString(err.Error()) {
		t.Errorf("%d, %v", status, err)
	}
	if left, _ := os.ReadDir(file.workspaces); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat("/proc/" + pid); !os.IsNotExist(err) {
		t.Errorf("process %q: %v", pid, err)
	}
	var outcomes []string
	events := s.events(t)
	for _, event := range events {
		if event.Event != "attempt" {
			outcomes = append(outcomes, event.Event+" "+event.Reason)
		}
	}
	slices.Sort(outcomes[1 : len(outcomes)-1])
	expected := []string{"run_start ", "task interrupted", "task interrupted", "task this program is at fault", "run_end "}
	if !slices.Equal(outcomes, expected) {
		t.Errorf("%q, expected %q in %s", outcomes, expected, named(events))
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
		`base_url (not shown) must be http:// or https:// and a host without a user, with a port, a path and a query if need be`: func(s *scene) {
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
