package chat

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"agentloop/internal/events"
	"agentloop/internal/text"
)

const (
	// streamEndGrace is how long the end of the stream is awaited after the finish reason.
	streamEndGrace = time.Second

	refusalLimitBytes = 2048
)

// tryFailed says why one request failed, whether another may do better, and how long to wait for it at least.
type tryFailed struct {
	reason     string
	final      bool
	retryAfter time.Duration
}

func (t *tryFailed) Error() string { return t.reason }

func failed(format string, values ...any) error {
	return &tryFailed{reason: fmt.Sprintf(format, values...)}
}

// answer receives the response of one try and becomes a completion, or a tryFailed. Its deadlines are looked at
// when the connection's has passed, so that an event does not cost the setting of a timer.
type answer struct {
	completion completion
	events     eventStream
	attempt    *events.Attempt

	idle      time.Duration
	total     time.Time
	lastEvent time.Time

	response *response // nil before its head has come
	refusal  []byte    // the beginning of what one with a status other than 200 says
}

// deadline returns when there is nothing more to be waited for.
func (a *answer) deadline() time.Time {
	if a.completion.finished() {
		return a.lastEvent.Add(streamEndGrace)
	}
	idle := a.lastEvent.Add(a.idle)
	if a.total.Before(idle) {
		return a.total
	}
	return idle
}

// proceed receives what comes next of the response.
func (a *answer) proceed(c *connection) error {
	if a.response == nil {
		received, err := c.readResponse()
		if err != nil {
			return err
		}
		a.response = received
		return a.head()
	}
	piece, err := a.response.piece()
	if err != nil {
		return err
	}
	return a.body(piece)
}

// look receives what has come already, as far as that is not much: on a busy machine an event may have come in time and
// be read only after the deadline.
func (a *answer) look(c *connection) error {
	const piecesAtMost = 16
	c.SetReadDeadline(time.Time{})
	c.noWait = true
	defer func() { c.noWait = false }()
	for range piecesAtMost {
		if err := a.proceed(c); err != nil || a.completion.ended {
			return err
		}
	}
	return nil
}

// expired is what the passing of the deadline comes to.
func (a *answer) expired(c *connection) error {
	switch {
	case a.completion.finished():
		c.response.keepsAlive = false
		return a.completion.end()
	case !time.Now().Before(a.total):
		return errTotal
	case a.refusing():
		return a.refused(true)
	}
	return failed("no event within %g s", a.idle.Seconds())
}

func (a *answer) refusing() bool { return a.response != nil && a.response.status != 200 }

func (a *answer) head() error {
	kind, _, _ := strings.Cut(a.response.contentType, ";")
	encoding := a.response.contentEncoding
	switch {
	case a.refusing():
		return nil
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return failed("the endpoint sent a compressed stream (%s)", text.Decode([]byte(encoding)))
	case !strings.EqualFold(strings.TrimSpace(kind), "text/event-stream"):
		return failed(`the endpoint sent no event stream but "%s"`, text.Decode([]byte(a.response.contentType)))
	}
	return nil
}

func (a *answer) body(piece []byte) error {
	if !a.refusing() {
		return a.events.feed(piece, a.event)
	}
	a.refusal = append(a.refusal, piece[:min(len(piece), refusalLimitBytes-len(a.refusal))]...)
	if len(a.refusal) == refusalLimitBytes {
		return a.refused(true)
	}
	return nil
}

func (a *answer) event(data []byte) error {
	finished := a.completion.finished()
	if err := a.completion.add(data); err != nil {
		return failed("%v", err)
	}
	if a.attempt.First == 0 && len(a.completion.text) > 0 {
		a.attempt.First = events.Now()
	}
	if finished {
		return nil
	}
	// Not after the finish reason, so that what follows it cannot put the end off.
	a.lastEvent = time.Now()
	if a.completion.finished() {
		a.attempt.Last = events.Now()
	}
	return nil
}

// over is what an error comes to: the end of the body or of the connection, or what failed already.
func (a *answer) over(err error) error {
	var failure *tryFailed
	switch {
	case errors.As(err, &failure):
		return err
	case a.refusing():
		return a.refused(err != io.EOF)
	case a.completion.finished() || err == io.EOF:
		if err := a.completion.end(); err != nil {
			return failed("%v", err)
		}
		return nil
	case err == io.ErrUnexpectedEOF || errors.Is(err, net.ErrClosed):
		return failed("the endpoint closed the connection")
	case err == errNotHTTP || err == errLineTooLong:
		return failed("%v", err)
	}
	return failed("the connection broke (%v)", err)
}

// refused is what a response with another status than 200 comes to; isCut tells whether not all that it says was read.
func (a *answer) refused(isCut bool) error {
	said := strings.TrimSpace(text.Decode(a.refusal))
	reason := fmt.Sprintf("the endpoint answered %d", a.response.status)
	if said != "" {
		reason += ": " + said
		if isCut { // perhaps within the key
			reason += cut
		}
	}
	return &tryFailed{
		reason:     reason,
		final:      !isRetryable(a.response.status),
		retryAfter: Seconds(retryAfter(a.response.retryAfter, time.Now())),
	}
}

func isRetryable(status int) bool {
	return status == 408 || status == 429 || status >= 500 && status < 600
}
