//! Texts of a user's files in messages and tables. In: names and cells as they stand there. Out: texts on one line, without
//! characters that a terminal obeys, cut where they are long; and words that a shell takes.

use std::borrow::Cow;
use std::path::Path;

use unicode_width::UnicodeWidthStr;

/// Most columns of a terminal that a name or a cell takes in a message.
const SHOWN: usize = 60;
/// Most characters for each of these columns: marks that stand on others take none.
const STACKED: usize = 4;
/// The Jaro-Winkler similarity above which a name may be another one misspelled.
const ALIKE: f64 = 0.8;
/// Names that a list begins with.
const LISTED: usize = 12;

/// Whether a terminal obeys the character, or it changes or hides what stands around it: controls, separators of lines,
/// directions of writing, spaces without width, tags.
fn is_unprintable(c: char) -> bool {
    let invisible = ['\u{61c}', '\u{180e}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{feff}'];
    let ranges = ['\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{fff9}'..='\u{fffb}', '\u{e0000}'..='\u{e007f}'];
    c.is_control() || invisible.contains(&c) || ranges.iter().any(|range| range.contains(&c))
}

fn push(text: &mut String, c: char) {
    if is_unprintable(c) { text.extend(c.escape_default()) } else { text.push(c) }
}

/// The text with such characters written out: `\u{1b}`.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut shown, c));
    Cow::Owned(shown)
}

/// A whole number with its thousands apart: 10,000.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Columns of a terminal that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A name or a cell for a message.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, SHOWN)
}

/// The text escaped; where it takes more than `most` columns of a terminal, what fits of it and `…`.
pub(crate) fn shorten_to(text: &str, most: usize) -> String {
    let (mut shown, mut columns) = (String::new(), 0);
    for (at, c) in text.chars().enumerate() {
        let before = shown.len();
        push(&mut shown, c);
        columns += width(&shown[before..]);
        if columns > most || at >= STACKED * most {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

/// A report of several lines as one.
pub(crate) fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    escape(&lines.join(" ")).into_owned()
}

/// Names for a message: the first dozen, and how many more there are.
pub(crate) fn list(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", shorten(name.as_ref()))).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The names that are there; where one is sought and another is spelled much like it, that one is proposed.
pub(super) fn list_for(sought: &[String], there: &[String]) -> String {
    let likeness = |name: &str, other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let closest = match sought {
        [name] => there.iter().max_by(|a, b| likeness(name, a).total_cmp(&likeness(name, b))),
        _ => None,
    };
    let meant = closest.filter(|other| likeness(&sought[0], other) > ALIKE);
    list(there) + &meant.map_or_else(String::new, |other| format!(": did you mean `{}`?", shorten(other)))
}

/// A word that a POSIX shell takes as it is.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The texts as one argument of a flag that takes a list: a record of CSV.
pub(crate) fn record(texts: &[impl AsRef<str>]) -> String {
    let field = |text: &str| match text.contains(['"', ',', '\n', '\r']) || (text.is_empty() && texts.len() == 1) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    };
    texts.iter().map(|text| field(text.as_ref())).collect::<Vec<_>>().join(",")
}

/// A name behind a flag that takes a list of them, as it is to be typed: `'"Weight, kg"'`.
pub(crate) fn flag_word(name: &str) -> String {
    shell_word(&record(&[name])).into_owned()
}

/// A file's name for a message.
pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

/// What to do where no GPU is found.
pub(super) fn driver_hint() -> &'static str {
    if cfg!(target_family = "wasm") {
        "this browser gives none by WebGPU; take one that does, or see whether a setting or this page's address (it has to be https) keeps it away"
    } else if cfg!(target_os = "linux") {
        "install a Vulkan driver (on Debian and Ubuntu the package mesa-vulkan-drivers, on Fedora mesa-vulkan-drivers, on Arch vulkan-swrast)"
    } else if cfg!(target_os = "windows") {
        "install a Vulkan driver (the GPU vendor's driver; Windows brings WARP for DX12 from Windows 10 on)"
    } else {
        "install a Vulkan driver (the GPU vendor's driver)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn no_character_that_a_terminal_obeys_is_left() {
        for (text, shown) in [
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\tb\r\nc", "a\\tb\\r\\nc"),
            ("\u{7f}\u{85}\u{9b}", "\\u{7f}\\u{85}\\u{9b}"),
            ("\u{202e}\u{2066}\u{2028}\u{feff}", "\\u{202e}\\u{2066}\\u{2028}\\u{feff}"),
            ("größe 高さ 👩‍🔬", "größe 高さ 👩‍🔬"),
        ] {
            assert_eq!(escape(text), shown);
            assert_eq!(shorten(text), shown);
        }
    }

    #[test]
    fn long_texts_are_cut_by_the_columns_that_they_take() {
        assert_eq!(shorten(&"x".repeat(60)), "x".repeat(60));
        for length in [61, 65_535, 65_536, 200_000] {
            assert_eq!(shorten(&"x".repeat(length)), "x".repeat(60) + "…");
        }
        assert_eq!(shorten(&"高".repeat(31)), "高".repeat(30) + "…");
        assert_eq!(shorten_to("\u{1b}\u{1b}", 6), "\\u{1b}…");
        // Marks without width of their own, without end.
        assert!(shorten(&"a\u{301}".repeat(100_000)).chars().count() <= 1 + STACKED * SHOWN);
        assert!(shorten(&"\u{301}".repeat(100_000)).chars().count() <= 1 + STACKED * SHOWN);
    }

    #[test]
    fn lists_are_short_whatever_they_hold() {
        let names: Vec<String> = (0..1000).map(|i| format!("column {i}")).collect();
        assert!(list(&names).ends_with("`column 10`, `column 11` and 988 more"), "{}", list(&names));
        assert!(list(&vec!["y".repeat(70_000); 1000]).chars().count() < 1000);
    }

    #[test]
    fn names_are_typed_as_a_flag_takes_them() {
        for (name, typed) in [
            ("id", "id"),
            ("Weight, kg", "'\"Weight, kg\"'"),
            ("it's", r"'it'\''s'"),
            ("5\" pipe", "'\"5\"\" pipe\"'"),
            ("two words", "'two words'"),
            ("", "'\"\"'"),
        ] {
            assert_eq!(flag_word(name), typed);
        }
    }
}
