//! What is decided for a table where nothing is said: rows for validation, epochs, patience.

use std::fs;

use serde_json::Value;
use wgpu_mlp::Model;
use wgpu_mlp::data::NumpyRandom;
use wgpu_mlp::train::{Batch, Budget, Schedule};

use crate::cli::Place;

/// Rows of a sum, a fifth of whose answers are wrong: learnt by heart, they make others worse.
fn table(place: &Place, name: &str, rows: usize) {
    let mut random = NumpyRandom::new(rows as u32);
    let mut row = || {
        let [a, b, c, luck] = [(); 4].map(|()| random.random_sample());
        let answer = (a + b > 1.0) != (luck < 0.2);
        format!("{a:.3},{b:.3},{c:.3},{}\n", if answer { "yes" } else { "no" })
    };
    place.file(name, &format!("a,b,c,answer\n{}", (0..rows).map(|_| row()).collect::<String>()));
}

fn rows(found: &Value, part: &str) -> Option<u64> {
    found[part]["rows"].as_u64()
}

/// A number of a configuration, whole or not.
fn number(config: &toml::Table, key: &str) -> f64 {
    config[key].as_float().unwrap_or_else(|| config[key].as_integer().unwrap() as f64)
}

fn config(place: &Place, run: &str) -> toml::Table {
    fs::read_to_string(place.path().join(run).join("config.toml")).unwrap().parse().unwrap()
}

fn model(place: &Place, run: &str) -> Model {
    Model::load(place.path().join(run)).unwrap()
}

/// What a run said of its epochs.
fn told(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("epochs: ")).collect()
}

/// Rows, and the part of them that is for validation.
const FRACTIONS: [(usize, f64); 5] = [(0, 0.0), (1, 0.0), (190, 0.0), (191, 0.1), (1_000_000, 0.1)];
/// Rows, batch; epochs and patience with validation rows; epochs without.
const BUDGETS: [(usize, Batch, u64, u64, u64); 6] = [
    (1, Batch::Rows(32), 1000, 100, 500),
    (100, Batch::Rows(32), 1000, 100, 375),
    (1000, Batch::Rows(32), 1000, 50, 47),
    (10_000, Batch::Rows(32), 320, 20, 20),
    (1_000_000, Batch::Rows(32), 50, 20, 20),
    (1000, Batch::Full, 1000, 100, 500),
];

#[test]
fn the_budget_goes_by_the_rows() {
    for (rows, expected) in FRACTIONS {
        assert_eq!(Budget::validation_fraction(rows), expected, "{rows} rows");
    }
    let budget = |rows, batch, watched| {
        let Budget { epochs, patience, .. } = Budget::new(rows, batch, Schedule::Constant, watched);
        (epochs, patience)
    };
    for (rows, batch, epochs, patience, unwatched) in BUDGETS {
        assert_eq!(budget(rows, batch, true), (epochs, Some(patience)), "{rows} rows, batch {batch}, watched");
        assert_eq!(budget(rows, batch, false), (unwatched, None), "{rows} rows, batch {batch}");
    }
    // A rate that comes down to the end gets there.
    for schedule in ["cosine", "one-cycle"] {
        let Budget { epochs, patience, .. } = Budget::new(1000, Batch::Rows(32), schedule.parse().unwrap(), true);
        assert_eq!(patience, Some(epochs), "{schedule}");
        assert!(epochs < budget(1000, Batch::Rows(32), true).0, "{schedule}: {epochs}");
    }
}

#[test]
fn a_file_gets_a_validation_part_and_its_best_epoch() {
    let place = Place::new();
    table(&place, "t.csv", 500);
    let train = "train t.csv --target answer --device cpu --no-baseline";
    let run = place.run(&format!("{train} --out run --json"));
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (rows(&found, "train"), rows(&found, "validation"), rows(&found, "test")),
        (Some(360), Some(40), Some(100))
    );
    let lines = told(&run.stderr);
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    let kept = config(&place, "run");
    let number = |key: &str| number(&kept, key);
    for words in [
        "at most on 360 rows".to_string(),
        format!("until {} in a row have not improved the loss of 40 validation rows", number("patience")),
        "the best is kept".into(),
        "--epochs N".into(),
    ] {
        assert!(lines[0].contains(&words), "expected `{words}`: {}", lines[0]);
    }
    assert!(found["epochs"].as_f64().unwrap() < number("epochs"), "it did not stop: {found}");
    let journal = fs::read_to_string(place.path().join("run/metrics.jsonl")).unwrap();
    let losses = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let losses: Vec<f64> = losses.map(|line| line["validation"]["loss"].as_f64().unwrap()).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((found["validation"]["loss"].as_f64().unwrap() - least).abs() < 1e-6, "not the best epoch");
    assert!(losses.last().unwrap() - least > 1e-3, "the last epoch is as good: {losses:?}");
    // What a run keeps has numbers in it, and they make the same run.
    assert_eq!(number("validation-fraction"), 0.1, "{kept}");
    let again = place.run("train --config run/config.toml --out again");
    assert!(told(&again.stderr).is_empty(), "nothing was decided: {}", again.stderr);
    assert!(model(&place, "again") == model(&place, "run"));
    // `auto` says what is so anyway, and a dump that reads no data says `auto`.
    assert_eq!(
        place.stdout(&format!("{train} --epochs auto --dump-config")),
        place.stdout(&format!("{train} --dump-config"))
    );
    assert!(place.stdout(&format!("{train} --dump-config")).contains("\nepochs = \"auto\"\n"));
    place.json(&format!("{train} --epochs auto --validation-fraction auto --out auto"));
    assert!(model(&place, "auto") == model(&place, "run"));
    assert_eq!(config(&place, "auto")["epochs"], kept["epochs"]);
}

/// `--epochs N` alone, or no validation: no row is held out but for testing, and the last parameters stay.
#[test]
fn a_said_number_of_epochs_is_that_number() {
    let place = Place::new();
    table(&place, "t.csv", 500);
    let train = "train t.csv --target answer --device cpu --no-baseline";
    let run = |flags: &str| {
        let run = place.run(&format!("{train} {flags} --json"));
        let found: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{flags}: {}", run.stderr));
        (found, told(&run.stderr).join("\n"))
    };
    let (found, line) = run("--epochs 40 --out run");
    assert_eq!((&found["epochs"], rows(&found, "train"), rows(&found, "validation")), (&40.into(), Some(400), None));
    assert_eq!(line, "");
    assert_eq!(number(&config(&place, "run"), "validation-fraction"), 0.0);
    let (same, _) = run("--epochs 40 --validation-fraction 0");
    assert_eq!(same["train"], found["train"]);
    let (found, line) = run("--validation-fraction 0");
    let all = Budget::new(400, Batch::Rows(32), Schedule::Constant, false).epochs;
    assert_eq!((found["epochs"].as_u64(), rows(&found, "validation")), (Some(all), None), "{found}");
    assert!(line.contains(&format!("epochs: {all} on 400 rows")), "{line}");
    // Rows for validation that decide nothing.
    let (found, line) = run("--epochs 30 --validation-fraction 0.2");
    assert_eq!((&found["epochs"], rows(&found, "validation")), (&30.into(), Some(80)));
    assert_eq!(line, "");
    let (found, _) = run("--epochs 200 --patience 3 --lr 0.05");
    assert_eq!(rows(&found, "validation"), Some(40), "a tenth, as ever: {found}");
    assert!(found["epochs"].as_u64().unwrap() < 200, "{found}");
    let (found, line) = run("--patience 3 --lr 0.05");
    assert_eq!(rows(&found, "validation"), Some(40), "{found}");
    assert!(line.contains("until 3 in a row"), "{line}");
    // The article's run is as it was.
    let moons = place.stdout("train moons --dump-config").parse::<toml::Table>().unwrap();
    assert_eq!(moons["epochs"].as_integer(), Some(10_000));
    assert_eq!((number(&moons, "validation-fraction"), moons.contains_key("patience")), (0.0, false));
}

#[test]
fn a_small_table_is_trained_on_whole() {
    let place = Place::new();
    table(&place, "t.csv", 110);
    let run = place.run("train t.csv --target answer --device cpu --no-baseline --json");
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((rows(&found, "train"), rows(&found, "validation")), (Some(88), None), "{found}");
    assert!(found["steps"].as_u64().unwrap() > 250, "{found}");
    let lines = told(&run.stderr);
    assert!(lines.len() == 1 && lines[0].contains("fewer than 20 rows"), "{}", run.stderr);
}

/// A configuration as it was written when all files got 50 epochs, and what there is besides by now.
const OLD: &str = "preset = \"plain\"\ndata = \"t.csv\"\ntarget = \"answer\"\ntask = \"auto\"\nclass-weight = \"none\"\nhidden = [64, 32]\n\
    activation = \"relu\"\nlabel-smoothing = 0.0\noptimizer = \"adam\"\nlr = 0.001\nbeta1 = 0.9\nbeta2 = 0.999\n\
    epsilon = 1e-8\nweight-decay = 0.0\nl2 = 0.0\nl1 = 0.0\nschedule = \"constant\"\ndropout = \"none\"\nmin-delta = 0.0\n\
    monitor = \"loss\"\nbatch = 32\nepochs = 50\nseed = 0\ninit = \"he\"\nno-standardize = false\ntest-fraction = 0.2\n\
    validation-fraction = 0.0\nsplit-seed = 0\ndevice = \"cpu\"\nplan = \"auto\"\n";

#[test]
fn an_old_configuration_runs_as_it_did() {
    let place = Place::new();
    table(&place, "t.csv", 500);
    place.file("old.toml", OLD);
    let found = place.json("train --config old.toml --out old");
    assert_eq!((&found["epochs"], rows(&found, "train"), rows(&found, "validation")), (&50.into(), Some(400), None));
    place.json("train t.csv --target answer --device cpu --epochs 50 --out new");
    assert!(model(&place, "old") == model(&place, "new"));
    place.file(
        "old.toml",
        &OLD.replace("min-delta", "patience = 4\nmin-delta").replace("fraction = 0.0", "fraction = 0.1"),
    );
    let found = place.json("train --config old.toml --lr 0.05");
    assert_eq!(rows(&found, "validation"), Some(40), "{found}");
    assert!(found["epochs"].as_u64().unwrap() < 50, "{found}");
}

/// A run whose length was decided goes on from a checkpoint to the same end.
#[test]
fn a_decided_run_is_resumed() {
    let place = Place::new();
    table(&place, "t.csv", 500);
    let train = "train t.csv --target answer --device cpu --no-baseline --lr 0.02";
    place.json(&format!("{train} --out whole"));
    let whole = place.json(&format!("{train} --checkpoint-every 4 --keep 1000 --out run"));
    fs::copy(place.path().join("run/checkpoints/epoch-000004.safetensors"), place.path().join("four.safetensors"))
        .unwrap();
    let resumed = place.json("train --resume four.safetensors --out resumed");
    assert_eq!(resumed["epochs"].as_u64().unwrap() + 4, whole["epochs"].as_u64().unwrap());
    assert_eq!(resumed["test"], whole["test"]);
    assert!(model(&place, "resumed").parameters == model(&place, "whole").parameters);
}

#[test]
fn everything_else_goes_with_it() {
    let place = Place::new();
    table(&place, "t.csv", 500);
    let train = "train t.csv --target answer --device cpu --no-baseline";
    place.json(&format!("{train} --out start"));
    for flags in [
        "--init-from start",
        "--weight-column c",
        "--class-weight balanced",
        "--label-smoothing 0.1",
        "--schedule cosine",
        "--schedule plateau:patience=2",
        "--batch full",
        "--batch 7",
        "--monitor accuracy --min-delta 0.01",
        "--split last",
    ] {
        let found = place.json(&format!("{train} {flags} --out run"));
        assert_eq!(rows(&found, "validation"), Some(40), "{flags}: {found}");
        let kept = config(&place, "run");
        let most = kept["epochs"].as_integer().unwrap() as u64;
        let all = found["epochs"].as_u64() == Some(most);
        assert_eq!(all, flags.contains("cosine"), "{flags}: {} of {most} epochs", found["epochs"]);
        assert!(found["test"]["accuracy"].as_f64().unwrap() > 0.6, "{flags}: {found}");
        fs::remove_dir_all(place.path().join("run")).unwrap();
    }
    let numbers: String = (0..300).map(|i| format!("{},{},{}\n", i * 37 % 60, i * 23 % 59, i % 17)).collect();
    place.file("n.csv", &format!("a,b,y\n{numbers}"));
    for loss in ["mean_squared_error", "huber", "poisson"] {
        let found = place.json(&format!("train n.csv --target y --loss {loss} --device cpu --no-baseline"));
        assert_eq!((rows(&found, "train"), rows(&found, "validation")), (Some(216), Some(24)), "{loss}: {found}");
    }
    let run = place.run("train t.csv --target answer --device cpu --lr-find");
    assert!(run.code == Some(0) && told(&run.stderr).is_empty(), "{}", run.stderr);
    // With groups of which one is left to learn from.
    let text: String = (0..200).map(|i| format!("{},{},{}\n", i % 13, i / 100, i % 7)).collect();
    place.file("g.csv", &format!("a,g,y\n{text}"));
    let found = place.json("train g.csv --target y --task regression --group g --device cpu --no-baseline");
    assert_eq!((rows(&found, "train"), rows(&found, "validation"), rows(&found, "test")), (Some(100), None, Some(100)));
}
