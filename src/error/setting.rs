//! What settings are called in messages. The library calls them by its fields; a program with names of its own for them, as the
//! command has flags, says so once.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::{Error, Result};

/// Another name for a setting, or None for one that has no other.
type Names = fn(&str) -> Option<&'static str>;

static NAMES: OnceLock<Names> = OnceLock::new();

/// All messages of this process call settings by these names from now on: `names` gives a program's own name for that of a field, or
/// None where it has no other. The first call holds.
pub fn call_settings_by(names: fn(&str) -> Option<&'static str>) {
    let _ = NAMES.set(names);
}

/// A setting's name in messages: the first word, or the one behind `of` at the end, as in `number of outputs of init_from`.
/// What else there is stays.
pub(crate) fn setting(name: &str) -> Cow<'_, str> {
    let known = |name: &str| NAMES.get().and_then(|names| names(name));
    let (first, rest) = name.split_once(' ').map_or((name, ""), |(first, _)| (first, &name[first.len()..]));
    match (known(first), name.rsplit_once(" of ")) {
        (Some(known), _) => Cow::Owned(format!("{known}{rest}")),
        (None, Some((front, last))) => {
            known(last).map_or(Cow::Borrowed(name), |known| format!("{front} of {known}").into())
        }
        (None, None) => Cow::Borrowed(name),
    }
}

/// A setting with a value, as advice: `device = cpu`.
pub(crate) fn set(name: &str, value: &str) -> String {
    match NAMES.get().and_then(|names| names(name)) {
        // Flags that need no value take one behind the sign alone.
        Some(known) if ["true", "false"].contains(&value) => format!("{known}={value}"),
        Some(known) => format!("{known} {value}"),
        None => format!("{name} = {value}"),
    }
}

/// The one of all values of a setting that has this name.
///
/// # Errors
/// [`Error::Setting`] for another name, with those that there are.
pub(crate) fn named<T: Copy>(
    what: &'static str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T> {
    all.iter().copied().find(|known| name_of(*known) == name).ok_or_else(|| Error::Setting {
        what,
        found: format!("`{name}`"),
        expected: all.iter().map(|known| name_of(*known)).collect::<Vec<_>>().join(", "),
    })
}
