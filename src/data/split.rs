//! Splits of the rows into a training and a test (or validation) part. In: numbers of rows, a fraction, a
//! seed. Out: row numbers; no data is touched. `group_split` keeps rows that belong together in one part, `order` says
//! which rows come last in time.

use crate::data::random::NumpyRandom;
use crate::error::{Error, Result};

/// Row numbers of the two parts, counted from 0 and in the order in which the rows are to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from; never empty.
    pub train: Vec<usize>,
    /// Rows held out; empty where the fraction was 0.
    pub test: Vec<usize>,
}

/// Splits `rows` rows as scikit-learn's `train_test_split(test_size=test_fraction, random_state=seed)`
/// does: of a permutation of the rows, the first ⌈fraction · rows⌉ are the test part and the others, in
/// that order, the training part. A fraction of 0 leaves all rows in the training part, in file order.
///
///
/// # Errors
/// [`Error::Setting`] for a fraction outside [0, 1), and for one that leaves no row to train on.
pub fn train_test_split(rows: usize, test_fraction: f64, seed: u32) -> Result<Split> {
    let held_out = held_out(rows, test_fraction)?;
    if held_out == 0 {
        return Ok(Split { train: (0..rows).collect(), test: Vec::new() });
    }
    let mut test = NumpyRandom::new(seed).permutation(rows);
    let train = test.split_off(held_out);
    Ok(Split { train, test })
}

/// The same with each class in both parts as often as in the whole, to a row: scikit-learn's `train_test_split` with
/// `stratify=classes`, draw for draw. Where scikit-learn refuses, for a class with a single row or a part with fewer rows
/// than classes, a class is in one part alone.
///
/// `classes` has a row's class, counted from 0.
///
/// # Errors
/// Those of [`train_test_split`].
pub fn stratified_split(classes: &[usize], test_fraction: f64, seed: u32) -> Result<Split> {
    let rows = classes.len();
    let held_out = held_out(rows, test_fraction)?;
    if held_out == 0 {
        return Ok(Split { train: (0..rows).collect(), test: Vec::new() });
    }
    let mut members = vec![Vec::new(); classes.iter().max().map_or(0, |most| most + 1)];
    classes.iter().enumerate().for_each(|(row, &class)| members[class].push(row));
    members.retain(|rows| !rows.is_empty()); // scikit-learn draws for classes that are there
    let counts: Vec<usize> = members.iter().map(Vec::len).collect();
    let mut random = NumpyRandom::new(seed);
    let train_counts = shares(&counts, rows - held_out, &mut random);
    let left: Vec<usize> = counts.iter().zip(&train_counts).map(|(all, train)| all - train).collect();
    let test_counts = shares(&left, held_out, &mut random);
    let (mut train, mut test) = (Vec::with_capacity(rows - held_out), Vec::with_capacity(held_out));
    for ((members, &of_train), &of_test) in members.iter().zip(&train_counts).zip(&test_counts) {
        let order = random.permutation(members.len());
        train.extend(order[..of_train].iter().map(|&at| members[at]));
        test.extend(order[of_train..of_train + of_test].iter().map(|&at| members[at]));
    }
    random.shuffle(&mut train);
    random.shuffle(&mut test);
    Ok(Split { train, test })
}

/// Holds out the last ⌈fraction · rows⌉ rows. Both parts stay in order.
///
/// # Errors
/// Those of [`train_test_split`].
pub fn last_split(rows: usize, test_fraction: f64) -> Result<Split> {
    let first = rows - held_out(rows, test_fraction)?;
    Ok(Split { train: (0..first).collect(), test: (first..rows).collect() })
}

/// How many rows are held out.
pub(super) fn held_out(rows: usize, test_fraction: f64) -> Result<usize> {
    let unfit = |expected: String| Error::Setting { what: "test_fraction", found: test_fraction.to_string(), expected };
    if !(0.0..1.0).contains(&test_fraction) {
        return Err(unfit("a fraction in [0, 1)".into()));
    }
    let held_out = (test_fraction * rows as f64).ceil() as usize;
    if held_out >= rows {
        return Err(unfit(format!("one that leaves training rows, of {rows} in all")));
    }
    Ok(held_out)
}

/// Shares out `draws` among classes by their counts; what rounding leaves goes to the largest remainders, by lot among
/// equal ones. It is `_approximate_mode` in scikit-learn's `utils/extmath.py`.
fn shares(counts: &[usize], draws: usize, random: &mut NumpyRandom) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let exact: Vec<f64> = counts.iter().map(|&count| count as f64 / all as f64 * draws as f64).collect();
    let mut shares: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws.saturating_sub(shares.iter().sum());
    let remainders: Vec<f64> = exact.iter().map(|share| share - share.floor()).collect();
    let mut distinct = remainders.clone();
    distinct.sort_by(|a, b| b.total_cmp(a));
    distinct.dedup();
    for value in distinct {
        if missing == 0 {
            break;
        }
        let equal: Vec<usize> = (0..counts.len()).filter(|&class| remainders[class] == value).collect();
        let chosen = random.permutation(equal.len());
        for &at in chosen.iter().take(missing) {
            shares[equal[at]] += 1;
        }
        missing -= missing.min(equal.len());
    }
    shares
}
