//! Fenced code blocks.
//!
//! Source: CommonMark 0.31, and `runtimes/contract/vectors/extraction.json`.

use crate::text::WHITE_SPACE;

const SPACE: [char; 2] = [' ', '\t'];
const END_TOKENS: [&str; 4] = ["</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>"];

/// What opens a code block.
pub struct Fence {
    indent: usize,
    character: char,
    length: usize,
    tag: String,
}

impl Fence {
    /// The fence that a line is, if it opens a block.
    pub fn opened_by(line: &str) -> Option<Self> {
        let (indent, text) = unindented(line, line.len());
        let character = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(character);
        let length = text.len() - info.len();
        if length < 3 || (character == '`' && info.contains('`')) {
            return None;
        }
        let tag = info.trim_start_matches(SPACE).split(SPACE).next().unwrap_or_default();
        Some(Self { indent, character, length, tag: tag.to_ascii_lowercase() })
    }

    /// Whether the block is tagged as Python, of whatever version.
    pub fn is_python(&self) -> bool {
        let tag = &*self.tag;
        let version = tag.strip_prefix("python").or_else(|| tag.strip_prefix("py"));
        version.is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    }

    /// Whether the block is not tagged at all.
    pub fn has_no_tag(&self) -> bool {
        self.tag.is_empty()
    }

    /// Takes the lines of the block; `None` if it holds only white space.
    pub fn code<'a>(&self, lines: &mut impl Iterator<Item = &'a str>) -> Option<String> {
        let content = lines.take_while(|line| !self.is_closed_by(line));
        let mut code = content.map(|line| unindented(line, self.indent).1).collect::<Vec<_>>().join("\n");
        if code.trim_matches(WHITE_SPACE).is_empty() {
            return None;
        }
        code.truncate(code.trim_end_matches('\n').len());
        code.push('\n');
        Some(code)
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let (indent, text) = unindented(line, line.len());
        let rest = text.trim_start_matches(self.character);
        indent <= self.indent + 3
            && text.len() - rest.len() >= self.length
            && without_end_tokens(rest, &SPACE).trim_matches(SPACE).is_empty()
    }
}

/// How many leading spaces `line` has, `limit` at most, and what follows them.
fn unindented(line: &str, limit: usize) -> (usize, &str) {
    let spaces = line.bytes().take(limit).take_while(|&byte| byte == b' ').count();
    (spaces, &line[spaces..])
}

/// `text` without the end tokens at its end and the `space` around them.
///
/// They are what a model's template ends a message with, and some endpoints pass them on as text.
pub fn without_end_tokens<'a>(mut text: &'a str, space: &[char]) -> &'a str {
    while let Some(rest) = before_end_token(text.trim_end_matches(space)) {
        text = rest.trim_end_matches(space);
    }
    text
}

fn before_end_token(text: &str) -> Option<&str> {
    let named = || {
        let named = text.strip_suffix("|>")?;
        let before = named.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        before.strip_suffix("<|").filter(|_| before.len() < named.len())
    };
    END_TOKENS.iter().find_map(|token| text.strip_suffix(token)).or_else(named)
}
