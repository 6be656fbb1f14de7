package agent

import (
	"fmt"

	"agentloop/internal/jsontext"
)

// Request is what every request body holds besides its messages.
type Request struct {
	before, after []byte // the messages, as JSON
}

// NewRequest returns the request of a model with further fields; it fails at a number that is too large, and at a
// field that is the runtime's own.
func NewRequest(model string, further jsontext.Value) (Request, error) {
	for _, own := range []string{"messages", "model", "stream"} {
		if further.Member(own) != nil {
			return Request{}, fmt.Errorf("%s is the runtime's own", own)
		}
	}
	object := jsontext.AppendQuoted([]byte(`{"messages":[],"stream":true,"model":`), model)
	for name, value := range further.Members() {
		object = append(append(append(append(object, ','), name...), ':'), value...)
	}
	canonical, err := jsontext.Value(append(object, '}')).AppendCanonical(nil)
	if err != nil {
		return Request{}, err
	}
	messages := jsontext.Value(canonical).Member("messages")
	end := cap(canonical) - cap(messages) + len(messages)
	return Request{before: canonical[:end-1], after: canonical[end-1:]}, nil
}

// Conversation is all that was said about one task, as the body of the next request.
type Conversation struct {
	request *Request
	prompts *Prompts
	body    []byte
}

// Begin starts anew, with a task.
func (c *Conversation) Begin(task *Task) {
	value := func(placeholder string) string {
		switch placeholder {
		case taskID:
			return task.ID
		case prompt:
			return task.Prompt
		}
		return task.Tests
	}
	c.body = append(c.body[:0], c.request.before...)
	c.body = append(c.body, `{"content":"`...)
	c.body = c.prompts.system.appendEscaped(c.body, value)
	c.body = append(c.body, `","role":"system"},{"content":"`...)
	c.body = c.prompts.user.appendEscaped(c.body, value)
	c.body = append(c.body, `","role":"user"}`...)
	c.body = append(c.body, c.request.after...)
}

// TestsFailed goes on after a reply that did not pass; said is the normalised output of the tests.
func (c *Conversation) TestsFailed(reply, said string) {
	c.goOn(reply, c.prompts.testsFailed, said)
}

// TimedOut goes on after a reply whose tests had to be stopped.
func (c *Conversation) TimedOut(reply string) { c.goOn(reply, c.prompts.timedOut, "") }

// NoCode goes on after a reply without a code block.
func (c *Conversation) NoCode(reply string) { c.goOn(reply, c.prompts.noCode, "") }

// Body returns the request body. It is valid until the conversation goes on.
func (c *Conversation) Body() []byte { return c.body }

func (c *Conversation) goOn(reply string, answer template, said string) {
	c.body = c.body[:len(c.body)-len(c.request.after)]
	c.body = append(c.body, `,{"content":`...)
	c.body = jsontext.AppendQuoted(c.body, reply)
	c.body = append(c.body, `,"role":"assistant"},{"content":"`...)
	c.body = answer.appendEscaped(c.body, func(string) string { return said })
	c.body = append(c.body, `","role":"user"}`...)
	c.body = append(c.body, c.request.after...)
}
