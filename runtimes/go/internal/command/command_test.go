package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"agentloop/internal/events"
)

var testEnvironment = []string{"PATH=" + os.Getenv("PATH")}

// shell runs a command line, in a folder of its own, with a minute to end.
func shell(t *testing.T, line string, outputBytes int) Finished {
	t.Helper()
	limits := Limits{Environment: testEnvironment, Timeout: time.Minute, OutputBytes: outputBytes}
	finished, err := Run(t.Context(), []string{"sh", "-c", line}, t.TempDir(), limits)
	if err != nil {
		t.Fatal(err)
	}
	return finished
}

func TestEndings(t *testing.T) {
	if finished := shell(t, "echo out; echo err >&2; exit 3", 100); finished.Status.ExitStatus() != 3 ||
		string(finished.Stdout) != "out\n" || string(finished.Stderr) != "err\n" || finished.TimedOut {
		t.Errorf("%+v", finished)
	}
	if finished := shell(t, "kill -USR1 $$", 100); finished.Status.Signal() != syscall.SIGUSR1 {
		t.Errorf("%+v", finished)
	}
}

func TestEndOfOutputIsKept(t *testing.T) {
	finished := shell(t, "head -c 3000000 /dev/zero; printf end", 5)
	if string(finished.Stdout) != "\x00\x00end" {
		t.Errorf("%q", finished.Stdout)
	}
}

func TestChildHasItsSettings(t *testing.T) {
	finished := shell(t, "ps -o pid=,pgid= -p $$; cat; env", 9000)
	said := string(finished.Stdout)
	ids := strings.Fields(said)
	if ids[0] != ids[1] {
		t.Errorf("process %s is in group %s", ids[0], ids[1])
	}
	if strings.Contains(said, "HOME=") {
		t.Errorf("our own environment: %s", said)
	}
}

func TestTimeoutKillsTheGroup(t *testing.T) {
	folder := t.TempDir()
	limits := Limits{Environment: testEnvironment, Timeout: 300 * time.Millisecond, OutputBytes: 100}
	line := "trap '' TERM; sleep 1000 & echo $! > pid; wait"
	finished, err := Run(t.Context(), []string{"sh", "-c", line}, folder, limits)
	if err != nil || !finished.TimedOut || finished.Status.Signal() != syscall.SIGKILL {
		t.Errorf("%+v, %v", finished, err)
	}
	requireGone(t, filepath.Join(folder, "pid"))
}

func TestDescendantIsKilledAndNotWaitedFor(t *testing.T) {
	folder := t.TempDir()
	limits := Limits{Environment: testEnvironment, Timeout: time.Minute, OutputBytes: 100}
	finished, err := Run(t.Context(), []string{"sh", "-c", "sleep 1000 & echo $! > pid; echo done"}, folder, limits)
	if err != nil || string(finished.Stdout) != "done\n" {
		t.Errorf("%+v, %v", finished, err)
	}
	requireGone(t, filepath.Join(folder, "pid"))
}

func TestDescendantThatGotAwayIsNotWaitedFor(t *testing.T) {
	folder := t.TempDir()
	limits := Limits{Environment: testEnvironment, Timeout: time.Minute, OutputBytes: 100}
	line := "setsid sh -c 'echo $$ > pid; exec yes' & while ! [ -s pid ]; do :; done"
	finished, err := Run(t.Context(), []string{"sh", "-c", line}, folder, limits)
	number, _ := os.ReadFile(filepath.Join(folder, "pid"))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(number))); err == nil {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil || finished.Status.ExitStatus() != 0 {
		t.Errorf("%+v, %v", finished, err)
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	verifier := NewVerifier([]string{"sleep", "1000"}, Limits{testEnvironment, time.Minute, 100}, 1)
	attempts := []*events.Attempt{{}, {}} // One has the slot, the other waits for it.
	ended := make(chan error)
	for _, attempt := range attempts {
		go func() {
			_, err := verifier.Verify(ctx, t.TempDir(), attempt)
			ended <- err
		}()
	}
	cancel()
	for range attempts {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// faulty is a context that panics when it is asked for its end, which is when the child is there.
type faulty struct{ context.Context }

func (faulty) Done() <-chan struct{} { panic("faulty") }

func TestPanicLeavesNoChild(t *testing.T) {
	limits := Limits{Environment: testEnvironment, Timeout: time.Minute, OutputBytes: 100}
	fault := panicOf(func() { Run(faulty{t.Context()}, []string{"sleep", "1000"}, t.TempDir(), limits) })
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); fault != "faulty" || err != syscall.ECHILD {
		t.Errorf("panic %v; of the children: %v, expected %v", fault, err, syscall.ECHILD)
	}
}

func TestPanicWhileOutputIsReadIsThatOfTheCaller(t *testing.T) {
	limits := Limits{Environment: testEnvironment, Timeout: time.Minute, OutputBytes: -2 * pieceBytes} // is no limit
	fault := panicOf(func() { Run(t.Context(), []string{"yes"}, t.TempDir(), limits) })
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); fault == nil || err != syscall.ECHILD {
		t.Errorf("panic %v; of the children: %v, expected %v", fault, err, syscall.ECHILD)
	}
}

func panicOf(work func()) (fault any) {
	defer func() { fault = recover() }()
	work()
	return nil
}

func TestFindProgram(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "text"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	environment := []string{"PATH=.:" + folder + ":/bin"}
	for name, expected := range map[string]string{"sh": "/bin/sh", "/bin/sh": "/bin/sh", "./sh": "./sh"} {
		if path, err := FindProgram(name, environment); err != nil || path != expected {
			t.Errorf("%s: %s, %v", name, path, err)
		}
	}
	for _, name := range []string{"", "text", "nothing", folder, "/nothing"} {
		if path, err := FindProgram(name, environment); err == nil {
			t.Errorf("%q: %s", name, path)
		}
	}
}

// requireGone requires that the process whose number is in a file dies: it has been killed, and may not be dead yet.
func requireGone(t *testing.T, path string) {
	t.Helper()
	number, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for started := time.Now(); ; runtime.Gosched() {
		// Whoever adopts it may not have reaped it either.
		status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(number)) + "/status")
		if err != nil || strings.Contains(string(status), "State:\tZ") {
			return
		}
		if time.Since(started) > 10*time.Second {
			t.Fatalf("process %s is alive", number)
		}
	}
}
