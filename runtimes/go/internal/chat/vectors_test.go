package chat

import (
	"math"
	"testing"
	"time"

	"agentloop/internal/vectors"
)

func TestRetryAfter(t *testing.T) {
	type vector struct {
		Name, Value string
		Now         int64
		Expected    float64
	}
	for _, c := range vectors.Load[vector](t, "retry_after.json") {
		t.Run(c.Name, func(t *testing.T) {
			if seconds := retryAfter(c.Value, time.Unix(c.Now, 0)); seconds != c.Expected {
				t.Errorf("%q at %d: %g s, expected %g", c.Value, c.Now, seconds, c.Expected)
			}
		})
	}
}

// TestDatesThatAreNotOfHTTP has what time.Parse would take.
func TestDatesThatAreNotOfHTTP(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, value := range []string{
		"Mon, 30 Nov 2026 12:01:30.5 GMT",
		"Mon, 30 nov 2026 12:01:30 GMT",
		"mon, 30 Nov 2026 12:01:30 GMT",
		"Tue, 01 Dec 2026 2:01:30 GMT",
		"Mon,  30 Nov 2026 12:01:30 GMT",
		"Tue Dec 1 12:00:00 2026",
		"Monday, 30-Nov-2026 12:01:30 GMT",
	} {
		if seconds := retryAfter(value, now); seconds != 0 {
			t.Errorf("%q: %g s", value, seconds)
		}
	}
}

// TestLongestPause asks for more than a time.Duration holds.
func TestLongestPause(t *testing.T) {
	if pause := Seconds(retryAfter("1000000000000", time.Now())); pause < 24*time.Hour || pause == math.MaxInt64 {
		t.Errorf("%v", pause)
	}
}

func TestBaseURLs(t *testing.T) {
	type vector struct {
		Name     string
		BaseURL  string `json:"base_url"`
		Expected *struct {
			TLS        bool
			Host       string
			Port       int
			HostHeader string `json:"host_header"`
			Target     string
		}
	}
	for _, c := range vectors.Load[vector](t, "base_url.json") {
		t.Run(c.Name, func(t *testing.T) {
			parsed, err := parseBase(c.BaseURL)
			if (err != nil) != (c.Expected == nil) {
				t.Fatalf("%q: %+v, %v", c.BaseURL, parsed, err)
			}
			if e := c.Expected; e != nil && parsed != (base{e.TLS, e.Host, e.Port, e.HostHeader, e.Target}) {
				t.Errorf("%q: %+v, expected %+v", c.BaseURL, parsed, *e)
			}
		})
	}
}

func TestReasonVectors(t *testing.T) {
	type vector struct{ Name, Said, Key, Expected string }
	for _, c := range vectors.Load[vector](t, "reasons.json") {
		t.Run(c.Name, func(t *testing.T) {
			served, err := NewEndpoint("http://h/v1", c.Key)
			if err != nil {
				t.Fatal(err)
			}
			if reason := served.presentable(c.Said); reason != c.Expected {
				t.Errorf("%q, expected %q", reason, c.Expected)
			}
		})
	}
}
