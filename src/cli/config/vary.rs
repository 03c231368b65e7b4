//! The table `[vary]` of the file of a sweep: a key for each setting that it varies.

use std::path::Path;

use toml::de::DeValue;

use super::{ConfigEntry, Place, kind, word};
use crate::error::Result;

/// Its name, which is the flag's, too.
pub const KEY: &str = "vary";

/// The flags `--vary` that stand for it.
pub fn entries(value: &DeValue, path: &Path, text: &str, place: &Place) -> Result<Vec<ConfigEntry>> {
    let DeValue::Table(table) = value else {
        let expected = "a table: a line [vary], and below it lines such as lr = \"1e-4..1e-1:log\" or batch = [16, 32]";
        return Err(place.error(format!("`{KEY}` is no table: expected {expected}")));
    };
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue>)| {
        let place = Place::new(path, text, key.span());
        let name: &std::borrow::Cow<str> = key.get_ref();
        let values = values(value.get_ref()).ok_or_else(|| {
            let expected = "a range or a list as a string, or an array of the values";
            place.error(format!("`{name}` is {}: expected {expected}", kind(value.get_ref())))
        })?;
        Ok(ConfigEntry {
            flag: KEY.into(),
            word: Some(format!("--{KEY}={name}={values}")),
            what: format!("--{KEY}"),
            place,
        })
    };
    pairs.into_iter().map(entry).collect()
}

/// As they would be typed.
fn values(value: &DeValue) -> Option<String> {
    match value {
        DeValue::Array(values) => {
            let words: Option<Vec<_>> = values.iter().map(|value| word(value.get_ref(), false)).collect();
            words.map(|words| words.join(";"))
        }
        other => word(other, false),
    }
}

/// Whether an error that found this is of the setting of an entry: it begins with its name.
pub fn is_of(entry: &ConfigEntry, found: &str) -> bool {
    let name =
        entry.word.as_deref().and_then(|word| word.strip_prefix("--vary=")?.split_once('=')).map(|(name, _)| name);
    name.is_some_and(|name| found.starts_with(&format!("`{name}`")))
}
