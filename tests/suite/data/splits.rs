//! Which rows are for training, validation and testing: by order, by time, by group, and from files of their own.

use std::collections::BTreeSet;
use std::fs;

use wgpu_mlp::Error;
use wgpu_mlp::data::{Cells, Column, Split, Table, group_split, last_split};

use crate::cli::{Place, assert_no_work};

fn column(name: &str, cells: Cells) -> Column {
    Column::new(name, cells)
}

fn texts(values: &[&str]) -> Cells {
    Cells::Text(values.iter().map(|value| (!value.is_empty()).then(|| value.to_string())).collect())
}

fn one_column(cells: Cells) -> Table {
    Table::new("t.csv", vec![column("when", cells)]).unwrap()
}

#[test]
fn the_last_rows_are_held_out() {
    let split = |rows, fraction| last_split(rows, fraction).unwrap();
    assert_eq!(split(5, 0.4), Split { train: vec![0, 1, 2], test: vec![3, 4] });
    assert_eq!(split(5, 0.3).test, [3, 4], "rounded up, as all splits are");
    assert_eq!(split(3, 0.0), Split { train: vec![0, 1, 2], test: vec![] });
    assert!(matches!(last_split(2, 0.9), Err(Error::Setting { .. })));
}

/// Equal times stay in the table's order, whatever is on either side of them.
#[test]
fn rows_are_ordered_by_numbers_and_dates() {
    let cases: &[(Cells, &[usize])] = &[
        (Cells::Number(vec![3.0, -1.0, 3.0, 0.0, -0.0]), &[1, 3, 4, 0, 2]),
        (texts(&["2024-03-01", "2023-12-31", "2024-03-01", "1969-07-20"]), &[3, 1, 0, 2]),
        // At 5, 9 and 6 o'clock in Greenwich.
        (texts(&["2024-03-01T10:00:00+05:00", "2024-03-01 09:00", "2024-03-01T06:00:00Z"]), &[0, 2, 1]),
        (texts(&["10", "9", "1e1", "-2.5"]), &[3, 1, 0, 2]),
    ];
    for (cells, expected) in cases {
        assert_eq!(one_column(cells.clone()).rows_by_time("when").unwrap(), *expected, "{cells:?}");
    }
    for (cells, words) in [
        (texts(&["2024-03-01", "soon"]), vec!["`when`", "`soon` in line 3 of t.csv", "dates in every row"]),
        (texts(&["2024-03-01", "7"]), vec!["`7` in line 3", "dates in every row"]),
        (texts(&["spring", "autumn"]), vec!["`spring` in line 2", "numbers, or dates"]),
        (texts(&["2024-03-01", ""]), vec!["line 3", "column `when`", "missing"]),
        (Cells::Number(vec![f64::NAN, 1.0]), vec!["line 2", "column `when`", "missing"]),
    ] {
        let message = one_column(cells).rows_by_time("when").unwrap_err().to_string();
        assert!(words.iter().all(|word| message.contains(word)) && !message.contains('\n'), "{message}");
    }
    assert!(matches!(one_column(texts(&["1"])).rows_by_time("then"), Err(Error::MissingColumns { .. })));
}

/// Groups of these sizes, their rows among one another.
fn groups(sizes: &[usize]) -> Vec<usize> {
    let most = sizes.iter().max().unwrap();
    (0..*most).flat_map(|turn| (0..sizes.len()).filter(move |&group| turn < sizes[group])).collect()
}

/// The nearest sum of some, not all, of the sizes to `wanted`, by trying all.
fn nearest(sizes: &[usize], wanted: usize) -> usize {
    let sum = |some: usize| (0..sizes.len()).filter(|at| some >> at & 1 == 1).map(|at| sizes[at]).sum::<usize>();
    (1..(1 << sizes.len()) - 1).map(|some| sum(some).abs_diff(wanted)).min().unwrap()
}

#[test]
fn no_group_is_in_two_parts_and_sizes_are_as_near_as_can_be() {
    let many = [7_usize; 300].iter().enumerate().map(|(at, size)| size + at * at % 11).collect::<Vec<_>>();
    let cases: &[&[usize]] =
        &[&[3, 5, 7], &[2, 3], &[50, 30, 20], &[9, 1, 1, 1], &[4, 4, 4, 4, 4], &[13, 8, 21, 2, 34, 5, 3], &many];
    for sizes in cases {
        let groups = groups(sizes);
        for (fraction, seed) in [(0.1, 0), (0.2, 1), (0.5, 2), (0.8, 3)] {
            let split = group_split(&groups, None, fraction, seed).unwrap();
            let of = |rows: &[usize]| rows.iter().map(|&row| groups[row]).collect::<BTreeSet<_>>();
            let (train, test) = (of(&split.train), of(&split.test));
            assert!(train.is_disjoint(&test) && !train.is_empty() && !test.is_empty(), "{sizes:?}, {fraction}");
            let mut all = [&split.train[..], &split.test[..]].concat();
            all.sort_unstable();
            assert_eq!(all, (0..groups.len()).collect::<Vec<_>>(), "{sizes:?}, {fraction}");
            let wanted = (fraction * groups.len() as f64).ceil() as usize;
            let least = if sizes.len() < 20 { nearest(sizes, wanted) } else { 0 };
            assert_eq!(split.test.len().abs_diff(wanted), least, "{sizes:?}, {fraction}");
            assert_eq!(split, group_split(&groups, None, fraction, seed).unwrap(), "another draw");
        }
    }
    let message = |groups: &[usize]| group_split(groups, None, 0.2, 0).unwrap_err().to_string();
    assert!(message(&[0, 0, 0]).contains("a single group, of 3 rows"), "{}", message(&[0, 0, 0]));
    assert_eq!(group_split(&[4, 4], None, 0.0, 0).unwrap().train, [0, 1]);
}

/// Twenty groups of one class and twenty of another: a draw that does not look at them would often be far off.
#[test]
fn groups_are_shared_out_with_their_classes() {
    let groups: Vec<usize> = (0..400).map(|row| row / 10).collect();
    let classes: Vec<usize> = groups.iter().map(|group| group % 2).collect();
    let off = |seed, classes_known| {
        let known = if classes_known { Some(&classes[..]) } else { None };
        let split = group_split(&groups, known, 0.2, seed).unwrap();
        split.test.iter().filter(|&&row| classes[row] == 1).count().abs_diff(40)
    };
    let sums = [true, false].map(|known| (0..20).map(|seed| off(seed, known)).sum::<usize>());
    assert!(sums[0] * 3 < sums[1], "{sums:?}");
}

/// Row numbers (from 1) and true values of a run's predictions.
fn predicted(place: &Place, run: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(place.path().join(run).join("predictions.csv")).unwrap();
    let cells = |line: &str| line.split(',').map(String::from).collect::<Vec<_>>();
    text.lines().skip(1).map(cells).map(|cells| (cells[0].parse().unwrap(), cells[1].clone())).collect()
}

fn features(place: &Place, run: &str) -> Vec<String> {
    let encoder = wgpu_mlp::Model::load(place.path().join(run)).unwrap().encoder.unwrap();
    encoder.features().iter().map(|feature| feature.name.clone()).collect()
}

/// 40 rows of a shop a day, the latest first; `site` in blocks of five.
fn shops(place: &Place) {
    let row = |i: usize| format!("{i},2024-{:02}-{:02},0{},{}\n", 12 - i / 20, 28 - i % 20, i / 5, i % 7);
    place.file("shops.csv", &format!("a,day,site,y\n{}", (0..40).map(row).collect::<String>()));
}

#[test]
fn the_command_holds_out_last_and_latest_rows() {
    let place = Place::new();
    shops(&place);
    let train = "train shops.csv --target y --task regression --device cpu --epochs 2 --no-baseline";
    let rows = |run: &str| predicted(&place, run).into_iter().map(|(row, _)| row).collect::<Vec<_>>();
    let found = place.json(&format!("{train} --split last --validation-fraction 0.25 --out last"));
    assert_eq!(rows("last"), (33..=40).collect::<Vec<_>>());
    assert_eq!((&found["train"]["rows"], &found["validation"]["rows"]), (&24.into(), &8.into()), "{found}");
    assert_eq!(features(&place, "last"), ["a", "day", "site"]);
    place.json(&format!("{train} --split time=day --validation-fraction 0.25 --out time"));
    assert_eq!(rows("time"), (1..=8).rev().collect::<Vec<_>>(), "the latest stand first");
    assert_eq!(features(&place, "time"), ["a", "site"]);
    place.json(&format!("{train} --split time=a --features a,site --out feature"));
    assert_eq!((rows("feature"), features(&place, "feature")), ((33..=40).collect(), vec!["a".into(), "site".into()]));
    // What a run keeps repeats it.
    place.json("train --config time/config.toml --out again");
    let model = |run: &str| wgpu_mlp::Model::load(place.path().join(run)).unwrap();
    assert!(model("again") == model("time"));
    // And from the model, whose columns are known.
    place.json("train shops.csv --init-from time --split time=day --device cpu --epochs 1 --out from");
    assert_eq!(rows("from"), rows("time"));
    for (flags, message) in [
        ("--split time=then", vec!["shops.csv", "no column `then`"]),
        ("--split time=y", vec!["--split", "`y`", "another column than the target"]),
        ("--split latest", vec!["--split", "`latest`", "random, last, or time=COLUMN"]),
        ("--split time=", vec!["--split", "`time=`"]),
    ] {
        assert_no_work(&place.refuses(&format!("{train} {flags}"), 2, &message));
    }
    place.file("gaps.csv", "a,day,y\n1,2024-01-01,1\n2,,3\n3,2024-01-02,2\n");
    let words = "train gaps.csv --target y --split time=day --device cpu";
    place.refuses(words, 2, &["gaps.csv: line 3, column `day`", "missing"]);
}

#[test]
fn the_command_keeps_groups_together() {
    let place = Place::new();
    shops(&place);
    let train = "train shops.csv --target y --task regression --device cpu --epochs 2 --no-baseline";
    let found = place.json(&format!("{train} --group site --validation-fraction 0.3 --out run"));
    let rows = |part: &str| found[part]["rows"].as_u64().unwrap();
    assert_eq!((rows("train"), rows("validation"), rows("test")), (20, 10, 10), "{found}");
    let sites: BTreeSet<usize> = predicted(&place, "run").iter().map(|(row, _)| (row - 1) / 5).collect();
    assert_eq!(sites.len(), 2, "{sites:?}");
    assert_eq!(features(&place, "run"), ["a", "day"]);
    place.json(&format!("{train} --group site --features site,a --out feature"));
    assert_eq!(features(&place, "feature"), ["a", "site"]);
    place.file("one.csv", "a,site,y\n1,x,1\n2,x,3\n3,x,2\n");
    place.file("two.csv", "a,site,y\n1,x,1\n2,x,3\n3,z,2\n");
    place.file("other.csv", "site,y,a,day\nnew,1,3,2024-01-01\n03,2,4,2024-01-01\n");
    for (words, message) in [
        ("one.csv --target y --group site", vec!["--group", "a single group", "--test-fraction"]),
        ("two.csv --target y --group site --validation-fraction 0.5", vec!["--group", "single group", "--validation-"]),
        ("one.csv --target y --group sight", vec!["one.csv", "no column `sight`"]),
        ("one.csv --target y --group y", vec!["--group", "`y`", "another column than the target"]),
        ("one.csv --target y --group site --split last", vec!["--group", "--split last", "--split random"]),
        ("shops.csv --target y --group site --test other.csv", vec!["`03` is in other.csv (line 3)", "shops.csv"]),
        ("shops.csv --target y --group site --test gone.csv", vec!["gone.csv", "cannot read"]),
    ] {
        assert_no_work(&place.refuses(&format!("train {words} --device cpu"), 2, &message));
    }
}

#[test]
fn parts_may_be_files_of_their_own() {
    let place = Place::new();
    place.file("held.csv", "more,answer,b,a\n1,no,0.5,3\n2,yes,3,0.5\n3,yes,4,1\n");
    place.file("seen.csv", "a,b,answer\n1,2,yes\n2,1,no\n");
    let train = "train classes.csv --target answer --device cpu --no-baseline";
    let run = place.run(&format!("{train} --epochs 2 --validation seen.csv --test held.csv --out run --json"));
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let rows = |part: &str| found[part]["rows"].as_u64().unwrap();
    assert_eq!((rows("train"), rows("validation"), rows("test")), (60, 2, 3), "{found}");
    let expected = [(1, "no"), (2, "yes"), (3, "yes")].map(|(row, truth)| (row, truth.to_string()));
    assert_eq!(predicted(&place, "run"), expected);
    assert_eq!(run.stderr.matches("note: held.csv: DATA has no columns `more`").count(), 1, "{}", run.stderr);
    let figures = place.json("eval run held.csv --device cpu");
    assert_eq!(figures["loss"], found["test"]["loss"]);
    // Each file takes the place of its own fraction alone.
    let found = place.json(&format!("{train} --epochs 2 --validation seen.csv"));
    assert_eq!((&found["train"]["rows"], &found["test"]["rows"]), (&48.into(), &12.into()), "{found}");
    place.json("train --config run/config.toml --out again");
    assert_eq!(predicted(&place, "again"), expected);

    place.file("new.csv", "a,b,answer\n1,2,yes\n2,1,perhaps\n");
    place.file("lacks.csv", "a,answer\n1,yes\n");
    place.file("gap.csv", "a,b,answer\n1,2,\n");
    for (flags, message) in [
        ("--test new.csv", vec!["new.csv", "`perhaps` in line 3", "`no`, `yes`"]),
        ("--validation lacks.csv", vec!["lacks.csv", "no column `b`"]),
        ("--test gap.csv", vec!["gap.csv", "line 2", "`answer`", "missing"]),
        ("--test absent.csv", vec!["absent.csv", "cannot read"]),
        ("--test held.csv --test-fraction 0.2", vec!["--test", "--test-fraction"]),
        ("--validation held.csv --validation-fraction 0.2", vec!["--validation", "--validation-fraction"]),
        ("--validation - --test -", vec!["--test", "a second time"]),
    ] {
        assert_no_work(&place.refuses(&format!("{train} {flags}"), 2, &message));
    }
}
