package run

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// inLimitedProcess runs the test again in a process of its own, and is true there. The limit is one of the whole
// process, and `go test` keeps a log in its own, which may be longer than the limit.
func inLimitedProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv("LIMITED_TEST") == t.Name() {
		return true
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), "LIMITED_TEST="+t.Name())
	output, err := again.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(output), "PASS") {
		t.Errorf("%v\n%s", err, output)
	}
	return false
}

// letFilesGrowTo limits the files of this process. The signal that tells of the limit Go takes and passes over.
func letFilesGrowTo(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

func TestFileOfAnAttemptThatMayNotGrow(t *testing.T) {
	if !inLimitedProcess(t) {
		return
	}
	s := newScene(t, endpoint(t, func() {}), "true", 1)
	tasks := s.file["tasks_file"].(string)
	task, err := os.ReadFile(tasks)
	if err != nil {
		t.Fatal(err)
	}
	write(t, tasks, strings.Replace(string(task), `"tests":"t"`, `"tests":"`+strings.Repeat("t", 5000)+`"`, 1))
	s.save(t)
	letFilesGrowTo(t, 4096)
	status, err := Perform(s.path)
	events := s.events(t)
	if all := named(events); status != 0 || err != nil || all != "run_start|attempt a error|task a error|run_end" {
		t.Fatalf("%d, %v, %s", status, err, all)
	}
	if reason := events[1].Reason; !strings.Contains(reason, "file too large") {
		t.Error(reason)
	}
	if left, _ := os.ReadDir(s.file["workspaces"].(string)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEventFileThatMayNotGrow(t *testing.T) {
	if !inLimitedProcess(t) {
		return
	}
	s := newScene(t, endpoint(t, func() {}), "true", 3)
	s.save(t)
	letFilesGrowTo(t, 100) // run_start is shorter, and an attempt's event is not.
	status, err := Perform(s.path)
	if status != 1 || err == nil || !strings.Contains(err.Error(), s.file["events"].(string)+": file too large") {
		t.Errorf("%d, %v", status, err)
	}
	if left, _ := os.ReadDir(s.file["workspaces"].(string)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFileOfAToolThatMayNotGrow(t *testing.T) {
	if !inLimitedProcess(t) {
		return
	}
	calls := `{"tool":"write_file","path":"a","content":"` + strings.Repeat("x", 200) + `"}
{"tool":"list_dir","path":""}
{"tool":"bash","command":"grep SigIgn /proc/self/status","env":{"PATH":` + quoted(os.Getenv("PATH")) +
		`},"timeout_s":60,"output_limit_bytes":99}`
	const others = `{"result":[]}
{"result":{"stdout":"SigIgn:\t0000000000000000\n","stderr":"","exit_code":0,"signal":null,"timed_out":false}}
`
	letFilesGrowTo(t, 100)
	var answers strings.Builder
	err := ServeTools(t.TempDir(), strings.NewReader(calls), &answers)
	refusal, rest, _ := strings.Cut(answers.String(), "\n")
	if err != nil || !strings.HasSuffix(refusal, `file too large"}`) || rest != others {
		t.Errorf("%v\n%s", err, answers.String())
	}
}
