//! Which texts are one category or one class, and which categories of a column get inputs. In: the texts of training rows. Out: the
//! categories that are frequent enough, and their places by any text that means the same.
//!
//! Texts that differ mean the same where both are one whole number, `1` and `1.0`, and where a column holds nothing but spellings of
//! yes and no. A zero in front makes a text of digits a name: `02101` is not `2101`.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::HashMap;

use crate::data::cell::of_number;
use crate::data::cell::parse_number;
use crate::data::column::Categorical;
use crate::data::encoder::feature::FeatureKind;
use crate::data::encoder::left_out::Why;

/// Most categories of a column that get inputs of their own.
const MOST: usize = 100;
/// Most rare categories that a model keeps, to tell them from those that it has never seen, and most bytes of them.
const MOST_RARE: usize = 10_000;
const RARE_BYTES: usize = 1 << 20;
/// What yes and no are written as, in any case.
const WORDS: [(&str, bool); 8] = [
    ("true", true),
    ("false", false),
    ("yes", true),
    ("no", false),
    ("t", true),
    ("f", false),
    ("y", true),
    ("n", false),
];

/// How texts of one column are compared where they are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Alike {
    /// By the side of yes and no.
    Pair,
    /// As whole numbers.
    Whole,
    /// As numbers, also such with a fraction.
    Number,
}

impl Alike {
    /// How categories of these labels are compared.
    pub fn of_categories<'a>(labels: impl Iterator<Item = &'a str>) -> Self {
        if is_pair(labels) { Self::Pair } else { Self::Whole }
    }

    /// How classes of these labels are compared.
    pub fn of_classes<'a>(labels: impl Iterator<Item = &'a str>) -> Self {
        if is_pair(labels) { Self::Pair } else { Self::Number }
    }

    /// What texts that mean the same have in common; none where a text means nothing but itself.
    fn key(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Pair => side(text).map(|side| Cow::Borrowed(if side { "true" } else { "false" })),
            Self::Whole => whole(text).map(Cow::Borrowed),
            Self::Number => whole(text).map(Cow::Borrowed).or_else(|| {
                let digits = text.trim_start_matches(['-', '+']).as_bytes();
                let padded = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
                parse_number(text).filter(|_| !padded).map(|number| Cow::Owned(of_number(number)))
            }),
        }
    }
}

/// Whether a text stands for yes or for no.
pub(in crate::data) fn side(text: &str) -> Option<bool> {
    WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|&(_, side)| side)
}

/// Whether texts are nothing but spellings of yes and no. Single letters are codes of something else where there are more of them than
/// one for each side.
fn is_pair<'a>(labels: impl Iterator<Item = &'a str>) -> bool {
    let mut found: HashSet<String> = HashSet::new();
    for label in labels {
        if side(label).is_none() {
            return false;
        }
        found.insert(label.to_ascii_lowercase());
    }
    let letters = |words: [&str; 2]| found.iter().all(|label| words.contains(&label.as_str()));
    let both = || found.len() == 2 && found.iter().filter(|label| side(label) == Some(true)).count() == 1;
    let codes = found.iter().all(|label| label.len() == 1);
    !found.is_empty() && (!codes || letters(["t", "f"]) || letters(["y", "n"]) || both())
}

/// The digits of a whole number, with a minus where it is below 0: of `+1`, `1.0` and `1` it is `1`. None of a number with a zero in
/// front.
fn whole(text: &str) -> Option<&str> {
    let (sign, number) = match text.as_bytes().first()? {
        b'-' => (1, &text[1..]),
        b'+' => (0, &text[1..]),
        _ => (0, text),
    };
    let (digits, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let sound = digits.bytes().all(|byte| byte.is_ascii_digit()) && fraction.bytes().all(|byte| byte == b'0');
    match digits {
        "" => None,
        _ if !sound || fraction.is_empty() => None,
        "0" => Some("0"),
        _ if digits.starts_with('0') => None,
        _ => Some(if sign == 1 { &text[..=digits.len()] } else { digits }),
    }
}

/// Labels with their numbers of cells: those that mean the same under the first of them, with all of their cells.
pub(in crate::data) fn merged<'a>(
    labels: impl Iterator<Item = (&'a str, usize)>,
    alike: Alike,
) -> Vec<(&'a str, usize)> {
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::default();
    let mut all: Vec<(&str, usize)> = Vec::new();
    for (label, cells) in labels {
        let key = alike.key(label).unwrap_or(Cow::Borrowed(label));
        let place = *places.entry(key).or_insert(all.len());
        match all.get_mut(place) {
            Some((_, sum)) => *sum += cells,
            None => all.push((label, cells)),
        }
    }
    all
}

/// Places by labels, or by texts that mean the same.
pub(in crate::data) struct Index<'a> {
    pub alike: Alike,
    exact: HashMap<&'a str, usize>,
    others: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Index<'a> {
    pub fn new(labels: impl Iterator<Item = (&'a str, usize)>, alike: Alike) -> Self {
        let mut index = Self { alike, exact: HashMap::default(), others: HashMap::default() };
        for (label, place) in labels {
            index.exact.entry(label).or_insert(place);
            if let Some(key) = alike.key(label) {
                index.others.entry(key).or_insert(place);
            }
        }
        index
    }

    /// The place of a text, and whether it is written as the label is.
    pub fn find(&self, text: &str) -> Option<(usize, bool)> {
        let exact = self.exact.get(text).map(|&place| (place, true));
        exact.or_else(|| self.others.get(&self.alike.key(text)?).map(|&place| (place, false)))
    }

    pub fn place(&self, text: &str) -> Option<usize> {
        self.find(text).map(|(place, _)| place)
    }
}

/// Inputs by the texts of a feature's cells.
pub(in crate::data) struct Categories<'a> {
    pub index: Index<'a>,
    /// Whether all texts of the training rows are known: else a rare one can't be told from one never seen.
    pub complete: bool,
}

impl<'a> Categories<'a> {
    pub fn new(categories: &'a [String], rare: Option<&'a [String]>, other: bool) -> Self {
        let complete = !other || rare.is_some();
        let rare = rare.unwrap_or_default().iter().map(|label| (label.as_str(), categories.len()));
        let own = categories.iter().enumerate().map(|(place, label)| (label.as_str(), place));
        let all: Vec<(&str, usize)> = own.chain(rare).collect();
        let alike = if complete { Alike::of_categories(all.iter().map(|&(label, _)| label)) } else { Alike::Whole };
        Self { index: Index::new(all.into_iter(), alike), complete }
    }
}

/// The number of the category of each label of a column, rare ones behind the others; none of labels that are no category.
pub(in crate::data) fn numbers(
    categories: &[String],
    rare: Option<&[String]>,
    other: bool,
    texts: &Categorical,
) -> Vec<Option<usize>> {
    let all = || categories.iter().chain(rare.unwrap_or_default()).map(String::as_str);
    let alike = if !other || rare.is_some() { Alike::of_categories(all()) } else { Alike::Whole };
    let index = Index::new(all().zip(0..), alike);
    texts.labels().iter().map(|label| index.place(label)).collect()
}

/// In how many of so many rows a category has to be: in a hundredth, and in ten at the most.
pub(in crate::data) fn least(rows: usize) -> usize {
    (rows / 100).clamp(1, 10)
}

/// In how many of so many rows each input of these categories is 1.
pub(in crate::data) fn counts(kind: &FeatureKind, texts: &Categorical, rows: &[usize]) -> Vec<usize> {
    let FeatureKind::Category { categories, other, fill, rare, .. } = kind else { return Vec::new() };
    let known = Categories::new(categories, rare.as_deref(), *other);
    let other = other.then_some(categories.len());
    let places: Vec<_> = texts.labels().iter().map(|label| known.index.place(label).or(other)).collect();
    let mut counts = vec![0; categories.len() + usize::from(other.is_some())];
    for place in rows.iter().filter_map(|&row| texts.code(row).map_or(fill.or(other), |code| places[code])) {
        counts[place] += 1;
    }
    counts
}

/// The categories that are frequent enough; of many the most frequent. `takes_rare`: a column may have none but rare ones, if these are
/// kept.
pub(in crate::data) fn fit(texts: &Categorical, rows: &[usize], takes_rare: bool) -> Result<FeatureKind, Why> {
    let mut counts = vec![0_usize; texts.labels().len()];
    rows.iter().filter_map(|&row| texts.code(row)).for_each(|code| counts[code] += 1);
    let seen = || texts.labels().iter().map(String::as_str).zip(counts.iter().copied()).filter(|&(_, count)| count > 0);
    let mut kept = merged(seen(), Alike::of_categories(seen().map(|(label, _)| label)));
    if let [] | [_] = kept[..] {
        return Err(Why::Constant { value: kept.first().map(|(label, _)| (*label).to_string()) });
    }
    kept.sort_unstable_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    let frequent = kept.iter().take(MOST).take_while(|&&(_, count)| count >= least(rows.len())).count();
    let rare = kept.split_off(frequent);
    let sorted = |labels: &[(&str, usize)]| {
        let mut labels: Vec<String> = labels.iter().map(|&(label, _)| label.to_string()).collect();
        labels.sort_unstable();
        labels
    };
    let categories = sorted(&kept);
    let fill = kept.first().and_then(|(frequent, _)| categories.iter().position(|category| category == frequent));
    let bytes: usize = rare.iter().map(|(label, _)| label.len()).sum();
    let is_kept = (1..=MOST_RARE).contains(&rare.len()) && bytes <= RARE_BYTES;
    if kept.is_empty() && !(takes_rare && is_kept) {
        return Err(Why::Rare { categories: rare.len() });
    }
    let (other, rare) = (!rare.is_empty(), is_kept.then(|| sorted(&rare)));
    Ok(FeatureKind::Category { categories, other, fill, rare, scaling: Vec::new(), target_means: Vec::new() })
}
