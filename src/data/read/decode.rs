//! Text of other encodings than UTF-8, decoded as it is read. Names are those of the Encoding Standard (encoding.spec.whatwg.org).

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::data::read::bytes::Bytes;
use crate::data::read::problem::Problem;
use crate::error::{Error, Result, set, setting};

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 16;
/// Names that Python has and the standard hasn't.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("latin-1", "latin1"),
    ("utf-8-sig", "utf-8"),
    ("utf16", "utf-16"),
    ("utf-16-le", "utf-16le"),
    ("utf-16-be", "utf-16be"),
];

/// What text that begins so is to be decoded from, and the length of its byte order mark, which goes before the name; none for UTF-8.
///
/// # Errors
/// [`Error::Setting`] for a name that no encoding has.
pub(super) fn chosen(start: &[u8], name: Option<&str>) -> Result<Option<(&'static Encoding, usize)>> {
    let name = name.map(named).transpose()?;
    let (encoding, mark) = Encoding::for_bom(start).unwrap_or((name.unwrap_or(UTF_8), 0));
    Ok(Some((encoding, mark)).filter(|_| encoding != UTF_8))
}

/// The encoding of this name.
///
/// # Errors
/// [`Error::Setting`] for a name that none has.
fn named(name: &str) -> Result<&'static Encoding> {
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

/// Bytes of UTF-8, decoded from these.
pub(super) fn decoded(source: Bytes, encoding: &'static Encoding) -> Bytes {
    let (decoder, raw, text) = (encoding.new_decoder_without_bom_handling(), Part::default(), Part::default());
    Bytes::plain(Decoded { source, encoding, decoder, raw, text, state: State::Decoding })
}

/// Of which encoding text may be, told by this part of it, and what reads it.
pub(super) fn advice(text: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(text, false);
    let guess = detector.guess(None, Utf8Detection::Deny).name();
    format!("if they are {guess}, {} reads them", set("encoding", guess))
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
