package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"agentloop/internal/vectors"
)

type streamVector struct {
	Name, Stream string
	StreamBase64 []byte `json:"stream_base64"`
	Data         []string
	Completion   struct {
		Text         *string
		FinishReason *string `json:"finish_reason"`
		Usage        any
		Error        *string
	}
}

// TestStreams feeds each stream whole, cut in two at any byte, and byte by byte: always to the same data, which are then
// added up once.
func TestStreams(t *testing.T) {
	for _, c := range vectors.Load[streamVector](t, "sse.json") {
		t.Run(c.Name, func(t *testing.T) {
			stream := append(c.StreamBase64, c.Stream...)
			c.checkData(t, "whole", stream)
			var single [][]byte
			for i := range stream {
				c.checkData(t, "cut in two", stream[:i], stream[i:])
				single = append(single, stream[i:i+1])
			}
			c.checkData(t, "byte by byte", single...)
			c.checkCompletion(t)
		})
	}
}

func (c *streamVector) checkData(t *testing.T, how string, pieces ...[]byte) {
	t.Helper()
	var events eventStream
	count := 0
	for _, piece := range pieces {
		// As a buffer is, what is fed is written over afterwards.
		buffer := bytes.Clone(piece)
		_ = events.feed(buffer, func(data []byte) error {
			if count == len(c.Data) || string(data) != c.Data[count] {
				t.Fatalf("%s: data %d is %q; expected are %q", how, count, data, c.Data)
			}
			count++
			return nil
		})
		clear(buffer)
	}
	if count < len(c.Data) {
		t.Fatalf("%s: only %d of %q", how, count, c.Data)
	}
}

func (c *streamVector) checkCompletion(t *testing.T) {
	t.Helper()
	var sum completion
	err := error(nil)
	for i := 0; i < len(c.Data) && err == nil; i++ {
		err = sum.add([]byte(c.Data[i]))
	}
	if err == nil {
		err = sum.end()
	}
	if c.Completion.Error != nil {
		var broken *brokenStream
		if !errors.As(err, &broken) || broken.kind != *c.Completion.Error {
			t.Fatalf("error %v, expected %s", err, *c.Completion.Error)
		}
		return
	}
	if err != nil || string(sum.text) != *c.Completion.Text || sum.finishReason != *c.Completion.FinishReason {
		t.Fatalf("%q, %q, error %v", sum.text, sum.finishReason, err)
	}
	var usage any
	if sum.usage != nil {
		if err := json.Unmarshal(sum.usage, &usage); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(usage, c.Completion.Usage) {
		t.Fatalf("usage %v, expected %v", usage, c.Completion.Usage)
	}
}

// TestUsageThatNoReaderCouldHold has what would be JSON, but not to those who read the events.
func TestUsageThatNoReaderCouldHold(t *testing.T) {
	for name, usage := range map[string]string{
		"beyond a double": `{"a":[1e400]}`,
		"5,000 digits":    `{"a":` + strings.Repeat("7", 5000) + `}`,
		"nested":          `{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			var sum completion
			for _, data := range []string{`{"usage":{"a":"[1e400"}}`, `{"usage":` + usage + `}`} {
				if err := sum.add([]byte(data)); err != nil {
					t.Fatal(err)
				}
			}
			if string(sum.usage) != `{"a":"[1e400"}` {
				t.Errorf("%.100s", sum.usage)
			}
		})
	}
}
