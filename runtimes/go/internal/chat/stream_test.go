package chat

import (
	"encoding/json"
	"errors"
	"reflect"
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

// TestStreams feeds each stream whole, cut in two at any byte, and byte by byte.
func TestStreams(t *testing.T) {
	for _, c := range vectors.Load[streamVector](t, "sse.json") {
		t.Run(c.Name, func(t *testing.T) {
			stream := append(c.StreamBase64, c.Stream...)
			c.check(t, "whole", [][]byte{stream})
			var single [][]byte
			for i := range stream {
				c.check(t, "cut in two", [][]byte{stream[:i], stream[i:]})
				single = append(single, stream[i:i+1])
			}
			c.check(t, "byte by byte", single)
		})
	}
}

func (c *streamVector) check(t *testing.T, how string, pieces [][]byte) {
	t.Helper()
	data := []string{}
	var events eventStream
	for _, piece := range pieces {
		// As a buffer is, what is fed is written over afterwards.
		piece = append([]byte(nil), piece...)
		_ = events.feed(piece, func(event []byte) error {
			data = append(data, string(event))
			return nil
		})
		clear(piece)
	}
	if !reflect.DeepEqual(data, c.Data) {
		t.Fatalf("%s: data %q, expected %q", how, data, c.Data)
	}
	var sum completion
	err := error(nil)
	for i := 0; i < len(data) && err == nil; i++ {
		err = sum.add([]byte(data[i]))
	}
	if err == nil {
		err = sum.end()
	}
	if c.Completion.Error != nil {
		var broken *brokenStream
		if !errors.As(err, &broken) || broken.kind != *c.Completion.Error {
			t.Fatalf("%s: error %v, expected %s", how, err, *c.Completion.Error)
		}
		return
	}
	if err != nil || string(sum.text) != *c.Completion.Text || sum.finishReason != *c.Completion.FinishReason {
		t.Fatalf("%s: %q, %q, error %v", how, sum.text, sum.finishReason, err)
	}
	var usage any
	if sum.usage != nil {
		if err := json.Unmarshal(sum.usage, &usage); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(usage, c.Completion.Usage) {
		t.Fatalf("%s: usage %v, expected %v", how, usage, c.Completion.Usage)
	}
}
