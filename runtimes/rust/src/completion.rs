//! What the chunks of a streamed chat completion add up to.
//!
//! Source: "The chat completion chunk object" of OpenAI's API reference, and
//! `runtimes/contract/vectors/sse.json`.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::members::{append_text, first_element, members};
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
        let [error, usage, choices] =
            members(data, ["error", "usage", "choices"]).ok_or_else(|| BrokenStream {
                kind: Break::Malformed,
                reason: format!("the stream holds something that is no JSON object: {data}"),
            })?;
        if let Some(error) = error.filter(|&error| error != "null") {
            return Err(BrokenStream {
                kind: Break::Endpoint,
                reason: format!("the endpoint reports in the stream: {}", message(error)),
            });
        }
        // One that `Value` does not take is passed over, so that whoever reads the events can read it.
        if let Some(Ok(usage @ Value::Object(_))) = usage.map(serde_json::from_str) {
            self.usage = to_raw_value(&usage).ok();
        }
        if self.finish_reason.is_none() {
            self.add_choice(choices.and_then(first_element).unwrap_or_default());
        }
        Ok(())
    }

    /// Takes in a choice; what is missing or of another type is passed over.
    fn add_choice(&mut self, choice: &str) {
        let [delta, finish_reason] = members(choice, ["delta", "finish_reason"]).unwrap_or_default();
        if let Some([Some(content)]) = delta.and_then(|delta| members(delta, ["content"])) {
            append_text(content, &mut self.text);
        }
        let mut reason = String::new();
        if finish_reason.is_some_and(|json| append_text(json, &mut reason)) && !reason.is_empty() {
            self.finish_reason = Some(reason);
        }
    }
}

/// What an error object says, whatever its shape.
fn message(error: &str) -> String {
    let mut said = String::new();
    match members(error, ["message"]) {
        Some([Some(message)]) if append_text(message, &mut said) => said,
        _ => error.to_owned(),
    }
}
