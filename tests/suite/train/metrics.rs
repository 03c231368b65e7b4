//! Figures of quality against scikit-learn's (tests/fixtures/metrics.py), and what is refused.

use std::fs;

use serde_json::{Value, json};
use wgpu_mlp::Error;
use wgpu_mlp::metrics::{Classification, MultiLabel, Regression};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/metrics.json");

/// The tables of a kind, each with its name.
fn cases(kind: &str) -> Vec<(String, Value)> {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(FIXTURE).unwrap()).unwrap();
    let Value::Object(cases) = file[kind].take() else { panic!("no `{kind}` in the fixture") };
    assert!(!cases.is_empty());
    cases.into_iter().collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|item| item.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|item| item.as_u64().unwrap() as usize).collect()
}

/// What is serialised has everything that is expected, and equals it: floats to 1e-12, of themselves or of 1. What
/// is null there is left out.
fn compare(found: &Value, expected: &Value, what: &str) {
    match expected {
        Value::Null => assert_eq!(found, expected, "{what}"),
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| compare(&found[key], member, &format!("{what}: {key}")));
        }
        Value::Array(items) => {
            assert_eq!(found.as_array().map(Vec::len), Some(items.len()), "{what}: {found}");
            items.iter().enumerate().for_each(|(at, item)| compare(&found[at], item, &format!("{what}, {at}")));
        }
        Value::Number(number) if number.is_u64() => assert_eq!(found, expected, "{what}"),
        _ => {
            let (found, expected) = (found.as_f64().unwrap_or(f64::NAN), expected.as_f64().unwrap());
            let limit = 1e-12 * expected.abs().max(1.0);
            assert!((found - expected).abs() <= limit, "{what}: {found}, expected {expected}");
        }
    }
}

/// The members of an object.
fn members(value: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|&key| (key.to_string(), value[key].clone())).collect()
}

#[test]
fn classifications_are_scikit_learns() {
    let keys =
        ["accuracy", "balanced_accuracy", "log_loss", "roc_auc", "macro_average", "weighted_average", "confusion"];
    let (mut binary, mut undefined) = (0, 0);
    for (name, case) in cases("classification") {
        let (p, truth) = (floats(&case["probabilities"]), indices(&case["truth"]));
        let classes = case["classes"].as_u64().unwrap() as usize;
        let alone = p.len() == truth.len();
        let found =
            if alone { Classification::binary(&p, &truth) } else { Classification::new(&p, classes, &truth, None) };
        let found = found.unwrap();
        let serialised = serde_json::to_value(&found).unwrap();
        compare(&serialised, &members(&case, &keys), &name);
        compare(&serialised["classes"], &case["scores"], &name);
        assert_eq!(found.top_k, None, "{name}");
        for average in [found.macro_average, found.weighted_average] {
            assert_eq!(average.support, truth.len() as u64, "{name}");
        }
        let positive = found.positive().map(|score| serde_json::to_value(score).unwrap());
        compare(&positive.unwrap_or_default(), &case["positive"], &format!("{name}, positive"));
        for (k, expected) in case["top_k"].as_object().unwrap() {
            let found = Classification::new(&p, classes, &truth, Some(k.parse().unwrap())).unwrap();
            let found = serde_json::to_value(found.top_k).unwrap();
            compare(&found["accuracy"], expected, &format!("{name}, top {k}"));
            assert_eq!(found["k"].to_string(), *k);
        }
        if alone {
            let columns: Vec<f64> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
            assert_eq!(Classification::new(&columns, 2, &truth, None).unwrap(), found, "{name}, two columns");
        }
        binary += usize::from(alone);
        undefined += usize::from(case["roc_auc"].is_null());
    }
    assert!(binary > 3 && undefined > 3);
}

#[test]
fn multi_labels_are_scikit_learns() {
    for (name, case) in cases("multi_label") {
        let truth: Vec<bool> = case["truth"].as_array().unwrap().iter().map(|item| item.as_bool().unwrap()).collect();
        let labels = case["labels"].as_u64().unwrap() as usize;
        let found = MultiLabel::new(&floats(&case["probabilities"]), labels, &truth).unwrap();
        let serialised = serde_json::to_value(&found).unwrap();
        compare(&serialised, &members(&case, &["accuracy", "micro_average", "macro_average"]), &name);
        compare(&serialised["labels"], &case["scores"], &name);
        let support = truth.iter().filter(|&&label| label).count() as u64;
        assert_eq!((found.micro_average.support, found.macro_average.support), (support, support), "{name}");
    }
}

#[test]
fn regressions_are_scikit_learns() {
    for (name, case) in cases("regression") {
        let (predictions, truth) = (floats(&case["predictions"]), floats(&case["truth"]));
        let outputs = case["outputs"].as_u64().unwrap() as usize;
        let found = Regression::new(&predictions, &truth, outputs).unwrap();
        let serialised = serde_json::to_value(&found).unwrap();
        compare(&serialised, &case["mean"], &name);
        assert_eq!(found.outputs.len(), if outputs == 1 { 0 } else { outputs }, "{name}");
        if outputs > 1 {
            compare(&serialised["outputs"], &case["each"], &name);
        }
    }
}

/// The mean of three times 0.1 is not 0.1.
#[test]
fn a_constant_target_has_no_r2() {
    let found = Regression::new(&[0.1, 0.2, 0.3], &[0.1; 3], 1).unwrap();
    assert_eq!(found.score.r2, None);
    let keys: Vec<_> = serde_json::to_value(&found).unwrap().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["mae", "median_absolute_error", "rmse"]);
    assert_eq!(Regression::new(&[0.1], &[0.1], 1).unwrap().score.r2, None);
}

/// Rows enough that counts of pairs exceed 32 bits, against the number that follows from the order.
#[test]
fn the_area_under_the_curve_counts_every_pair() {
    let rows = 200_001usize;
    let p: Vec<f64> = (0..rows).map(|row| (row * 7919 % rows) as f64 / rows as f64).collect();
    let area = |truth: &[usize]| Classification::binary(&p, truth).unwrap().roc_auc;
    let above = |limit: f64| p.iter().map(|&p| usize::from(p > limit)).collect::<Vec<_>>();
    assert_eq!(area(&above(0.3)), Some(1.0));
    let inverted: Vec<_> = above(0.3).iter().map(|class| 1 - class).collect();
    assert_eq!(area(&inverted), Some(0.0));
    // Every other score is a positive row's, from the lowest on: of m of them and m - 1 between, each wins against
    // those below it.
    let every_other: Vec<_> = (0..rows).map(|row| 1 - row * 7919 % rows % 2).collect();
    assert_eq!(area(&every_other), Some(0.5));
    assert_eq!(Classification::binary(&vec![0.5; rows], &every_other).unwrap().roc_auc, Some(0.5));
}

#[test]
fn equally_probable_classes_are_taken_in_order() {
    let found = Classification::new(&[0.25, 0.375, 0.375], 3, &[1], Some(1)).unwrap();
    assert_eq!((found.accuracy, found.top_k.unwrap().accuracy), (1.0, 0.0));
    assert_eq!(Classification::binary(&[0.5], &[0]).unwrap().accuracy, 1.0);
}

#[test]
fn a_sure_and_wrong_row_has_a_finite_loss() {
    let found = Classification::binary(&[1.0, 0.0], &[0, 1]).unwrap();
    assert_eq!(found.log_loss, -f64::EPSILON.ln());
}

#[test]
fn serialised_figures_are_plain() {
    let found = Classification::new(&[0.5, 0.25, 0.25], 3, &[0], Some(2)).unwrap();
    let serialised = serde_json::to_value(&found).unwrap();
    let keys: Vec<_> = serialised.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "accuracy",
        "balanced_accuracy",
        "classes",
        "confusion",
        "log_loss",
        "macro_average",
        "top_k",
        "weighted_average",
    ];
    assert_eq!(keys, expected); // no roc_auc: it does not exist
    assert_eq!(serialised["top_k"], json!({"k": 2, "accuracy": 1.0}));
    let class = json!({"label": "0", "support": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0});
    assert_eq!(serialised["classes"][0], class);
    let labels = ["a", "b", "c"].map(String::from);
    let named = serde_json::to_value(found.clone().with_labels(&labels).unwrap()).unwrap();
    assert_eq!((&named["classes"][0]["label"], &named["classes"][2]["label"]), (&"a".into(), &"c".into()));
    let message = "the list of labels has 2 values: expected one for each of 3 classes";
    refused(found.with_labels(&labels[1..]), message);
}

/// The size of the matrix is the square of the number of classes.
#[test]
fn very_many_classes_have_no_confusion_matrix() {
    for (classes, expected) in [(1000, true), (1001, false)] {
        let mut p = vec![0.0; 2 * classes];
        (p[7], p[classes + 7]) = (1.0, 1.0);
        let found = Classification::new(&p, classes, &[7, classes - 1], None).unwrap();
        assert_eq!(found.confusion.is_some(), expected);
        assert_eq!((found.accuracy, found.classes[7].score.precision), (0.5, 0.5));
        assert_eq!(found.classes[classes - 1].score.support, 1);
    }
}

/// Asserts the message of a refusal.
fn refused<T: std::fmt::Debug>(found: Result<T, Error>, message: &str) {
    assert_eq!(found.unwrap_err().to_string(), message);
}

#[test]
fn bad_tables_are_refused() {
    let no_rows = "the list of true values has 0 values: expected at least one whole row of";
    refused(Classification::new(&[], 3, &[], None), &format!("{no_rows} 1"));
    refused(Classification::binary(&[], &[]), &format!("{no_rows} 1"));
    refused(MultiLabel::new(&[], 2, &[]), &format!("{no_rows} 2"));
    refused(Regression::new(&[], &[], 2), &format!("{no_rows} 2"));
    let ragged = "the list of true values has 3 values: expected at least one whole row of 2";
    refused(MultiLabel::new(&[0.5; 3], 2, &[true; 3]), ragged);
    refused(Regression::new(&[0.5; 3], &[0.5; 3], 2), ragged);
    let unfit = |found, columns| {
        format!("the table of predictions has {found} values: expected {columns} for each of the 2 true rows")
    };
    refused(Classification::new(&[0.5; 5], 3, &[0, 1], None), &unfit(5, 3));
    refused(Classification::new(&[0.5; 2], 2, &[0, 1], None), &unfit(2, 2));
    refused(Classification::binary(&[0.5; 4], &[0, 1]), &unfit(4, 1));
    refused(MultiLabel::new(&[0.5; 2], 2, &[true; 4]), &unfit(2, 2));
    refused(Regression::new(&[0.5; 2], &[0.5; 4], 2), &unfit(2, 2));
    refused(Classification::new(&[0.5; 5], usize::MAX, &[0, 1], None), &unfit(5, usize::MAX));
}

#[test]
fn bad_settings_are_refused() {
    refused(Classification::new(&[1.0], 1, &[0], None), "the number of classes is 1: expected 2 or more");
    refused(MultiLabel::new(&[], 0, &[]), "the number of labels is 0: expected 1 or more");
    refused(Regression::new(&[], &[], 0), "the number of outputs is 0: expected 1 or more");
    for k in [0, 3] {
        let message = format!("the k of top-k accuracy is {k}: expected 1 to 2, fewer than the 3 classes");
        refused(Classification::new(&[0.5, 0.25, 0.25], 3, &[0], Some(k)), &message);
    }
}

#[test]
fn values_that_give_no_figure_are_refused() {
    for p in [f64::NAN, -0.001, 1.001, f64::INFINITY] {
        let message = |what| format!("row 1 (from 0): the probability of {what} is {p}: expected a number in [0, 1]");
        refused(Classification::new(&[0.5, 0.5, 0.0, 0.5, 0.5, p], 3, &[0, 0], None), &message("class 2"));
        refused(Classification::binary(&[0.5, p], &[0, 0]), &message("class 1"));
        refused(MultiLabel::new(&[0.5, 0.5, p, 0.5], 2, &[true; 4]), &message("label 0"));
    }
    refused(Classification::binary(&[0.5, 0.5], &[0, 2]), "row 1 (from 0): the true class is 2: expected 0 to 1");
    for (value, text) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf"), (1.1e140, &format!("{}", 1.1e140))] {
        let message =
            |what| format!("row 1 (from 0): the {what} of output 1 is {text}: expected a number in [-1e140, 1e140]");
        let (bad, good) = ([0.0, 0.0, 0.0, value], [0.0; 4]);
        refused(Regression::new(&bad, &good, 2), &message("prediction"));
        refused(Regression::new(&good, &bad, 2), &message("true value"));
    }
    assert!(Regression::new(&[1e140, -1e140], &[-1e140, 1e140], 1).unwrap().score.r2.is_some_and(f64::is_finite));
}
