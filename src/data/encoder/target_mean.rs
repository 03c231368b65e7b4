//! Target encoding of a column of many rare categories. In: the target in the training rows of each category, once; then any category. Out: a number,
//! scaled and in bins as other numbers are. Of three classes or more each has a number of its own, which has no bins.
//!
//! A category of n rows has (sum of the target + m · prior) / (n + m), where the prior is the mean of all training rows: the fewer its rows are, the
//! more it is like all others (Micci-Barreca 2001). m is the variance within categories divided by that between them, as one-way analysis of
//! variance estimates both; where the latter is too small for n, the categories say nothing of the target and have no such number.
//!
//! A row's own target must not be in what the network learns it from. So a training row has the number that the rows of all other folds
//! give ([`TargetMean::crossed`]), as in scikit-learn's `TargetEncoder`; new rows have that of all training rows.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::data::encoder::piecewise;
use crate::data::encoder::scaling::clipped;
use crate::error::shorten;

/// A column has the target's mean where so large a part of the training rows, or a larger one, is of categories without an input of their own.
pub(in crate::data) const RARE_PART: f64 = 0.1;
/// The variance between categories is at least so large a part of that within a category's mean, where categories have means: their reliability
/// (ICC(1,k), Shrout and Fleiss 1979) is a third or more. With less of it they made errors larger (docs/tables.md).
const LEAST: f64 = 0.5;
/// A class has means if so many rows are of it: what one row says, no row could be trained with.
const CLASS_ROWS: usize = 10;
/// Most means of a column, of all classes together: a model's file names them.
const MOST: usize = 1 << 16;
/// Parts that training rows are cut into where they have no folds.
const PARTS: usize = 8;

/// What the target is on average in each category of a column, and how the network sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetMean {
    /// The class whose part of the rows it is, where there are three or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Of each category and then of each rare one: in the target's unit; of classes the part that is of the second of two, or of [`class`](Self::class).
    pub means: Vec<f64>,
    /// Of all training rows, which cells have that are missing or in none of these categories.
    pub prior: f64,
    /// With how many rows of the prior each category's are mixed, at least 0.
    pub smoothing: f64,
    /// What is subtracted from it.
    pub mean: f64,
    /// What the difference is divided by, above 0.
    pub scale: f64,
    /// What the result z never reaches, as z / √(1 + (z / clip)²); none leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// The edges of its bins, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
}

/// The targets of training rows, of which categories have means.
pub(in crate::data) struct Targets<'a> {
    y: Vec<f64>,
    /// The classes where there are three or more, each of which has means of its own.
    classes: &'a [String],
}

impl<'a> Targets<'a> {
    /// Numbers in the target's unit, or of classes; `classes` where there are three or more.
    pub fn new(y: Vec<f64>, classes: &'a [String]) -> Self {
        Self { y, classes }
    }

    /// What there are means of.
    pub fn classes(&self) -> impl Iterator<Item = Option<&'a String>> {
        let whole = self.classes.is_empty().then_some(None);
        whole.into_iter().chain(self.classes.iter().map(Some))
    }

    /// Those of a column of so many categories: classes of enough rows, if they are not too many for it.
    pub fn classes_for(&self, categories: usize) -> Vec<Option<&'a String>> {
        let mut rows = vec![0; self.classes.len()];
        self.y.iter().for_each(|&y| rows.get_mut(y as usize).into_iter().for_each(|rows| *rows += 1));
        let has_enough = |number: usize| rows.get(number).is_none_or(|&rows| rows >= CLASS_ROWS);
        let classes = self.classes().enumerate().filter(|(number, _)| has_enough(*number));
        let found: Vec<_> = classes.map(|(_, class)| class).collect();
        if found.len().saturating_mul(categories) <= MOST { found } else { Vec::new() }
    }

    /// The number of each row: the target, or whether it is this class.
    fn of(&self, class: Option<&String>) -> Cow<'_, [f64]> {
        let Some(class) = class else { return Cow::Borrowed(&self.y) };
        let number = self.classes.iter().position(|known| known == class).map(|number| number as f64);
        self.y.iter().map(|&y| f64::from(u8::from(Some(y) == number))).collect()
    }
}

/// Rows and the sum of the target.
#[derive(Clone, Copy, Default)]
struct Sum {
    rows: f64,
    sum: f64,
}

impl Sum {
    fn add(&mut self, y: f64) {
        self.rows += 1.0;
        self.sum += y;
    }

    fn less(self, other: Self) -> Self {
        Self { rows: self.rows - other.rows, sum: self.sum - other.sum }
    }

    fn mean(self) -> f64 {
        if self.rows > 0.0 { self.sum / self.rows } else { 0.0 }
    }

    /// The mean of these rows with so many of the prior.
    fn shrunk(self, smoothing: f64, prior: f64) -> f64 {
        if self.rows > 0.0 { (self.sum + smoothing * prior) / (self.rows + smoothing) } else { prior }
    }
}

/// The sums of each category and of all rows; `places` are the rows' categories.
fn sums(places: &[Option<usize>], y: &[f64], categories: usize) -> (Vec<Sum>, Sum) {
    let (mut each, mut all) = (vec![Sum::default(); categories], Sum::default());
    for (place, &y) in places.iter().zip(y) {
        all.add(y);
        place.iter().for_each(|&place| each[place].add(y));
    }
    (each, all)
}

/// m: the variance of `y` within categories by that between them; none where the latter is less than [`LEAST`] allows, or there is no
/// category of two rows.
fn smoothing(places: &[Option<usize>], y: &[f64], each: &[Sum]) -> Option<f64> {
    let (mut rows, mut sum) = (0.0, 0.0);
    each.iter().for_each(|of| (rows, sum) = (rows + of.rows, sum + of.sum));
    let there = || each.iter().filter(|of| of.rows > 0.0);
    let categories = there().count() as f64;
    if categories < 2.0 || rows <= categories {
        return None;
    }
    let within: f64 = places.iter().zip(y).filter_map(|(place, y)| Some((y - each[(*place)?].mean()).powi(2))).sum();
    let between: f64 = there().map(|of| of.rows * (of.mean() - sum / rows).powi(2)).sum();
    let (within, between) = (within / (rows - categories), between / (categories - 1.0));
    let size = (rows - there().map(|of| of.rows * of.rows).sum::<f64>() / rows) / (categories - 1.0);
    let variance = (between - within) / size;
    (size * variance >= LEAST * within).then_some(within / variance).filter(|smoothing| smoothing.is_finite())
}

impl TargetMean {
    /// The means of so many categories, not yet scaled; `places` are the training rows' categories. None where the categories say nothing of the
    /// target, or of this class.
    pub(in crate::data) fn fit(
        places: &[Option<usize>],
        targets: &Targets,
        class: Option<&String>,
        categories: usize,
    ) -> Option<Self> {
        let y = targets.of(class);
        let (each, all) = sums(places, &y, categories);
        let (smoothing, prior, class) = (smoothing(places, &y, &each)?, all.mean(), class.cloned());
        let means = each.into_iter().map(|of| of.shrunk(smoothing, prior)).collect();
        Some(Self { class, means, prior, smoothing, mean: 0.0, scale: 1.0, clip: None, edges: Vec::new() })
    }

    /// Number of inputs.
    #[must_use]
    pub fn width(&self) -> usize {
        1 + self.bins()
    }

    /// Number of its bins.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// The mean of a category by its place.
    pub(in crate::data) fn of(&self, place: Option<usize>) -> f64 {
        place.map_or(self.prior, |place| self.means[place])
    }

    /// Of each training row, what the rows of other folds say of its category. `folds` are ranges of the rows; where there are none, eight parts
    /// of them stand for folds.
    pub(in crate::data) fn crossed(
        &self,
        places: &[Option<usize>],
        targets: &Targets,
        folds: &[Range<usize>],
    ) -> Vec<f64> {
        let y = targets.of(self.class.as_ref());
        let parts: Vec<Range<usize>> = match folds {
            [] => (0..PARTS).map(|part| y.len() * part / PARTS..y.len() * (part + 1) / PARTS).collect(),
            folds => folds.to_vec(),
        };
        let (each, all) = sums(places, &y, self.means.len());
        let mut crossed = vec![self.prior; y.len()];
        for part in parts {
            let (own, own_all) = sums(&places[part.clone()], &y[part.clone()], self.means.len());
            let prior = all.less(own_all).mean();
            for row in part {
                let of = places[row].map(|place| each[place].less(own[place]));
                crossed[row] = of.map_or(prior, |of| of.shrunk(self.smoothing, prior));
            }
        }
        crossed
    }

    /// Writes the inputs that a mean has.
    pub(in crate::data) fn encode(&self, value: f64, inputs: &mut [f32]) {
        inputs[0] = clipped((value - self.mean) / self.scale, self.clip) as f32;
        piecewise::encode(value, &self.edges, &mut inputs[1..]);
    }

    /// What is wrong with one that was read from a file, of a column of so many categories.
    pub(in crate::data) fn validate(&self, name: &str, categories: usize) -> Result<(), String> {
        let is_binned = self.class.is_some() && !self.edges.is_empty();
        let numbers = self.means.iter().chain([&self.prior, &self.smoothing]);
        if is_binned
            || self.means.len() != categories
            || !numbers.into_iter().all(|number| number.is_finite())
            || self.smoothing < 0.0
        {
            return Err(format!("the encoder's column `{}` lacks means of the target", shorten(name)));
        }
        piecewise::validate(name, &self.edges)
    }
}

/// What is wrong with a column's means that were read from a file, where the target has these classes, if three or more.
pub(in crate::data) fn check_classes(name: &str, means: &[TargetMean], classes: &[String]) -> Result<(), String> {
    let targets = Targets::new(Vec::new(), classes);
    let mut classes = targets.classes();
    match means.iter().all(|mean| classes.any(|class| class == mean.class.as_ref())) {
        true => Ok(()),
        false => Err(format!("the encoder's column `{}` has means of other classes than the target", shorten(name))),
    }
}
