//! Tables and the encoder, against numbers worked out by hand.

use crate::data::csv::text;
use wgpu_mlp::data::{Cells, Column, Encoder, FeatureKind, FeatureScaling, Scaling, Table, TargetKind, Task};

/// A table `t` of columns; texts where a cell is no number.
pub fn table(columns: &[(&str, &[&str])]) -> Table {
    let column = |&(name, cells): &(&str, &[&str])| {
        let numbers: Result<Vec<f64>, _> = cells.iter().map(|cell| cell.parse()).collect();
        Column::new(name, numbers.map_or_else(|_| text(cells), Cells::Number))
    };
    Table::new("t", columns.iter().map(column).collect()).unwrap()
}

/// Mean and scale of a numeric feature.
fn scaling(encoder: &Encoder, feature: usize) -> (f64, f64) {
    match encoder.features()[feature].kind {
        FeatureKind::Number { mean, scale, .. } => (mean, scale),
        _ => panic!("{encoder:?}"),
    }
}

#[test]
fn tables_are_checked() {
    let make = |columns: &[(&str, &[f64])]| {
        let column = |&(name, values): &(&str, &[f64])| Column::new(name, Cells::Number(values.into()));
        Table::new("t", columns.iter().map(column).collect()).map_err(|error| error.to_string())
    };
    assert!(make(&[("a", &[1.0])]).is_ok());
    assert!(make(&[]).unwrap_err().contains("no data rows"));
    assert!(make(&[("a", &[])]).unwrap_err().contains("no data rows"));
    assert!(make(&[("a", &[1.0]), ("a", &[1.0])]).unwrap_err().contains("two columns are named `a`"));
    assert_eq!(
        make(&[("a", &[1.0]), ("b", &[])]).unwrap_err(),
        "column `b` has 0 values: expected 1, like the first one"
    );
    assert!(
        make(&[("a", &[1.0, f64::INFINITY])]).unwrap_err().starts_with("t: line 3, column `a`: `inf` is not finite")
    );
    assert_eq!(make(&[("a", &[1.0, f64::NAN])]).unwrap().column("a").unwrap().missing(), 1);
}

#[test]
fn encoder_of_two_classes() {
    let train =
        table(&[("a", &["1", "3", "5", "99"]), ("y", &["yes", "no", "no", "yes"]), ("k", &["7", "7", "7", "8"])]);
    let encoder = Encoder::fit(&train, "y", &[0, 1, 2], None, Scaling::ALL).unwrap();
    // Mean and deviation of 1, 3, 5 (the last row is held out): 3 and √(8/3). The column k is constant there: it is left out.
    let (mean, scale) = scaling(&encoder, 0);
    assert_eq!(mean, 3.0);
    assert!((scale - (8.0f64 / 3.0).sqrt()).abs() < 1e-15);
    assert_eq!((encoder.task(), encoder.inputs(), encoder.outputs()), (Task::Binary, 1, 1));
    assert_eq!(encoder.classes().unwrap(), &["no".to_owned(), "yes".to_owned()]);
    let data = encoder.encode(&train).unwrap();
    let z = (2.0 / scale) as f32;
    assert_eq!(data.features(), [-z, 0.0, z, (96.0 / scale) as f32]);
    assert_eq!(data.targets(), [1.0, 0.0, 0.0, 1.0]);
    // Another table: other order, no target.
    let other = table(&[("k", &["9"]), ("a", &["3"])]);
    assert_eq!(encoder.encode_features(&other).unwrap().0, [0.0]);
    // Without standardisation.
    let plain = Encoder::fit(&train, "y", &[0, 1, 2], Some(Task::Binary), Scaling::NONE).unwrap();
    assert_eq!(plain.encode(&train).unwrap().features(), [1.0, 3.0, 5.0, 99.0]);
}

#[test]
fn encoder_of_numeric_classes() {
    let train = table(&[("a", &["1", "2", "3", "4"]), ("y", &["10", "9", "-0.5", "10"])]);
    let fit = |rows: &[usize], task| Encoder::fit(&train, "y", rows, task, Scaling::NONE);
    assert_eq!(fit(&[0, 1], None).unwrap().task(), Task::Regression, "the task is that of the whole column");
    let train = table(&[("a", &["1", "2", "3"]), ("y", &["10", "9", "10"])]);
    let encoder = Encoder::fit(&train, "y", &[0, 1], None, Scaling::NONE).unwrap();
    assert_eq!(encoder.classes().unwrap(), &["9".to_owned(), "10".to_owned()], "ascending, not as texts");
    assert_eq!(encoder.encode(&train).unwrap().targets(), [1.0, 0.0, 1.0]);
    let zeros = table(&[("a", &["1", "2", "3"]), ("y", &["-0", "0", "1"])]);
    let encoder = Encoder::fit(&zeros, "y", &[0, 2], None, Scaling::NONE).unwrap();
    assert_eq!(encoder.classes().unwrap(), &["0".to_owned(), "1".to_owned()]);
    assert_eq!(encoder.encode(&zeros).unwrap().targets(), [0.0, 0.0, 1.0]);
    // The labels 1 and x: a table that has only the former holds it as a number.
    let mixed = table(&[("a", &["1", "2"]), ("y", &["1", "x"])]);
    let encoder = Encoder::fit(&mixed, "y", &[0, 1], None, Scaling::NONE).unwrap();
    assert_eq!(encoder.encode(&table(&[("a", &["5"]), ("y", &["1.0"])])).unwrap().targets(), [0.0]);
}

#[test]
fn encoder_of_many_classes() {
    let labels = ["b", "c", "a", "c", "a", "b", "ü"];
    let table_of = |labels: &[&str]| {
        let a: Vec<String> = (0..labels.len()).map(|row| row.to_string()).collect();
        table(&[("a", &a.iter().map(String::as_str).collect::<Vec<_>>()), ("y", labels)])
    };
    // The class ü occurs in no training row.
    let train = table_of(&[&labels[..], &["a"]].concat());
    let encoder = Encoder::fit(&train, "y", &[0, 1, 2, 3], None, Scaling::ALL).unwrap();
    assert_eq!((encoder.task(), encoder.outputs()), (Task::Multiclass, 4));
    assert_eq!(encoder.classes().unwrap(), ["a", "b", "c", "ü"]);
    let data = encoder.encode(&train).unwrap();
    assert_eq!((data.targets(), data.target_columns()), (&[1.0, 2.0, 0.0, 2.0, 0.0, 1.0, 3.0, 0.0][..], 1));
    assert_eq!(encoder.decode_regression(1.5), 1.5);
    assert_eq!((encoder.class_number("c"), encoder.class_number("d")), (Some(2), None));
    let message = encoder.encode(&table_of(&["a", "d"])).unwrap_err().to_string();
    assert_eq!(message, "t: target `y` is `d` in line 3: the model knows the classes `a`, `b`, `c`, `ü`");
    // Numbers are classes if asked to be, in ascending order; otherwise amounts.
    let digits = table_of(&["10", "9", "-0.5", "9", "10", "-0.5", "0", "-0"]);
    assert_eq!(Encoder::fit(&digits, "y", &[0, 1], None, Scaling::NONE).unwrap().task(), Task::Regression);
    let encoder = Encoder::fit(&digits, "y", &[0, 1], Some(Task::Multiclass), Scaling::NONE).unwrap();
    assert_eq!(encoder.classes().unwrap(), ["-0.5", "0", "9", "10"]);
    assert_eq!(encoder.encode(&digits).unwrap().targets(), [3.0, 2.0, 0.0, 2.0, 3.0, 0.0, 1.0, 1.0]);
    assert_eq!(
        encoder.encode(&table_of(&["9.0", "x"])).unwrap_err().to_string().matches("is `x` in line 3").count(),
        1
    );
    assert_eq!(encoder.class_number("9.0"), Some(2));
    // Among texts, too, equal numbers are one class, but not one with a zero in front.
    let mixed = table_of(&["1.0", "1", "x", "01", "1.0", "x", "0.5", "0.50"]);
    let encoder = Encoder::fit(&mixed, "y", &[0, 2], Some(Task::Multiclass), Scaling::NONE).unwrap();
    assert_eq!(encoder.classes().unwrap(), ["0.5", "01", "1.0", "x"]);
    assert_eq!(encoder.encode(&mixed).unwrap().targets(), [2.0, 2.0, 3.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    // A file of old may have both: what is written goes first.
    let kind = r#"{"task":"multiclass","classes":["1","1.0","x"]}"#;
    let old = format!(r#"{{"features":[{{"name":"a","mean":0,"scale":1}}],"target":{{"name":"y","kind":{kind}}}}}"#);
    let old: Encoder = serde_json::from_str(&old).unwrap();
    assert_eq!(old.encode(&table_of(&["1.0", "1", "x", "+1"])).unwrap().targets(), [1.0, 0.0, 2.0, 0.0]);
}

#[test]
fn whole_numbers_are_counted() {
    let columns: &[(&str, &[&str])] = &[
        ("a", &["3", "-1", "3", "7", "-0", "0"]),
        ("b", &["3", "1", "2", "3", "1", "0.5"]),
        ("c", &["u", "v", "w", "u", "v", "w"]),
    ];
    let table = table(columns);
    let count = |name, most| table.distinct_whole_numbers(name, most).unwrap();
    assert_eq!((count("a", 4), count("a", 3), count("b", 9), count("c", 9)), (Some(4), None, None, None));
    assert!(table.distinct_whole_numbers("d", 9).is_err());
}

#[test]
fn features_and_target_are_scaled_apart() {
    let train = table(&[("a", &["1", "2", "3"]), ("y", &["2", "4", "6"])]);
    for (features, target) in [(FeatureScaling::Standard, false), (FeatureScaling::None, true)] {
        let encoder =
            Encoder::fit(&train, "y", &[0, 1, 2], None, Scaling { features, target, ..Scaling::ALL }).unwrap();
        let TargetKind::Regression { mean, scale, .. } = encoder.target().kind else { panic!("{encoder:?}") };
        let standardised = features == FeatureScaling::Standard;
        assert_eq!(((mean, scale) != (0.0, 1.0), scaling(&encoder, 0).0 != 0.0), (target, standardised));
    }
}

/// numpy: median 4, quantiles of a quarter and three quarters 2.5 and 6; z / sqrt(1 + (z / 3)²). The second column's quartiles are equal.
#[test]
fn robust_features_are_scaled_by_quartiles_and_never_beyond_3() {
    let train = table(&[
        ("a", &["1", "2", "3", "4", "5", "7", "1e6"]),
        ("b", &["0", "0", "0", "0", "0", "0", "8"]),
        ("y", &["2", "4", "6", "1", "2", "3", "4"]),
    ]);
    let robust = Scaling { features: FeatureScaling::Robust, ..Scaling::ALL };
    let encoder = Encoder::fit(&train, "y", &[0, 1, 2, 3, 4, 5, 6], None, robust).unwrap();
    let number =
        |mean, scale| FeatureKind::Number { mean, scale, fill: Some(mean), clip: Some(3.0), edges: Vec::new() };
    assert_eq!(
        encoder.features().iter().map(|of| of.kind.clone()).collect::<Vec<_>>(),
        [number(4.0, 3.5), number(0.0, 4.0)]
    );
    let encoded = encoder.encode(&train).unwrap();
    let clipped = |z: f64| (z / (1.0 + (z / 3.0).powi(2)).sqrt()) as f32;
    let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 1e6].map(|a: f64| clipped((a - 4.0) / 3.5));
    for (row, expected) in encoded.features().chunks(2).zip(rows) {
        assert!((row[0] - expected).abs() <= 1e-6 * expected.abs(), "{row:?}: {expected}");
        assert!(row[0] <= 3.0);
    }
    assert_eq!((encoded.features()[1], encoded.features()[13]), (0.0, clipped(2.0)));
    // Half of what the values span fits f64 where their difference does not.
    let wide = table(&[("a", &["-1.7e308", "-1.7e308", "1.7e308", "1.7e308"]), ("y", &["1", "2", "3", "4"])]);
    let error = Encoder::fit(&wide, "y", &[0, 1, 2, 3], None, robust).unwrap_err().to_string();
    assert!(error.contains("column `a`") && error.contains("not finite"), "{error}");
}

/// Of eight cells of 0 and 1 numpy's quartiles are 0 and 0.25 with two ones, 0 and 1 with five and with four, and 0 and 0 with a single
/// one, where half the range, 0.5, takes their place.
#[test]
fn inputs_of_categories_are_scaled_by_quartiles() {
    let cells = ["b", "a", "b", "a", "b", "b", "", "c"];
    let train = table(&[
        ("a", &cells),
        ("h", &["u", "u", "u", "u", "v", "v", "v", "v"]),
        ("y", &["1", "2", "3", "4", "5", "6", "7", "8"]),
    ]);
    let robust = Scaling { features: FeatureScaling::RobustAll, ..Scaling::ALL };
    let encoder = Encoder::fit(&train, "y", &[0, 1, 2, 3, 4, 5, 6, 7], None, robust).unwrap();
    // a is there twice, c once, and b five times with the missing cell, for which it stands.
    let scalings = |of: usize| encoder.features()[of].scalings();
    assert_eq!(scalings(0), [(0.0, 0.25), (1.0, 1.0), (0.0, 0.5), (0.0, 1.0)]);
    assert_eq!(scalings(1), [(0.5, 1.0), (0.5, 1.0)]);
    assert_eq!(encoder.features()[0].clips(), [Some(3.0), Some(3.0), Some(3.0), None]);
    let later = table(&[("a", &["a", "b", "c", "", "x"]), ("h", &["u", "v", "u", "v", "u"])]);
    let (found, _) = encoder.encode_features(&later).unwrap();
    let clipped = |z: f64| (z / (1.0 + (z / 3.0).powi(2)).sqrt()) as f32;
    let (off, half) = (clipped(-1.0), clipped(0.5));
    let expected = [
        [clipped(4.0), off, 0.0, 0.0, half, -half],
        [0.0, 0.0, 0.0, 0.0, -half, half],
        [0.0, off, clipped(2.0), 0.0, half, -half],
        [0.0, 0.0, 0.0, 1.0, -half, half],
        [0.0, off, 0.0, 0.0, half, -half],
    ];
    for (found, expected) in found.chunks(6).zip(expected) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-6, "{found} {expected}");
        }
    }
    // Numbers are scaled as with `robust`, and files keep all of it.
    let text = serde_json::to_string(&encoder).unwrap();
    let read: Encoder = serde_json::from_str(&text).unwrap();
    assert_eq!(read, encoder);
    assert_eq!(read.validate(), Ok(()));
    for (from, to, problem) in
        [("\"clip\":3.0", "\"clip\":0.0", "clipped at 0"), ("\"scale\":0.25", "\"scale\":0.0", "scale 0")]
    {
        let wrong: Encoder = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
        assert!(wrong.validate().unwrap_err().contains(problem), "{from}");
    }
}

#[test]
fn encoder_of_a_regression() {
    let train = table(&[("a", &["1", "2", "3", "4"]), ("y", &["2", "4", "6", "80"])]);
    let encoder = Encoder::fit(&train, "y", &[2, 0, 1], None, Scaling::ALL).unwrap();
    let TargetKind::Regression { mean, scale, .. } = encoder.target().kind else { panic!("{encoder:?}") };
    assert_eq!(mean, 4.0);
    assert!((scale - (8.0f64 / 3.0).sqrt()).abs() < 1e-15);
    let data = encoder.encode(&train).unwrap();
    assert_eq!(data.targets()[..3], [(-2.0 / scale) as f32, 0.0, (2.0 / scale) as f32]);
    assert!((encoder.decode_regression(f64::from(data.targets()[3])) - 80.0).abs() < 1e-5);
    let plain = Encoder::fit(&train, "y", &[0, 1], Some(Task::Regression), Scaling::NONE).unwrap();
    assert_eq!(plain.encode(&train).unwrap().targets(), [2.0, 4.0, 6.0, 80.0]);
    assert_eq!(plain.decode_regression(1.5), 1.5);
    // Two numbers, but a regression was asked for.
    let two = table(&[("a", &["1", "2"]), ("y", &["0", "1"])]);
    assert_eq!(
        Encoder::fit(&two, "y", &[0, 1], Some(Task::Regression), Scaling::ALL).unwrap().task(),
        Task::Regression
    );
}

/// Predictions are kept within the targets of the training rows, and targets of other rows are not.
#[test]
fn predictions_are_clipped_and_targets_are_not() {
    let train = table(&[("a", &["1", "2", "3", "4"]), ("y", &["2", "4", "6", "80"])]);
    for scaling in [Scaling::ALL, Scaling::NONE] {
        let clipped = Scaling { clip: true, ..scaling };
        let encoder = Encoder::fit(&train, "y", &[2, 0, 1], None, clipped).unwrap();
        assert_eq!(encoder.target().kind.range(), Some([2.0, 6.0]));
        let data = encoder.encode(&train).unwrap();
        let z = |row: usize| f64::from(data.targets()[row]);
        assert!((encoder.decode_target(z(3)) - 80.0).abs() < 1e-5);
        assert_eq!(encoder.decode_regression(z(3)), 6.0);
        assert!((encoder.decode_regression(z(1)) - 4.0).abs() < 1e-6);
        assert_eq!([f64::NEG_INFINITY, f64::INFINITY].map(|z| encoder.decode_regression(z)), [2.0, 6.0]);
        assert!(encoder.decode_regression(f64::NAN).is_nan());
        // A file says it, and one that does not is as ever.
        let text = serde_json::to_string(&encoder).unwrap();
        assert_eq!(serde_json::from_str::<Encoder>(&text).unwrap(), encoder);
        let old = text.replace(",\"range\":[2.0,6.0]", "");
        let read: Encoder = serde_json::from_str(&old).unwrap();
        assert!(old != text && serde_json::to_string(&read).unwrap() == old, "{text}");
        assert_eq!(read, Encoder::fit(&train, "y", &[2, 0, 1], None, scaling).unwrap());
        assert_eq!((encoder.validate(), read.validate()), (Ok(()), Ok(())));
        assert!((read.decode_regression(z(3)) - 80.0).abs() < 1e-5);
        for range in ["[6.0,2.0]", "[2.0,1e999]"] {
            let wrong = serde_json::from_str::<Encoder>(&text.replace("[2.0,6.0]", range));
            let problem = wrong.map_or_else(|error| error.to_string(), |wrong| wrong.validate().unwrap_err());
            assert!(problem.contains("keeps `y` within") || problem.contains("out of range"), "{problem}");
        }
    }
    // Classes have no range.
    let two = table(&[("a", &["1", "2"]), ("y", &["0", "1"])]);
    let clipped = Scaling { clip: true, ..Scaling::ALL };
    assert_eq!(Encoder::fit(&two, "y", &[0, 1], None, clipped).unwrap().target().kind.range(), None);
}

#[test]
fn statistics_hold_in_hard_cases() {
    let fit = |cells: &[&str]| {
        let labels: Vec<&str> = (0..cells.len()).map(|row| if row == 0 { "a" } else { "b" }).collect();
        let rows: Vec<usize> = (0..cells.len()).collect();
        Encoder::fit(&table(&[("x", cells), ("y", &labels)]), "y", &rows, None, Scaling::ALL)
    };
    // Numbers that differ, but by less than their mean's rounding: the scale is none.
    let cells: Vec<&str> = (0..1000).map(|row| if row == 0 { "0.10000000000000002" } else { "0.1" }).collect();
    let near = fit(&cells).unwrap();
    assert_eq!(scaling(&near, 0).1, 1.0);
    assert!((scaling(&near, 0).0 - 0.1).abs() < 1e-17);
    // A deviation that is tiny beside the mean.
    let far = fit(&["1e9", "1000000001", "1000000002"]).unwrap();
    assert!((scaling(&far, 0).1 - (2.0f64 / 3.0).sqrt()).abs() < 1e-12);
    let message = fit(&["1", "-1e308", "1e308"]).unwrap_err().to_string();
    assert!(
        message.starts_with("t: line 4, column `x`: `1e308, squared for the variance,` is not finite"),
        "{message}"
    );
}

#[test]
fn targets_that_cannot_serve() {
    let message = |cells: &[&str], rows: &[usize], task| {
        let features: Vec<String> = (0..cells.len()).map(|row| row.to_string()).collect();
        let features: Vec<&str> = features.iter().map(String::as_str).collect();
        let table = table(&[("a", &features), ("y", cells)]);
        Encoder::fit(&table, "y", rows, task, Scaling::ALL).unwrap_err().to_string()
    };
    let single = "expected a second class, or numbers that vary";
    for task in [None, Some(Task::Binary), Some(Task::Multiclass), Some(Task::Regression)] {
        assert_eq!(message(&["1", "1"], &[0, 1], task), format!("t: target `y` is `1` in all rows: {single}"));
        assert_eq!(message(&["u", "u"], &[0, 1], task), format!("t: target `y` is `u` in all rows: {single}"));
        let cells: &[_] =
            if task == Some(Task::Multiclass) { &["1", "0", "1", "2", "2", "0"] } else { &["1", "0", "1"] };
        let training = message(cells, &[0, 2], task);
        assert_eq!(training, format!("t: target `y` is `1` in its 2 training rows: {single}"));
    }
    assert_eq!(
        message(&["1", "2", "?", "2", "1", "?", "1", "2"], &[0, 1, 2], None),
        "t: target `y` contains mostly numbers, but `?` in line 4 is the first cell that is not a number: fix or remove \
         these rows, or use task = multiclass to treat all 3 values as classes"
    );
    // Names: of five rows at most two can be classes, of six three.
    let identifiers = "distinct values in 5 rows: classes need two rows each on average";
    for task in [None, Some(Task::Multiclass)] {
        let found = message(&["u", "v", "w", "w", "u"], &[0, 1, 2], task);
        assert!(found.starts_with(&format!("t: target `y` has 3 {identifiers}")), "{found}");
    }
    let found = message(&["1", "2", "3", "4", "1"], &[0, 1, 2], Some(Task::Multiclass));
    assert!(found.starts_with(&format!("t: target `y` has 4 {identifiers}")), "{found}");
    for cells in [["1", "2", "1"], ["u", "v", "u"]] {
        let found = message(&cells, &[0, 1], Some(Task::Multiclass));
        assert_eq!(found, "t: target `y` has two classes: use task = binary");
    }
    assert_eq!(
        message(&["u", "v", "w"], &[0, 1], Some(Task::Binary)),
        "t: target `y` has 3 classes: a binary task has two; task = multiclass takes more"
    );
    assert_eq!(
        message(&["1", "v"], &[0, 1], Some(Task::Regression)),
        "t: target `y` must hold numbers for a regression: `v` in line 3 is the first cell that is not a number"
    );
    let three = message(&["1", "2", "3"], &[0, 1, 2], Some(Task::Binary));
    assert!(three.starts_with("t: target `y` has more than two distinct values: task = multiclass takes"), "{three}");
}

#[test]
fn fits_that_cannot_be() {
    let fit = |table: &Table, target, rows: &[usize]| {
        Encoder::fit(table, target, rows, None, Scaling::ALL).unwrap_err().to_string()
    };
    let good = table(&[("a", &["1", "2"]), ("y", &["0", "1"])]);
    assert_eq!(fit(&good, "z", &[0]), "t: no column `z`; the table has `a`, `y`");
    assert_eq!(fit(&good, "y", &[]), "the list of training rows has 0 values: expected row numbers below 2");
    assert!(fit(&good, "y", &[0, 2]).contains("row numbers below 2"));
    let alone = table(&[("y", &["0", "1"])]);
    assert!(fit(&alone, "y", &[0, 1]).contains("at least one column besides the target `y`"));
    let missing = table(&[("a", &["1", "2"]), ("y", &["0", "NaN"])]);
    let expected = "t: line 3, column `y`: the cell is missing: fill it in or remove the row, or add \
                    not_missing = TEXT if its text is a value";
    assert_eq!(fit(&missing, "y", &[0]), expected);
    let missing = table(&[("a", &["1", "2"]), ("y", &["u", ""])]);
    assert_eq!(fit(&missing, "y", &[0]), expected);
}

#[test]
fn tables_that_do_not_suit_the_encoder() {
    let train = table(&[("a", &["1", "3"]), ("b", &["1", "3"]), ("y", &["no", "yes"])]);
    let encoder = Encoder::fit(&train, "y", &[0, 1], None, Scaling::NONE).unwrap();
    let message = |columns: &[(&str, &[&str])]| encoder.encode(&table(columns)).unwrap_err().to_string();
    assert_eq!(message(&[("a", &["1"]), ("b", &["1"])]), "t: no column `y`; the table has `a`, `b`");
    assert_eq!(message(&[("a", &["1"]), ("y", &["no"])]), "t: no column `b`; the table has `a`, `y`");
    assert_eq!(message(&[("c", &["1"]), ("y", &["no"])]), "t: no column `a`, `b`; the table has `c`, `y`");
    let expected = "t: line 3, column `y`: the cell is missing: fill it in or remove the row, or add \
                    not_missing = TEXT if its text is a value";
    assert_eq!(message(&[("a", &["1", "2"]), ("b", &["1", "2"]), ("y", &["no", ""])]), expected);
    assert_eq!(
        message(&[("a", &["1", "2"]), ("b", &["1", "2"]), ("y", &["no", "may be"])]),
        "t: target `y` is `may be` in line 3: the model knows the classes `no`, `yes`"
    );
    assert!(message(&[("a", &["1"]), ("b", &["1"]), ("y", &["0"])]).contains("is `0` in line 2"));
    assert_eq!(
        message(&[("a", &["1", "2"]), ("b", &["1", "-1e39"]), ("y", &["no", "no"])]),
        "t: line 3, column `b`: `-1e39, encoded as f32,` is not finite: remove or replace the row"
    );
}

#[test]
fn encoder_round_trips_through_json() {
    let train = table(&[("a", &["0.1", "0.7", "1e-9"]), ("b ü\"", &["1", "3", "1e7"]), ("y", &["0.1", "0.3", "0.7"])]);
    for (task, json) in [(None, "\"task\":\"regression\""), (Some(Task::Binary), "\"task\":\"binary\"")] {
        let target = if task.is_none() { "y" } else { "label" };
        let mut columns = train.columns().to_vec();
        columns[2].name = target.into();
        if task.is_some() {
            columns[2].cells = text(&["u", "v", "u"]);
        }
        let train = Table::new("t", columns).unwrap();
        let encoder = Encoder::fit(&train, target, &[0, 1, 2], task, Scaling::ALL).unwrap();
        let saved = serde_json::to_string(&encoder).unwrap();
        assert!(saved.contains(json), "{saved}");
        let loaded: Encoder = serde_json::from_str(&saved).unwrap();
        assert_eq!(loaded, encoder);
        assert_eq!(loaded.validate(), Ok(()));
        assert_eq!(loaded.encode(&train).unwrap(), encoder.encode(&train).unwrap());
    }
}

#[test]
fn loaded_encoders_are_validated() {
    let json = |features: &str, kind: &str| {
        let target = format!(r#""target":{{"name":"y","kind":{kind}"#);
        let end = if kind.contains("weight") { "" } else { "}" };
        let text = format!(r#"{{"features":[{features}],{target}{end}}}"#);
        serde_json::from_str::<Encoder>(&text).unwrap().validate()
    };
    let feature = |name: &str, mean: &str, scale: &str| format!(r#"{{"name":"{name}","mean":{mean},"scale":{scale}}}"#);
    let (a, binary) = (feature("a", "0", "1"), r#"{"task":"binary","classes":["u","v"]}"#);
    assert_eq!(json(&a, binary), Ok(()));
    for (features, kind, problem) in [
        (String::new(), binary, "the encoder has no features"),
        (format!("{a},{a}"), binary, "the encoder has two columns `a`"),
        (feature("y", "0", "1"), binary, "the encoder has two columns `y`"),
        (feature("", "0", "1"), binary, "the encoder has a column without a name"),
        (feature("a", "0", "0"), binary, "the encoder's column `a` has mean 0 and scale 0"),
        (feature("a", "0", "-1"), binary, "the encoder's column `a` has mean 0 and scale -1"),
        (a.clone(), r#"{"task":"binary","classes":["u","u"]}"#, "the encoder has the class `u` twice"),
        (a.clone(), r#"{"task":"multiclass","classes":["u","v","w","v"]}"#, "the encoder has the class `v` twice"),
        (a.clone(), r#"{"task":"multiclass","classes":["u","v"]}"#, "the encoder has 2 classes for a multiclass task"),
        (
            a.clone(),
            r#"{"task":"binary","classes":["u","v"]}},"weight":"a""#,
            "the encoder's column of sample weights is a feature or the target",
        ),
        (a.clone(), r#"{"task":"regression","mean":3,"scale":0}"#, "the encoder's column `y` has mean 3 and scale 0"),
    ] {
        assert_eq!(json(&features, kind), Err(problem.into()));
    }
}

#[test]
fn categories_make_an_input_each() {
    let cells = ["b", "a", "b", "c", "a", "b", "", "d"];
    let numbers = ["1", "NaN", "3", "4", "5", "100", "7", "8"];
    let labels = ["0", "1", "0", "1", "0", "1", "0", "1"];
    let train = table(&[("x", &numbers), ("k", &cells), ("y", &labels)]);
    // The last row is held out: d is never seen.
    let encoder = Encoder::fit(&train, "y", &[0, 1, 2, 3, 4, 5, 6], None, Scaling::NONE).unwrap();
    let names: Vec<String> = encoder.features().iter().flat_map(|feature| feature.input_names()).collect();
    assert_eq!(names, ["x", "x=(missing)", "k=a", "k=b", "k=c", "k=(missing)"]);
    assert_eq!(encoder.inputs(), 6);
    let expected = [
        [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [4.5, 1.0, 1.0, 0.0, 0.0, 0.0], // the median of 1, 3, 4, 5, 7, 100
        [3.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [4.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [5.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        [100.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [7.0, 0.0, 0.0, 1.0, 0.0, 1.0], // the most frequent one
        [8.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ];
    assert_eq!(encoder.encode(&train).unwrap().features(), expected.as_flattened());
    let picked = encoder.encode_rows(&train, &[5, 0]).unwrap();
    assert_eq!((picked.features(), picked.targets()), ([expected[5], expected[0]].as_flattened(), &[1.0, 0.0][..]));
    // A table that is given up makes the same, and its rows still know their lines.
    assert_eq!(encoder.encode_columns(train.clone()).unwrap().rows(&[5, 0]).unwrap(), picked);
    // A text among numbers is a cell that is missing.
    let lacking = table(&[("x", &["1", "u"]), ("k", &["a", "b"]), ("y", &["0", "1"])]);
    let given = encoder.encode_columns(lacking).unwrap();
    assert_eq!(given.rows(&[1]).unwrap().features(), [4.5, 1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(given.notes().lines().len(), 1);
    assert!(given.notes().lines()[0].ends_with(": `x` (1 of 2, first `u` in line 3)"), "{:?}", given.notes().lines());
    let unknown = table(&[("x", &["1", "2"]), ("k", &["a", "b"]), ("y", &["0", "2"])]);
    let given = encoder.encode_columns(unknown).unwrap();
    assert_eq!(given.rows(&[0]).unwrap().targets(), [0.0]);
    let message = given.rows(&[0, 1]).unwrap_err().to_string();
    assert!(message.contains("is `2` in line 3: the model knows the classes `0`, `1`"), "{message}");
    // Standardised as if the median stood in the missing cell: the mean of 1, 4.5, 3, 4, 5, 100, 7.
    let scaled = Encoder::fit(&train, "y", &[0, 1, 2, 3, 4, 5, 6], None, Scaling::ALL).unwrap();
    assert!((scaling(&scaled, 0).0 - 124.5 / 7.0).abs() < 1e-12);
    // A file keeps all of it.
    let loaded: Encoder = serde_json::from_str(&serde_json::to_string(&scaled).unwrap()).unwrap();
    assert_eq!((&loaded, loaded.validate()), (&scaled, Ok(())));
    // Numbers where categories were texts are these texts.
    let digits = table(&[("x", &["1", "2", "3"]), ("k", &["2", "u", "2"]), ("y", &["0", "1", "0"])]);
    let encoder = Encoder::fit(&digits, "y", &[0, 1, 2], None, Scaling::NONE).unwrap();
    let only_numbers = table(&[("x", &["1", "2"]), ("k", &["2", "5"])]);
    assert_eq!(encoder.encode_features(&only_numbers).unwrap().0, [1.0, 1.0, 0.0, 2.0, 0.0, 0.0]);
}

#[test]
fn rare_categories_share_an_input() {
    // Of 1000 training rows a category needs ten: `rare` has nine.
    let cells: Vec<&str> = (0..1001)
        .map(|row| match row {
            1000 => "unseen",
            row if row % 111 == 0 && row > 0 => "rare",
            row if row % 2 == 0 => "even",
            _ => "odd",
        })
        .collect();
    assert_eq!(cells.iter().filter(|&&cell| cell == "rare").count(), 9);
    let labels: Vec<&str> = (0..1001).map(|row| if row % 3 == 0 { "u" } else { "v" }).collect();
    let train = table(&[("k", &cells), ("y", &labels)]);
    let encoder = Encoder::fit(&train, "y", &(0..1000).collect::<Vec<_>>(), None, Scaling::ALL).unwrap();
    assert_eq!(encoder.features()[0].input_names(), ["k=even", "k=odd", "k=(other)"]);
    let data = encoder.encode(&train).unwrap();
    let row = |row: usize| &data.features()[3 * row..3 * row + 3];
    assert_eq!([row(0), row(1), row(111), row(1000)].concat(), [1., 0., 0., 0., 1., 0., 0., 0., 1., 0., 0., 1.]);
}

/// Files of a time when there were numbers only.
#[test]
fn old_encoders_are_read() {
    let old = r#"{"features":[{"name":"a","mean":2.5,"scale":0.5}],"target":{"name":"y","kind":{"task":"binary","classes":["u","v"]}}}"#;
    let encoder: Encoder = serde_json::from_str(old).unwrap();
    assert_eq!(encoder.validate(), Ok(()));
    assert_eq!(encoder.encode_features(&table(&[("a", &["3", "NaN"])])).unwrap().0, [1.0, 0.0]);
    assert_eq!(serde_json::to_string(&encoder).unwrap(), old.replace("0.5}", r#"0.5,"fill":null}"#));
    for (kind, problem) in [
        (r#""categories":["a","a"],"other":false,"fill":0"#, "the encoder's column `a` has the category `a` twice"),
        (r#""categories":[],"other":false,"fill":null"#, "the encoder's column `a` lacks categories"),
        (r#""categories":["b"],"other":true,"fill":1"#, "the encoder's column `a` lacks categories"),
    ] {
        let text = old.replace(r#""mean":2.5,"scale":0.5"#, kind);
        assert_eq!(serde_json::from_str::<Encoder>(&text).unwrap().validate(), Err(problem.into()));
    }
}
