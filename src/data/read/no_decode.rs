//! Text of other encodings than UTF-8, in a build that has none.

use std::convert::Infallible;

use crate::data::read::bytes::Bytes;
use crate::error::{Error, Result};

/// None: text is UTF-8.
///
/// # Errors
/// [`Error::MissingFeature`] for UTF-16 by its byte order mark, and for the name of another encoding.
pub(super) fn chosen(start: &[u8], name: Option<&str>) -> Result<Option<(Infallible, usize)>> {
    let plain = name.map(|name| name.trim().to_ascii_lowercase().replace('_', "-"));
    let is_utf8 = plain.is_none_or(|name| matches!(&*name, "utf-8" | "utf8" | "utf-8-sig"));
    match is_utf8 && !start.starts_with(b"\xff\xfe") && !start.starts_with(b"\xfe\xff") {
        true => Ok(None),
        false => Err(Error::MissingFeature { what: "no text but UTF-8", feature: "tables" }),
    }
}

/// There is none to decode from.
pub(super) fn decoded(_: Bytes, encoding: Infallible) -> Bytes {
    match encoding {}
}

/// What to do about text of another encoding.
pub(super) fn advice(_: &[u8]) -> String {
    "save it as UTF-8".into()
}
