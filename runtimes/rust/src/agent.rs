//! The agent: ask, extract, write, verify, retry.

use std::cell::Cell;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;

use tokio::select;
use tokio::sync::Notify;

use crate::chat::Chat;
use crate::clock::now_ns;
use crate::conversation::{Conversation, Script};
use crate::digest::Digest;
use crate::events::{Attempt, Event, EventFile, EventLost, Outcome};
use crate::extraction::extract;
use crate::feedback::normalise;
use crate::task::Task;
use crate::text::in_one_line;
use crate::tools::ToolDispatcher;
use crate::verdict::{Verdict, judge};
use crate::verifier::Verifier;
use crate::workspace::Workspace;

/// The reason of whatever a signal ended.
pub const INTERRUPTED: &str = "interrupted";

/// A signal that all agents hear.
#[derive(Default)]
pub struct Stop {
    signal: Cell<Option<i32>>,
    requested: Notify,
}

impl Stop {
    /// Stops all agents; the first signal counts.
    pub fn request(&self, signal: i32) {
        self.signal.set(self.signal.get().or(Some(signal)));
        self.requested.notify_waiters();
    }

    /// The number of the signal that was the first.
    pub fn signal(&self) -> Option<i32> {
        self.signal.get()
    }

    /// Waits until all agents are to stop.
    pub async fn requested(&self) {
        if self.signal.get().is_none() {
            self.requested.notified().await;
        }
    }
}

/// Works on a task until its tests pass or its attempts are used up.
pub struct Agent {
    /// Where completions come from.
    pub chat: Chat,
    /// What is said.
    pub script: Rc<Script>,
    /// What runs the tests.
    pub verifier: Verifier,
    /// The folder of all workspaces.
    pub workspaces: PathBuf,
    /// Where attempts and outcomes are told.
    pub events: EventFile,
    /// How many attempts may follow the first.
    pub max_retries: u64,
    /// Ends the work.
    pub stop: Stop,
}

impl Agent {
    /// Works on `task`; its events are emitted whatever happens.
    pub async fn solve(&self, task: &Task) -> Result<(), EventLost> {
        let mut conversation = Conversation::new(self.script.clone(), task);
        let mut attempt = Attempt::first(task.task_id.as_str().into());
        loop {
            let step = select! {
                biased;
                () = self.stop.requested() => None,
                step = self.step(&mut attempt, task, &mut conversation) => Some(step),
            };
            (attempt.verdict, attempt.reason) = match step {
                Some(Ok(verdict)) => (verdict, None),
                Some(Err(failure)) => (Verdict::Error, Some(in_one_line(&failure.to_string()))),
                None => (Verdict::Interrupted, Some(INTERRUPTED.to_owned())),
            };
            attempt.t_end = now_ns();
            self.events.emit(&attempt)?;
            if attempt.verdict.is_final() || attempt.attempt > self.max_retries {
                break;
            }
            attempt = attempt.following();
        }
        let outcome = match attempt.verdict {
            Verdict::Passed => Outcome::Passed,
            Verdict::Error | Verdict::Interrupted => Outcome::Error,
            _ => Outcome::Failed,
        };
        self.end(&task.task_id, outcome, attempt.attempt, attempt.reason.as_deref())
    }

    /// Tells that a task was not begun, because the run ends.
    pub fn leave(&self, task: &Task) -> Result<(), EventLost> {
        self.end(&task.task_id, Outcome::Error, 0, Some(INTERRUPTED))
    }

    async fn step(
        &self,
        attempt: &mut Attempt,
        task: &Task,
        conversation: &mut Conversation,
    ) -> Result<Verdict, Box<dyn Error>> {
        let completion = self.chat.complete(&conversation.body(), attempt).await?;
        let reply = completion.text;
        attempt.completion_sha256 = Some(Digest::of(reply.as_bytes()));
        attempt.usage = completion.usage;
        let Some(code) = extract(&reply, &task.entry_point) else {
            conversation.no_code(&reply);
            return Ok(Verdict::NoCode);
        };
        let workspace = Workspace::new(&self.workspaces)?;
        let tools = ToolDispatcher::new(workspace.path());
        tools.write_file("solution.py", &code)?;
        tools.write_file("test_solution.py", &task.tests)?;
        drop(code);
        let finished = self.verifier.verify(workspace.path(), attempt).await?;
        let verdict = judge(finished.exit_code, finished.timed_out, &finished.stdout);
        match verdict {
            Verdict::Passed => {}
            Verdict::TimedOut => conversation.timed_out(&reply),
            _ => {
                let folder = workspace.path().to_string_lossy();
                let output = normalise(&finished.stdout, &finished.stderr, &folder);
                conversation.tests_failed(&reply, &output);
            }
        }
        workspace.remove()?;
        Ok(verdict)
    }

    fn end(
        &self,
        task: &str,
        outcome: Outcome,
        attempts: u64,
        reason: Option<&str>,
    ) -> Result<(), EventLost> {
        self.events.emit(&Event::Task { task, t: now_ns(), outcome, attempts, reason })
    }
}
