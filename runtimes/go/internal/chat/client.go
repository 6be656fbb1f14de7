// Package chat makes streamed chat completions, with the tries that a completion may take.
//
// Source: runtimes/CONTRACT.md, "One task" and "Transport".
package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"agentloop/internal/events"
)

// Timeouts bound a completion: to connect, between two data events, over all tries.
type Timeouts struct {
	Connect time.Duration
	Idle    time.Duration
	Total   time.Duration
}

// Failed says in one line why no completion can be had.
type Failed string

func (f Failed) Error() string { return string(f) }

var errTotal = errors.New("no completion in time")

// Client makes the completions of one endpoint, as many at the same time as are asked for.
type Client struct {
	Endpoint *Endpoint
	Timeouts Timeouts
	Retries  Retries

	mutex sync.Mutex
	idle  []*connection
}

// Complete returns the reply to a request body and stamps attempt. It fails with Failed, or with the error of ctx.
func (c *Client) Complete(ctx context.Context, body []byte, attempt *events.Attempt) (string, error) {
	attempt.RequestSHA256 = digest(body)
	completed, err := c.tryUntilComplete(ctx, body, attempt)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if errors.Is(err, errTotal) {
		return "", Failed(fmt.Sprintf("no completion within %g s", c.Timeouts.Total.Seconds()))
	}
	if err != nil {
		return "", Failed(c.Endpoint.presentable(err.Error()))
	}
	attempt.CompletionSHA256 = digest(completed.text)
	attempt.Usage = completed.usage
	return string(completed.text), nil
}

// Close closes the connections; no completion may be under way.
func (c *Client) Close() {
	for _, conn := range c.idle {
		conn.Close()
	}
}

func (c *Client) tryUntilComplete(ctx context.Context, body []byte, attempt *events.Attempt) (*completion, error) {
	total := time.Now().Add(c.Timeouts.Total)
	begin := events.Now()
	for {
		if attempt.TransportRetries > 0 {
			attempt.TransportTime = events.Now() - begin
		}
		completed, err := c.try(ctx, body, attempt, total)
		if err == nil {
			return completed, nil
		}
		var failure *tryFailed
		if !errors.As(err, &failure) || failure.final || attempt.TransportRetries >= c.Retries.Max {
			return nil, err
		}
		pause := max(c.Retries.backoff(attempt.TransportRetries+1), failure.retryAfter)
		if err := sleep(ctx, pause, total); err != nil {
			return nil, err
		}
		attempt.TransportRetries++
	}
}

// try makes one request. It fails with tryFailed, errTotal or the error of ctx.
func (c *Client) try(ctx context.Context, body []byte, attempt *events.Attempt, total time.Time) (*completion, error) {
	attempt.Request, attempt.First, attempt.Last = 0, 0, 0
	conn, err := c.connect(ctx, total)
	if err != nil {
		return nil, err
	}
	release := context.AfterFunc(ctx, func() { conn.SetDeadline(aLongTimeAgo) })
	received := &answer{attempt: attempt, idle: c.Timeouts.Idle, total: total}
	err = c.exchange(ctx, conn, body, received)
	if !release() || err != nil || !conn.settle() {
		conn.Close()
	} else {
		c.keep(conn)
	}
	if err != nil {
		return nil, err
	}
	return &received.completion, nil
}

// exchange sends a request and receives its answer.
func (c *Client) exchange(ctx context.Context, conn *connection, body []byte, received *answer) error {
	head := c.Endpoint.requestHead + strconv.Itoa(len(body)) + "\r\n\r\n"
	request := net.Buffers{[]byte(head), body}
	// An endpoint may take its time to read; the first event is not waited for before it has.
	conn.SetDeadline(received.total)
	if ctx.Err() != nil { // It may have set the deadline before.
		return ctx.Err()
	}
	received.attempt.Request = events.Now()
	written, err := request.WriteTo(conn.Conn)
	if written == 0 { // The deadline passed first: nothing was sent, and what was sent last was another try's.
		received.attempt.Request = 0
	}
	received.lastEvent = time.Now()
	if err == nil {
		conn.SetReadDeadline(received.deadline())
	}
	for ctx.Err() == nil {
		switch {
		case err == nil && received.completion.ended:
			return received.over(io.EOF)
		case err == nil:
			finished := received.completion.finished()
			err = received.proceed(conn)
			if received.completion.finished() != finished {
				conn.SetReadDeadline(received.deadline())
			}
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return received.over(err)
		case time.Now().Before(received.deadline()):
			conn.SetReadDeadline(received.deadline())
			err = nil
		case received.completion.finished() || !time.Now().Before(received.total):
			return received.expired(conn)
		default:
			passed := received.deadline()
			if err = received.look(conn); err == errWouldBlock {
				err = nil
			}
			if err == nil && received.deadline().Equal(passed) {
				return received.expired(conn)
			}
			conn.SetReadDeadline(received.deadline())
		}
	}
	return ctx.Err()
}

// connect returns a connection that was used before, or a new one.
func (c *Client) connect(ctx context.Context, total time.Time) (*connection, error) {
	for conn := c.takeIdle(); conn != nil; conn = c.takeIdle() {
		if conn.isQuiet() {
			return conn, nil
		}
		conn.Close() // It would only cost a try.
	}
	deadline := time.Now().Add(c.Timeouts.Connect)
	if total.Before(deadline) {
		deadline = total
	}
	conn, err := dial(ctx, c.Endpoint.address, c.Endpoint.settings, deadline)
	var timeout net.Error
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !time.Now().Before(total):
		return nil, errTotal
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, failed("no connection within %g s", c.Timeouts.Connect.Seconds())
	}
	return nil, failed("no connection (%v)", err)
}

func (c *Client) takeIdle() *connection {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.idle) == 0 {
		return nil
	}
	last := len(c.idle) - 1
	conn := c.idle[last]
	c.idle = c.idle[:last]
	return conn
}

func (c *Client) keep(conn *connection) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.idle = append(c.idle, conn)
}

// sleep waits for pause, or fails with errTotal when total comes first, or with the error of ctx.
func sleep(ctx context.Context, pause time.Duration, total time.Time) error {
	tooLong := pause > time.Until(total)
	if tooLong {
		pause = time.Until(total)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	if tooLong {
		return errTotal
	}
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
