package chat

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	bufferBytes    = 4096
	lineLimitBytes = 64 * 1024
)

// buffers serve all connections: one is held only while there is something in it, so that a connection that
// waits costs no memory for what may come.
var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

var (
	errWouldBlock  = errors.New("nothing is there yet")
	errLineTooLong = errors.New("a line of the head is too long")
	aLongTimeAgo   = time.Unix(1, 0)
)

// connection is one connection to the endpoint, read by one goroutine at a time.
type connection struct {
	net.Conn
	tcp    syscall.RawConn
	read   func(descriptor uintptr) bool // tryRead, made a value once and not at every read
	secure bool

	buffer *[bufferBytes]byte
	unread []byte // within buffer
	line   []byte // what has come of a line that began in another buffer

	noWait  bool
	readErr error

	response response // the last one, which may not have ended
}

// dial connects; address is as for net.Dial, and settings are nil for plain HTTP.
func dial(ctx context.Context, address string, settings *tls.Config, deadline time.Time) (*connection, error) {
	// Keep-alive probes are of no use to a connection that has a deadline whenever it is used.
	dialer := net.Dialer{Deadline: deadline, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	tcp, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	c := &connection{Conn: conn, tcp: tcp}
	c.read = c.tryRead
	if settings != nil {
		handshakeCtx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		secured := tls.Client(conn, settings)
		if err := secured.HandshakeContext(handshakeCtx); err != nil {
			conn.Close()
			return nil, err
		}
		c.Conn, c.secure = secured, true
	}
	return c, nil
}

// take returns what has come, a byte at least and limit bytes at most, waiting until there is something. It is
// valid until the next call.
func (c *connection) take(limit int64) ([]byte, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	taken := c.unread[:min(int64(len(c.unread)), limit)]
	c.unread = c.unread[len(taken):]
	return taken, nil
}

// takeLine returns the next line without its LF or CRLF. It is valid until the next call.
func (c *connection) takeLine() ([]byte, error) {
	for {
		if err := c.fill(); err != nil {
			return nil, err
		}
		beginning, rest, complete := bytes.Cut(c.unread, []byte{'\n'})
		c.unread = rest
		if len(c.line)+len(beginning) > lineLimitBytes {
			return nil, errLineTooLong
		}
		if complete && len(c.line) == 0 {
			return bytes.TrimSuffix(beginning, []byte{'\r'}), nil
		}
		c.line = append(c.line, beginning...)
		if complete {
			line := c.line
			c.line = nil
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
	}
}

// fill waits until there is something unread.
func (c *connection) fill() error {
	if len(c.unread) > 0 {
		return nil
	}
	if c.secure {
		return c.fillSecurely()
	}
	c.release()
	if err := c.tcp.Read(c.read); err != nil {
		return err
	}
	return c.readErr
}

// tryRead reads from the descriptor of the connection; it returns false if that has to wait.
func (c *connection) tryRead(descriptor uintptr) bool {
	c.buffer = buffers.Get().(*[bufferBytes]byte)
	length, err := syscall.Read(int(descriptor), c.buffer[:])
	for err == syscall.EINTR {
		length, err = syscall.Read(int(descriptor), c.buffer[:])
	}
	if length > 0 {
		c.unread, c.readErr = c.buffer[:length], nil
		return true
	}
	c.release()
	switch {
	case err == syscall.EAGAIN && !c.noWait:
		return false
	case err == syscall.EAGAIN:
		c.readErr = errWouldBlock
	case err != nil:
		c.readErr = err
	default:
		c.readErr = io.EOF
	}
	return true
}

// fillSecurely keeps a buffer, because what TLS holds decrypted cannot be waited for without one.
func (c *connection) fillSecurely() error {
	if c.buffer == nil {
		c.buffer = buffers.Get().(*[bufferBytes]byte)
	}
	if c.noWait {
		// A read whose deadline has passed does not even look.
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		defer c.SetReadDeadline(time.Time{})
	}
	length, err := c.Conn.Read(c.buffer[:])
	c.unread = c.buffer[:length]
	switch {
	case length > 0:
		return nil
	case c.noWait && errors.Is(err, os.ErrDeadlineExceeded):
		return errWouldBlock
	}
	return err
}

// release gives back the buffer, in which nothing is unread.
func (c *connection) release() {
	if c.buffer != nil {
		buffers.Put(c.buffer)
		c.buffer = nil
	}
}

// settle reads, without waiting, to the end of a response whose content is of no more interest. It returns
// whether the connection can be used again, at least when the end has come.
func (c *connection) settle() bool {
	c.SetDeadline(time.Time{})
	if !c.response.ended {
		c.noWait = true
		_, err := c.response.piece()
		c.noWait = false
		if err != io.EOF && err != errWouldBlock {
			return false
		}
	}
	if len(c.unread) > 0 || !c.response.keepsAlive {
		return false
	}
	c.release()
	return true
}

// isQuiet returns whether the last response has ended and the endpoint has neither closed the connection nor
// sent more than that.
func (c *connection) isQuiet() bool {
	if !c.settle() || !c.response.ended {
		return false
	}
	var err error
	if c.tcp.Read(func(descriptor uintptr) bool {
		var next [1]byte
		_, _, err = syscall.Recvfrom(int(descriptor), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	}) != nil {
		return false
	}
	return err == syscall.EAGAIN
}

// Close closes the connection at once.
func (c *connection) Close() error {
	c.unread = nil
	c.release()
	return c.Conn.Close()
}
