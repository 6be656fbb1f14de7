//! Makes what the tests printed fit to be shown to a model, and the same wherever the same test fails.
//!
//! Source: `runtimes/contract/vectors/README.md`, `feedback.json`, whose steps are followed in their order.

use crate::text::{WHITE_SPACE, after, after_digits, after_duration};

const LIMIT_BYTES: usize = 4000;
const LIBRARY: &str = "/lib/python3.";

/// stdout, then stderr, without what differs from run to run: the last 4,000 bytes of it at most.
///
/// `workspace` is the absolute path of the folder in which the tests ran.
pub fn normalise(stdout: &[u8], stderr: &[u8], workspace: &str) -> String {
    let between: &[u8] = if stdout.is_empty() || stderr.is_empty() { b"" } else { b"\n" };
    let output = [stdout, between, stderr].concat();
    let text = String::from_utf8_lossy(&output)
        .replace("\r\n", "\n")
        .replace(&format!("{workspace}/"), "")
        .replace(workspace, ".");
    let text = text.split('\n').map(without_rules).collect::<Vec<_>>().join("\n");
    let text = replace_each(&text, " in ", after_duration, "");
    let text = replace_each(&text, " at 0x", after_address, " at 0x0");
    let text = replace_each(&text, "/pytest-of-", after_temporary_folder, "/pytest");
    let text = with_relative_library(&text);
    last_bytes(text.trim_end_matches(WHITE_SPACE), LIMIT_BYTES).to_owned()
}

/// The text of a line that ends in a duration and has `=`s around it; any other line as it is.
///
/// pytest makes its summary as wide as the screen, so that how many `=`s there are depends on the duration.
fn without_rules(line: &str) -> &str {
    let inner = || {
        let inner = after(line, |c| c == '=')?.strip_prefix(' ')?;
        let before_rule = inner.trim_end_matches('=');
        if before_rule.len() == inner.len() {
            return None;
        }
        let text = before_rule.strip_suffix(' ')?;
        let ends_in_duration = |&(at, _): &(usize, &str)| after_duration(&text[at..]) == Some("");
        let (duration, _) = text.rmatch_indices(" in ").find(ends_in_duration)?;
        Some(&text[..duration])
    };
    inner().unwrap_or(line)
}

/// `text` with `by` in place of everything that begins with `beginning` and that `after` finds the end of.
fn replace_each(text: &str, beginning: &str, after: impl Fn(&str) -> Option<&str>, by: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(beginning) {
        let (before, found) = rest.split_at(at);
        result.push_str(before);
        if let Some(behind) = after(found) {
            result.push_str(by);
            rest = behind;
        } else {
            // No other can begin within this one's first character, which is of one byte.
            result.push_str(&found[..1]);
            rest = &found[1..];
        }
    }
    result.push_str(rest);
    result
}

fn after_address(text: &str) -> Option<&str> {
    after(text.strip_prefix(" at 0x")?, |c| c.is_ascii_hexdigit())
}

fn after_temporary_folder(text: &str) -> Option<&str> {
    let of_name = |c| c != '/' && !WHITE_SPACE.contains(&c);
    after_digits(after(text.strip_prefix("/pytest-of-")?, of_name)?.strip_prefix("/pytest-")?)
}

/// `text` with every path of the standard library relative to where Python is installed.
fn with_relative_library(text: &str) -> String {
    let before_a_path = |c| WHITE_SPACE.contains(&c) || matches!(c, '\'' | '"' | '(');
    let mut result = String::with_capacity(text.len());
    for path in text.split_inclusive(before_a_path) {
        match after_library(path) {
            Some(within) => {
                result.push_str("lib/python3/");
                result.push_str(within);
            }
            None => result.push_str(path),
        }
    }
    result
}

/// What follows the last `/lib/python3.N/` of a path.
fn after_library(path: &str) -> Option<&str> {
    path.rmatch_indices(LIBRARY)
        .find_map(|(at, _)| after_digits(&path[at + LIBRARY.len()..])?.strip_prefix('/'))
}

/// The last `limit` bytes of `text`, less a character that is cut at their start.
fn last_bytes(text: &str, limit: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(limit))..]
}
