//! Splits that leave no group in two parts. In: each row's group, a fraction, a seed. Out: row numbers.

use crate::data::random::NumpyRandom;
use crate::data::split::{Split, held_out};
use crate::error::{Error, Result};

/// Orders of the groups that are drawn, of which the one is taken whose classes come out best.
const DRAWS: usize = 8;
/// Groups whose sums of sizes are all tried; of more, the first ones in the order are taken as they come.
const TRIED: usize = 64;

/// Splits the rows so that all rows of a group are in one part. The held-out part has ⌈fraction · rows⌉ rows, or as near to it
/// as whole groups come; each part has at least one group. Of several drawn splits that come equally near, the one is taken
/// whose classes are shared out best. Both parts stay in order. A fraction of 0 leaves all rows in the training part.
///
/// `groups` has a row's group, counted from 0, and `classes` its class, if it has one.
///
/// # Errors
/// Those of [`train_test_split`](crate::data::train_test_split); [`Error::Setting`] for fewer than two groups.
pub fn group_split(groups: &[usize], classes: Option<&[usize]>, test_fraction: f64, seed: u32) -> Result<Split> {
    let rows = groups.len();
    let wanted = held_out(rows, test_fraction)?;
    if wanted == 0 {
        return Ok(Split { train: (0..rows).collect(), test: Vec::new() });
    }
    let mut sizes = vec![0_usize; groups.iter().max().map_or(0, |most| most + 1)];
    groups.iter().for_each(|&group| sizes[group] += 1);
    let there: Vec<usize> = (0..sizes.len()).filter(|&group| sizes[group] > 0).collect();
    if there.len() < 2 {
        return Err(Error::Setting {
            what: "group",
            found: format!("a column that leaves a single group, of {rows} rows"),
            expected: "at least one group for each part, or a fraction of 0".into(),
        });
    }
    let mut random = NumpyRandom::new(seed);
    let draws = if classes.is_some() { DRAWS } else { 1 };
    let mut best: Option<((usize, f64), Vec<bool>)> = None;
    for _ in 0..draws {
        let order: Vec<usize> = random.permutation(there.len()).into_iter().map(|at| there[at]).collect();
        let mut held = vec![false; sizes.len()];
        take(&order, &sizes, wanted).into_iter().for_each(|group| held[group] = true);
        let found = there.iter().filter(|&&group| held[group]).map(|&group| sizes[group]).sum::<usize>();
        let score = (found.abs_diff(wanted), classes.map_or(0.0, |classes| imbalance(groups, classes, &held)));
        if best.as_ref().is_none_or(|(known, _)| score < *known) {
            best = Some((score, held));
        }
    }
    let held = best.map(|(_, held)| held).unwrap_or_default();
    let (test, train) = (0..rows).partition(|&row| held[groups[row]]);
    Ok(Split { train, test })
}

/// Groups, not all of them, whose sizes together come as near to `wanted` as can be.
fn take(order: &[usize], sizes: &[usize], wanted: usize) -> Vec<usize> {
    let (front, tried) = order.split_at(order.len().saturating_sub(TRIED));
    // What the last ones leave open in both directions.
    let kept = tried.iter().map(|&group| sizes[group]).sum::<usize>() / 2;
    let mut taken = Vec::new();
    let mut sum = 0;
    for &group in front {
        if sum + sizes[group] + kept <= wanted {
            sum += sizes[group];
            taken.push(group);
        }
    }
    let bounds = Bounds { none: !taken.is_empty(), all: taken.len() < front.len() };
    taken.extend(nearest(tried, sizes, wanted - sum, bounds));
    taken
}

/// Whether none of the groups may be taken, and whether all.
struct Bounds {
    none: bool,
    all: bool,
}

/// Those of the groups whose sizes come nearest to `wanted` together; of two sums as near, the smaller one's.
fn nearest(groups: &[usize], sizes: &[usize], wanted: usize, bounds: Bounds) -> Vec<usize> {
    const NONE: u32 = u32::MAX;
    let whole: usize = groups.iter().map(|&group| sizes[group]).sum();
    let smallest = groups.iter().map(|&group| sizes[group]).min().unwrap_or(0);
    // A sum that lies further above than 0 lies below is never the nearest, unless 0 may not be.
    let cap = whole.min((2 * wanted).max(smallest));
    // The group that makes a sum out of a smaller one.
    let mut last = vec![NONE; cap + 1];
    for (at, &group) in groups.iter().enumerate() {
        let size = sizes[group];
        for sum in (size..=cap).rev() {
            if last[sum] == NONE && (sum == size || last[sum - size] != NONE) {
                last[sum] = at as u32;
            }
        }
    }
    let may_be = |sum: usize| match sum {
        0 => bounds.none,
        sum => last[sum] != NONE && (sum < whole || bounds.all),
    };
    let Some(mut sum) = (0..=cap).filter(|&sum| may_be(sum)).min_by_key(|sum| sum.abs_diff(wanted)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    while sum > 0 {
        let group = groups[last[sum] as usize];
        found.push(group);
        sum -= sizes[group];
    }
    found
}

/// How far the held-out part's classes are from their shares of all rows, in rows.
fn imbalance(groups: &[usize], classes: &[usize], held: &[bool]) -> f64 {
    let mut counts = vec![[0.0_f64; 2]; classes.iter().max().map_or(0, |most| most + 1)];
    for (&group, &class) in groups.iter().zip(classes) {
        counts[class][usize::from(held[group])] += 1.0;
    }
    let held: f64 = counts.iter().map(|[_, held]| held).sum();
    let share = held / groups.len() as f64;
    counts.iter().map(|[train, held]| (held - (train + held) * share).abs()).sum()
}
