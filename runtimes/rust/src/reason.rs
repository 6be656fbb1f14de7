//! What the endpoint said, in one short line without the key.
//!
//! Source: `runtimes/contract/vectors/reasons.json`.

use crate::canonical::write_text;
use crate::text::in_one_line;

/// What stands behind a text that was cut while it was read.
pub const CUT: &str = "…";

const HIDDEN: &str = "***";
const LIMIT: usize = 300;

/// The key as it is, and as writers of JSON have it; endpoints are known to quote it.
pub struct KeySpellings(Vec<String>);

impl KeySpellings {
    /// The spellings of a key, which is empty if there is none.
    pub fn of(key: &str) -> Self {
        if key.is_empty() {
            return Self(Vec::new());
        }
        let mut quoted = String::new();
        write_text(key, &mut quoted);
        let within = &quoted[1..quoted.len() - 1];
        let mut spellings = vec![key.to_owned(), within.to_owned(), within.replace('/', "\\/")];
        spellings.dedup();
        Self(spellings)
    }

    /// What the endpoint said as a reason.
    pub fn presentable(&self, said: &str) -> String {
        // Before anything is cut, so that no part of the key is left.
        let hidden = self.0.iter().fold(said.to_owned(), |said, key| said.replace(key, HIDDEN));
        in_one_line(&self.without_beginnings(&hidden)).chars().take(LIMIT).collect()
    }

    /// Hides each beginning of a spelling that was cut.
    fn without_beginnings(&self, said: &str) -> String {
        let mut shown = String::with_capacity(said.len());
        for piece in said.split_inclusive(CUT) {
            let before = piece.strip_suffix(CUT);
            match before.map(|before| (before, self.beginning_at_end_of(before))) {
                None | Some((_, 0)) => shown.push_str(piece),
                Some((before, length)) => {
                    shown.extend([&before[..before.len() - length], HIDDEN, CUT]);
                }
            }
        }
        shown
    }

    /// The length of the longest beginning of a spelling that `text` ends in.
    fn beginning_at_end_of(&self, text: &str) -> usize {
        let longest = |key: &String| {
            let is_end = |&length: &usize| text.ends_with(&key[..length]);
            (1..=key.len().min(text.len())).rev().find(is_end).unwrap_or(0)
        };
        self.0.iter().map(longest).max().unwrap_or(0)
    }
}
