//! What the rules of the vectors have in common about text.

/// Space, tab, LF, CR, VT and FF, and nothing else.
pub const WHITE_SPACE: [char; 6] = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];

/// Splits `text` behind the characters at its start that `belongs` accepts; `None` if there are none.
pub fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// What follows the characters, at least one, that `belongs` accepts at the start of `text`.
pub fn after(text: &str, belongs: impl Fn(char) -> bool) -> Option<&str> {
    split_while(text, belongs).map(|(_, rest)| rest)
}

/// What follows the ASCII digits, at least one, at the start of `text`.
pub fn after_digits(text: &str) -> Option<&str> {
    after(text, |c| c.is_ascii_digit())
}

/// What follows the duration that `text` begins with, like ` in 0.12s` or ` in 61.20s (0:01:01)`.
pub fn after_duration(text: &str) -> Option<&str> {
    let rest = after_digits(text.strip_prefix(" in ")?)?;
    let rest = after_digits(rest.strip_prefix('.')?)?.strip_prefix('s')?;
    Some(after_parenthesis(rest).unwrap_or(rest))
}

fn after_parenthesis(text: &str) -> Option<&str> {
    let of_words = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || matches!(c, ',' | ':' | ' ');
    after(text.strip_prefix(" (")?, of_words)?.strip_prefix(')')
}

/// `text` with one space for each run of white space and control characters, and none at its ends.
///
/// Source: `runtimes/contract/vectors/reasons.json`.
pub fn in_one_line(text: &str) -> String {
    let ends_word = |c| matches!(c, '\0'..=' ' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
    let words = text.split(ends_word).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
