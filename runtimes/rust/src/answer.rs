//! The response to one request, as it arrives.

use std::error::Error;
use std::time::{Duration, SystemTime};

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::response;
use tokio::time::{Instant, timeout_at};

use crate::clock::now_ns;
use crate::completion::{BrokenStream, Completion};
use crate::connection::Exchange;
use crate::events::Attempt;
use crate::reason::CUT;
use crate::sse::EventStream;
use crate::transport::retry_after;

const REFUSAL_LIMIT_BYTES: usize = 2048;

/// One request failed.
pub struct TryFailed {
    /// Why, in words that may hold the key.
    pub reason: String,
    /// Whether another try may do better.
    pub is_retryable: bool,
    /// How long to wait for it at least.
    pub retry_after: Duration,
}

impl TryFailed {
    /// One after which another may do better at once.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_retryable: true, retry_after: Duration::ZERO }
    }
}

impl From<BrokenStream> for TryFailed {
    fn from(broken: BrokenStream) -> Self {
        Self::new(broken.reason)
    }
}

impl From<hyper::Error> for TryFailed {
    fn from(failure: hyper::Error) -> Self {
        Self::new(if failure.is_parse() {
            format!("the endpoint does not speak HTTP/1.1 ({failure})")
        } else if failure.is_incomplete_message() || failure.source().is_none() {
            "the endpoint closed the connection".to_owned()
        } else {
            let mut cause: &dyn Error = &failure;
            while let Some(source) = cause.source() {
                cause = source;
            }
            format!("the connection broke ({cause})")
        })
    }
}

/// The response to one try.
pub struct Answer {
    /// What brings it.
    pub exchange: Exchange,
    events: EventStream,
    /// What it has come to so far.
    pub completion: Completion,
}

impl Answer {
    /// Of which nothing has come but its head.
    pub fn new(exchange: Exchange) -> Self {
        Self { exchange, events: EventStream::default(), completion: Completion::default() }
    }

    /// Takes in a piece of the body; returns whether it completed an event.
    pub fn take(&mut self, piece: &[u8], attempt: &mut Attempt) -> Result<bool, BrokenStream> {
        let mut has_event = false;
        self.events.feed(piece, |data| {
            has_event = true;
            self.completion.add(data)?;
            if attempt.t_first.is_none() && !self.completion.text.is_empty() {
                attempt.t_first = Some(now_ns());
            }
            if attempt.t_last.is_none() && self.completion.finish_reason.is_some() {
                attempt.t_last = Some(now_ns());
            }
            Ok(())
        })?;
        Ok(has_event)
    }

    /// Why a response with a status other than 200 fails its try.
    pub async fn refusal(mut self, head: &response::Parts, deadline: Instant) -> TryFailed {
        let mut said = Vec::new();
        let is_whole = loop {
            match timeout_at(deadline, self.exchange.next_piece()).await {
                Ok(Some(Ok(piece))) => said.extend_from_slice(&piece),
                Ok(None) => break true,
                _ => break false,
            }
            if said.len() >= REFUSAL_LIMIT_BYTES {
                break false;
            }
        };
        said.truncate(REFUSAL_LIMIT_BYTES);
        let mut reason = format!("the endpoint answered {}", head.status.as_u16());
        let said = String::from_utf8_lossy(&said);
        if !said.trim().is_empty() {
            // What is cut may be so within the key.
            reason = format!("{reason}: {}{}", said.trim(), if is_whole { "" } else { CUT });
        }
        let is_retryable = matches!(head.status.as_u16(), 408 | 429 | 500..=599);
        let retry_after = retry_after(&text_of(&head.headers, &header::RETRY_AFTER), SystemTime::now());
        TryFailed { reason, is_retryable, retry_after }
    }
}

/// Fails the try if a response is no event stream that can be read.
pub fn check_is_event_stream(headers: &HeaderMap) -> Result<(), TryFailed> {
    let encoding = text_of(headers, &header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(TryFailed::new(format!("the endpoint sent a compressed stream ({encoding})")));
    }
    let kind = text_of(headers, &header::CONTENT_TYPE);
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/event-stream") {
        let kind = if kind.is_empty() { "no Content-Type" } else { &kind };
        return Err(TryFailed::new(format!("the endpoint sent no event stream but {kind}")));
    }
    Ok(())
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    String::from_utf8_lossy(value).trim().to_owned()
}
