//! Numbers as piecewise-linear encodings. In: the numbers of training rows, once; then any number. Out: the edges of bins; then an f32 in
//! 0 ..= 1 for each bin.
//!
//! With edges b₀ < … < b_B a number x has the inputs eⱼ = (x − bⱼ) / (bⱼ₊₁ − bⱼ), cut off at 0 and 1: bins below x have 1, bins above it 0,
//! and its own bin says where in it x lies. The edges are quantiles, so that each bin has about as many training rows, as far as rows differ. It is the
//! encoding of Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", but for cells beyond
//! the first and the last edge: there the paper goes on along the lines of the outer bins, and here they end.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::data::statistics::quantile;
use crate::error::{Error, Result, shorten};

/// Bins of a column where nobody says how many.
const BINS: usize = 16;
/// How many bins a column may have. One bin would say no more than the scaled number does.
const ALLOWED: RangeInclusive<usize> = 2..=256;
/// The name of the encoding on the command line, and of its setting.
const NAME: &str = "ple";
const SETTING: &str = "bins=";

/// What inputs a number has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumericEncoding {
    /// One: the scaled number.
    #[default]
    Scaled,
    /// The scaled number, and one for each bin of its piecewise-linear encoding (Gorishniy, Rubachev and Babenko 2022). The edges of the
    /// bins are quantiles of the training rows; a number that many rows have is one edge, and the others are quantiles of the rest. A column of
    /// two numbers has no bins.
    Piecewise {
        /// The most bins of a column, in 2 ..= 256.
        bins: usize,
    },
}

impl NumericEncoding {
    /// Refuses a number of bins that cannot be.
    pub(in crate::data) fn check(self) -> Result<()> {
        match self {
            Self::Piecewise { bins } if !ALLOWED.contains(&bins) => Err(refused(&bins.to_string())),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for NumericEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scaled => f.write_str("scaled"),
            Self::Piecewise { bins } => write!(f, "{NAME}:{SETTING}{bins}"),
        }
    }
}

impl FromStr for NumericEncoding {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let (name, setting) = text.split_once(':').map_or((text, None), |(name, setting)| (name, Some(setting)));
        match (name, setting) {
            ("scaled", None) => Ok(Self::Scaled),
            (NAME, None) => Ok(Self::Piecewise { bins: BINS }),
            (NAME, Some(setting)) => {
                let bins = setting.strip_prefix(SETTING).and_then(|bins| bins.parse().ok());
                bins.filter(|bins| ALLOWED.contains(bins))
                    .map(|bins| Self::Piecewise { bins })
                    .ok_or_else(|| refused(&format!("`{text}`")))
            }
            _ => Err(refused(&format!("`{text}`"))),
        }
    }
}

fn refused(found: &str) -> Error {
    let (least, most) = (ALLOWED.start(), ALLOWED.end());
    let expected =
        format!("scaled, {NAME}, or {NAME}:{SETTING}N for at most N bins of a column, from {least} to {most}");
    Error::Setting { what: "numbers", found: found.into(), expected }
}

/// The edges of at most so many bins of numbers, which are sorted; none where they make less than two bins. An edge may be infinite or
/// no number where a difference overflows.
///
/// The least and the largest number are edges, and quantiles between them. A number that so many rows have that two quantiles fall on it is
/// one edge; the others are quantiles of the rows without it. So a column that is 0 in most rows has bins for the rest.
pub(in crate::data) fn edges(sorted: &[f64], bins: usize) -> Vec<f64> {
    let [Some(&least), Some(&most)] = [sorted.first(), sorted.last()] else { return Vec::new() };
    let mut edges = vec![least, most];
    let mut rest = sorted.to_vec();
    while edges.len() <= bins && rest.len() > 1 {
        let left = bins + 1 - edges.len();
        // Ends of what is left are edges, too.
        let ends = usize::from(rest[0] > least) + usize::from(rest[rest.len() - 1] < most);
        // No two edges are between the same two numbers.
        let Some(parts) = (left + 1).checked_sub(ends).map(|parts| parts.min(rest.len() - 1)) else { break };
        let found: Vec<f64> =
            (0..=parts).map(|part| quantile(rest.len(), |at| rest[at], [part, parts.max(1)])).collect();
        let of_several = found.windows(2).filter(|pair| pair[1] <= pair[0]).map(|pair| pair[0]);
        // A line between two numbers may fall by a rounding: what it gives is no row's.
        let mut frequent: Vec<f64> = of_several.filter(|value| rest.contains(value)).collect();
        frequent.dedup();
        let is_done = frequent.is_empty();
        edges.extend(if is_done { &found } else { &frequent });
        edges.sort_by(f64::total_cmp);
        edges.dedup_by(|next, edge| next <= edge);
        if is_done {
            break;
        }
        rest.retain(|value| !frequent.contains(value));
    }
    if edges.len() > *ALLOWED.start() { edges } else { Vec::new() }
}

/// Whether edges are those of bins: finite as their differences are, and each above the one before it.
pub(in crate::data) fn are_ascending(edges: &[f64]) -> bool {
    edges.windows(2).all(|bin| bin[0].is_finite() && (bin[1] - bin[0]).is_finite() && bin[0] < bin[1])
}

/// What is wrong with edges that were read from a file.
pub(in crate::data) fn validate(name: &str, edges: &[f64]) -> std::result::Result<(), String> {
    let count = edges.len().saturating_sub(1);
    match edges {
        [] => Ok(()),
        _ if !ALLOWED.contains(&count) => Err(format!("the encoder's column `{}` has {count} bins", shorten(name))),
        _ if !are_ascending(edges) => {
            Err(format!("the encoder's column `{}` has edges of bins that do not ascend", shorten(name)))
        }
        _ => Ok(()),
    }
}

/// Writes the inputs of a finite number, one for each bin.
pub(in crate::data) fn encode(x: f64, edges: &[f64], inputs: &mut [f32]) {
    for (input, bin) in inputs.iter_mut().zip(edges.windows(2)) {
        *input = ((x - bin[0]) / (bin[1] - bin[0])).clamp(0.0, 1.0) as f32;
    }
}
