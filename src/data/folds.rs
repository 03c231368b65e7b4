//! Folds for cross-validation. In: each row's class or group, a number of folds, a seed. Out: the rows of each fold, counted from 0.

use crate::data::random::NumpyRandom;
use crate::error::{Error, Result};

/// Shares the rows out among `count` folds in an order drawn by `seed`, as many of each class in each fold as there can be, to a row; the
/// folds differ by one row at most. `classes` has a row's class, counted from 0, if it has one.
///
/// # Errors
/// [`Error::Setting`] for fewer than 2 folds, for more than rows, and for more than rows of a class.
pub fn random_folds(rows: usize, classes: Option<&[usize]>, count: usize, seed: u32) -> Result<Vec<Vec<usize>>> {
    check(count, rows, "rows")?;
    let mut members = vec![Vec::new(); classes.and_then(|classes| classes.iter().max()).map_or(1, |most| most + 1)];
    (0..rows).for_each(|row| members[classes.map_or(0, |classes| classes[row])].push(row));
    members.retain(|rows| !rows.is_empty());
    if let Some(fewest) = members.iter().map(Vec::len).min().filter(|&fewest| fewest < count) {
        return Err(refused(count, &format!("at most {fewest}, the rows of the rarest class")));
    }
    let mut random = NumpyRandom::new(seed);
    let mut folds = vec![Vec::new(); count];
    let mut next = 0;
    for mut rows in members {
        random.shuffle(&mut rows);
        for row in rows {
            folds[next % count].push(row);
            next += 1;
        }
    }
    // Each fold in an order that says nothing of the classes.
    folds.iter_mut().for_each(|fold| random.shuffle(fold));
    Ok(folds)
}

/// Cuts the rows into folds where they stand: each fold is a run of them.
///
/// # Errors
/// [`Error::Setting`] for fewer than 2 folds and for more than rows.
pub fn blocks(rows: usize, count: usize) -> Result<Vec<Vec<usize>>> {
    check(count, rows, "rows")?;
    Ok((0..count).map(|fold| (fold * rows / count..(fold + 1) * rows / count).collect()).collect())
}

/// Shares whole groups out: the largest first, each to the fold that comes out most even by it, in rows and in those of each class.
/// `groups` has a row's group and `classes` its class, if it has one, both counted from 0. Rows of a fold stay in their order.
///
/// # Errors
/// [`Error::Setting`] for fewer than 2 folds and for more than groups.
pub fn group_folds(groups: &[usize], classes: Option<&[usize]>, count: usize, seed: u32) -> Result<Vec<Vec<usize>>> {
    let mut members = vec![Vec::new(); groups.iter().max().map_or(0, |most| most + 1)];
    groups.iter().enumerate().for_each(|(row, &group)| members[group].push(row));
    members.retain(|rows: &Vec<usize>| !rows.is_empty());
    check(count, members.len(), "groups")?;
    let class = |row: usize| classes.map_or(0, |classes| classes[row]);
    let mut totals = vec![0.0_f64; classes.and_then(|classes| classes.iter().max()).map_or(1, |most| most + 1)];
    (0..groups.len()).for_each(|row| totals[class(row)] += 1.0);
    // Groups of one size come in an order that is drawn.
    NumpyRandom::new(seed).shuffle(&mut members);
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut folds: Vec<(Vec<usize>, Vec<f64>)> = vec![(Vec::new(), vec![0.0; totals.len()]); count];
    for rows in members {
        // The growth of the sum of squares is the least where what the group has is rare yet.
        let growth =
            |counts: &[f64]| -> f64 { rows.iter().map(|&row| counts[class(row)] / totals[class(row)].powi(2)).sum() };
        let cost: Vec<f64> = folds.iter().map(|(_, counts)| growth(counts)).collect();
        let empty = folds.iter().position(|(rows, _)| rows.is_empty());
        let best =
            (0..count).min_by(|&a, &b| cost[a].total_cmp(&cost[b]).then(folds[a].0.len().cmp(&folds[b].0.len())));
        let (taken, counts) = &mut folds[empty.or(best).unwrap_or(0)];
        rows.iter().for_each(|&row| counts[class(row)] += 1.0);
        taken.extend(rows);
    }
    Ok(folds
        .into_iter()
        .map(|(mut rows, _)| {
            rows.sort_unstable();
            rows
        })
        .collect())
}

fn check(count: usize, most: usize, of: &str) -> Result<()> {
    if (2..=most).contains(&count) {
        return Ok(());
    }
    Err(refused(count, &format!("2 to {most}, the {of} that are to be learned")))
}

fn refused(count: usize, expected: &str) -> Error {
    Error::Setting { what: "folds", found: count.to_string(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_partition(folds: &[Vec<usize>], rows: usize) {
        let mut all: Vec<usize> = folds.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..rows));
    }

    #[test]
    fn each_row_is_in_one_fold_and_classes_are_shared_out() {
        let classes: Vec<usize> =
            (0..103).map(|row| usize::from(row % 4 == 0) + 2 * usize::from(row % 10 == 0)).collect();
        let folds = random_folds(103, Some(&classes), 5, 3).unwrap();
        is_partition(&folds, 103);
        for fold in &folds {
            assert!((20..=21).contains(&fold.len()), "{}", fold.len());
            for class in 0..4 {
                let all = classes.iter().filter(|&&of| of == class).count();
                let own = fold.iter().filter(|&&row| classes[row] == class).count();
                assert!((all / 5..=all.div_ceil(5)).contains(&own), "{own} of {all}");
            }
        }
        assert_ne!(folds, random_folds(103, Some(&classes), 5, 4).unwrap());
        is_partition(&random_folds(10, None, 3, 0).unwrap(), 10);
        assert_eq!(blocks(7, 3).unwrap(), [vec![0, 1], vec![2, 3], vec![4, 5, 6]]);
    }

    #[test]
    fn no_group_is_in_two_folds() {
        let groups: Vec<usize> = (0..200).map(|row: usize| (row * row) % 37 % 23).collect();
        let classes: Vec<usize> = groups.iter().map(|group| group % 2).collect();
        let folds = group_folds(&groups, Some(&classes), 4, 1).unwrap();
        is_partition(&folds, 200);
        let fold_of = |row: usize| folds.iter().position(|fold| fold.contains(&row));
        for group in 0..23 {
            let mut places = (0..200).filter(|&row| groups[row] == group).map(fold_of);
            if let Some(first) = places.next() {
                assert!(places.all(|place| place == first));
            }
        }
        let sizes: Vec<usize> = folds.iter().map(Vec::len).collect();
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 20, "{sizes:?}");
    }

    #[test]
    fn too_many_folds_are_refused() {
        let what = |found: Result<Vec<Vec<usize>>>| match found {
            Err(Error::Setting { what: "folds", expected, .. }) => expected,
            other => panic!("{other:?}"),
        };
        assert!(what(random_folds(3, None, 4, 0)).starts_with("2 to 3"));
        assert!(what(random_folds(9, None, 1, 0)).starts_with("2 to 9"));
        assert!(what(random_folds(9, Some(&[0, 0, 0, 0, 0, 0, 0, 1, 1]), 3, 0)).starts_with("at most 2"));
        assert!(what(group_folds(&[0, 0, 1, 1], None, 3, 0)).starts_with("2 to 2, the groups"));
        assert!(what(blocks(4, 5)).starts_with("2 to 4"));
    }
}
