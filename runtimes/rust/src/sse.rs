//! Server-sent events.
//!
//! Source: the WHATWG HTML standard, "Parsing an event stream", and `runtimes/contract/vectors/sse.json`.

use std::mem;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Turns the bytes of an event stream, cut anywhere, into the data of its events.
///
/// The types, ids and retry times of events are of no use here and are passed over.
#[derive(Default)]
pub struct EventStream {
    unfinished_line: Vec<u8>,
    /// The lines of data of the event under way, each with a LF behind it.
    data: Vec<u8>,
    has_begun: bool,
    after_cr: bool,
}

impl EventStream {
    /// Hands the data of every event that `piece` completes to `take`, until that fails.
    pub fn feed<E>(
        &mut self,
        mut piece: &[u8],
        mut take: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(&first) = piece.first() {
            if mem::take(&mut self.after_cr) && first == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.unfinished_line.extend_from_slice(piece);
                break;
            };
            let line = &piece[..end];
            self.after_cr = piece[end] == b'\r';
            piece = &piece[end + 1..];
            if self.unfinished_line.is_empty() {
                self.line(line, &mut take)?;
            } else {
                let mut whole = mem::take(&mut self.unfinished_line);
                whole.extend_from_slice(line);
                self.line(&whole, &mut take)?;
                whole.clear();
                self.unfinished_line = whole;
            }
        }
        Ok(())
    }

    fn line<E>(&mut self, mut line: &[u8], take: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        if !mem::replace(&mut self.has_begun, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(take);
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        if field == b"data" {
            let value = value.strip_prefix(b":").unwrap_or(value);
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            self.data.push(b'\n');
        }
        Ok(())
    }

    fn dispatch<E>(&mut self, take: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let Some((_, data)) = self.data.split_last() else {
            return Ok(());
        };
        let taken = take(&String::from_utf8_lossy(data));
        self.data.clear();
        taken
    }
}
