//! Rows as the network sees them, and what each of them counts for, against numbers worked out by hand.

use std::sync::Arc;

use wgpu_mlp::data::{Dataset, Encoder, Scaling, balanced_class_weights, row_weights};

use crate::data::encoder::table;

#[test]
fn weights_come_from_a_column() {
    let columns: &[(&str, &[&str])] = &[("a", &["1", "3"]), ("w", &["0.5", "0"]), ("y", &["no", "yes"])];
    let mut train = table(columns);
    let whole = train.clone();
    assert_eq!(train.take_weights("w").unwrap(), [0.5, 0.0]);
    assert_eq!(train.names(), ["a", "y"]);
    let encoder = Encoder::fit(&train, "y", &[0, 1], None, Scaling::NONE).unwrap();
    assert_eq!(encoder.weight_column(), None);
    assert_eq!(encoder.extra_columns(whole.source(), &whole.names(), true).unwrap(), ["w"]);
    let encoder = encoder.with_weight_column("w").unwrap();
    assert_eq!((encoder.weight_column(), encoder.inputs()), (Some("w"), 1));
    // Tables may have the column or not, whatever it holds, and a model file keeps its name.
    let loaded: Encoder = serde_json::from_str(&serde_json::to_string(&encoder).unwrap()).unwrap();
    assert_eq!((&loaded, loaded.validate()), (&encoder, Ok(())));
    let odd = table(&[("a", &["1", "3"]), ("w", &["?", "-1"]), ("y", &["no", "yes"])]);
    for table in [&train, &whole, &odd] {
        assert_eq!(loaded.encode(table).unwrap().features(), [1.0, 3.0]);
    }
    let more = table(&[("a", &["1"]), ("w", &["1"]), ("z", &["1"])]);
    assert_eq!(loaded.encode_features(&more).unwrap().0, [1.0]);
    assert_eq!(loaded.extra_columns(more.source(), &more.names(), false).unwrap(), ["z"]);
    for name in ["a", "y"] {
        let message = encoder.clone().with_weight_column(name).unwrap_err().to_string();
        assert!(message.contains(&format!("`{name}`: expected a column that is neither")), "{message}");
    }
}

#[test]
fn weights_that_are_none() {
    let message = |cells: &[&str], name| {
        table(&[("w", cells), ("y", &["no", "yes"])]).take_weights(name).unwrap_err().to_string()
    };
    assert_eq!(message(&["1", "-2"], "w"), "t: line 3, column `w`: -2 is not a weight: expected 0 or more");
    assert!(message(&["1", "1e39"], "w").contains("line 3, column `w`: `1e39, a sample weight as f32,` is not finite"));
    assert!(message(&["1", "x"], "w").contains("line 3, column `w`: `x` is not a number"));
    assert!(message(&["1", "2"], "v").contains("no column `v`"));
    let mut alone = table(&[("w", &["1", "2"])]);
    let found = alone.take_weights("w").unwrap_err().to_string();
    assert_eq!(found, "the table without its column `w` has 0 values: expected columns");
    assert_eq!(alone.rows(), 2);
}

/// scikit-learn's `compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 0, 0, 1, 3, 3])`, and a class without rows.
#[test]
fn balanced_weights_are_scikit_learns() {
    let targets = [0.0, 0.0, 0.0, 1.0, 3.0, 3.0];
    let weights = balanced_class_weights(&targets, 5);
    assert_eq!(weights, [6.0 / 9.0, 2.0, 1.0, 1.0, 1.0]);
    assert_eq!(row_weights(&targets, &weights, None), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0, 1.0, 1.0]);
    let own = [3.0, 0.0, 1.5, 0.5, 2.0, 1.0];
    assert_eq!(row_weights(&targets, &weights, Some(&own)), [2.0, 0.0, 1.0, 1.0, 2.0, 1.0]);
}

#[test]
fn dataset_checks_shapes_and_values() {
    let message = |features: &[f32], targets: &[f32], inputs, outputs| {
        Dataset::new(features.into(), targets.into(), inputs, outputs).unwrap_err().to_string()
    };
    assert_eq!(message(&[1.0], &[1.0], 0, 1), "a row of features has 0 values: expected at least 1");
    assert_eq!(message(&[1.0], &[1.0], 1, 0), "a row of targets has 0 values: expected at least 1");
    assert_eq!(
        message(&[1.0; 5], &[1.0], 2, 1),
        "the feature matrix has 5 values: expected a multiple of its 2 columns"
    );
    assert_eq!(message(&[1.0; 4], &[1.0], 2, 1), "the target matrix has 1 values: expected 2 rows of 1");
    let nan = [1.0, 1.0, 1.0, f32::NAN];
    assert_eq!(
        message(&nan, &[1.0; 2], 2, 1),
        "a feature is NaN in row 1, column 1 (from 0): expected a finite number"
    );
    assert!(message(&[1.0], &[f32::INFINITY], 1, 1).starts_with("a target is inf in row 0"));
}

#[test]
fn dataset_selects_rows_in_order() {
    let data = Dataset::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![7.0, 8.0, 9.0], 2, 1).unwrap();
    assert_eq!((data.rows(), data.inputs(), data.target_columns()), (3, 2, 1));
    let some = data.select(&[2, 0, 2]);
    assert_eq!(some.features(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    assert_eq!(some.targets(), [9.0, 7.0, 9.0]);
    assert_eq!(data.select(&[]).rows(), 0);
}

#[test]
fn lent_features_stay_where_they_are() {
    let features: Arc<Vec<f32>> = Arc::new(vec![1.0, 2.0, 3.0, 4.0]);
    let lent = Dataset::lent(features.clone(), vec![5.0, 6.0], 2, 1).unwrap();
    assert_eq!(lent.features().as_ptr(), features.as_ptr());
    assert_eq!(lent.clone().with_weights(&[1.0, 3.0]).unwrap().features().as_ptr(), features.as_ptr());
    let own = Dataset::new(features.to_vec(), vec![5.0, 6.0], 2, 1).unwrap();
    assert_eq!((&lent, lent.checksum(), lent.select(&[1])), (&own, own.checksum(), own.select(&[1])));
    let refused = Dataset::lent(Arc::new(vec![f32::NAN]), vec![1.0], 1, 1).unwrap_err().to_string();
    assert_eq!(refused, "a feature is NaN in row 0, column 0 (from 0): expected a finite number");
}
