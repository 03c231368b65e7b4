//! What was decided on the user's behalf, a line a kind, with the flags that decide otherwise.

use std::path::Path;

use crate::data::{NoteKind, Notes};

/// Prints notes to stderr.
pub fn tell(notes: &Notes) {
    tell_all("", notes);
}

/// The same of another file than the command's first.
pub fn tell_of(path: &Path, notes: &Notes) {
    tell_all(&format!("{}: ", path.display()), notes);
}

fn tell_all(head: &str, notes: &Notes) {
    for (kind, line) in notes.kinds() {
        match hint(kind) {
            "" => eprintln!("note: {head}{line}"),
            hint => eprintln!("note: {head}{line}; {hint}"),
        }
    }
}

/// The flags that decide otherwise.
pub fn hint(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::NumericHeader | NoteKind::DataHeader => "--no-header or --header decides",
        NoteKind::IndexColumn => "give it a name to use it",
        NoteKind::StrayTexts => "--categorical takes the column as categories, --strict refuses",
        NoteKind::ThousandsGuess => "--decimal , takes them as decimal commas",
        NoteKind::DecimalGuess => "--decimal . takes such columns as texts",
        NoteKind::LostDigits => "--categorical keeps them apart",
        NoteKind::Dates => "--categorical takes them as texts",
        NoteKind::Identifier => "--ignore leaves them out",
        NoteKind::StrayCells => "--strict refuses",
        NoteKind::Unseen => "--unseen error refuses",
        _ => "",
    }
}
