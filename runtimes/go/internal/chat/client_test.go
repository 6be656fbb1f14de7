package chat

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"agentloop/internal/events"
)

const (
	helloEvent   = `data: {"choices":[{"delta":{"content":"hello"}}]}` + "\n\n"
	finishEvents = `data: {"choices":[{"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	helloStream  = helloEvent + finishEvents
)

// clientOf returns a client of an endpoint that tries again twice, without a pause.
func clientOf(t *testing.T, baseURL, key string) *Client {
	t.Helper()
	served, err := NewEndpoint(baseURL, key)
	if err != nil {
		t.Fatal(err)
	}
	client := &Client{
		Endpoint: served,
		Timeouts: Timeouts{Connect: time.Minute, Idle: time.Minute, Total: time.Minute},
		Retries:  Retries{Max: 2},
	}
	t.Cleanup(client.Close)
	return client
}

// scripted answers each connection's requests with the bytes of one script after the other, and then closes it.
func scripted(t *testing.T, connections ...[]string) (baseURL string, requests *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(atomic.Int64)
	go func() {
		for _, scripts := range connections {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(conn)
			for _, script := range scripts {
				request, err := http.ReadRequest(reader)
				if err != nil {
					break
				}
				io.Copy(io.Discard, request.Body)
				requests.Add(1)
				io.WriteString(conn, script)
			}
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String() + "/v1", requests
}

func streamed(head, body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + head + "\r\n" + body
}

func withLength(body string) string {
	return streamed(fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
}

func TestEveryFraming(t *testing.T) {
	half := len(helloStream) / 2
	chunked := fmt.Sprintf("%x;extension\r\n%s\r\n%X\r\n%s\r\n000\r\nTrailer: x\r\n\r\n",
		half, helloStream[:half], len(helloStream)-half, helloStream[half:])
	for name, script := range map[string]string{
		"length":       withLength(helloStream),
		"chunks":       streamed("Transfer-Encoding: chunked\r\n", chunked),
		"until closed": streamed("", helloStream),
		"interim":      "HTTP/1.1 100 Continue\r\n\r\n" + withLength(helloStream),
		"lower case":   strings.Replace(withLength(helloStream), "Content-Type", "content-type", 1),
		"no [DONE]":    withLength(helloEvent + strings.TrimSuffix(finishEvents, "data: [DONE]\n\n")),
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := scripted(t, []string{script})
			attempt := events.Attempt{}
			reply, err := clientOf(t, url, "").Complete(t.Context(), []byte("{}"), &attempt)
			if reply != "hello" || err != nil || attempt.TransportRetries != 0 {
				t.Errorf("%q, %v after %d retries", reply, err, attempt.TransportRetries)
			}
		})
	}
}

func TestFailedTriesAreRepeated(t *testing.T) {
	for name, script := range map[string]string{
		"closed at once":   "",
		"closed in head":   "HTTP/1.1 200 OK\r\nContent-",
		"not HTTP":         "SSH-2.0-OpenSSH\r\n",
		"truncated":        withLength(helloEvent),
		"closed in body":   withLength(helloStream)[:120],
		"bad chunk":        streamed("Transfer-Encoding: chunked\r\n", "x\r\n"),
		"compressed":       streamed("Content-Encoding: gzip\r\n", ""),
		"no stream":        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"error in stream":  withLength(`data: {"error":{"message":"busy"}}` + "\n\n"),
		"service down":     "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
		"two many lengths": streamed("Content-Length: 1\r\nContent-Length: 2\r\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := scripted(t, []string{script}, []string{withLength(helloStream)})
			attempt := events.Attempt{}
			reply, err := clientOf(t, url, "").Complete(t.Context(), []byte("{}"), &attempt)
			if reply != "hello" || err != nil || attempt.TransportRetries != 1 {
				t.Errorf("%q, %v after %d retries", reply, err, attempt.TransportRetries)
			}
		})
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	twice := []string{withLength(helloStream), withLength(helloStream)}
	url, requests := scripted(t, twice)
	client := clientOf(t, url, "")
	for range twice {
		if reply, err := client.Complete(t.Context(), []byte("{}"), &events.Attempt{}); reply != "hello" || err != nil {
			t.Fatal(reply, err)
		}
	}
	if requests.Load() != 2 {
		t.Errorf("%d requests on the only connection", requests.Load())
	}
}

func TestConnectionWithMoreThanItsResponseIsNotUsedAgain(t *testing.T) {
	url, _ := scripted(t, []string{withLength(helloStream) + "more"}, []string{withLength(helloStream)})
	client := clientOf(t, url, "")
	for range 2 {
		attempt := events.Attempt{}
		if _, err := client.Complete(t.Context(), []byte("{}"), &attempt); err != nil || attempt.TransportRetries != 0 {
			t.Fatal(err, attempt.TransportRetries)
		}
	}
}

func TestReasons(t *testing.T) {
	const key = "sk-secret-1234"
	refusal := func(status int, body string) string {
		return fmt.Sprintf("HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
	}
	for script, expected := range map[string]string{
		refusal(401, "no such key:\n "+key):                           "the endpoint answered 401: no such key: ***",
		refusal(404, ""):                                              "the endpoint answered 404",
		refusal(400, strings.Repeat(" ", 2042)+key+"xxx"):             "the endpoint answered 400: ***…",
		"HTTP/1.1 401 No\r\nContent-Length: 99\r\n\r\nkey " + key[:6]: "the endpoint answered 401: key ***…",
		"HTTP/1.1 200 OK\r\nContent-Type: " + key + "\xff\r\n\r\n":    `the endpoint sent no event stream but "***�"`,
		withLength("data: [1]\n\n"):                                   "the stream holds something that is no JSON object: [1]",
	} {
		url, _ := scripted(t, []string{script}, []string{script}, []string{script})
		_, err := clientOf(t, url, key).Complete(t.Context(), []byte("{}"), &events.Attempt{})
		if err != error(Failed(expected)) {
			t.Errorf("%v, expected %s", err, expected)
		}
	}
}

func TestTotal(t *testing.T) {
	url, _ := scripted(t, []string{"HTTP/1.1 503 No\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"})
	client := clientOf(t, url, "")
	client.Timeouts.Total = 10 * time.Millisecond
	_, err := client.Complete(t.Context(), []byte("{}"), &events.Attempt{})
	if err != error(Failed("no completion within 0.01 s")) {
		t.Error(err)
	}
}

// unread has an endpoint take a connection, answer, and read the request once told is closed; then it says how much of
// the body it has read. The body is larger than what the system holds on the way.
func unread(t *testing.T, told <-chan struct{}) (client *Client, body []byte, read <-chan int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	lengths := make(chan int64, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, withLength(helloStream))
		<-told
		if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			length, _ := io.Copy(io.Discard, request.Body)
			lengths <- length
		}
	}()
	client = clientOf(t, "http://"+listener.Addr().String()+"/v1", "")
	client.Retries.Max = 0
	return client, make([]byte, 32<<20), lengths
}

// TestIdleTimeBeginsAfterTheRequestAndWhatIsThereIsReadBehindIt has no time at all for an event, which is there before
// all of the request has been read.
func TestIdleTimeBeginsAfterTheRequestAndWhatIsThereIsReadBehindIt(t *testing.T) {
	told := make(chan struct{})
	close(told)
	client, body, read := unread(t, told)
	client.Timeouts.Idle = 1
	reply, err := client.Complete(t.Context(), body, &events.Attempt{})
	client.Close()
	if length := <-read; reply != "hello" || err != nil || length != int64(len(body)) {
		t.Errorf("%q, %v, %d bytes of %d", reply, err, length, len(body))
	}
}

func TestTotalBoundsTheWriting(t *testing.T) {
	client, body, _ := unread(t, t.Context().Done())
	client.Timeouts.Total = 10 * time.Millisecond
	_, err := client.Complete(t.Context(), body, &events.Attempt{})
	if err != error(Failed("no completion within 0.01 s")) {
		t.Error(err)
	}
}

func TestInterruptionOfTheWriting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client, body, _ := unread(t, t.Context().Done())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := client.Complete(ctx, body, &events.Attempt{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestInterruptionInMidStream(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, helloEvent)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := clientOf(t, server.URL+"/v1", "").Complete(ctx, []byte("{}"), &events.Attempt{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, helloEvent)
		w.(http.Flusher).Flush()
		io.WriteString(w, finishEvents)
	}))
	defer server.Close()
	client := clientOf(t, server.URL+"/v1", "")
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client.Endpoint.settings = &tls.Config{RootCAs: trusted, ServerName: "example.com"}
	for range 2 {
		if reply, err := client.Complete(t.Context(), []byte("{}"), &events.Attempt{}); reply != "hello" || err != nil {
			t.Fatal(reply, err)
		}
	}
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	retries := Retries{BaseS: 0.5, CapS: 3}
	for failures, bound := range map[int]time.Duration{1: 500 * time.Millisecond, 3: 2 * time.Second, 5000: 3 * time.Second} {
		for range 100 {
			if pause := retries.backoff(failures); pause < 0 || pause > bound {
				t.Errorf("%v after %d failures, expected at most %v", pause, failures, bound)
			}
		}
	}
}
