package chat

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"time"
)

// Retries bounds the tries of a completion: how many there may be after the first, and the base and the cap of
// the backoff in seconds.
type Retries struct {
	Max   int
	BaseS float64
	CapS  float64
}

// backoff draws the pause after a number of failures: anything up to a bound that doubles with each ("full
// jitter").
func (r Retries) backoff(failures int) time.Duration {
	return Seconds(rand.Float64() * min(r.CapS, math.Ldexp(r.BaseS, failures-1)))
}

// Seconds returns a duration, about a century if it is longer than that.
func Seconds(seconds float64) time.Duration {
	const longestS = 3e9
	return time.Duration(min(seconds, longestS) * float64(time.Second))
}

var delaySeconds = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// retryAfter returns how long a Retry-After header, a number of seconds or an HTTP date, asks to wait; 0 where
// it makes no sense.
//
// Source: RFC 9110, sections 5.6.7 and 10.2.3.
func retryAfter(value string, now time.Time) time.Duration {
	if delaySeconds.MatchString(value) {
		seconds, _ := strconv.ParseFloat(value, 64) // Infinity beyond a double.
		return Seconds(seconds)
	}
	for _, form := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if date, err := time.Parse(form, value); err == nil {
			return max(0, date.Sub(now))
		}
	}
	return 0
}
