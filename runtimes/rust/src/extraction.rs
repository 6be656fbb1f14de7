//! Finds the Python code block in a model's reply.
//!
//! Source: the fenced code blocks of CommonMark 0.31, and `runtimes/contract/vectors/extraction.json`.

use crate::fence::{Fence, without_end_tokens};
use crate::text::{WHITE_SPACE, split_while};

/// The tags around what a model thinks before it answers.
const THOUGHTS: [(&str, &str); 3] =
    [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]")];

/// The code block that answers, ending in exactly one LF, or `None` when the reply holds none.
///
/// A block that defines `entry_point` wins over one that does not, then a block tagged as Python over one
/// without a tag, then the longest, then the last. Blocks with any other tag never count. Blocks before an end
/// of thought stand in only when no block after it counts.
pub fn extract(reply: &str, entry_point: &str) -> Option<String> {
    let answer = without_thoughts(without_end_tokens(reply, &WHITE_SPACE)).replace("\r\n", "\n");
    let mut section = 0;
    let mut lines = answer.split('\n');
    let mut best = None;
    while let Some(line) = lines.next() {
        let mut opening = Fence::opened_by(line);
        if let (None, Some(behind)) = (&opening, after_thought(line)) {
            section += 1;
            opening = Fence::opened_by(behind);
        }
        let Some(fence) = opening else {
            continue;
        };
        let Some(code) = fence.code(&mut lines).filter(|_| fence.is_python() || fence.has_no_tag()) else {
            continue;
        };
        let rank = (section, defines(&code, entry_point), fence.is_python(), code.len());
        if best.as_ref().is_none_or(|(best_rank, _)| rank >= *best_rank) {
            best = Some((rank, code));
        }
    }
    best.map(|(_, code)| code)
}

/// What follows the thoughts that a reply begins with.
fn without_thoughts(mut reply: &str) -> &str {
    while let Some(behind) = after_leading_thought(reply.trim_start_matches(WHITE_SPACE)) {
        reply = behind;
    }
    reply
}

fn after_leading_thought(text: &str) -> Option<&str> {
    let (inner, end) = THOUGHTS.iter().find_map(|(begin, end)| Some((text.strip_prefix(begin)?, end)))?;
    Some(inner.split_once(end)?.1)
}

/// What follows the last end of a thought in a line.
fn after_thought(line: &str) -> Option<&str> {
    THOUGHTS
        .iter()
        .filter_map(|(_, end)| line.rsplit_once(end))
        .map(|(_, behind)| behind)
        .min_by_key(|behind| behind.len())
}

/// Whether a line of the code defines `name` at the top of the module.
fn defines(code: &str, name: &str) -> bool {
    !name.is_empty() && code.split('\n').any(|line| is_definition(line, name) || is_assignment(line, name))
}

fn is_definition(line: &str, name: &str) -> bool {
    let of_function = || after_word(after_word(line, "async").unwrap_or(line), "def");
    let defined =
        after_word(line, "class").or_else(of_function).and_then(|defined| defined.strip_prefix(name));
    defined.is_some_and(|behind| {
        let continues_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        !behind.starts_with(continues_name)
    })
}

fn is_assignment(line: &str, name: &str) -> bool {
    let behind =
        line.strip_prefix(name).and_then(|behind| behind.trim_start_matches([' ', '\t']).strip_prefix('='));
    behind.is_some_and(|value| !value.starts_with('='))
}

/// What follows a word and the spaces or tabs, at least one, behind it.
fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (_, rest) = split_while(line.strip_prefix(word)?, |c| matches!(c, ' ' | '\t'))?;
    Some(rest)
}
