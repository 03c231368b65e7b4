//! `--clip-outputs`: predicted numbers stay within the targets of the training rows.

use std::fs;

use wgpu_mlp::{Device, Model, Table, open};

use crate::cli::Place;

/// A linear model of y = 2 a, which is from 0 to 38 in training and beyond it in the other tables.
const LINEAR: &str = "train lines.csv --target y --hidden none --scaling standard --numbers scaled --lr 0.05 --epochs 100 \
                      --validation later.csv --test test.csv --device cpu --no-baseline";
const FAR: [f64; 4] = [-100.0, 5.0, 30.0, 100.0];

fn lines(place: &Place) {
    let table = |cells: &[f64]| cells.iter().map(|a| format!("{a},{}\n", 2.0 * a)).collect::<String>();
    let training: Vec<f64> = (0..20).map(f64::from).collect();
    // Of twenty rows half lie far beyond.
    let later: Vec<f64> = training.iter().map(|a| if a % 2.0 == 0.0 { *a } else { 1000.0 + a }).collect();
    for (name, cells) in [("lines.csv", &training[..]), ("later.csv", &later), ("test.csv", &FAR)] {
        place.file(name, &format!("a,y\n{}", table(cells)));
    }
}

fn config(place: &Place, run: &str) -> toml::Table {
    fs::read_to_string(place.path().join(run).join("config.toml")).unwrap().parse().unwrap()
}

/// What the model says of the rows for testing: by the library, and by `mlp predict`, which says the same.
fn numbers(place: &Place, run: &str) -> Vec<f64> {
    let device: Device = open("cpu").unwrap().device;
    let model = Model::load(place.path().join(run)).unwrap();
    let table = Table::read(place.path().join("test.csv")).unwrap();
    let found: Vec<f64> =
        model.predict(&table, &device).unwrap().0.iter().map(|prediction| prediction.number().unwrap()).collect();
    let written = place.stdout(&format!("predict {run} test.csv --device cpu"));
    assert_eq!(written.lines().skip(1).map(|line| line.parse::<f64>().unwrap()).collect::<Vec<_>>(), found);
    found
}

fn rmse(found: &[f64]) -> f64 {
    let squares: f64 = found.iter().zip(FAR).map(|(found, a)| (found - 2.0 * a).powi(2)).sum();
    (squares / found.len() as f64).sqrt()
}

/// The preset clips, a flag says otherwise, everything that is said of a run is of the clipped numbers, and a run from its file is the same.
#[test]
fn numbers_stay_within_the_training_rows() {
    let place = Place::new();
    lines(&place);
    for (said, clips) in [
        ("--preset tabular", true),
        ("--preset tabular --clip-outputs=false", false),
        ("--preset plain", false),
        ("--preset plain --clip-outputs", true),
        ("--preset tabular --ensemble 2", true),
    ] {
        let run = place.run(&format!("{LINEAR} {said} --out run --json"));
        assert_eq!(run.code, Some(0), "{said}: {}", run.stderr);
        let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let told = run.stderr.contains("predictions within the training rows' targets");
        assert_eq!(told, clips && said.contains("tabular"), "{said}: {}", run.stderr);
        let numbers = numbers(&place, "run");
        assert!((numbers[1] - 10.0).abs() < 5.0, "{said}: {numbers:?}");
        let is_within = numbers.iter().all(|number| (0.0..=38.0).contains(number));
        assert_eq!(is_within, clips, "{said}: {numbers:?}");
        assert!(!clips || [numbers[0], numbers[2], numbers[3]] == [0.0, 38.0, 38.0], "{said}: {numbers:?}");
        // Metrics, the table of the test rows and a later evaluation have the same numbers.
        let near = |value: f64| (value - rmse(&numbers)).abs() <= 1e-4 * (1.0 + rmse(&numbers));
        let later = place.json("eval run test.csv --device cpu");
        for metrics in [&found["test"], &later] {
            assert!(near(metrics["rmse"].as_f64().unwrap()), "{said}: {metrics}, {numbers:?}");
        }
        let rows = fs::read_to_string(place.path().join("run/predictions.csv")).unwrap();
        assert_eq!(rows.contains(",38.0,") && rows.contains(",0.0,"), clips, "{said}: {rows}");
        // Rows for validation that lie beyond keep their truth: half the width is what separates it from the clipped number.
        let model = Model::load(place.path().join("run")).unwrap();
        let [lower, upper] = model.interval(38.0, 80).unwrap();
        if clips {
            assert!((1900.0..2100.0).contains(&((upper - lower) / 2.0)), "{said}: {lower} {upper}");
        }
        let inspected = place.stdout("inspect run");
        assert_eq!(inspected.contains(", predicted within 0 and 38"), clips, "{said}: {inspected}");
        let key = config(&place, "run").get("clip-outputs").map(ToString::to_string);
        let expected =
            if said.contains("plain") { clips.then_some("true") } else { Some(if clips { "true" } else { "false" }) };
        assert_eq!(key.as_deref(), expected, "{said}");
        place.stdout("train --config run/config.toml --out again --quiet");
        let again = Model::load(place.path().join("again")).unwrap();
        assert_eq!(again.parameters, model.parameters, "{said}");
        assert!(again == model, "{said}");
    }
}

/// What starts from a model has its range, and so has what goes on from a checkpoint; means of counts are clipped, too.
#[test]
fn ranges_go_with_models() {
    let place = Place::new();
    lines(&place);
    let range = |run: &str| {
        let model = Model::load(place.path().join(run)).unwrap();
        model.encoder.unwrap().target().kind.range()
    };
    let rest = "--preset tabular --ensemble 1 --checkpoint-every 50";
    place.stdout(&format!("{LINEAR} {rest} --out first"));
    place.stdout("train lines.csv --init-from first --epochs 1 --device cpu --no-baseline --out tuned");
    place.stdout("train --resume first/checkpoints/epoch-000050.safetensors --out resumed --quiet");
    let few = "--hidden 4 --epochs 2 --device cpu --no-baseline --test later.csv";
    place.stdout(&format!("train lines.csv --target y --loss poisson {rest} {few} --out counts"));
    for run in ["first", "tuned", "resumed", "counts"] {
        assert_eq!(range(run), Some([0.0, 38.0]), "{run}");
    }
    assert_eq!(config(&place, "resumed")["clip-outputs"].as_bool(), Some(true));
    assert!(numbers(&place, "counts").iter().all(|number| (0.0..=38.0).contains(number)));
}

/// Of classes there is nothing to clip, and a model that a run starts from has decided.
#[test]
fn what_has_no_range_is_refused() {
    let place = Place::new();
    let rest = "--device cpu --hidden 4 --epochs 2";
    let classes = format!("train classes.csv --target answer {rest} --clip-outputs");
    place.refuses(&classes, 2, &["--clip-outputs", "of classes", "a target of numbers"]);
    let words =
        format!("train classes.csv --target answer --preset tabular {rest} --ensemble 1 --out run --no-baseline");
    place.stdout(&words);
    assert_eq!(config(&place, "run")["clip-outputs"].as_bool(), Some(false));
    place.stdout("train --config run/config.toml --out again --quiet");
    place.refuses("train classes.csv --init-from run --clip-outputs", 2, &["--clip-outputs", "--init-from"]);
}
