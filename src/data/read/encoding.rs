//! Text in other encodings than UTF-8. In: bytes, and the name of an encoding if one is given. Out: bytes of UTF-8 without
//! a byte order mark; of text that is UTF-8, the very bytes.

use std::path::Path;

use crate::data::read::bytes::Bytes;
use crate::data::read::decode::{advice, chosen, decoded};
use crate::error::{Error, Place, Result, set};

/// Bytes by which text is told to be UTF-16 though it has no byte order mark.
const BEGIN: usize = 64;
/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text as UTF-8: decoded as its byte order mark says, else as of the encoding of this name, else as it stands.
///
/// # Errors
/// [`Error::Setting`] for an encoding that there is none; [`Error::MalformedTable`] for UTF-16 that nothing says to be
/// it, and for UTF-32; [`Error::MissingFeature`] for all but UTF-8 without the feature `tables`.
pub(in crate::data) fn utf8(path: &Path, mut bytes: Bytes, name: Option<&str>) -> Result<Bytes> {
    let line_1 = |problem: String| Error::MalformedTable { path: path.into(), place: Place::Line(1), problem };
    let start = bytes.start(BEGIN).map_err(Error::io("read the table", path))?;
    if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
        return Err(line_1("the text is UTF-32: save it as UTF-8".into()));
    }
    if let Some((encoding, mark)) = chosen(&start, name)? {
        bytes.skip(mark);
        return Ok(decoded(bytes, encoding));
    }
    if let Some(name) = utf_16_without_mark(&start) {
        let problem =
            format!("the text seems to be UTF-16 without a byte order mark: {} reads it", set("encoding", name));
        return Err(line_1(problem));
    }
    bytes.skip(if start.starts_with(MARK) { MARK.len() } else { 0 });
    Ok(bytes)
}

/// Which UTF-16 it is of which text seems to be: every second byte is 0.
fn utf_16_without_mark(start: &[u8]) -> Option<&'static str> {
    let pairs = start.len() / 2;
    let zeros = |at: usize| start.iter().skip(at).step_by(2).filter(|&&byte| byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, zeros) if pairs > 1 && 2 * zeros > pairs => Some("utf-16le"),
        (zeros, 0) if pairs > 1 && 2 * zeros > pairs => Some("utf-16be"),
        _ => None,
    }
}

/// What is wrong with text that should be UTF-8, and what to do, told by this part of it.
pub(in crate::data) fn not_utf8(what: &str, text: &[u8]) -> String {
    format!("{what} holds bytes that are not UTF-8 text: {}", advice(text))
}
