//! Results on stdout, and notes on stderr. What people read goes through [`visible`], whoever wrote it; data go out as they
//! are.

use std::borrow::Cow;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::error::{Error, Result, escape, shorten_to};

/// Most columns of a terminal that a line takes.
const LONGEST: usize = 8000;

/// Text for people: lines of a length that a terminal can bear, none of whose characters it obeys but their ends.
fn visible(text: &str) -> Cow<'_, str> {
    let is_fine = |line: &str| line.len() <= LONGEST && matches!(escape(line), Cow::Borrowed(_));
    if text.split('\n').all(is_fine) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| shorten_to(line, LONGEST));
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Writes text for people to stdout. A reader that has left, as `head` does, is no error.
pub fn print(text: impl AsRef<str>) -> Result<()> {
    print_data(visible(text.as_ref()).as_bytes()).map(|_| ())
}

/// Writes data to stdout as they are, and tells whether the reader is still there.
pub fn print_data(bytes: impl AsRef<[u8]>) -> Result<bool> {
    match stdout().write_all(bytes.as_ref()).and_then(|()| stdout().flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::Stdout(error)),
    }
}

/// Writes a value to stdout as one JSON object on a line of its own.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?;
    print_data(text + "\n").map(|_| ())
}

/// Whether this process tells nothing, since another one tells it.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Writes no more lines to stderr: of several processes that do the same, one tells what happens.
#[cfg(feature = "mpi")]
pub fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Writes a line for people to stderr; where nobody listens, there is nobody to tell.
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
