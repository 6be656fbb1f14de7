package chat

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"agentloop/internal/jsontext"
	"agentloop/internal/text"
)

const (
	reasonLimit = 300 // characters
	cut         = "…"
	hidden      = "***"
)

// Endpoint is where completions are asked for, and with which key.
type Endpoint struct {
	address     string
	settings    *tls.Config // nil for plain HTTP
	requestHead string      // up to the value of Content-Length
	spellings   []string    // of the key
}

// NewEndpoint returns the endpoint at a URL that ends in /v1, or in whatever precedes /chat/completions. The key
// may be empty.
func NewEndpoint(baseURL, key string) (*Endpoint, error) {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	usual := map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
	host, port := parsed.Hostname(), cmp.Or(parsed.Port(), usual)
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || host == "" || usual == "" {
		return nil, fmt.Errorf("%q is no http:// or https:// URL of a host", baseURL)
	}
	if parsed.User != nil || strings.ContainsAny(baseURL, "?#") {
		return nil, fmt.Errorf("%q has more than a host, a port and a path", baseURL)
	}
	e := &Endpoint{address: net.JoinHostPort(host, port)}
	if parsed.Scheme == "https" {
		e.settings = &tls.Config{ServerName: host, NextProtos: []string{"http/1.1"}}
	}
	authorization := ""
	if key != "" {
		authorization = "Authorization: Bearer " + key + "\r\n"
		// As it is, and as it is within JSON.
		e.spellings = []string{key, string(jsontext.AppendEscaped(nil, key))}
	}
	e.requestHead = "POST " + strings.TrimRight(parsed.EscapedPath(), "/") + "/chat/completions HTTP/1.1\r\n" +
		"Host: " + parsed.Host + "\r\n" +
		"Accept: text/event-stream\r\n" +
		"Content-Type: application/json\r\n" +
		authorization +
		"Content-Length: "
	return e, nil
}

// presentable puts what the endpoint said in one short line without the key: endpoints are known to quote it.
func (e *Endpoint) presentable(reason string) string {
	// Before anything is cut, so that no part of the key is left.
	for _, spelling := range e.spellings {
		reason = strings.ReplaceAll(reason, spelling, hidden)
		for length := len(spelling) - 1; length > 0; length-- {
			reason = strings.ReplaceAll(reason, spelling[:length]+cut, hidden+cut)
		}
	}
	characters := []rune(text.OneLine(reason))
	return string(characters[:min(len(characters), reasonLimit)])
}
