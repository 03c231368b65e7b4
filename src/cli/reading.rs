//! The flags that say how a table is written, and whether guesses are allowed.

use std::path::Path;

use super::list::List;
use crate::data::{Encoder, MissingWords, Notes, Reading};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub struct ReadingArgs {
    /// Further texts that mean a missing cell; a number stands for all ways of writing it
    #[arg(long, value_name = "TEXT,…", allow_hyphen_values = true)]
    missing: Vec<List>,
    /// Texts that do not mean a missing cell, for example NA where it is Namibia
    #[arg(long, value_name = "TEXT,…", allow_hyphen_values = true)]
    not_missing: Vec<List>,
    /// Decimal separator of numbers: `.` or `,` [default: inferred for each column]
    #[arg(long, value_name = "CHAR")]
    decimal: Option<Separator>,
    /// Thousands separator of numbers: `.`, `,`, a space or an apostrophe [default: inferred for each column]
    #[arg(long, value_name = "CHAR")]
    thousands: Option<Separator>,
    /// Take the first row as column names, even if it looks like data
    #[arg(long, conflicts_with = "no_header")]
    header: bool,
    /// Take the first row as data and name the columns x0, x1, …
    #[arg(long)]
    no_header: bool,
    /// Encoding of the text, for example windows-1252 or shift_jis [default: UTF-8, or UTF-16 by its byte order mark]
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// Refuse guesses instead of noting them
    #[arg(long)]
    pub strict: bool,
}

/// A separator in numbers.
#[derive(Clone, Copy, Debug)]
struct Separator(char);

impl std::str::FromStr for Separator {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(mark @ ('.' | ',' | ' ' | '\'')), None) => Ok(Self(mark)),
            (Some('\u{2019}'), None) => Ok(Self('\'')),
            (Some('\u{a0}' | '\u{202f}' | '\u{2009}'), None) => Ok(Self(' ')),
            _ => {
                let expected = "a point or a comma; as thousands separator also a space or an apostrophe".into();
                Err(Error::Setting { what: "a separator in numbers", found: format!("`{text}`"), expected })
            }
        }
    }
}

impl ReadingArgs {
    /// What the flags say.
    pub fn reading(&self) -> Result<Reading> {
        let (decimal, thousands) = (self.decimal.map(|mark| mark.0), self.thousands.map(|mark| mark.0));
        let unfit = |what, mark: char, expected: &str| {
            Err(Error::Setting { what, found: format!("`{mark}`"), expected: expected.into() })
        };
        match (decimal, thousands) {
            (Some(mark @ (' ' | '\'')), _) => return unfit("--decimal", mark, "a point or a comma"),
            (Some(mark), Some(other)) if mark == other => {
                return unfit("--thousands", mark, "another separator than --decimal");
            }
            _ => {}
        }
        let words = |lists: &[List]| List::texts(lists).into_iter().map(|text| text.trim().to_string()).collect();
        let header = if self.no_header { Some(false) } else { self.header.then_some(true) };
        let missing = MissingWords { more: words(&self.missing), fewer: words(&self.not_missing) };
        let encoding = self.encoding.clone();
        Ok(Reading { missing, decimal, thousands, header, encoding, ..Reading::default() })
    }

    /// What the flags say, and where they are silent what a model says.
    pub fn reading_for(&self, encoder: &Encoder) -> Result<Reading> {
        Ok(self.reading()?.or(&encoder.reading()))
    }

    /// Refuses guesses where the flags do.
    pub fn check(&self, notes: &Notes, path: &Path) -> Result<()> {
        if self.strict { notes.refuse_guesses(path) } else { Ok(()) }
    }
}

/// What becomes of categories that a model has not seen.
#[derive(Debug, clap::Args)]
pub struct UnseenArgs {
    /// How to treat categories that the model has not seen: count them in a note at the end, or refuse them
    #[arg(long, value_enum, default_value_t = Unseen::Note)]
    unseen: Unseen,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Unseen {
    Note,
    Error,
}

impl UnseenArgs {
    /// Refuses such categories where the flag does.
    pub fn check(&self, notes: &Notes, path: &Path) -> Result<()> {
        if self.unseen == Unseen::Error { notes.refuse_unseen(path) } else { Ok(()) }
    }
}
