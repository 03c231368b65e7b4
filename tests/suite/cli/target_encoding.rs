//! `--target-encoding`: columns of many rare categories are encoded by the target's mean in each, too.

use std::fs;

use serde_json::Value;
use wgpu_mlp::{Device, Model, Table, open};

use crate::cli::Place;

const TRAIN: &str = "train shops.csv --target y --hidden 8 --lr 0.07 --epochs 100 --folds 4 --device cpu --no-baseline";

/// 250 shops with four rows each, in three of four of which y is above the others' of its shop; the shop decides on most of it.
fn shops(place: &Place) {
    let of = |row: usize| (row % 250 * 31 % 250) as f64 + 9.0 * f64::from(u8::from(!(row * 13).is_multiple_of(4)));
    let rows: String = (0..1000).map(|row| format!("shop {},{},{}\n", row % 250, row % 7, of(row))).collect();
    place.file("shops.csv", &format!("shop,a,y\n{rows}"));
    let classes: String = (0..1000)
        .map(|row| format!("shop {},{},{}\n", row % 250, row % 7, ["no", "yes"][usize::from(of(row) > 125.0)]))
        .collect();
    place.file("classes250.csv", &format!("shop,a,y\n{classes}"));
}

fn summary(place: &Place, words: &str) -> (Value, String) {
    let found = place.run(&format!("{words} --json"));
    assert_eq!(found.code, Some(0), "{words}: {}", found.stderr);
    (serde_json::from_str(&found.stdout).unwrap(), found.stderr)
}

/// Under the preset the shops' means are there and say what no row's number says; out-of-fold scores are honest, which is to say not better than
/// those of rows for testing; a flag leaves them out.
#[test]
fn many_categories_are_learned_from() {
    let place = Place::new();
    shops(&place);
    let rmse = |found: &Value, part: &str| found[part]["rmse"].as_f64().unwrap();
    let (with, told) = summary(&place, &format!("{TRAIN} --preset tabular --out run"));
    assert!(told.contains("the target's mean in each category: `shop` ("), "{told}");
    let (without, told) = summary(&place, &format!("{TRAIN} --preset tabular --target-encoding=false --out without"));
    assert!(!told.contains("the target's mean"), "{told}");
    let [better, worse] = [&with, &without].map(|found| rmse(found, "test"));
    assert!(better < 0.5 * worse, "{better} {worse}");
    let held_out = rmse(&with, "validation");
    assert!(held_out > 0.5 * better && held_out < 2.0 * better, "{held_out} {better}");
    let key = |run: &str| {
        let config: toml::Table =
            fs::read_to_string(place.path().join(run).join("config.toml")).unwrap().parse().unwrap();
        config["target-encoding"].as_bool()
    };
    assert_eq!([key("run"), key("without")], [Some(true), Some(false)]);
    let text = place.stdout("inspect run");
    assert!(text.contains("the target's mean in "), "{text}");
    // The plain network has them on request.
    let (plain, _) = summary(&place, &format!("{TRAIN} --preset plain --target-encoding"));
    assert!(rmse(&plain, "test") < 0.7 * worse);
    // The part that is of the second of two classes.
    let (classes, told) = summary(&place, &format!("{TRAIN} --preset tabular").replace("shops", "classes250"));
    assert!(told.contains("`shop` (") && classes["test"]["accuracy"].as_f64().unwrap() > 0.85, "{classes}");
}

/// A run from its configuration and one that goes on end with the same bytes; predictions of the command and of the library are the same, for
/// shops that are new, too.
#[test]
fn runs_are_the_same_again() {
    let place = Place::new();
    shops(&place);
    // The preset's rate falls to the end of a run, whose best epoch it keeps: a shorter one is no part of a longer one.
    let words = format!("{TRAIN} --preset plain --target-encoding --checkpoint-every 10 --quiet");
    place.stdout(&format!("{words} --out run"));
    place.stdout("train --config run/config.toml --quiet --out again");
    place.stdout(&format!("{} --out part", words.replace("--epochs 100", "--epochs 20")));
    place.stdout("train --resume part --epochs 100 --quiet");
    let [run, again, part] = ["run", "again", "part"].map(|run| Model::load(place.path().join(run)).unwrap());
    for (name, other) in [("again", again), ("part", part)] {
        assert!(other.parameters == run.parameters && other.encoder == run.encoder, "{name}");
    }
    place.file("new.csv", "shop,a\nshop 3,1\nshop 999,2\n,3\n");
    let device: Device = open("cpu").unwrap().device;
    let table = Table::read(place.path().join("new.csv")).unwrap();
    let of_library: Vec<f64> =
        run.predict(&table, &device).unwrap().0.iter().map(|row| row.number().unwrap()).collect();
    let written = place.stdout("predict run new.csv --device cpu");
    let of_command: Vec<f64> = written.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert_eq!(of_library, of_command);
    let told = place.run("export run --onnx net.onnx");
    assert!(told.code == Some(0) && told.stderr.contains("the target's mean in the row's category"), "{}", told.stderr);
}

/// Of three classes the shops have the part of each; `inspect` and the exported file name them.
#[test]
fn shops_of_three_classes_have_the_parts_of_each() {
    let place = Place::new();
    let class = |row: usize| match (row * 13).is_multiple_of(4) {
        true => "low",
        false => ["high", "low", "middle"][row % 250 * 31 % 250 / 84],
    };
    let rows: String = (0..1000).map(|row| format!("shop {},{},{}\n", row % 250, row % 7, class(row))).collect();
    place.file("three.csv", &format!("shop,a,y\n{rows}"));
    let words = format!("{TRAIN} --preset tabular").replace("shops", "three");
    let (with, told) = summary(&place, &format!("{words} --out run"));
    assert!(told.contains("the target's mean in each category: `shop` ("), "{told}");
    let (without, _) = summary(&place, &format!("{words} --target-encoding=false"));
    let [better, worse] = [&with, &without].map(|found| found["test"]["loss"].as_f64().unwrap());
    assert!(better < 0.8 * worse, "{better} {worse}");
    assert!(place.stdout("inspect run").contains("the target's mean in "));
    let told = place.run("export run --onnx net.onnx");
    assert!(told.code == Some(0) && told.stderr.contains("the target's mean in the row's category"), "{}", told.stderr);
    let bytes = fs::read(place.path().join("net.onnx")).unwrap();
    let name = b"shop=(mean of middle)";
    assert!(bytes.windows(name.len()).any(|window| window == name));
}
