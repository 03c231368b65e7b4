//! Piecewise-linear encodings of numbers, beside those of the package that the paper's authors keep, and where columns are odd.

use serde_json::Value;
use wgpu_mlp::Error;
use wgpu_mlp::data::{
    Cells, Column, Encoder, Feature, FeatureKind, FeatureScaling, NumericEncoding, Scaling, Table, Task,
};

/// By `tests/fixtures/piecewise.py`.
const FIXTURE: &str = include_str!("../../fixtures/piecewise.json");

fn scaling(bins: usize) -> Scaling {
    Scaling { features: FeatureScaling::Robust, numbers: NumericEncoding::Piecewise { bins }, ..Scaling::ALL }
}

/// A table of columns of numbers, and a target.
fn table(columns: &[(&str, &[f64])]) -> Table {
    let rows = columns[0].1.len();
    let target = Cells::Number((0..rows).map(|row| row as f64).collect());
    let columns = columns.iter().map(|&(name, cells)| Column::new(name, Cells::Number(cells.into())));
    Table::new("t", columns.chain([Column::new("y", target)]).collect()).unwrap()
}

fn fit(table: &Table, scaling: Scaling) -> Result<Encoder, Error> {
    Encoder::fit(table, "y", &(0..table.rows()).collect::<Vec<_>>(), Some(Task::Regression), scaling)
}

fn edges(feature: &Feature) -> &[f64] {
    let FeatureKind::Number { edges, .. } = &feature.kind else { panic!("{feature:?}") };
    edges
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn edges_and_inputs_are_those_of_the_papers_package() {
    let cases: Vec<Value> = serde_json::from_str(FIXTURE).unwrap();
    assert!(cases.len() > 5);
    for case in &cases {
        let [train, expected, cells] = ["numbers", "edges", "cells"].map(|key| numbers(&case[key]));
        let encoder = fit(&table(&[("a", &train)]), scaling(case["bins"].as_u64().unwrap() as usize)).unwrap();
        let feature = &encoder.features()[0];
        let found = edges(feature);
        assert_eq!(found.len(), expected.len(), "{case}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} {expected}: {case}");
        }
        let width = expected.len();
        assert_eq!((feature.bins(), feature.width(), encoder.inputs()), (width - 1, width, width));
        let (inputs, _) = encoder.encode_features(&table(&[("a", &cells)])).unwrap();
        // The first input is what it is without bins.
        let plain = Scaling { numbers: NumericEncoding::Scaled, ..scaling(2) };
        let (scaled, _) =
            fit(&table(&[("a", &train)]), plain).unwrap().encode_features(&table(&[("a", &cells)])).unwrap();
        assert_eq!(inputs.iter().step_by(width).collect::<Vec<_>>(), scaled.iter().collect::<Vec<_>>());
        for (row, expected) in inputs.chunks(width).zip(case["inputs"].as_array().unwrap()) {
            for (found, expected) in row[1..].iter().zip(numbers(expected)) {
                assert!((f64::from(*found) - expected).abs() <= 1e-6, "{row:?}, expected {expected}: {case}");
            }
        }
    }
}

/// A number that many rows have is one edge, and the others have the bins: beside it quantiles of the rows without it.
#[test]
fn frequent_numbers_take_one_edge() {
    // Of 1,000 rows 800 are 0 and 100 are 50; the others are 1 to 100 but for 50, each once.
    let mut column = [vec![0.0; 800], vec![50.0; 100]].concat();
    column.extend((1..=101).filter(|&one| one != 50).map(f64::from));
    for bins in [2, 4, 8, 16] {
        let encoder = fit(&table(&[("a", &column)]), scaling(bins)).unwrap();
        let found = edges(&encoder.features()[0]);
        assert!(found.len() == bins + 1 && found.windows(2).all(|bin| bin[0] < bin[1]), "{bins}: {found:?}");
        assert_eq!((found[0], found[bins]), (0.0, 101.0));
        assert!(bins < 4 || (found.contains(&50.0) && found[1] <= 34.0), "{bins}: {found:?}");
    }
    let encoder = fit(&table(&[("a", &column)]), scaling(8)).unwrap();
    let rest: Vec<f64> = column.iter().copied().filter(|&one| one != 0.0 && one != 50.0).collect();
    // 9 edges are 0, 50, and 7 that are 6 parts of the 100 rows that are left.
    let quantiles = (0..=6).map(|part| 1.0 + f64::from(part) / 6.0 * 99.0).map(|place| {
        let at = place as usize - 1;
        rest[at] + (rest[(at + 1).min(99)] - rest[at]) * place.fract()
    });
    let mut expected: Vec<f64> = quantiles.chain([0.0, 50.0]).collect();
    expected.sort_by(f64::total_cmp);
    let found = edges(&encoder.features()[0]);
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {expected:?}");
}

/// A column of two values has the scaled number alone; the bins of others are made of cells that are there, in training rows.
#[test]
fn columns_may_have_few_values_and_missing_cells() {
    let nan = f64::NAN;
    let two: Vec<f64> = (0..12).map(|row| f64::from(row % 2)).collect();
    let three = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 2.0, 2.0];
    let some = [1.0, nan, 2.0, 3.0, nan, 5.0, 4.0, 6.0, 7.0, 1e6, 8.0, 9.0];
    let alone = [nan, nan, 4.0, nan, nan, nan, nan, nan, 6.0, nan, nan, nan];
    let same = [3.0; 12];
    let train = table(&[("two", &two), ("three", &three), ("same", &same), ("some", &some), ("alone", &alone)]);
    // The tenth row is held out.
    let rows: Vec<usize> = (0..12).filter(|&row| row != 9).collect();
    let encoder = Encoder::fit(&train, "y", &rows, None, scaling(4)).unwrap();
    assert_eq!(encoder.left_out()[0].name, "same");
    let [two, three, some, alone] = encoder.features() else { panic!("{encoder:?}") };
    assert_eq!([two, three, some, alone].map(Feature::width), [1, 3, 6, 2]);
    assert_eq!(
        (edges(two).len(), edges(three), edges(some)),
        (0, &[0.0, 1.0, 2.0][..], &[1.0, 3.0, 5.0, 7.0, 9.0][..])
    );
    assert_eq!(edges(alone).len(), 0);
    let names = ["some", "some=(bin 1)", "some=(bin 2)", "some=(bin 3)", "some=(bin 4)", "some=(missing)"];
    assert_eq!(some.input_names(), names);
    assert_eq!(some.scalings()[1..], [(1.0, 2.0), (3.0, 2.0), (5.0, 2.0), (7.0, 2.0), (0.0, 1.0)]);
    assert_eq!((some.limits()[0], some.limits()[4], some.limits()[5]), (None, Some([0.0, 1.0]), None));
    assert_eq!((some.clips()[0], some.clips()[1]), (Some(3.0), None));
    let later = table(&[("two", &[0.5]), ("three", &[1.5]), ("same", &[0.0]), ("some", &[nan]), ("alone", &[5.0])]);
    let (inputs, _) = encoder.encode_features(&later).unwrap();
    assert_eq!(inputs[2..4], [1.0, 0.5]);
    // The median, 5, stands for a missing cell.
    assert_eq!(inputs[4..10], [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    // All rows at once, one by one and as columns that are given up are the same inputs.
    let (whole, _) = encoder.encode_features(&train).unwrap();
    let width = encoder.inputs();
    let by_rows = encoder.encode_columns(train).unwrap();
    for row in 0..12 {
        assert_eq!(by_rows.rows(&[row]).unwrap().features(), &whole[row * width..][..width]);
    }
    assert!(whole[9 * width + 4..][..5].iter().skip(1).all(|&input| input == 1.0), "beyond the last edge");
}

#[test]
fn files_keep_the_edges() {
    let train = table(&[("a", &[0.5, 1.0, 2.0, 4.0, 8.0]), ("b", &[0.0, 1.0, 0.0, 1.0, 0.0])]);
    let encoder = fit(&train, scaling(4)).unwrap();
    let text = serde_json::to_string(&encoder).unwrap();
    assert_eq!(text.matches("\"edges\"").count(), 1, "{text}");
    let read: Encoder = serde_json::from_str(&text).unwrap();
    assert_eq!((&read, read.validate()), (&encoder, Ok(())));
    let bins = "\"edges\":[0.5,1.0,2.0,4.0,8.0]";
    assert!(text.contains(bins), "{text}");
    // Without bins nothing is written of them, and files of old have none.
    let plain = fit(&train, Scaling { numbers: NumericEncoding::Scaled, ..scaling(4) }).unwrap();
    assert_eq!(serde_json::to_string(&plain).unwrap(), text.replace(&format!(",{bins}"), ""));
    for (wrong, problem) in [
        ("[0.5,1.0,1.0,4.0]", "column `a` has edges of bins that do not ascend"),
        ("[0.5,1.0,0.75,4.0]", "do not ascend"),
        ("[-1.7e308,1.7e308,1.75e308]", "do not ascend"),
        ("[0.5,1.0]", "column `a` has 1 bins"),
        ("[0.5]", "column `a` has 0 bins"),
    ] {
        let wrong: Encoder = serde_json::from_str(&text.replace(bins, &format!("\"edges\":{wrong}"))).unwrap();
        let found = wrong.validate().unwrap_err();
        assert!(found.contains(problem), "{found}");
    }
    let many: Vec<String> = (0..300).map(|edge| format!("{edge}.0")).collect();
    let many = text.replace(bins, &format!("\"edges\":[{}]", many.join(",")));
    assert!(serde_json::from_str::<Encoder>(&many).unwrap().validate().unwrap_err().contains("has 299 bins"));
    for broken in ["[0.5,null,2.0]", "[0.5,1e999,2.0]", "[0.5,\"1\",2.0]", "3"] {
        serde_json::from_str::<Encoder>(&text.replace(bins, &format!("\"edges\":{broken}"))).unwrap_err();
    }
    let mut features = encoder.features().to_vec();
    let FeatureKind::Number { edges, .. } = &mut features[0].kind else { panic!("{encoder:?}") };
    *edges = vec![0.0, f64::NAN, f64::INFINITY];
    assert!(Encoder::new(features, encoder.target().clone()).validate().unwrap_err().contains("do not ascend"));
}

#[test]
fn bins_that_cannot_be_are_refused() {
    let train = table(&[("a", &[0.5, 1.0, 2.0, 4.0, 8.0])]);
    for bins in [0, 1, 257, usize::MAX] {
        let error = fit(&train, scaling(bins)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Setting { .. }) && text.contains("from 2 to 256"), "{text}");
        assert!(text.contains(&bins.to_string()), "{text}");
    }
    // More bins than rows are as many as fit between them.
    assert_eq!(edges(&fit(&train, scaling(256)).unwrap().features()[0]), [0.5, 1.0, 2.0, 4.0, 8.0]);
    for (text, expected) in [
        ("scaled", NumericEncoding::Scaled),
        ("ple", NumericEncoding::Piecewise { bins: 16 }),
        ("ple:bins=2", NumericEncoding::Piecewise { bins: 2 }),
        ("ple:bins=256", NumericEncoding::Piecewise { bins: 256 }),
    ] {
        let read: NumericEncoding = text.parse().unwrap();
        assert_eq!(read, expected);
        assert_eq!(read.to_string().parse::<NumericEncoding>().unwrap(), expected);
    }
    for text in [
        "",
        "PLE",
        "ple:",
        "ple:8",
        "ple:bins=",
        "ple:bins=1",
        "ple:bins=257",
        "ple:bins=-3",
        "ple:bins=2.5",
        "scaled:",
        "scaled:bins=3",
    ] {
        let error = text.parse::<NumericEncoding>().unwrap_err().to_string();
        assert!(error.contains(&format!("`{text}`")) && error.contains("ple:bins=N"), "{error}");
    }
    // What a bin would be too wide for f64 is told with its cell.
    let wide = table(&[("b", &[1.0, 2.0, 3.0]), ("a", &[-1.7e308, 0.0, 1.7e308])]);
    let plain = Scaling { features: FeatureScaling::None, ..scaling(2) };
    assert_eq!(edges(&fit(&wide, plain).unwrap().features()[1]), [-1.7e308, 0.0, 1.7e308]);
    let wide = table(&[("b", &[1.0, 2.0, 3.0, 4.0]), ("a", &[-1.7e308, 1.0, f64::NAN, 1.7e308])]);
    let wider = table(&[("b", &[1.0, 2.0, 3.0]), ("a", &[-1.7e308, 1.6e308, 1.7e308])]);
    assert!(fit(&wide, plain).is_ok());
    let error = fit(&wider, plain).unwrap_err().to_string();
    assert!(error.contains("column `a`") && error.contains("not finite"), "{error}");
}
