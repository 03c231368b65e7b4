//! How numbers are written: decimal separator, thousands separators, percent and currency signs, brackets for negative
//! numbers. In: the distinct texts of a column with their counts. Out: the one form that the column agrees on; and
//! numbers, by a form.

use serde::{Deserialize, Serialize};

/// How the numbers of a column are written. The default is as programs write them: `-1234.5`, `1e6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberForm {
    /// In front of the fraction: a point or a comma.
    pub decimal: char,
    /// Between groups of three digits, or of two as in India before the last three; no number needs to have it. A space
    /// stands for all spaces, an apostrophe for both.
    pub thousands: Option<char>,
    /// Whether each has a percent sign: `12%` is 12.
    pub percent: bool,
    /// The currency sign that each has, in front or behind.
    pub currency: Option<char>,
    /// Whether negative ones stand in brackets instead of behind a minus: `(5)`.
    pub brackets: bool,
}

impl Default for NumberForm {
    fn default() -> Self {
        Self { decimal: '.', thousands: None, percent: false, currency: None, brackets: false }
    }
}

impl NumberForm {
    /// Whether numbers are written as programs write them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with a form that was read from a file or given by a user.
    ///
    /// # Errors
    /// A part of a sentence that says so.
    pub fn validate(&self) -> Result<(), String> {
        if !matches!(self.decimal, '.' | ',') {
            return Err(format!("`{}` is not a decimal separator: expected a point or a comma", self.decimal));
        }
        match self.thousands {
            Some(mark) if mark == self.decimal => Err(format!(
                "`{mark}` is both the decimal and the thousands \
            separator"
            )),
            Some('.' | ',' | ' ' | '\'') | None => Ok(()),
            Some(mark) => Err(format!("`{mark}` is not a thousands separator: expected . , a space or '")),
        }
    }

    /// The number that a text stands for in this form, infinite where it is too large; none where it is of another form.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<f64> {
        let written = Written::new(text)?;
        let own = written.percent == self.percent
            && written.currency == self.currency
            && (!written.bracketed || self.brackets)
            && !(self.brackets && written.minus);
        let layout = Layout { decimal: self.decimal, thousands: self.thousands };
        own.then(|| layout.parse(written.core)).flatten().map(|value| written.signed(value))
    }

    /// The same with the marks that a user gives; a mark that has another meaning then changes places with it.
    pub(super) fn with(self, marks: Marks) -> Self {
        let other = |mark| if mark == ',' { '.' } else { ',' };
        let decimal = match (marks.decimal, marks.thousands) {
            (Some(decimal), _) => decimal,
            (None, Some(mark)) if mark == self.decimal => other(mark),
            _ => self.decimal,
        };
        let own = self.thousands.map(|mark| if mark == decimal { other(mark) } else { mark });
        Self { decimal, thousands: marks.thousands.or(own), ..self }
    }

    /// What differs from how programs write numbers, as a part of a sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let thousands = self.thousands.map(|mark| match mark {
            ' ' => "spaces between thousands".to_string(),
            mark => format!("`{mark}` between thousands"),
        });
        let parts = [
            (self.decimal == ',').then(|| "decimal commas".to_string()),
            thousands,
            self.percent.then(|| "percent signs".to_string()),
            self.currency.map(|sign| format!("`{sign}`")),
            self.brackets.then(|| "brackets for negative numbers".to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// What a user says of all columns' numbers; what is not said is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The decimal separator.
    pub decimal: Option<char>,
    /// The thousands separator.
    pub thousands: Option<char>,
}

impl Marks {
    /// Whether both are to be found out.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn allow(&self, layout: Layout) -> bool {
        let thousands = |mark| match self.thousands {
            None => true,
            given => mark == given,
        };
        self.decimal.is_none_or(|mark| layout.decimal == mark) && thousands(layout.thousands)
    }
}

/// Marks within a number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Layout {
    decimal: char,
    thousands: Option<char>,
}

/// All layouts. Of those that fit as many cells the first one is taken, so a comma with three digits behind it is a
/// thousands separator.
const LAYOUTS: [Layout; 8] = [
    Layout { decimal: '.', thousands: None },
    Layout { decimal: '.', thousands: Some(',') },
    Layout { decimal: ',', thousands: None },
    Layout { decimal: ',', thousands: Some('.') },
    Layout { decimal: '.', thousands: Some(' ') },
    Layout { decimal: ',', thousands: Some(' ') },
    Layout { decimal: '.', thousands: Some('\'') },
    Layout { decimal: ',', thousands: Some('\'') },
];

impl Layout {
    /// A number without sign, percent and currency.
    fn parse(self, core: &str) -> Option<f64> {
        if self == LAYOUTS[0] {
            return plain(core);
        }
        let (whole, rest) = match core.find(self.decimal) {
            Some(at) => (&core[..at], &core[at..]),
            None => match core.find(['e', 'E']) {
                Some(at) => (&core[..at], &core[at..]),
                None => (core, ""),
            },
        };
        let whole = match self.thousands {
            Some(mark) if whole.contains(|char| is_mark(mark, char)) => ungrouped(whole, mark)?,
            _ => whole.to_string(),
        };
        // Other marks in either part are no digits.
        plain(&format!("{whole}{}", rest.replacen(self.decimal, ".", 1))).filter(|_| !whole.contains('.'))
    }
}

/// A number as programs write it, without a sign.
fn plain(core: &str) -> Option<f64> {
    let digit = |char: char| char.is_ascii_digit();
    let sound = core.starts_with(|char: char| digit(char) || char == '.') && core.contains(digit);
    sound.then(|| fast_float2::parse(core).ok()).flatten()
}

fn is_mark(mark: char, char: char) -> bool {
    match mark {
        ' ' => matches!(char, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
        '\'' => matches!(char, '\'' | '\u{2019}'),
        mark => char == mark,
    }
}

/// Digits without the marks between their groups: the first of one to three digits and no needless zero, the last of
/// three, those between of three or all of two.
fn ungrouped(whole: &str, mark: char) -> Option<String> {
    let groups: Vec<&str> = whole.split(|char| is_mark(mark, char)).collect();
    let [first, middle @ .., last] = &groups[..] else { return None };
    let sound = (1..=3).contains(&first.len()) && !(first.starts_with('0')) && last.len() == 3;
    let even = |size| middle.iter().all(|group| group.len() == size);
    let digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    (sound && digits && (even(3) || (even(2) && first.len() <= 2))).then(|| groups.concat())
}

/// A text that may be a number, taken apart.
struct Written<'a> {
    minus: bool,
    bracketed: bool,
    percent: bool,
    currency: Option<char>,
    /// Digits and marks.
    core: &'a str,
}

impl<'a> Written<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let text = text.trim();
        // A currency sign may stand in front of a bracket.
        let sign = text.chars().next().filter(|&char| is_currency(char));
        let behind = sign.map_or(text, |sign| text[sign.len_utf8()..].trim_start());
        let inside = behind.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let mut found = Self {
            minus: false,
            bracketed: inside.is_some(),
            percent: false,
            currency: sign.filter(|_| inside.is_some()),
            core: inside.unwrap_or(text),
        };
        found.core = found.core.trim();
        let mut signed = false;
        loop {
            let mut chars = found.core.chars();
            match chars.next()? {
                // Unicode's minus and the dash that typesetters take for it.
                '-' | '\u{2212}' | '\u{2013}' if !signed => (signed, found.minus) = (true, true),
                '+' if !signed => signed = true,
                sign if is_currency(sign) && found.currency.is_none() => found.currency = Some(sign),
                _ => break,
            }
            found.core = chars.as_str().trim_start();
        }
        loop {
            let mut chars = found.core.chars();
            match chars.next_back()? {
                '%' if !found.percent => found.percent = true,
                sign if is_currency(sign) && found.currency.is_none() => found.currency = Some(sign),
                _ => break,
            }
            found.core = chars.as_str().trim_end();
        }
        (!(found.bracketed && signed) && found.core.contains(|char: char| char.is_ascii_digit())).then_some(found)
    }

    fn signed(&self, value: f64) -> f64 {
        if self.minus || self.bracketed { -value } else { value }
    }
}

/// Whether it is of Unicode's category of currency signs.
fn is_currency(char: char) -> bool {
    matches!(char, '$' | '\u{a2}'..='\u{a5}' | '\u{58f}' | '\u{60b}' | '\u{9f2}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}'
        | '\u{20a0}'..='\u{20c0}' | '\u{fdfc}' | '\u{fe69}' | '\u{ff04}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}')
}

/// The form that the texts of a column agree on best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub form: NumberForm,
    /// Cells that are numbers of it.
    pub cells: usize,
    /// Whether commas could have been decimal separators as well.
    pub ambiguous: bool,
}

/// Looks for the form of which most cells are numbers. `texts` are distinct ones with their numbers of cells. None
/// where no cell is a number.
pub(super) fn find<'a>(texts: impl Iterator<Item = (&'a str, usize)>, marks: Marks) -> Option<Found> {
    let mut groups: Vec<Group> = Vec::new();
    for (text, cells) in texts {
        let Some(written) = Written::new(text) else { continue };
        let digits = written.core.bytes().all(|byte| byte.is_ascii_digit());
        let fits = LAYOUTS.map(|layout| marks.allow(layout) && (digits || layout.parse(written.core).is_some()));
        if !fits.contains(&true) {
            continue;
        }
        let (percent, currency) = (written.percent, written.currency);
        let at = groups.iter().position(|group| (group.percent, group.currency) == (percent, currency));
        let at = at.unwrap_or_else(|| {
            groups.push(Group { percent, currency, ..Group::default() });
            groups.len() - 1
        });
        groups[at].add(&written, fits, cells);
    }
    // Of equally large groups the first one found.
    let best = groups.into_iter().rev().max_by_key(|group| group.best().1)?;
    let (layout, cells) = best.best();
    let brackets = best.bracketed > best.minus;
    let Layout { decimal, thousands } = LAYOUTS[layout];
    let form = NumberForm { decimal, thousands, percent: best.percent, currency: best.currency, brackets };
    // Cells with the other sign for negative ones are of another form.
    let cells = cells - if brackets { best.minus } else { best.bracketed }.min(cells);
    let ambiguous = layout == 1 && best.by_layout[2] == best.by_layout[1] && marks.is_none();
    (cells > 0).then_some(Found { form, cells, ambiguous })
}

/// Cells with the same signs around their numbers.
#[derive(Default)]
struct Group {
    percent: bool,
    currency: Option<char>,
    by_layout: [usize; LAYOUTS.len()],
    minus: usize,
    bracketed: usize,
}

impl Group {
    fn add(&mut self, written: &Written<'_>, fits: [bool; LAYOUTS.len()], cells: usize) {
        self.by_layout.iter_mut().zip(fits).for_each(|(sum, fits)| *sum += if fits { cells } else { 0 });
        self.minus += if written.minus { cells } else { 0 };
        self.bracketed += if written.bracketed { cells } else { 0 };
    }

    /// The layout that fits most cells, and how many these are.
    fn best(&self) -> (usize, usize) {
        let largest = self.by_layout.iter().copied().max().unwrap_or(0);
        (self.by_layout.iter().position(|&cells| cells == largest).unwrap_or(0), largest)
    }
}
