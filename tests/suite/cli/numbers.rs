//! `--numbers`: bins of numbers through all commands.

use std::fs;

use wgpu_mlp::Model;

use crate::cli::{Place, assert_no_work};

const TRAIN: &str = "train numbers.csv --target y --device cpu --epochs 4 --batch 8 --hidden 6";

#[test]
fn numbers_with_bins_are_learned_and_predicted() {
    let place = Place::new();
    let trained = place.json(&format!("{TRAIN} --numbers ple:bins=4 --out run"));
    assert!(trained["test"]["loss"].as_f64().unwrap().is_finite(), "{trained}");
    let model = Model::load(place.path().join("run")).unwrap();
    assert_eq!((model.spec.inputs(), model.encoder.as_ref().unwrap().inputs()), (10, 10));
    let text = place.stdout("inspect run");
    assert_eq!(text.lines().filter(|line| line.ends_with("4 bins")).count(), 2, "{text}");
    let kept = &place.json("inspect run")["encoder"]["features"][0]["edges"];
    assert_eq!(kept.as_array().unwrap().len(), 5, "{kept}");
    // By name and in any order, with cells far away and missing ones.
    let predictions = place.stdout("predict run numbers.csv --device cpu");
    assert_eq!(place.stdout("predict run shuffled.csv --device cpu"), predictions);
    place.file("far.csv", "a,b\n1e9,-1e9\n,3\n");
    assert_eq!(place.stdout("predict run far.csv --device cpu").lines().count(), 3);
    assert!(place.json("eval run numbers.csv --device cpu")["loss"].as_f64().unwrap().is_finite());
    // The report has a bar for each column.
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path().join("run/report.json")).unwrap()).unwrap();
    let columns: Vec<_> = report["importance"].as_array().unwrap().iter().map(|bar| bar["column"].as_str()).collect();
    assert!(columns.len() == 2 && columns.contains(&Some("a")) && columns.contains(&Some("b")), "{columns:?}");
    // The file of the run repeats it.
    let config = fs::read_to_string(place.path().join("run/config.toml")).unwrap();
    assert!(config.contains("\nnumbers = \"ple:bins=4\"\n"), "{config}");
    place.stdout("train --config run/config.toml --out again --quiet");
    assert!(Model::load(place.path().join("again")).unwrap() == model);
    // A model to start from brings its bins.
    place.stdout("train numbers.csv --device cpu --epochs 1 --init-from run --out further --quiet");
    assert_eq!(Model::load(place.path().join("further")).unwrap().encoder, model.encoder);
    // Without the flag nothing is otherwise.
    for (flags, out) in [("", "without"), ("--numbers scaled", "scaled")] {
        place.stdout(&format!("{TRAIN} --quiet --out {out} {flags}"));
    }
    let read = |name: &str| fs::read(place.path().join(name).join("model.safetensors")).unwrap();
    assert!(read("without") == read("scaled") && Model::load(place.path().join("scaled")).unwrap().spec.inputs() == 2);
    place.stdout(&format!("{TRAIN} --quiet --numbers ple --out run"));
    assert_eq!(Model::load(place.path().join("run")).unwrap().spec.inputs(), 34);
}

#[test]
fn bins_are_among_folds_sweeps_presets_and_exports() {
    let place = Place::new();
    place.json(&format!("{TRAIN} --numbers ple:bins=3 --folds 3 --out folds"));
    assert_eq!(Model::load(place.path().join("folds")).unwrap().encoder.unwrap().inputs(), 8);
    let swept = place.json("sweep numbers.csv --target y --device cpu --epochs 3 --hidden 4 --quiet --out s --refit --vary numbers=scaled,ple:bins=2,ple");
    let trials = swept["trials"].as_array().unwrap();
    assert!(trials.len() == 3 && trials.iter().all(|trial| trial["mean"].as_f64().is_some()), "{swept}");
    let preset = place.run(&format!("{TRAIN} --preset tabular --numbers ple:bins=5 --out preset"));
    assert!(preset.stderr.contains("scaling robust-all, numbers ple:bins=5, "), "{}", preset.stderr);
    let told = place.run("export folds --onnx net.onnx");
    assert!(told.code == Some(0) && told.stderr.contains("`features` [rows, 2]"), "{}", told.stderr);
    place.refuses("import net.onnx --out back", 2, &["net.onnx: ", "node "]);
    for (words, message) in [
        (format!("{TRAIN} --numbers bins"), &["--numbers", "`bins`", "ple:bins=N"][..]),
        (format!("{TRAIN} --numbers ple:bins=1"), &["--numbers", "`ple:bins=1`", "from 2 to 256"]),
        (format!("{TRAIN} --numbers ple:bins=x"), &["--numbers", "`ple:bins=x`"]),
        ("train numbers.csv --init-from folds --numbers ple".into(), &["--numbers", "--init-from"]),
    ] {
        assert_no_work(&place.refuses(&words, 2, message));
    }
}
