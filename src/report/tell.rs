//! Lines on stderr for people: of a length that a terminal can bear, and lost where nobody reads them.

use std::borrow::Cow;
use std::io::{Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{escape, shorten_to};

/// Most columns of a terminal that a line takes.
const LONGEST: usize = 8000;

/// Text for people: lines of a length that a terminal can bear, none of whose characters it obeys but their ends.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_fine = |line: &str| line.len() <= LONGEST && matches!(escape(line), Cow::Borrowed(_));
    if text.split('\n').all(is_fine) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| shorten_to(line, LONGEST));
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Whether this process tells nothing, since another one tells it.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Writes no more lines to stderr: of several processes that do the same, one tells what happens.
#[cfg(feature = "mpi")]
pub fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Writes a line for people to stderr. Where nobody listens, as behind a pipe whose reader has left or on a full disk, the line is
/// dropped: std's macro would panic, and a run be lost for a word about it.
pub fn tell(line: &str) {
    if SILENT.load(Ordering::Relaxed) {
        return;
    }
    let _ = stderr().write_all(format!("{}\n", visible(line)).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_a_terminal_obeys_nothing_in_them() {
        for text in ["", "plain\n", "two\nlines\n\n", "größe 高さ\n"] {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("a\u{1b}[31m\u{202e}\nb\r\u{7f}\u{85}\n"), "a\\u{1b}[31m\\u{202e}\nb\\r\\u{7f}\\u{85}\n");
        let long = format!("{}\nend\n", "x".repeat(200_000));
        assert_eq!(visible(&long), format!("{}…\nend\n", "x".repeat(LONGEST)));
    }
}
