//! A feature: a column of a table and the network's inputs that it makes. In: cells of the training rows, once; then cells
//! of any table. Out: what is kept of the training rows, and f32 inputs.
//!
//! A number makes one input, or one more for each of its bins, a category one for each of its values (one-hot), a date one for each of its parts that vary; where
//! training rows missed a cell, a further input says whether it is missing. Kept are mean and scale, the categories in lexicographic
//! order, and what stands for a missing cell: the median, or the most frequent category. Of a column that says nothing in the training
//! rows, that further input is all there is.

use std::collections::HashSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::data::encoder::calendar::{self, DateInput};
use crate::data::encoder::piecewise;
use crate::data::encoder::scaling::InputScaling;
use crate::data::encoder::target_mean::TargetMean;
use crate::error::shorten;

/// A feature column with what turns its cells into inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// What its cells are.
    #[serde(flatten)]
    pub kind: FeatureKind,
    /// Whether a last input says if the cell is missing, 1, or not, 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub indicator: bool,
}

/// What the cells of a feature are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FeatureKind {
    /// Numbers: the network sees z = `(cell − mean) / scale`, or `z / √(1 + (z / clip)²)`, and then how much of each bin lies below the
    /// cell ([`NumericEncoding::Piecewise`](crate::data::NumericEncoding::Piecewise)).
    Number {
        /// What is subtracted, in the column's unit: the mean or the median; 0 without scaling.
        mean: f64,
        /// What the difference is divided by, in the column's unit, above 0; 1 without standardisation.
        scale: f64,
        /// What stands for a missing cell: the training rows' median. None, in old files, is the mean.
        #[serde(default)]
        fill: Option<f64>,
        /// What z never reaches, above 0; none leaves z as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip: Option<f64>,
        /// The edges of the bins, ascending, in the column's unit: one more than there are bins. Nothing where there are no bins.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        edges: Vec<f64>,
    },
    /// Texts: the input of the cell's category is 1, the others 0, or what their scaling makes of 1 and 0.
    Category {
        /// Those that the training rows have often enough, in lexicographic order.
        categories: Vec<String>,
        /// Whether one more input stands for all other ones, rare or never seen. It exists where training rows have such:
        /// an input that was always 0 would give the first one that is not a random weight. Without it they are all 0.
        other: bool,
        /// The number of the category that stands for a missing cell, the most frequent one; none is a rare one.
        fill: Option<usize>,
        /// The rare ones, in lexicographic order, so that they are told from those never seen. None where there are
        /// none, where they are more than 10,000 or longer than a MiB, and in old files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rare: Option<Vec<String>>,
        /// What is done to each input; nothing where there is none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scaling: Vec<InputScaling>,
        /// What the target is on average in each category, whose inputs come behind; none where rare ones are few. Of three classes or
        /// more there are means of each class in which categories differ.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        target_means: Vec<TargetMean>,
    },
    /// Dates: the network sees the parts that vary, each standardised.
    Date {
        /// At least one, in the order of the inputs.
        parts: Vec<DateInput>,
        /// What stands for a missing cell, the training rows' median, as ISO 8601 writes it.
        fill: String,
    },
    /// Whatever the cells are, the network sees only whether they are missing, by the indicator.
    Presence {
        /// How they are read.
        cells: Holds,
    },
}

/// As what cells are read of which only the presence counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// Numbers.
    Numbers,
    /// Texts.
    Categorical,
    /// Dates.
    Dates,
}

impl Feature {
    /// Number of inputs, at least 1.
    #[must_use]
    pub fn width(&self) -> usize {
        let own = match &self.kind {
            FeatureKind::Number { .. } => 1 + self.bins(),
            FeatureKind::Category { categories, other, target_means, .. } => {
                categories.len() + usize::from(*other) + target_means.iter().map(TargetMean::width).sum::<usize>()
            }
            FeatureKind::Date { parts, .. } => parts.len(),
            FeatureKind::Presence { .. } => 0,
        };
        own + usize::from(self.indicator)
    }

    /// Number of bins of a number, each of which has an input behind that of the scaled number; 0 of anything else.
    #[must_use]
    pub fn bins(&self) -> usize {
        if let FeatureKind::Number { edges, .. } = &self.kind { edges.len().saturating_sub(1) } else { 0 }
    }

    /// The inputs that are bins: of a number, or of the target's mean in a category.
    #[must_use]
    pub fn bin_inputs(&self) -> Range<usize> {
        match &self.kind {
            FeatureKind::Category { target_means, .. } => {
                let end = self.width() - usize::from(self.indicator);
                end - target_means.iter().map(TargetMean::bins).sum::<usize>()..end
            }
            _ => 1..1 + self.bins(),
        }
    }

    /// The first input of the target's mean in a category, where there is one.
    pub(in crate::data) fn mean_input(&self) -> usize {
        self.bin_inputs().start - self.means().len()
    }

    /// What the target is on average in each category, where there is such.
    pub(in crate::data) fn means(&self) -> &[TargetMean] {
        if let FeatureKind::Category { target_means, .. } = &self.kind { target_means } else { &[] }
    }

    /// What each input stands for: `age`, `age=(bin 1)`, `zip=(mean)`, `zip=(mean, bin 1)`, `zip=(mean of red)`, `cut=Ideal`, `cut=(other)`,
    /// `when=month`, `age=(missing)`.
    #[must_use]
    pub fn input_names(&self) -> Vec<String> {
        let of = |what: &str| format!("{}={what}", self.name);
        let mut names = match &self.kind {
            FeatureKind::Number { .. } => {
                let bins = (1..=self.bins()).map(|bin| of(&format!("(bin {bin})")));
                [self.name.clone()].into_iter().chain(bins).collect()
            }
            FeatureKind::Category { categories, other, target_means, .. } => {
                let own = categories.iter().map(String::as_str).chain(other.then_some("(other)")).map(of);
                let bins = |mean: &TargetMean| (1..=mean.bins()).map(|bin| of(&format!("(mean, bin {bin})")));
                let mean = |mean: &TargetMean| match &mean.class {
                    Some(class) => of(&format!("(mean of {class})")),
                    None => of("(mean)"),
                };
                own.chain(target_means.iter().map(mean)).chain(target_means.iter().flat_map(bins)).collect()
            }
            FeatureKind::Date { parts, .. } => parts.iter().map(|input| of(input.part.name())).collect(),
            FeatureKind::Presence { .. } => Vec::new(),
        };
        names.extend(self.indicator.then(|| of("(missing)")));
        names
    }

    /// Mean and scale of a number that is a single input and nothing else is done to; none of anything else.
    #[must_use]
    pub fn scaling(&self) -> Option<(f64, f64)> {
        match self.kind {
            FeatureKind::Number { mean, scale, clip: None, .. } if self.width() == 1 => Some((mean, scale)),
            _ => None,
        }
    }

    /// Mean and scale of each input: 0 and 1 where it is not standardised; the lower edge and the width of a bin.
    #[must_use]
    pub fn scalings(&self) -> Vec<(f64, f64)> {
        let mut all = vec![(0.0, 1.0); self.width()];
        match &self.kind {
            FeatureKind::Number { mean, scale, edges, .. } => {
                all.iter_mut().zip(scalings_of(*mean, *scale, edges)).for_each(|(input, own)| *input = own);
            }
            FeatureKind::Date { parts, .. } => {
                all.iter_mut()
                    .zip(parts)
                    .for_each(|(scaling, &DateInput { mean, scale, .. })| *scaling = (mean, scale));
            }
            FeatureKind::Category { scaling, target_means, .. } => {
                all.iter_mut().zip(scaling).for_each(|(input, own)| *input = (own.mean, own.scale));
                let own = target_means.iter().flat_map(|mean| scalings_of(mean.mean, mean.scale, &mean.edges));
                all[self.mean_input()..].iter_mut().zip(own).for_each(|(input, own)| *input = own);
            }
            FeatureKind::Presence { .. } => {}
        }
        all
    }

    /// What each input never reaches; none where it is not clipped.
    #[must_use]
    pub fn clips(&self) -> Vec<Option<f64>> {
        let mut all = vec![None; self.width()];
        match &self.kind {
            FeatureKind::Number { clip, .. } => all[0] = *clip,
            FeatureKind::Category { scaling, target_means, .. } => {
                all.iter_mut().zip(scaling).for_each(|(input, own)| *input = Some(own.clip));
                let means = all[self.mean_input()..].iter_mut();
                means.zip(target_means).for_each(|(input, mean)| *input = mean.clip);
            }
            FeatureKind::Date { .. } | FeatureKind::Presence { .. } => {}
        }
        all
    }

    /// At what each input is cut off, below and above; none where it is not.
    #[must_use]
    pub fn limits(&self) -> Vec<Option<[f64; 2]>> {
        let bins = self.bin_inputs();
        (0..self.width()).map(|input| bins.contains(&input).then_some([0.0, 1.0])).collect()
    }

    /// What is wrong with a feature that was read from a file.
    pub(in crate::data) fn validate(&self) -> std::result::Result<(), String> {
        let name = shorten(&self.name);
        match &self.kind {
            FeatureKind::Number { mean, scale, fill, clip, edges } => {
                check_scale(&self.name, *mean, *scale)?;
                piecewise::validate(&self.name, edges)?;
                clip.map_or(Ok(()), |clip| check_clip(&self.name, clip))?;
                match fill.filter(|fill| !fill.is_finite()) {
                    Some(fill) => Err(format!("the encoder's column `{name}` has {fill} for missing cells")),
                    None => Ok(()),
                }
            }
            FeatureKind::Category { categories, other, fill, rare, scaling, target_means } => {
                for mean in target_means {
                    mean.validate(&self.name, categories.len() + rare.as_ref().map_or(0, Vec::len))?;
                    check_scale(&self.name, mean.mean, mean.scale)?;
                    mean.clip.map_or(Ok(()), |clip| check_clip(&self.name, clip))?;
                }
                let mut seen = HashSet::new();
                let mut all = categories.iter().chain(rare.iter().flatten());
                if let Some(twice) = all.find(|category| !seen.insert(*category)) {
                    return Err(format!("the encoder's column `{name}` has the category `{}` twice", shorten(twice)));
                }
                let needless = rare.is_some() && !other;
                if needless || (categories.is_empty() && !other) || fill.is_some_and(|fill| fill >= categories.len()) {
                    return Err(format!("the encoder's column `{name}` lacks categories"));
                }
                if ![0, categories.len() + usize::from(*other)].contains(&scaling.len()) {
                    return Err(format!("the encoder's column `{name}` scales {} inputs", scaling.len()));
                }
                scaling.iter().try_for_each(|&InputScaling { mean, scale, clip }| {
                    check_scale(&name, mean, scale)?;
                    check_clip(&name, clip)
                })
            }
            FeatureKind::Date { parts, fill } => {
                calendar::validate(&name, parts, fill)?;
                parts.iter().try_for_each(|input| check_scale(&name, input.mean, input.scale))
            }
            FeatureKind::Presence { .. } if !self.indicator => {
                Err(format!("the encoder's column `{name}` has no input"))
            }
            FeatureKind::Presence { .. } => Ok(()),
        }
    }
}

/// What is subtracted from a number and what the difference is divided by: for the number itself, and for each of its bins.
fn scalings_of(mean: f64, scale: f64, edges: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let bins = edges.windows(2).map(|bin| (bin[0], bin[1] - bin[0]));
    [(mean, scale)].into_iter().chain(bins)
}

/// What is wrong with a limit that was read from a file.
fn check_clip(name: &str, clip: f64) -> std::result::Result<(), String> {
    let fits = clip.is_finite() && clip > 0.0;
    if fits { Ok(()) } else { Err(format!("the encoder's column `{}` is clipped at {clip}", shorten(name))) }
}

/// What is wrong with a mean and a scale that were read from a file.
pub(in crate::data) fn check_scale(name: &str, mean: f64, scale: f64) -> std::result::Result<(), String> {
    let fit = mean.is_finite() && scale.is_finite() && scale > 0.0;
    if fit {
        Ok(())
    } else {
        Err(format!("the encoder's column `{}` has mean {mean} and scale {scale}", shorten(name)))
    }
}
