//! The event file.
//!
//! Source: `runtimes/CONTRACT.md`, "Events".

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::now_ns;
use crate::digest::Digest;
use crate::verdict::Verdict;

/// The record of one attempt, stamped by everything that works on it.
///
/// Times are nanoseconds of `CLOCK_MONOTONIC`, `None` while the phase has not happened.
#[derive(Serialize)]
#[serde(tag = "event", rename = "attempt")]
#[expect(missing_docs, reason = "the contract says what the fields are")]
pub struct Attempt {
    pub task: Rc<str>,
    pub attempt: u64,
    pub t_begin: u64,
    pub t_request: Option<u64>,
    pub t_first: Option<u64>,
    pub t_last: Option<u64>,
    pub t_queue: Option<u64>,
    pub t_spawn: Option<u64>,
    pub t_started: Option<u64>,
    pub t_exit: Option<u64>,
    pub t_end: u64,
    pub transport_retries: u64,
    pub transport_ns: u64,
    pub request_sha256: Option<Digest>,
    pub completion_sha256: Option<Digest>,
    pub usage: Option<Box<RawValue>>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub timed_out: bool,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

impl Attempt {
    /// The first attempt at a task, which begins now.
    pub fn first(task: Rc<str>) -> Self {
        Self::new(task, 1, now_ns())
    }

    /// The next attempt, which begins when this one ends.
    pub fn following(&self) -> Self {
        Self::new(self.task.clone(), self.attempt + 1, self.t_end)
    }

    fn new(task: Rc<str>, attempt: u64, t_begin: u64) -> Self {
        Self {
            task,
            attempt,
            t_begin,
            t_request: None,
            t_first: None,
            t_last: None,
            t_queue: None,
            t_spawn: None,
            t_started: None,
            t_exit: None,
            t_end: t_begin,
            transport_retries: 0,
            transport_ns: 0,
            request_sha256: None,
            completion_sha256: None,
            usage: None,
            exit_code: None,
            signal: None,
            timed_out: false,
            verdict: Verdict::Interrupted,
            reason: None,
        }
    }
}

/// What became of a task.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its tests pass.
    Passed,
    /// The attempts are used up.
    Failed,
    /// It could not be worked on to the end.
    Error,
}

/// The events besides attempts.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the contract says what the fields are")]
pub enum Event<'a> {
    /// The run file has proved usable.
    RunStart { t: u64, contract_version: u64, pid: u32 },
    /// A task has its outcome.
    Task { task: &'a str, t: u64, outcome: Outcome, attempts: u64, reason: Option<&'a str> },
    /// Nothing follows.
    RunEnd { t: u64 },
}

/// A file of JSON lines, each written at once, so that a reader never waits for one.
pub struct EventFile {
    file: File,
    path: PathBuf,
}

impl EventFile {
    /// Creates the file.
    ///
    /// # Errors
    ///
    /// Also when it is there already: two runs never share one.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Appends one event.
    pub fn emit(&self, event: &impl Serialize) -> Result<(), EventLost> {
        let lost = |failure| EventLost(format!("{}: cannot be written ({failure})", self.path.display()));
        let mut line = serde_json::to_vec(event).map_err(|failure| lost(failure.into()))?;
        line.push(b'\n');
        (&self.file).write_all(&line).map_err(lost)
    }
}

/// An event is lost, so nothing that the run does from here on can be believed.
#[derive(Debug)]
pub struct EventLost(String);

impl fmt::Display for EventLost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for EventLost {}
