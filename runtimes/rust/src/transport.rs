//! How long to wait before the next try.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http_date::seconds_of;
use crate::run_file::Transport;
use crate::text::{WHITE_SPACE, after_digits};

/// Full jitter: anything up to a bound that doubles with every failure.
pub fn backoff(transport: &Transport, failures_before: u64) -> Duration {
    let factor = u32::try_from(failures_before).ok().and_then(|doublings| 1_u32.checked_shl(doublings));
    let bound = transport.cap.min(transport.base.saturating_mul(factor.unwrap_or(u32::MAX)));
    bound.mul_f64(fastrand::f64())
}

/// How long a Retry-After header, a number of seconds or a date, asks to wait; nothing without sense.
///
/// Source: RFC 9110, section 10.2.3, and `runtimes/contract/vectors/retry_after.json`.
pub fn retry_after(value: &str, now: SystemTime) -> Duration {
    const LONGEST_S: f64 = 1e12;
    let value = value.trim_matches(WHITE_SPACE);
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    if [whole, fraction].iter().all(|digits| after_digits(digits) == Some("")) {
        let seconds: f64 = value.parse().unwrap_or(LONGEST_S);
        return Duration::from_secs_f64(seconds.min(LONGEST_S));
    }
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = seconds_of(value, now.as_secs().cast_signed()).and_then(|date| u64::try_from(date).ok());
    Duration::from_secs(date.unwrap_or_default()).saturating_sub(now)
}
