package chat

import (
	"bytes"
	"unicode/utf8"

	"agentloop/internal/text"
)

var byteOrderMark = []byte("\ufeff")

// eventStream turns the bytes of an event stream, cut anywhere, into the data of its events. The types, ids and
// retry times of events are of no use here and are passed over.
//
// Source: the WHATWG HTML standard, "Parsing an event stream", and runtimes/contract/vectors/sse.json.
type eventStream struct {
	unfinished []byte // a line whose end has not come
	data       []byte // of the event, each line with its LF
	started    bool
	afterCR    bool
}

// feed gives the data of every event that piece completes to take, which must not keep it, and stops at the
// first error.
func (s *eventStream) feed(piece []byte, take func(data []byte) error) error {
	if s.afterCR && len(piece) > 0 {
		piece = bytes.TrimPrefix(piece, []byte{'\n'})
		s.afterCR = false
	}
	for {
		length := bytes.IndexByte(piece, '\n')
		line := piece
		if length >= 0 {
			line = piece[:length]
		}
		// Sought within the line alone, because most streams have none.
		if at := bytes.IndexByte(line, '\r'); at >= 0 {
			length, line = at, piece[:at]
		}
		if length < 0 {
			s.unfinished = append(s.unfinished, piece...)
			return nil
		}
		if piece[length] == '\r' {
			s.afterCR = length+1 == len(piece)
			if !s.afterCR && piece[length+1] == '\n' {
				length++
			}
		}
		piece = piece[length+1:]
		if len(s.unfinished) > 0 {
			line = append(s.unfinished, line...)
			s.unfinished = line[:0]
		}
		if err := s.line(line, take); err != nil {
			return err
		}
	}
}

func (s *eventStream) line(line []byte, take func(data []byte) error) error {
	if !s.started {
		line = bytes.TrimPrefix(line, byteOrderMark)
		s.started = true
	}
	if len(line) == 0 {
		if len(s.data) == 0 {
			return nil
		}
		data := s.data[:len(s.data)-1]
		s.data = s.data[:0]
		if !utf8.Valid(data) {
			data = []byte(text.Decode(data))
		}
		return take(data)
	}
	field, value, _ := bytes.Cut(line, []byte{':'})
	if string(field) == "data" {
		s.data = append(s.data, bytes.TrimPrefix(value, []byte{' '})...)
		s.data = append(s.data, '\n')
	}
	return nil
}
