//! The command on data that is in order: `train`, and `eval`, `predict` and `inspect` of what it made.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wgpu_mlp::Model;
use wgpu_mlp::data::BuiltIn;

use crate::cli::{Output, Place};
use crate::support::devices;

/// Every built-in data set is trained on, written down in the run's configuration, and judged again by its name.
#[test]
fn trains_on_all_built_in_data() {
    let place = Place::new();
    for set in BuiltIn::ALL {
        let flags = format!("{} --samples 60 --noise 0.05 --data-seed 7", set.name);
        let out = format!("of-{}", set.name);
        let found = place.json(&format!("train {flags} --epochs 2 --hidden 3 --device cpu --out {out}"));
        assert_eq!(found["baseline"].is_null(), set.name == "moons", "{found}");
        let config = fs::read_to_string(place.path().join(&out).join("config.toml")).unwrap();
        for line in
            [format!("data = \"{}\"", set.name), "samples = 60".into(), "noise = 0.05".into(), "data-seed = 7".into()]
        {
            assert!(config.lines().any(|found| found == line), "{line}: {config}");
        }
        assert!(config.contains("\npreset = \"plain\"\n"), "{config}");
        assert_eq!(place.json(&format!("eval {out} {flags} --device cpu"))["rows"], 60);
        assert_eq!(place.stdout(&format!("predict {out} {flags} --device cpu")).lines().count(), 61);
        assert_eq!(place.json(&format!("data {flags}"))["rows"], 60);
    }
}

#[test]
fn trains_on_moons() {
    let place = Place::new();
    let found = place.json("train moons --epochs 20 --device cpu");
    for (key, expected) in [("backend", "cpu"), ("plan", "fused")] {
        assert_eq!(found[key], expected, "{found}");
    }
    assert!(found["device"].as_str().unwrap().starts_with("CPU"), "{found}");
    for (key, expected) in [("parameters", 5226), ("epochs", 20), ("steps", 20)] {
        assert_eq!(found[key], expected, "{found}");
    }
    for key in ["seconds", "steps_per_second", "first_step_seconds"] {
        assert!(found[key].as_f64().unwrap() > 0.0, "{key} in {found}");
    }
    for key in ["dispatches", "submissions", "bytes_up", "bytes_down", "buffers_created"] {
        assert!(found["counters"][key].is_u64(), "{key} in {found}");
    }
    assert!(found["counters"]["dispatches"].as_u64().unwrap() >= 20, "{found}");
    for part in ["train", "test"] {
        let (loss, log10) = (found[part]["loss"].as_f64().unwrap(), found["log10_loss"][part].as_f64().unwrap());
        assert!((0.6..0.8).contains(&loss) && (loss / log10 - std::f64::consts::LN_10).abs() < 1e-9, "{found}");
        assert!((0.0..=1.0).contains(&found[part]["accuracy"].as_f64().unwrap()), "{found}");
    }
    assert!(found["validation"].is_null() && found["model"].is_null(), "{found}");
    assert_eq!(place.names(), ["classes.csv", "numbers.csv", "shuffled.csv"], "nothing is left behind");

    let with_validation = place.json("train moons --epochs 1 --device cpu --validation-fraction 0.2");
    assert!(with_validation["validation"]["loss"].as_f64().unwrap() > 0.0, "{with_validation}");
    let Output { stderr, .. } = place.run("train moons --epochs 20 --device cpu");
    let (memory, first) = (stderr.find(" KiB of memory"), stderr.find("first steps: done after"));
    assert!(memory.is_some() && memory < first && first < stderr.find(" %"), "{stderr}");
    let Output { stdout, stderr, .. } = place.run("train moons --epochs 20 --device cpu --quiet");
    assert!(stdout.contains("log10 loss") && !stderr.contains('%') && !stderr.contains("device"), "{stdout}{stderr}");
}

/// Every plan comes to the same, with batches and what remains of an epoch; with `resident`, far fewer dispatches than steps.
#[test]
fn trains_by_every_plan() {
    let place = Place::new();
    let mut losses = Vec::new();
    for (plan, device) in ["layered", "fused", "resident"].into_iter().flat_map(|plan| [(plan, "cpu"), (plan, "gpu")]) {
        let words = format!("train moons --epochs 40 --samples 50 --batch 32 --device {device} --plan {plan}");
        let found = place.json(&words);
        assert_eq!((&found["plan"], &found["steps"]), (&plan.into(), &80.into()), "{found}");
        let dispatches = found["counters"]["dispatches"].as_u64().unwrap();
        assert_eq!(dispatches < 80, plan == "resident" && device == "gpu", "{found}");
        losses.push(found["train"]["loss"].as_f64().unwrap());
    }
    assert!(losses.iter().all(|loss| (loss - losses[0]).abs() < 1e-6), "{losses:?}");
}

/// On every adapter by its number, and on whichever `gpu` and `auto` take.
#[test]
fn trains_on_every_device() {
    let place = Place::new();
    let names = (0..devices().len()).map(|index| index.to_string());
    let expected = place.json("train moons --epochs 3 --samples 50 --device cpu")["train"]["loss"].as_f64().unwrap();
    for device in names.chain(["gpu".into(), "auto".into()]) {
        let found = place.json(&format!("train moons --epochs 3 --samples 50 --device {device}"));
        let loss = found["train"]["loss"].as_f64().unwrap();
        assert!((loss - expected).abs() < 1e-6, "{device}: {found}");
        if device != "auto" {
            assert_ne!(found["backend"], "cpu", "{device}: {found}");
            // Three records of 16 bytes, at the least, besides the data and the parameters.
            assert!(found["counters"]["bytes_up"].as_u64().unwrap() > 48, "{found}");
        }
    }
}

#[test]
fn learns_text_labels_from_a_file_and_predicts() {
    let place = Place::new();
    let train = "train classes.csv --target answer --device cpu --seed 1";
    let trained = place.json(&format!("{train} --epochs 300 --lr 0.1 --out model"));
    assert!(trained["train"]["accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    assert_eq!(trained["log10_loss"], Value::Null);
    let model = Path::new("model").join("model.safetensors");
    assert_eq!(trained["model"].as_str(), model.to_str());
    let model = model.to_str().unwrap();
    let evaluated = place.json(&format!("eval {model} classes.csv --device cpu"));
    assert_eq!(evaluated["rows"], 60);

    let predictions = place.stdout(&format!("predict {model} classes.csv --device cpu"));
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("prediction,p_no,p_yes"));
    let labels: Vec<_> = fs::read_to_string(place.path().join("classes.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.rsplit_once(',').unwrap().1.to_string())
        .collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 60);
    for row in &rows {
        let [no, yes] = [row[1], row[2]].map(|p| p.parse::<f64>().unwrap());
        assert!((no + yes - 1.0).abs() < 1e-12 && row[0] == if yes > no { "yes" } else { "no" }, "{row:?}");
    }
    // The rows are in the table's order: as many are right as eval counts.
    let right = rows.iter().zip(&labels).filter(|(row, label)| row[0] == **label).count();
    assert!(
        (evaluated["accuracy"].as_f64().unwrap() - right as f64 / 60.0).abs() < 1e-12,
        "{evaluated}, {right} right"
    );

    // The same rows in another order of columns, and without the target.
    assert_eq!(place.stdout(&format!("predict {model} shuffled.csv --device cpu")), predictions);
    assert_eq!(place.stdout(&format!("predict {model} shuffled.csv --device cpu --out p.csv")), "");
    assert_eq!(fs::read_to_string(place.path().join("p.csv")).unwrap(), predictions);

    let inspected = place.stdout(&format!("inspect {model}"));
    for words in ["2→64 relu→32 relu→1", "layers.2.bias", "target `answer`: classes `no` and `yes`", "classes.csv"]
    {
        assert!(inspected.contains(words), "{inspected}");
    }
    let inspected = place.json(&format!("inspect {model}"));
    assert_eq!((&inspected["training"]["epochs"], &inspected["training"]["rows"]), (&300.into(), &48.into()));

    // A second run goes on from the model: its first loss is about the first run's last one.
    let again = place.json(&format!("{train} --epochs 1 --lr 1e-9 --init-from {model}"));
    let [before, after] = [&trained, &again].map(|run| run["train"]["loss"].as_f64().unwrap());
    assert!((before - after).abs() < 1e-4 * before, "{before} and {after}");
    // And from a file of tensors alone, whose columns are then taken from the table.
    let loaded = Model::load(place.path().join(model)).unwrap();
    let bytes = fs::read(place.path().join(model)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    place.file("foreign.safetensors", "");
    fs::write(place.path().join("foreign.safetensors"), safetensors::serialize(tensors.tensors(), None).unwrap())
        .unwrap();
    place.json(&format!("{train} --epochs 1 --lr 1e-9 --init-from foreign.safetensors --out second"));
    // A folder stands for the model in it.
    let second = Model::load(place.path().join("second")).unwrap();
    assert_eq!((&second.spec, &second.encoder), (&loaded.spec, &loaded.encoder));
    let same = second.parameters.iter().zip(&loaded.parameters).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(same, "the parameters are another model's");
    // What the file says is not silently overruled, nor does it silently overrule.
    for (flags, message) in [
        ("--target width", ["--target", "`answer`"]),
        ("--task regression", ["--task", "binary"]),
        ("--activation sigmoid", ["--activation", "relu"]),
        ("--no-standardize", ["--no-standardize", "scaling"]),
    ] {
        place.refuses(&format!("train classes.csv {flags} --device cpu --init-from {model}"), 2, &message);
    }
}

#[test]
fn no_hidden_layer_is_a_linear_model() {
    let place = Place::new();
    let found = place.json("train numbers.csv --target y --hidden none --device cpu --epochs 2");
    assert_eq!((&found["parameters"], &found["network"]), (&3.into(), &"2→1, mean_squared_error".into()));
}

#[cfg(unix)]
#[test]
fn files_have_ordinary_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out .");
    place.stdout("predict . classes.csv --device cpu --out p.csv");
    let mode = |name: &str| fs::metadata(place.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("model.safetensors"), mode("p.csv")], [mode("classes.csv"); 2]);
}

#[test]
fn learns_numbers_from_a_file() {
    let place = Place::new();
    let trained = place.json("train numbers.csv --target y --device cpu --epochs 200 --out . --batch 8");
    assert!(trained["train"]["r2"].as_f64().unwrap() > 0.9, "{trained}");
    assert!(trained["test"]["rmse"].as_f64().unwrap() < 3.0, "{trained}");
    assert_eq!(trained["train"]["accuracy"], Value::Null);
    let predictions = place.stdout("predict model.safetensors shuffled.csv --device cpu");
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("prediction"));
    let expected = fs::read_to_string(place.path().join("numbers.csv")).unwrap();
    let expected: Vec<f64> =
        expected.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1.parse().unwrap()).collect();
    let squares: f64 = lines.zip(&expected).map(|(line, y)| (line.parse::<f64>().unwrap() - y).powi(2)).sum();
    let evaluated = place.json("eval model.safetensors numbers.csv --device cpu");
    let rmse = evaluated["rmse"].as_f64().unwrap();
    assert!(((squares / 60.0).sqrt() - rmse).abs() < 1e-5 * rmse, "{evaluated}, {squares}");
}
