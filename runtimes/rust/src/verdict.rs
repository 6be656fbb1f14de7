//! Judges an attempt by its exit code and by the summary that pytest printed.
//!
//! Source: `runtimes/contract/vectors/README.md`, `verdicts.json`.

use std::borrow::Cow;

use serde::Serialize;

use crate::text::{WHITE_SPACE, after, after_duration, split_while};

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The tests pass, and say so.
    Passed,
    /// At least one test does not pass.
    Failed,
    /// Nothing failed, and not everything was tested.
    Unproven,
    /// pytest did not come to its summary.
    NoSummary,
    /// The verifier was stopped at its timeout.
    TimedOut,
    /// The reply holds no code block.
    NoCode,
    /// The endpoint or the machine refused.
    Error,
    /// The run was.
    Interrupted,
}

impl Verdict {
    /// Whether the task is over with this verdict, however many attempts are left.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Passed | Self::Error | Self::Interrupted)
    }
}

/// The verdict on a verifier that was run.
///
/// `exit_code` is `None` when a signal ended it. The exit code alone proves nothing: a solution that calls
/// `os._exit(0)` exits with 0, and so does a test module that skips itself.
pub fn judge(exit_code: Option<i32>, timed_out: bool, stdout: &[u8]) -> Verdict {
    if timed_out {
        return Verdict::TimedOut;
    }
    let Some(summary) = stdout.rsplit(|&byte| byte == b'\n').find_map(Summary::on_line) else {
        return Verdict::NoSummary;
    };
    if summary.failed {
        Verdict::Failed
    } else if !summary.passed || summary.other {
        Verdict::Unproven
    } else if exit_code == Some(0) {
        Verdict::Passed
    } else {
        Verdict::Failed
    }
}

/// What is counted in a summary of pytest.
#[derive(Default)]
struct Summary {
    passed: bool,
    failed: bool,
    /// Something besides what passed, failed or was warned about.
    other: bool,
}

impl Summary {
    /// What a line says, if as a whole it is a summary.
    fn on_line(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let text = without_escape_sequences(&text);
        let mut rest = text.trim_end_matches(WHITE_SPACE);
        if let Some(behind) = after_rule(rest) {
            rest = behind.strip_prefix(' ')?;
        }
        let mut summary = Self::default();
        rest = match rest.strip_prefix("no tests ran") {
            Some(behind) => behind,
            None => summary.add_counts(rest)?,
        };
        rest = after_duration(rest)?;
        if let Some(rule) = rest.strip_prefix(' ') {
            rest = after_rule(rule)?;
        }
        rest.is_empty().then_some(summary)
    }

    /// Takes note of the counts that `text` begins with; returns what follows them.
    fn add_counts<'a>(&mut self, mut text: &'a str) -> Option<&'a str> {
        loop {
            text = self.add_count(text)?;
            match text.strip_prefix(", ") {
                Some(next) => text = next,
                None => return Some(text),
            }
        }
    }

    fn add_count<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (number, rest) = split_while(text, |c| c.is_ascii_digit())?;
        let (name, rest) = split_while(rest.strip_prefix(' ')?, |c| c.is_ascii_lowercase())?;
        let is_positive = number.bytes().any(|digit| digit != b'0');
        match name {
            "passed" => self.passed |= is_positive,
            "failed" | "error" | "errors" if is_positive => self.failed = true,
            "failed" | "error" | "errors" => self.other = true,
            "warning" | "warnings" => {}
            "skipped" | "xfailed" | "xpassed" | "deselected" | "rerun" | "reruns" => self.other = true,
            _ => return None,
        }
        Some(rest)
    }
}

fn after_rule(text: &str) -> Option<&str> {
    after(text, |c| c == '=')
}

fn without_escape_sequences(line: &str) -> Cow<'_, str> {
    let mut pieces = line.split('\x1b');
    let mut result = Cow::Borrowed(pieces.next().unwrap_or_default());
    for piece in pieces {
        match after_escape_sequence(piece) {
            Some(rest) => result.to_mut().push_str(rest),
            None => result.to_mut().extend(["\x1b", piece]),
        }
    }
    result
}

/// What follows the sequence whose ESC is in front of `text`.
fn after_escape_sequence(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix('[')?
        .trim_start_matches(|c| ('0'..='?').contains(&c))
        .trim_start_matches(|c| (' '..='/').contains(&c));
    rest.strip_prefix(|c| ('@'..='~').contains(&c))
}
