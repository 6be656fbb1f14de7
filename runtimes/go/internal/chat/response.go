package chat

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	headLimitLines = 1000
	untilClosed    = math.MaxInt64
)

var errNotHTTP = errors.New("the endpoint does not speak HTTP/1.1")

// response is the response to one request, as far as it has been read.
//
// Source: RFC 9112.
type response struct {
	connection *connection

	status                                   int
	retryAfter, contentType, contentEncoding string
	keepsAlive                               bool

	next      part
	remaining int64 // bytes of the content, or of the chunk
	ended     bool
}

// part is what comes next in a response after its head.
type part int

const (
	content part = iota
	chunkSize
	chunkContent
	chunkEnd
	trailer
)

// readResponse reads the head of the response, and passes over those that come before it.
func (c *connection) readResponse() (*response, error) {
	for {
		c.response = response{connection: c}
		if err := c.response.readHead(); err != nil {
			return nil, unexpected(err)
		}
		switch status := c.response.status; {
		case status == 101:
			return nil, errNotHTTP
		case status >= 200:
			return &c.response, nil
		}
	}
}

func (r *response) readHead() error {
	statusLine, err := r.connection.takeLine()
	if err != nil {
		return err
	}
	version, rest, _ := strings.Cut(string(statusLine), " ")
	code, _, _ := strings.Cut(rest, " ")
	if r.status, err = strconv.Atoi(code); err != nil || len(code) != 3 || r.status < 100 {
		return errNotHTTP
	}
	if version != "HTTP/1.1" && version != "HTTP/1.0" {
		return errNotHTTP
	}
	r.keepsAlive = version == "HTTP/1.1"
	r.remaining = -1
	for range headLimitLines {
		line, err := r.connection.takeLine()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			r.settleFraming()
			return nil
		}
		if err := r.header(line); err != nil {
			return err
		}
	}
	return errNotHTTP
}

func (r *response) header(line []byte) error {
	name, rest, found := bytes.Cut(line, []byte{':'})
	if !found || len(name) == 0 {
		return errNotHTTP
	}
	is := func(wanted string) bool { return len(name) == len(wanted) && strings.EqualFold(string(name), wanted) }
	value := bytes.Trim(rest, " \t")
	switch {
	case is("content-length"):
		length, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || r.remaining >= 0 && r.remaining != int64(length) {
			return errNotHTTP
		}
		r.remaining = int64(length)
	case is("transfer-encoding"):
		if !strings.EqualFold(string(value), "chunked") {
			return errNotHTTP
		}
		r.next = chunkSize
	case is("connection"):
		for option := range strings.SplitSeq(string(value), ",") {
			switch option = strings.TrimSpace(option); {
			case strings.EqualFold(option, "close"):
				r.keepsAlive = false
			case strings.EqualFold(option, "keep-alive"):
				r.keepsAlive = true
			}
		}
	case is("retry-after"):
		r.retryAfter = string(value)
	case is("content-type"):
		r.contentType = string(value)
	case is("content-encoding"):
		r.contentEncoding = string(value)
	}
	return nil
}

// settleFraming decides how the body ends: RFC 9112, section 6.3.
func (r *response) settleFraming() {
	switch {
	case r.status < 200 || r.status == 204 || r.status == 304:
		r.ended = true
	case r.next == chunkSize:
		r.remaining = 0
	case r.remaining < 0:
		r.remaining = untilClosed
		r.keepsAlive = false
	case r.remaining == 0:
		r.ended = true
	}
}

// piece returns what comes next of the content, io.EOF at its end. It is valid until the next call.
func (r *response) piece() ([]byte, error) {
	for !r.ended && r.next != content && r.remaining == 0 {
		if err := r.advance(); err != nil {
			return nil, unexpected(err)
		}
	}
	if r.ended {
		return nil, io.EOF
	}
	piece, err := r.connection.take(r.remaining)
	if r.remaining == untilClosed {
		r.ended = err == io.EOF
		return piece, err
	}
	r.remaining -= int64(len(piece))
	r.ended = r.remaining == 0 && r.next == content
	return piece, unexpected(err)
}

// advance reads the line that comes next in a chunked body. It can be called again after an error.
func (r *response) advance() error {
	if r.next == chunkContent {
		r.next = chunkEnd
	}
	line, err := r.connection.takeLine()
	if err != nil {
		return err
	}
	switch {
	case r.next == chunkSize:
		digits, _, _ := bytes.Cut(line, []byte{';'})
		size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 62)
		if err != nil {
			return errNotHTTP
		}
		r.remaining, r.next = int64(size), chunkContent
		if size == 0 {
			r.next = trailer
		}
	case len(line) == 0 && r.next == chunkEnd:
		r.next = chunkSize
	case len(line) == 0:
		r.ended = true
	case r.next == chunkEnd:
		return errNotHTTP
	}
	return nil
}

// unexpected returns the end of the connection as what it is where more was to come.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
