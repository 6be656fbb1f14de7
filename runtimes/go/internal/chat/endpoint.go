package chat

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// base is what a base URL says. Its fields are named by runtimes/contract/vectors/base_url.json.
type base struct {
	tls        bool
	host       string // a name, or an address without brackets
	port       int
	hostHeader string
	target     string // of a request for a completion
}

// What an octet of a URL may be, and which of them separate its parts.
var (
	urlText  = regexp.MustCompile("^[!-~]*$")
	urlParts = regexp.MustCompile(`^(?i:http(s?))://((\[[^\]]*\]|[^\[\]/?#:@\\]+)(?::([0-9]+))?)(/[^?#\\]*)?(\?[^#\\]*)?$`)
)

var errNoBaseURL = errors.New("no http:// or https:// URL of a host, a port, a path and a query at most")

// parseBase takes a base URL apart.
func parseBase(baseURL string) (base, error) {
	parts := urlParts.FindStringSubmatch(baseURL)
	if parts == nil || !urlText.MatchString(baseURL) {
		return base{}, errNoBaseURL
	}
	b := base{
		tls:        parts[1] != "",
		host:       parts[3],
		port:       80,
		hostHeader: parts[2],
		target:     strings.TrimRight(parts[5], "/") + "/chat/completions" + parts[6],
	}
	if b.tls {
		b.port = 443
	}
	if digits := parts[4]; digits != "" {
		port, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || port == 0 {
			return base{}, errNoBaseURL
		}
		b.port = int(port)
	}
	if b.host[0] == '[' {
		b.host = b.host[1 : len(b.host)-1]
		if address, err := netip.ParseAddr(b.host); err != nil || !address.Is6() || address.Zone() != "" {
			return base{}, errNoBaseURL
		}
	}
	return b, nil
}

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
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{address: net.JoinHostPort(base.host, strconv.Itoa(base.port)), spellings: spellings(key)}
	if base.tls {
		e.settings = &tls.Config{ServerName: base.host, NextProtos: []string{"http/1.1"}}
	}
	authorization := ""
	if key != "" {
		authorization = "Authorization: Bearer " + key + "\r\n"
	}
	e.requestHead = "POST " + base.target + " HTTP/1.1\r\n" +
		"Host: " + base.hostHeader + "\r\n" +
		"Accept: text/event-stream\r\n" +
		"Content-Type: application/json\r\n" +
		authorization +
		"Content-Length: "
	return e, nil
}
