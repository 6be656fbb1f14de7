//! Finds the Python code block in a model's reply.
//!
//! Source: the fenced code blocks of CommonMark 0.31, and `runtimes/contract/vectors/extraction.json`.

use crate::text::WHITE_SPACE;

const PYTHON_TAGS: [&str; 4] = ["python", "python3", "py", "py3"];

/// The code block that answers, ending in exactly one LF, or `None` when the reply holds none.
///
/// The longest block tagged as Python wins, the later of two as long. Untagged blocks stand in only when no
/// block is tagged as Python; blocks with any other tag never count. What precedes the last `</think>` was
/// only thought.
pub fn extract(reply: &str) -> Option<String> {
    let answer = reply.rsplit_once("</think>").map_or(reply, |(_, answer)| answer).replace("\r\n", "\n");
    let mut tagged = None;
    let mut untagged = None;
    let mut lines = answer.split('\n');
    while let Some(line) = lines.next() {
        let Some(fence) = Fence::opened_by(line) else {
            continue;
        };
        let longest = if PYTHON_TAGS.contains(&fence.tag.as_str()) {
            &mut tagged
        } else if fence.tag.is_empty() {
            &mut untagged
        } else {
            fence.code(&mut lines);
            continue;
        };
        *longest = longer(longest.take(), fence.code(&mut lines));
    }
    tagged.or(untagged)
}

/// The later of two blocks that are as long.
fn longer(one: Option<String>, later: Option<String>) -> Option<String> {
    match (&one, &later) {
        (Some(code), Some(later_code)) if code.len() > later_code.len() => one,
        (_, None) => one,
        _ => later,
    }
}

/// What opens a code block.
struct Fence {
    indent: usize,
    character: char,
    length: usize,
    tag: String,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let (indent, text) = unindented(line, 3);
        let character = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(character);
        let length = text.len() - info.len();
        if length < 3 || (character == '`' && info.contains('`')) {
            return None;
        }
        let tag = info.trim_start_matches([' ', '\t']).split([' ', '\t']).next().unwrap_or_default();
        Some(Self { indent, character, length, tag: tag.to_ascii_lowercase() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let (_, text) = unindented(line, 3);
        let rest = text.trim_start_matches(self.character);
        text.len() - rest.len() >= self.length && rest.chars().all(|c| matches!(c, ' ' | '\t'))
    }

    /// Takes the lines of the block; `None` if it holds only white space.
    fn code<'a>(&self, lines: &mut impl Iterator<Item = &'a str>) -> Option<String> {
        let content = lines.take_while(|line| !self.is_closed_by(line));
        let mut code = content.map(|line| unindented(line, self.indent).1).collect::<Vec<_>>().join("\n");
        if code.trim_matches(WHITE_SPACE).is_empty() {
            return None;
        }
        code.truncate(code.trim_end_matches('\n').len());
        code.push('\n');
        Some(code)
    }
}

/// How many leading spaces `line` has, `limit` at most, and what follows them.
fn unindented(line: &str, limit: usize) -> (usize, &str) {
    let spaces = line.bytes().take(limit).take_while(|&byte| byte == b' ').count();
    (spaces, &line[spaces..])
}
