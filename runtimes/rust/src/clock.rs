//! The clock of the event file.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Waits until `now_ns` is `t` or later; does not wait when it is already.
pub async fn until_ns(t: u64) {
    let wait = t.saturating_sub(now_ns());
    // Even a sleep of nothing would last until the timer's next millisecond.
    if wait > 0 {
        sleep(Duration::from_nanos(wait)).await;
    }
}
