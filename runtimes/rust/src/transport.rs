//! How long to wait before the next try.

use std::time::{Duration, SystemTime};

use crate::run_file::Transport;

/// Full jitter: anything up to a bound that doubles with every failure.
pub fn backoff(transport: &Transport, failures_before: u64) -> Duration {
    let factor = u32::try_from(failures_before).ok().and_then(|doublings| 1_u32.checked_shl(doublings));
    let bound = transport.cap.min(transport.base.saturating_mul(factor.unwrap_or(u32::MAX)));
    bound.mul_f64(fastrand::f64())
}

/// How long a Retry-After header, a number of seconds or an HTTP date, asks to wait; nothing without sense.
///
/// Source: RFC 9110, section 10.2.3.
pub fn retry_after(value: &str) -> Duration {
    let is_number = value.split('.').count() <= 2
        && value.split('.').all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    if is_number {
        let seconds = value.parse().unwrap_or(f64::INFINITY);
        return Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    }
    let date = httpdate::parse_http_date(value).ok();
    date.and_then(|date| date.duration_since(SystemTime::now()).ok()).unwrap_or_default()
}
