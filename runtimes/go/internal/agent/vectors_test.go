package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"agentloop/internal/jsontext"
	"agentloop/internal/vectors"
)

func TestExtraction(t *testing.T) {
	type vector struct {
		Name, Reply string
		EntryPoint  string `json:"entry_point"`
		Expected    *string
	}
	for _, c := range vectors.Load[vector](t, "extraction.json") {
		t.Run(c.Name, func(t *testing.T) {
			code, ok := extract(c.Reply, c.EntryPoint)
			if ok != (c.Expected != nil) || ok && code != *c.Expected {
				t.Errorf("extract(%q, %q) = %q, %t", c.Reply, c.EntryPoint, code, ok)
			}
		})
	}
}

func TestWhiteSpaceBeforeAnEndTokenIsDropped(t *testing.T) {
	if code, _ := extract("```\na = 1 \n\t<|im_end|>", ""); code != "a = 1\n" {
		t.Errorf("%q", code)
	}
}

func TestFeedback(t *testing.T) {
	type vector struct {
		Name, Stdout, Stderr, Workspace, Expected string
		StdoutBase64                              []byte `json:"stdout_base64"`
		StderrBase64                              []byte `json:"stderr_base64"`
	}
	for _, c := range vectors.Load[vector](t, "feedback.json") {
		t.Run(c.Name, func(t *testing.T) {
			stdout, stderr := append(c.StdoutBase64, c.Stdout...), append(c.StderrBase64, c.Stderr...)
			if said := normalise(stdout, stderr, c.Workspace); said != c.Expected {
				t.Errorf("%q, expected %q", said, c.Expected)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	type vector struct {
		Name, Stdout, Expected string
		StdoutBase64           []byte `json:"stdout_base64"`
		ExitCode               int    `json:"exit_code"`
		Signal                 int
		TimedOut               bool `json:"timed_out"`
	}
	for _, c := range vectors.Load[vector](t, "verdicts.json") {
		t.Run(c.Name, func(t *testing.T) {
			// As wait(2) has it: the signal in the low bits, the exit code above them.
			status := syscall.WaitStatus(c.ExitCode<<8 | c.Signal)
			if verdict := judge(status, c.TimedOut, append(c.StdoutBase64, c.Stdout...)); verdict != c.Expected {
				t.Errorf("%s, expected %s", verdict, c.Expected)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	type vector struct {
		Name    string
		Prompts json.RawMessage
		Task    struct {
			TaskID string `json:"task_id"`
			Prompt string
			Tests  string
		}
		Model   string
		Request json.RawMessage
		Turns   []struct{ Reply, Then, Output string }
		Body    string
		SHA256  string
	}
	for _, c := range vectors.Load[vector](t, "messages.json") {
		t.Run(c.Name, func(t *testing.T) {
			conversation := begun(t, c.Model, c.Request, c.Prompts,
				&Task{ID: c.Task.TaskID, Prompt: c.Task.Prompt, Tests: c.Task.Tests})
			for _, turn := range c.Turns {
				switch turn.Then {
				case "tests_failed":
					conversation.TestsFailed(turn.Reply, turn.Output)
				case "timed_out":
					conversation.TimedOut(turn.Reply)
				case "no_code":
					conversation.NoCode(turn.Reply)
				default:
					t.Fatalf("no prompt is named %q", turn.Then)
				}
			}
			body := conversation.Body()
			if string(body) != c.Body {
				t.Errorf("%s\nexpected %s", body, c.Body)
			}
			if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != c.SHA256 {
				t.Errorf("SHA-256 %x, expected %s", sum, c.SHA256)
			}
		})
	}
}

func TestConversationsDoNotMix(t *testing.T) {
	prompts := []byte(`{"system":"{task_id}","user":"{prompt}{tests}","tests_failed":"{output}","timed_out":"","no_code":""}`)
	conversation := begun(t, "m", []byte(`{"n":1}`), prompts, &Task{ID: "a", Prompt: "long prompt", Tests: "long tests"})
	conversation.TestsFailed("reply", "output")
	conversation.Begin(&Task{ID: "b", Prompt: "p", Tests: "t"})
	const expected = `{"messages":[{"content":"b","role":"system"},{"content":"pt","role":"user"}],` +
		`"model":"m","n":1,"stream":true}`
	if string(conversation.Body()) != expected {
		t.Errorf("%s, expected %s", conversation.Body(), expected)
	}
}

// begun returns a conversation about a task.
func begun(t *testing.T, model string, further, prompts []byte, task *Task) *Conversation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prompts.json")
	if err := os.WriteFile(path, prompts, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadPrompts(path)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := jsontext.Parse(further)
	request, err := NewRequest(model, value)
	if err != nil {
		t.Fatal(err)
	}
	conversation := &Conversation{request: &request, prompts: loaded}
	conversation.Begin(task)
	return conversation
}
