package agent

import (
	"bytes"
	"fmt"
	"sync"

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

// drafts are where bodies grow, so that what a conversation keeps while it waits has no room to spare.
var drafts = sync.Pool{New: func() any { return new([]byte) }}

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
		case taskIDPlaceholder:
			return task.ID
		case promptPlaceholder:
			return task.Prompt
		}
		return task.Tests
	}
	c.write(func(body []byte) []byte {
		body = append(body, c.request.before...)
		body = append(body, `{"content":"`...)
		body = c.prompts.system.appendEscaped(body, value)
		body = append(body, `","role":"system"},{"content":"`...)
		body = c.prompts.user.appendEscaped(body, value)
		body = append(body, `","role":"user"}`...)
		return append(body, c.request.after...)
	})
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
	c.write(func(body []byte) []byte {
		body = append(body, c.body[:len(c.body)-len(c.request.after)]...)
		body = append(body, `,{"content":`...)
		body = jsontext.AppendQuoted(body, reply)
		body = append(body, `,"role":"assistant"},{"content":"`...)
		body = answer.appendEscaped(body, func(string) string { return said })
		body = append(body, `","role":"user"}`...)
		return append(body, c.request.after...)
	})
}

// write makes what compose appends the body.
func (c *Conversation) write(compose func(body []byte) []byte) {
	draft := drafts.Get().(*[]byte)
	defer drafts.Put(draft)
	*draft = compose((*draft)[:0])
	c.body = bytes.Clone(*draft)
}
