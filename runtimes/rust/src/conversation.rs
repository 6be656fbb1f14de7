//! The conversation with the model, kept as the exact bytes that carry it.
//!
//! Source: `runtimes/CONTRACT.md`, "Messages" and "Request", and `runtimes/contract/vectors/messages.json`.

use std::mem;
use std::path::Path;
use std::rc::Rc;

use hyper::body::Bytes;
use serde_json::{Map, Value};

use crate::canonical::{write_text, write_value};
use crate::fields::{Fields, InvalidInput};
use crate::task::Task;

/// The texts of prompts.json.
#[derive(Debug)]
pub struct Prompts {
    system: String,
    user: String,
    tests_failed: String,
    timed_out: String,
    no_code: String,
}

impl Prompts {
    /// Reads prompts.json.
    pub fn load(path: &Path) -> Result<Self, InvalidInput> {
        Self::of_fields(&Fields::of_file(path)?)
    }

    /// The prompts that the fields of an object are.
    pub fn of_fields(fields: &Fields) -> Result<Self, InvalidInput> {
        Ok(Self {
            system: fields.text("system")?,
            user: fields.text("user")?,
            tests_failed: fields.text("tests_failed")?,
            timed_out: fields.text("timed_out")?,
            no_code: fields.text("no_code")?,
        })
    }
}

/// What all conversations of a run have in common: the prompts, and the body of a request but its messages.
#[derive(Debug)]
pub struct Script {
    prompts: Prompts,
    before_messages: String,
    after_messages: String,
}

impl Script {
    /// For requests to `model` that hold the further fields `request` as well.
    pub fn new(prompts: Prompts, model: &str, request: &Map<String, Value>) -> Self {
        let mut fields = request.clone();
        fields.insert("model".to_owned(), model.into());
        fields.insert("stream".to_owned(), true.into());
        let mut before_messages = "{".to_owned();
        let mut after_messages = "]".to_owned();
        for (name, value) in &fields {
            let precedes = name.as_str() < "messages";
            let part = if precedes { &mut before_messages } else { &mut after_messages };
            if !precedes {
                part.push(',');
            }
            write_text(name, part);
            part.push(':');
            write_value(value, part);
            if precedes {
                part.push(',');
            }
        }
        before_messages.push_str("\"messages\":[");
        after_messages.push('}');
        Self { prompts, before_messages, after_messages }
    }
}

/// All that was said about one task, ready to be sent.
pub struct Conversation {
    script: Rc<Script>,
    body: Bytes,
}

impl Conversation {
    /// The conversation that asks for a solution of `task`.
    pub fn new(script: Rc<Script>, task: &Task) -> Self {
        let values = [("task_id", &*task.task_id), ("prompt", &*task.prompt), ("tests", &*task.tests)];
        let system = fill(&script.prompts.system, &values);
        let user = fill(&script.prompts.user, &values);
        let mut body = script.before_messages.clone();
        write_message("system", &system, &mut body);
        body.push(',');
        write_message("user", &user, &mut body);
        body.push_str(&script.after_messages);
        Self { script, body: exact(body) }
    }

    /// The body of the next request.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Goes on after a reply that did not pass; `output` is the normalised output of the tests.
    pub fn tests_failed(&mut self, reply: &str, output: &str) {
        self.go_on(reply, &fill(&self.script.prompts.tests_failed, &[("output", output)]));
    }

    /// Goes on after a reply whose tests had to be stopped.
    pub fn timed_out(&mut self, reply: &str) {
        let script = self.script.clone();
        self.go_on(reply, &script.prompts.timed_out);
    }

    /// Goes on after a reply without a code block.
    pub fn no_code(&mut self, reply: &str) {
        let script = self.script.clone();
        self.go_on(reply, &script.prompts.no_code);
    }

    fn go_on(&mut self, reply: &str, answer: &str) {
        let after_messages = &self.script.after_messages;
        let mut body = String::from_utf8(mem::take(&mut self.body).into()).expect("a body is text");
        body.truncate(body.len() - after_messages.len());
        body.push(',');
        write_message("assistant", reply, &mut body);
        body.push(',');
        write_message("user", answer, &mut body);
        body.push_str(after_messages);
        self.body = exact(body);
    }
}

/// A body stays as long as the attempt, so that it takes no more memory than it has bytes.
fn exact(body: String) -> Bytes {
    Bytes::from(body.into_bytes().into_boxed_slice())
}

fn write_message(role: &str, content: &str, out: &mut String) {
    out.push_str("{\"content\":");
    write_text(content, out);
    out.push_str(",\"role\":");
    write_text(role, out);
    out.push('}');
}

/// Replaces `{name}`s in one pass: what is put in is not looked at again, and unknown names are text.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        result.push_str(before);
        let placeholder = values
            .iter()
            .find_map(|(name, value)| Some((value, behind.strip_prefix(name)?.strip_prefix('}')?)));
        rest = match placeholder {
            Some((value, rest)) => {
                result.push_str(value);
                rest
            }
            None => {
                result.push('{');
                behind
            }
        };
    }
    result.push_str(rest);
    result
}
