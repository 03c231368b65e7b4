//! The WGSL under `shaders/` as constants.

/// The text of a file under `shaders/`. In a browser it is its code alone: comments and indentation would only be sent and skipped.
macro_rules! wgsl {
    ($path:literal) => {{
        const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $path));
        #[cfg(not(target_family = "wasm"))]
        const CODE: &str = TEXT;
        #[cfg(target_family = "wasm")]
        const CODE: &str = crate::wgsl::text(&crate::wgsl::code::<{ crate::wgsl::code_length(TEXT) }>(TEXT));
        CODE
    }};
}
pub(crate) use wgsl;

#[cfg(target_family = "wasm")]
mod stripped {
    /// Bytes of the code of a text.
    pub(crate) const fn code_length(text: &str) -> usize {
        write(text.as_bytes(), &mut [])
    }

    /// The code of a text, which has `N` bytes.
    pub(crate) const fn code<const N: usize>(text: &str) -> [u8; N] {
        let mut code = [0; N];
        write(text.as_bytes(), &mut code);
        code
    }

    /// The code as a text: it lacks whole comments and spaces alone, so it is UTF-8 as it was before.
    pub(crate) const fn text(code: &[u8]) -> &str {
        match std::str::from_utf8(code) {
            Ok(text) => text,
            Err(_) => panic!("WGSL without its comments is no UTF-8"), // at compile time
        }
    }

    /// Writes the code of `from`, as far as `to` has room, and says how many bytes it has: without what stands between `//` and a line's end, without
    /// the spaces that lines begin with, and without empty lines. WGSL has no strings, in which `//` could stand.
    const fn write(from: &[u8], to: &mut [u8]) -> usize {
        let (mut at, mut written, mut begins) = (0, 0, true);
        while at < from.len() {
            if from[at] == b'/' && at + 1 < from.len() && from[at + 1] == b'/' {
                while at < from.len() && from[at] != b'\n' {
                    at += 1;
                }
                continue;
            }
            let byte = from[at];
            at += 1;
            if begins && (byte == b' ' || byte == b'\n') {
                continue;
            }
            begins = byte == b'\n';
            if written < to.len() {
                to[written] = byte;
            }
            written += 1;
        }
        written
    }
}
#[cfg(target_family = "wasm")]
pub(crate) use stripped::{code, code_length, text};
