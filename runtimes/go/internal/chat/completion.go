package chat

import (
	"bytes"
	"fmt"

	"agentloop/internal/jsontext"
	"agentloop/internal/text"
)

// brokenStream says why a stream cannot become a completion; its kind is as in the vectors.
type brokenStream struct {
	kind   string
	reason string
}

const (
	truncatedStream = "truncated"
	malformedStream = "malformed"
	endpointError   = "endpoint"
)

// usageLevels is how deep a usage may be nested, so that whoever reads the events can read it.
const usageLevels = 100

func (b *brokenStream) Error() string { return b.reason }

// completion is what the chunks of a streamed chat completion add up to.
//
// Source: "The chat completion chunk object" of OpenAI's API reference, and runtimes/contract/vectors/sse.json.
type completion struct {
	text         []byte
	finishReason string // "" until the model has finished
	usage        []byte // the endpoint's usage object in canonical JSON, or nil; one that no reader could hold is passed over
	ended        bool
}

func (c *completion) finished() bool { return c.finishReason != "" }

// add takes in the data of one event. [DONE] ends the completion, and so does anything broken after the finish
// reason, which never undoes a success; before that, it is the error.
func (c *completion) add(data []byte) error {
	data = bytes.Trim(data, text.WhiteSpace)
	if c.ended || len(data) == 0 {
		return nil
	}
	if string(data) == "[DONE]" {
		c.ended = true
		return nil
	}
	err := c.addChunk(data)
	if err != nil && c.finished() {
		c.ended = true
		return nil
	}
	return err
}

// end takes note that the stream is over.
func (c *completion) end() error {
	c.ended = true
	if !c.finished() {
		return &brokenStream{truncatedStream, "the stream ended before a finish_reason"}
	}
	return nil
}

func (c *completion) addChunk(data []byte) error {
	chunk, ok := jsontext.Parse(data)
	if !ok || !chunk.IsObject() {
		return &brokenStream{malformedStream, fmt.Sprintf("the stream holds something that is no JSON object: %s", data)}
	}
	if failure := chunk.Member("error"); failure != nil && !failure.IsNull() {
		return &brokenStream{endpointError, "the endpoint reports in the stream: " + message(failure)}
	}
	if usage := chunk.Member("usage"); usage.IsObject() && usage.IsModest(usageLevels) {
		if canonical, err := usage.AppendCanonical(nil); err == nil {
			c.usage = canonical
		}
	}
	if c.finished() {
		return nil
	}
	choice := chunk.Member("choices").First()
	c.text = choice.Member("delta").Member("content").AppendText(c.text)
	c.finishReason = choice.Member("finish_reason").Text()
	return nil
}

// message returns what an error object says, whatever its shape.
func message(failure jsontext.Value) string {
	if said := failure.Member("message"); said.IsString() {
		return said.Text()
	}
	return string(failure)
}
