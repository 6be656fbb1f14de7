//! Streamed chat completions, with the tries that a completion may take.
//!
//! Source: `runtimes/CONTRACT.md`, "One task" and "Transport".

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::answer::{Answer, TryFailed, check_is_event_stream};
use crate::clock::now_ns;
use crate::completion::Completion;
use crate::connection::{Exchange, RequestBody, Stream};
use crate::digest::Digest;
use crate::endpoint::{Address, Endpoint};
use crate::events::Attempt;
use crate::fields::InvalidInput;
use crate::reason::KeySpellings;
use crate::run_file::{Timeouts, Transport};
use crate::transport::backoff;

/// How long the end of the stream is awaited after the finish reason.
const STREAM_END_GRACE: Duration = Duration::from_secs(1);
/// How long a connection stays open for the rest of a response whose completion is there.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// No completion can be had; the text is one line that says why.
#[derive(Debug)]
pub struct ChatFailed(String);

impl fmt::Display for ChatFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for ChatFailed {}

/// The chat completions of one OpenAI-compatible endpoint, as many at the same time as are asked for.
pub struct Chat {
    endpoint: Endpoint,
    uri: Uri,
    headers: HeaderMap,
    key: KeySpellings,
    timeouts: Timeouts,
    transport: Transport,
    idle: Rc<RefCell<Vec<Stream>>>,
}

impl Chat {
    /// Connects to nothing yet. `api_key` may be empty.
    pub fn new(
        address: &Address,
        api_key: &str,
        timeouts: Timeouts,
        transport: Transport,
    ) -> Result<Self, InvalidInput> {
        let (Ok(uri), Ok(host)) = (address.target.parse(), HeaderValue::from_str(&address.authority)) else {
            let target = &address.target;
            return Err(InvalidInput(format!(
                "base_url: {target} is no path; name one that a request can carry, or encode it"
            )));
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if !api_key.is_empty() {
            let is_printable = api_key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let bearer = HeaderValue::try_from(format!("Bearer {api_key}")).ok().filter(|_| is_printable);
            headers.insert(header::AUTHORIZATION, bearer.ok_or_else(invalid_key)?);
        }
        let endpoint = Endpoint::new(address)?;
        let key = KeySpellings::of(api_key);
        Ok(Self { endpoint, uri, headers, key, timeouts, transport, idle: Rc::default() })
    }

    /// The completion that the request body asks for; stamps `attempt`.
    ///
    /// # Errors
    ///
    /// When the tries are used up, or the time.
    pub async fn complete(&self, body: &Bytes, attempt: &mut Attempt) -> Result<Completion, ChatFailed> {
        attempt.request_sha256 = Some(Digest::of(body));
        let total = self.timeouts.total;
        let answer = match timeout(total, self.try_until_finished(body, attempt)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Err(ChatFailed(self.key.presentable(&failure.reason))),
            Err(_) => return Err(ChatFailed(format!("no completion within {}", seconds(total)))),
        };
        Ok(self.with_what_follows(answer, attempt).await)
    }

    async fn try_until_finished(&self, body: &Bytes, attempt: &mut Attempt) -> Result<Answer, TryFailed> {
        let t_first_try = now_ns();
        loop {
            let failure = match self.try_once(body, attempt).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !failure.is_retryable || attempt.transport_retries >= self.transport.max_retries {
                return Err(failure);
            }
            sleep(backoff(&self.transport, attempt.transport_retries).max(failure.retry_after)).await;
            attempt.transport_retries += 1;
            attempt.transport_ns = now_ns() - t_first_try;
        }
    }

    /// One try, up to the finish reason.
    async fn try_once(&self, body: &Bytes, attempt: &mut Attempt) -> Result<Answer, TryFailed> {
        (attempt.t_request, attempt.t_first, attempt.t_last) = (None, None, None);
        let stream = match self.quiet_stream() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        attempt.t_request = Some(now_ns());
        let request = self.request(body);
        let event_idle = self.timeouts.event_idle;
        let no_event = || TryFailed::new(format!("no event within {}", seconds(event_idle)));
        let begun = Exchange::begin(stream, request, || deadline_in(event_idle)).await?;
        let (exchange, head, mut deadline) = begun.ok_or_else(no_event)?;
        let mut answer = Answer::new(exchange);
        if head.status != StatusCode::OK {
            return Err(answer.refusal(&head, deadline).await);
        }
        check_is_event_stream(&head.headers)?;
        // It would keep the buffer that it was read into, and the body would need another.
        drop(head);
        while answer.completion.finish_reason.is_none() {
            let piece = timeout_at(deadline, answer.exchange.next_piece()).await.map_err(|_| no_event())?;
            match piece.transpose()? {
                Some(piece) if answer.take(&piece, attempt)? => deadline = deadline_in(event_idle),
                Some(_) => {}
                None => answer.completion.end()?,
            }
            if answer.completion.ended {
                answer.completion.end()?;
            }
        }
        Ok(answer)
    }

    /// Takes in what may follow the finish reason, and frees the connection for others.
    async fn with_what_follows(&self, mut answer: Answer, attempt: &mut Attempt) -> Completion {
        let rest = async {
            while !answer.completion.ended {
                match answer.exchange.next_piece().await {
                    // After the finish reason nothing is an error.
                    Some(Ok(piece)) => _ = answer.take(&piece, attempt),
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            true
        };
        if timeout(STREAM_END_GRACE, rest).await == Ok(true) {
            spawn_local(free(answer.exchange, self.idle.clone()));
        }
        answer.completion
    }

    /// An idle connection; those that the endpoint has closed meanwhile would only cost a try.
    fn quiet_stream(&self) -> Option<Stream> {
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.pop()).find(Stream::is_quiet)
    }

    async fn connect(&self) -> Result<Stream, TryFailed> {
        match timeout(self.timeouts.connect, self.endpoint.connect()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(failure)) => Err(TryFailed::new(format!("no connection ({failure})"))),
            Err(_) => Err(TryFailed::new(format!("no connection within {}", seconds(self.timeouts.connect)))),
        }
    }

    fn request(&self, body: &Bytes) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Puts the stream of an exchange that is as good as over with those that can be used again.
async fn free(mut exchange: Exchange, idle: Rc<RefCell<Vec<Stream>>>) {
    let end = async {
        loop {
            match exchange.next_piece().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return None,
                None => return exchange.into_stream().await,
            }
        }
    };
    if let Ok(Some(stream)) = timeout(CLOSE_GRACE, end).await {
        idle.borrow_mut().push(stream);
    }
}

fn deadline_in(duration: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    Instant::now() + duration.min(FAR)
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn invalid_key() -> InvalidInput {
    InvalidInput(
        "LLM_API_KEY: holds characters that a header may not hold; set it to the key alone".to_owned(),
    )
}
