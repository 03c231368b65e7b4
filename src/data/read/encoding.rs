//! Text in other encodings than UTF-8. In: bytes, and the name of an encoding if one is given. Out: bytes of UTF-8 without
//! a byte order mark; of text that is UTF-8, the very bytes. Names are those of the Encoding Standard (encoding.spec.whatwg.org).

use std::io::{self, Read};
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::data::read::bytes::Bytes;
use crate::data::read::problem::Problem;
use crate::error::{Error, Place, Result, set, setting};

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 16;
/// Bytes by which text is told to be UTF-16 though it has no byte order mark.
const BEGIN: usize = 64;
/// Names that Python has and the standard hasn't.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("latin-1", "latin1"),
    ("utf-8-sig", "utf-8"),
    ("utf16", "utf-16"),
    ("utf-16-le", "utf-16le"),
    ("utf-16-be", "utf-16be"),
];

/// The encoding of this name.
///
/// # Errors
/// [`Error::Setting`] for a name that none has.
pub(in crate::data) fn named(name: &str) -> Result<&'static Encoding> {
    let plain = name.trim().to_ascii_lowercase().replace('_', "-");
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == plain).map(|(_, label)| *label);
    let known = [name, &plain, other.unwrap_or(&plain)];
    let found = known.into_iter().find_map(|label| Encoding::for_label_no_replacement(label.as_bytes()));
    found.ok_or_else(|| Error::Setting {
        what: "encoding",
        found: format!("`{}`", crate::data::table::shorten(name)),
        expected:
            "a name of the Encoding Standard, such as utf-8, utf-16le, windows-1252, latin1, windows-1251, shift_jis, \
            gbk, \
                   big5, euc-kr"
                .into(),
    })
}

/// The text as UTF-8: decoded as its byte order mark says, else as of the encoding of this name, else as it stands.
///
/// # Errors
/// [`Error::Setting`] for an encoding that there is none; [`Error::MalformedTable`] for UTF-16 that nothing says to be
/// it, and for UTF-32.
pub(in crate::data) fn utf8(path: &Path, mut bytes: Bytes, name: Option<&str>) -> Result<Bytes> {
    let name = name.map(named).transpose()?;
    let line_1 = |problem: String| Error::MalformedTable { path: path.into(), place: Place::Line(1), problem };
    let start = bytes.start(BEGIN).map_err(Error::io("read the table", path))?;
    if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
        return Err(line_1("the text is UTF-32: save it as UTF-8".into()));
    }
    let (encoding, mark) = match Encoding::for_bom(&start) {
        Some((encoding, mark)) => (encoding, mark),
        None => (name.unwrap_or(UTF_8), 0),
    };
    if encoding == UTF_8 {
        if let Some(name) = utf_16_without_mark(&start) {
            let problem =
                format!("the text seems to be UTF-16 without a byte order mark: {} reads it", set("encoding", name));
            return Err(line_1(problem));
        }
        bytes.skip(mark);
        return Ok(bytes);
    }
    bytes.skip(mark);
    let (decoder, raw, text) = (encoding.new_decoder_without_bom_handling(), Part::default(), Part::default());
    Ok(Bytes::plain(Decoded { source: bytes, encoding, decoder, raw, text, state: State::Decoding }))
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

/// What is wrong with text that should be UTF-8, and which encoding it may be of, told by this part of it.
pub(in crate::data) fn not_utf8(what: &str, text: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(text, false);
    let guess = detector.guess(None, Utf8Detection::Deny).name();
    format!("{what} holds bytes that are not UTF-8 text: if they are {guess}, {} reads them", set("encoding", guess))
}

/// Bytes of which some have been handed on.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    at: usize,
    end: usize,
}

impl Part {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..self.end]
    }
}

enum State {
    Decoding,
    /// The source has no more bytes.
    Ended,
    Done,
    Malformed,
}

/// Text as it is decoded.
struct Decoded {
    source: Bytes,
    encoding: &'static Encoding,
    decoder: Decoder,
    raw: Part,
    text: Part,
    state: State,
}

impl Decoded {
    /// Decodes a part of what is there, or reads where nothing is.
    fn decode(&mut self) -> io::Result<()> {
        let Self { source, decoder, raw, text, state, .. } = self;
        if raw.rest().is_empty() && matches!(state, State::Decoding) {
            raw.bytes.resize(BLOCK, 0);
            (raw.at, raw.end) = (0, source.read(&mut raw.bytes)?);
            if raw.end == 0 {
                *state = State::Ended;
            }
        }
        text.bytes.resize(BLOCK, 0);
        let last = matches!(state, State::Ended);
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw.rest(), &mut text.bytes, last);
        raw.at += read;
        (text.at, text.end) = (0, written);
        match result {
            DecoderResult::InputEmpty if last => *state = State::Done,
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => *state = State::Malformed,
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let text = self.text.rest();
            if !text.is_empty() || buffer.is_empty() {
                let read = text.len().min(buffer.len());
                buffer[..read].copy_from_slice(&text[..read]);
                self.text.at += read;
                return Ok(read);
            }
            match self.state {
                State::Done => return Ok(0),
                State::Malformed => {
                    let name = self.encoding.name();
                    let problem =
                        format!("bytes that are not {name} text: correct them, or use another {}", setting("encoding"));
                    return Err(Problem::error(problem));
                }
                State::Decoding | State::Ended => self.decode()?,
            }
        }
    }
}
