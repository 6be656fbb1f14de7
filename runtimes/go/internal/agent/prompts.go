package agent

import "agentloop/internal/fields"

const (
	taskID = "{task_id}"
	prompt = "{prompt}"
	tests  = "{tests}"
	output = "{output}"
)

// Prompts are the texts of prompts.json.
type Prompts struct {
	system, user, testsFailed, timedOut, noCode template
}

// LoadPrompts reads prompts.json.
func LoadPrompts(path string) (*Prompts, error) {
	texts, err := fields.OfFile(path)
	if err != nil {
		return nil, err
	}
	prompts := &Prompts{
		system:      parseTemplate(texts.Text("system"), taskID, prompt, tests),
		user:        parseTemplate(texts.Text("user"), taskID, prompt, tests),
		testsFailed: parseTemplate(texts.Text("tests_failed"), output),
		timedOut:    parseTemplate(texts.Text("timed_out")),
		noCode:      parseTemplate(texts.Text("no_code")),
	}
	return prompts, texts.Err()
}
