package chat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"

	"agentloop/internal/text"
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

// longestPauseS is what a longer pause that an endpoint asks for counts as.
const longestPauseS = 1e12

var (
	delaySeconds = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	dayName      = regexp.MustCompile(`^[A-Z][a-z]+`)
	shortYear    = regexp.MustCompile(`^([A-Z][a-z]+day, [0-9]{2}-[A-Z][a-z]{2}-)([0-9]{2} )`)
)

// retryAfter returns how many seconds a Retry-After header, a number or a date, asks to wait; 0 where it makes no sense.
//
// Source: RFC 9110, sections 5.6.7 and 10.2.3, and runtimes/contract/vectors/retry_after.json.
func retryAfter(value string, now time.Time) float64 {
	value = strings.Trim(value, text.WhiteSpace)
	if delaySeconds.MatchString(value) {
		seconds, _ := strconv.ParseFloat(value, 64) // Infinity beyond a double.
		return min(seconds, longestPauseS)
	}
	date, ok := parseDate(value, now)
	if !ok {
		return 0
	}
	// Not by Sub, whose result ends at three centuries.
	return max(0, float64(date.Unix())-float64(now.UnixNano())/1e9)
}

// parseDate reads a date of HTTP, whichever of its three forms it has.
func parseDate(value string, now time.Time) (time.Time, bool) {
	if !shortYear.MatchString(value) {
		date, ok := parseForm("Mon, 02 Jan 2006 15:04:05 GMT", value)
		if !ok {
			date, ok = parseForm(time.ANSIC, value)
		}
		return date, ok
	}
	// A year of two digits is the latest that is at most 50 years ahead.
	for century := now.Year()/100 + 1; century >= now.Year()/100-1; century-- {
		whole := shortYear.ReplaceAllString(value, fmt.Sprintf("${1}%02d${2}", century))
		date, ok := parseForm("Monday, 02-Jan-2006 15:04:05 GMT", whole)
		if ok && !date.After(now.AddDate(50, 0, 0)) {
			return date, true
		}
	}
	return time.Time{}, false
}

// parseForm reads a date that is written as this form writes it, except that the day of the week may be any.
func parseForm(form, value string) (time.Time, bool) {
	date, err := time.Parse(form, value)
	// Parse takes more than the form: a digit in place of two, a fraction of a second, names in any case.
	isAsWritten := func() bool {
		return dayName.MatchString(value) &&
			dayName.ReplaceAllString(value, "") == dayName.ReplaceAllString(date.Format(form), "")
	}
	return date, err == nil && isAsWritten()
}
