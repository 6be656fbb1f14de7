//! What the chunks of a streamed chat completion add up to.
//!
//! Source: "The chat completion chunk object" of OpenAI's API reference, and
//! `runtimes/contract/vectors/sse.json`.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::text::WHITE_SPACE;

/// Why a stream cannot become a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// It ended before a finish reason.
    Truncated,
    /// It held something that is no JSON object.
    Malformed,
    /// The endpoint reported an error in it.
    Endpoint,
}

/// The stream cannot become a completion.
#[derive(Debug)]
pub struct BrokenStream {
    /// What is wrong.
    pub kind: Break,
    /// The same in words.
    pub reason: String,
}

/// A chat completion that grows chunk by chunk.
#[derive(Default)]
pub struct Completion {
    /// All content so far.
    pub text: String,
    /// Why the model has finished, if it has.
    pub finish_reason: Option<String>,
    /// The endpoint's usage object, if there was one.
    pub usage: Option<Box<RawValue>>,
    /// Whether nothing that follows can be of interest.
    pub ended: bool,
}

impl Completion {
    /// Takes in the data of one event.
    ///
    /// `[DONE]` ends the completion, and so does anything broken after the finish reason, which never undoes
    /// a success.
    ///
    /// # Errors
    ///
    /// Before the finish reason, for data that is no JSON object and for an error object.
    pub fn add(&mut self, data: &str) -> Result<(), BrokenStream> {
        let data = data.trim_matches(WHITE_SPACE);
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        match self.add_chunk(data) {
            Err(_) if self.finish_reason.is_some() => {
                self.ended = true;
                Ok(())
            }
            added => added,
        }
    }

    /// Takes note that the stream is over.
    ///
    /// # Errors
    ///
    /// When that is before a finish reason.
    pub fn end(&mut self) -> Result<(), BrokenStream> {
        self.ended = true;
        if self.finish_reason.is_some() {
            return Ok(());
        }
        Err(BrokenStream {
            kind: Break::Truncated,
            reason: "the stream ended before a finish_reason".to_owned(),
        })
    }

    fn add_chunk(&mut self, data: &str) -> Result<(), BrokenStream> {
        let chunk = match serde_json::from_str(data) {
            Ok(chunk @ Value::Object(_)) => chunk,
            _ => {
                return Err(BrokenStream {
                    kind: Break::Malformed,
                    reason: format!("the stream holds something that is no JSON object: {data}"),
                });
            }
        };
        // What is missing or of another type reads as null.
        let error = &chunk["error"];
        if !error.is_null() {
            let message = error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(BrokenStream {
                kind: Break::Endpoint,
                reason: format!("the endpoint reports in the stream: {message}"),
            });
        }
        if chunk["usage"].is_object() {
            self.usage = to_raw_value(&chunk["usage"]).ok();
        }
        if self.finish_reason.is_none() {
            let choice = &chunk["choices"][0];
            self.text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
            self.finish_reason =
                choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()).map(str::to_owned);
        }
        Ok(())
    }
}
