//! The command on classes: three and more of them, and what rows and classes count for.

use std::fs;

use serde_json::Value;
use wgpu_mlp::Model;

use crate::cli::{Output, Place};

/// Three bands of the plane, `low`, `mid` and `top` by a + b, in 90 rows; `rank` is their number from 1.
fn bands(place: &Place) {
    let mut text = "a,b,band\n".to_string();
    let mut ranks = "a,b,rank\n".to_string();
    for i in 0..90 {
        let (a, b) = (f64::from(i * 37 % 90) / 10.0, f64::from(i * 41 % 90) / 10.0);
        let rank = if a + b < 6.0 { 1 } else { 2 + i32::from(a + b > 12.0) };
        text += &format!("{a},{b},{}\n", ["low", "mid", "top"][rank as usize - 1]);
        ranks += &format!("{a},{b},{rank}\n");
    }
    place.file("bands.csv", &text);
    place.file("ranks.csv", &ranks);
}

/// Predictions as (label, probabilities).
fn rows(csv: &str) -> Vec<(String, Vec<f64>)> {
    let row = |line: &str| {
        let mut cells = line.split(',');
        let label = cells.next().unwrap().to_string();
        (label, cells.map(|cell| cell.parse().unwrap()).collect())
    };
    csv.lines().skip(1).map(row).collect()
}

#[test]
fn learns_three_classes_and_predicts() {
    let place = Place::new();
    bands(&place);
    let trained = place.json("train bands.csv --target band --device cpu --epochs 200 --lr 0.01 --seed 3 --out run");
    assert_eq!(trained["network"], "2→64 relu→32 relu→3, softmax_cross_entropy");
    assert!(trained["train"]["accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    assert_eq!((&trained["log10_loss"], &trained["train"]["r2"]), (&Value::Null, &Value::Null));
    let evaluated = place.json("eval run bands.csv --device cpu");
    let predictions = place.stdout("predict run bands.csv --device cpu");
    assert!(predictions.starts_with("prediction,p_low,p_mid,p_top\n"), "{predictions}");
    let labels = fs::read_to_string(place.path().join("bands.csv")).unwrap();
    let labels: Vec<&str> = labels.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1).collect();
    let rows = rows(&predictions);
    assert_eq!(rows.len(), 90);
    let (mut right, mut loss) = (0, 0.0);
    for ((label, p), expected) in rows.iter().zip(&labels) {
        assert!(p.len() == 3 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{p:?}");
        let names = ["low", "mid", "top"];
        let largest = (0..3).max_by(|&i, &j| p[i].total_cmp(&p[j])).unwrap();
        assert_eq!(label, names[largest], "{p:?}");
        right += usize::from(label == expected);
        loss -= p[names.iter().position(|name| name == expected).unwrap()].ln() / 90.0;
    }
    // The rows are in the table's order, and the probabilities those that the loss is made of.
    assert!((evaluated["accuracy"].as_f64().unwrap() - right as f64 / 90.0).abs() < 1e-12, "{evaluated}, {right}");
    assert!((evaluated["loss"].as_f64().unwrap() - loss).abs() < 1e-5, "{evaluated}, {loss}");

    let inspected = place.stdout("inspect run");
    for words in ["2→64 relu→32 relu→3", "target `band`: 3 classes, `low`, `mid`, `top`\n"] {
        assert!(inspected.contains(words), "{inspected}");
    }
    let inspected = place.json("inspect run");
    let classes = serde_json::json!({"task": "multiclass", "classes": ["low", "mid", "top"]});
    assert_eq!(inspected["encoder"]["target"]["kind"], classes);

    // A second run goes on from the model, and not for another target.
    let again = place.json("train bands.csv --device cpu --epochs 1 --lr 1e-9 --init-from run");
    let [before, after] = [&trained, &again].map(|run| run["train"]["loss"].as_f64().unwrap());
    assert!((before - after).abs() < 1e-4 * before, "{before} and {after}");
    let words = "train bands.csv --device cpu --task binary --init-from run";
    place.refuses(words, 2, &["--task", "binary", "multiclass"]);
    // Tensors alone do not say how many classes there are.
    let bytes = fs::read(place.path().join("run").join("model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let foreign = safetensors::serialize(tensors.tensors(), None).unwrap();
    fs::write(place.path().join("foreign.safetensors"), foreign).unwrap();
    place.json("train bands.csv --target band --device cpu --epochs 1 --init-from foreign.safetensors");
    let words = "train classes.csv --target answer --device cpu --init-from foreign.safetensors";
    place.refuses(words, 2, &["outputs of --init-from is 3", "expected 1, for target `answer`"]);
}

#[test]
fn whole_numbers_are_classes_if_asked_for() {
    let place = Place::new();
    bands(&place);
    let train = "train ranks.csv --target rank --device cpu --epochs 1";
    let Output { code, stderr, .. } = place.run(train);
    let note =
        "note: `rank` has 3 distinct whole numbers: taken as a regression; --task multiclass takes them as classes";
    assert!(code == Some(0) && stderr.contains(note), "{stderr}");
    for flags in ["--task regression", "--quiet"] {
        assert!(!place.run(&format!("{train} {flags}")).stderr.contains("whole numbers"), "{flags}");
    }
    let found = place.json(&format!("{train} --task multiclass --out run"));
    assert!(found["train"]["accuracy"].is_f64(), "{found}");
    assert!(!place.run(&format!("{train} --task multiclass")).stderr.contains("whole numbers"));
    let predictions = place.stdout("predict run ranks.csv --device cpu");
    assert!(predictions.starts_with("prediction,p_1,p_2,p_3\n"), "{predictions}");

    let mut ids = "a,id\n".to_string();
    (0..50).for_each(|i| ids += &format!("{i},person {i}\n"));
    place.file("ids.csv", &ids);
    let message = ["ids.csv", "target `id`", "50 distinct values in 50 rows", "identifier"];
    place.refuses("train ids.csv --target id --device cpu", 2, &message);
    let binary = ["classes.csv", "two classes", "--task binary"];
    place.refuses("train classes.csv --target answer --task multiclass --device cpu", 2, &binary);
    place.refuses("train bands.csv --target band --task binary --device cpu", 2, &["3 classes", "--task multiclass"]);
}

/// Of rows whose feature says nothing, a third says yes, with weights of 40 in all; the others have 20. What is learned is
/// the weighted share of yes.
fn share_of_yes(place: &Place, flags: &str) -> f64 {
    let row = |i: usize| if i.is_multiple_of(3) { (3 + i % 2 * 2, "yes") } else { (i % 2 * 2, "no") };
    let text: String = (0..30).map(row).map(|(w, answer)| format!("1,{w},{answer}\n-1,{w},{answer}\n")).collect();
    place.file("shares.csv", &format!("a,w,answer\n{text}"));
    let train =
        "train shares.csv --target answer --hidden none --test-fraction 0 --batch full --optimizer sgd --lr 0.5";
    place.json(&format!("{train} --no-standardize --device cpu --epochs 500 --out shares --weight-column w {flags}"));
    place.file("one.csv", "a\n1\n");
    rows(&place.stdout("predict shares one.csv --device cpu"))[0].1[1]
}

#[test]
fn classes_and_rows_are_weighted() {
    let place = Place::new();
    let near = |flags: &str, expected: f64| {
        let found = share_of_yes(&place, flags);
        assert!((found - expected).abs() < 2e-3, "{flags}: {found}, expected {expected}");
    };
    near("", 2.0 / 3.0);
    near("--class-weight balanced", 0.8);
    near("--class-weight yes=0.5", 0.5);
    near("--class-weight no=2,yes=0.5", 1.0 / 3.0);
    let model = Model::load(place.path().join("shares")).unwrap();
    assert_eq!(model.encoder.unwrap().weight_column(), Some("w"));
    assert!(place.stdout("inspect shares").contains("sample weights: `w`"));
}

#[test]
fn a_column_of_weights_is_no_feature() {
    let place = Place::new();
    // The label is the parity of i, and so is the weight: rows that say yes count nothing.
    let text: String = (0..40).map(|i| format!("{i},{},{}\n", i % 2, ["yes", "no"][i % 2])).collect();
    place.file("w.csv", &format!("a,w,answer\n{text}"));
    let train = "train w.csv --target answer --weight-column w --device cpu";
    place.json(&format!("{train} --epochs 300 --lr 0.01 --out run"));
    place.file("without.csv", "a,answer\n1,yes\n2,no\n");
    place.file("text.csv", "a,w,answer\n1,,yes\n2,many,no\n");
    let predictions = place.stdout("predict run without.csv --device cpu");
    assert!(rows(&predictions).iter().all(|(label, p)| label == "no" && p[0] > 0.9), "{predictions}");
    // Tables may have the column or not, whatever it holds.
    assert_eq!(place.stdout("predict run text.csv --device cpu"), predictions);
    let evaluated = place.json("eval run without.csv --device cpu");
    let other = place.json("eval run text.csv --device cpu");
    assert_eq!((&evaluated["loss"], &evaluated["accuracy"]), (&other["loss"], &0.5.into()));
    // From the model: the column is known, and it is needed.
    place.json("train w.csv --device cpu --epochs 1 --init-from run");
    let words = "train without.csv --device cpu --epochs 1 --init-from run";
    place.refuses(words, 2, &["without.csv", "no column `w`"]);

    place.file("negative.csv", "a,w,answer\n1,1,yes\n2,-1,no\n3,1,no\n");
    place.file("zero.csv", "a,w,answer\n1,0,yes\n2,0,no\n3,0,no\n4,0,yes\n");
    let refused: &[(&str, &[&str])] = &[
        ("w.csv --weight-column v", &["w.csv", "no column `v`", "`a`, `w`, `answer`"]),
        ("w.csv --weight-column answer", &["--weight-column", "`answer`", "another column than the target"]),
        ("negative.csv --weight-column w", &["negative.csv", "line 3", "column `w`", "-1", "0 or more"]),
        ("zero.csv --weight-column w", &["0 for all training rows", "more than 0 for some"]),
        ("text.csv --weight-column w", &["text.csv", "line 3", "column `w`", "`many`"]),
        ("w.csv --class-weight perhaps=2", &["--class-weight", "`perhaps`", "labels from `no`, `yes`"]),
        ("w.csv --class-weight yes=2,yes=3", &["--class-weight", "`yes`, twice"]),
        ("w.csv --class-weight yes=-2", &["--class-weight", "`yes=-2`", "at least 0"]),
        ("w.csv --class-weight yes", &["--class-weight", "`yes`", "balanced"]),
        ("w.csv --class-weight yes=0,no=0", &["0 for all training rows", "more than 0 for some"]),
    ];
    for (words, message) in refused {
        place.refuses(&format!("train {words} --target answer --device cpu"), 2, message);
    }
    let words = "train numbers.csv --target y --class-weight balanced --device cpu";
    place.refuses(words, 2, &["--class-weight", "`y` is a number"]);
    place.refuses(
        "train w.csv --weight-column a --device cpu --init-from run",
        2,
        &["column of sample weights", "`a`"],
    );
}
