package agent

import "agentloop/internal/fields"

const (
	taskIDPlaceholder = "{task_id}"
	promptPlaceholder = "{prompt}"
	testsPlaceholder  = "{tests}"
	outputPlaceholder = "{output}"
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
		system:      parseTemplate(texts.Text("system"), taskIDPlaceholder, promptPlaceholder, testsPlaceholder),
		user:        parseTemplate(texts.Text("user"), taskIDPlaceholder, promptPlaceholder, testsPlaceholder),
		testsFailed: parseTemplate(texts.Text("tests_failed"), outputPlaceholder),
		timedOut:    parseTemplate(texts.Text("timed_out")),
		noCode:      parseTemplate(texts.Text("no_code")),
	}
	return prompts, texts.Err()
}
