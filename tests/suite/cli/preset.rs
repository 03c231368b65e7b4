//! `--preset`: what it decides, what flags decide over it, and that a run can be repeated from what it came to.

use std::fs;

use wgpu_mlp::Model;

use crate::cli::{Place, finished};

const SMALL: &str = "--preset tabular --hidden 8,8 --epochs 6 --device cpu";

fn dump(place: &Place, words: &str) -> toml::Table {
    place.stdout(&format!("train {words} --dump-config")).parse().unwrap()
}

fn assert_has(found: &toml::Table, expected: &[(&str, &str)]) {
    for &(key, value) in expected {
        assert_eq!(found.get(key).map(ToString::to_string).as_deref(), Some(value), "{key} in {found}");
    }
}

/// Files have the preset for tables; moons, sweeps, and what goes on from a model have the plain one.
#[test]
fn tabular_is_the_default_of_files() {
    let place = Place::new();
    let typed = |words: &str| {
        let found = finished(place.typed(&format!("train {words} --dump-config")));
        assert_eq!(found.code, Some(0), "{words}: {}", found.stderr);
        found.stdout
    };
    for (data, preset) in [
        ("classes.csv --target answer", "tabular"),
        ("classes.csv --target answer --hidden 8", "tabular"),
        ("classes.csv --init-from model.safetensors", "plain"),
        ("moons", "plain"),
    ] {
        let without = typed(data);
        assert_eq!(typed(&format!("{data} --preset {preset}")), without);
        assert!(without.contains(&format!("\npreset = \"{preset}\"\n")), "{without}");
    }
    place.refuses("train moons --preset best", 2, &["--preset", "best", "plain, tabular"]);
    let swept = place.json("sweep numbers.csv --target y --device cpu --epochs 1 --hidden 2 --quiet --vary lr=0.1,0.2");
    assert!(swept["command"].as_str().unwrap().contains(" --preset plain"), "{swept}");
}

#[test]
fn a_preset_decides_what_nobody_has_said() {
    let place = Place::new();
    let all = dump(&place, "classes.csv --target answer --preset tabular");
    assert_has(
        &all,
        &[
            ("hidden", "[128, 128, 128]"),
            ("activation", "\"mish\""),
            ("scaling", "\"robust-all\""),
            ("numbers", "\"ple:bins=16\""),
            ("optimizer", "\"adam\""),
            ("beta1", "0.9"),
            ("beta2", "0.95"),
            ("schedule", "\"cos-log:cycles=4\""),
            ("parametrization", "\"ntp\""),
            ("init", "\"ntp\""),
            ("batch", "256"),
            ("epochs", "\"auto\""),
            ("patience", "\"none\""),
            ("validation-fraction", "\"auto\""),
            ("label-smoothing", "0"),
        ],
    );
    for key in ["lr", "monitor", "calibrate", "clip-outputs", "ensemble", "folds"] {
        assert!(!all.contains_key(key), "the table decides on {key}: {all}");
    }
    // Flags and keys of a file are over it, each by itself.
    let flags = "--hidden 9 --activation relu --scaling standard --numbers scaled --beta2 0.9 --lr 0.5 --schedule constant --init he \
                 --parametrization standard --batch 7 --epochs 8 --patience 9 --validation-fraction 0.25";
    let said = dump(&place, &format!("classes.csv --target answer --preset tabular {flags}"));
    let expected = [
        ("hidden", "9"),
        ("activation", "\"relu\""),
        ("scaling", "\"standard\""),
        ("numbers", "\"scaled\""),
        ("beta2", "0.9"),
        ("lr", "0.5"),
        ("schedule", "\"constant\""),
        ("init", "\"he\""),
        ("parametrization", "\"standard\""),
        ("batch", "7"),
        ("epochs", "8"),
        ("patience", "9"),
        ("validation-fraction", "0.25"),
    ];
    assert_has(&said, &expected);
    let keys: String = expected.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    place.file("c.toml", &format!("data = \"classes.csv\"\ntarget = \"answer\"\npreset = \"tabular\"\n{keys}"));
    let of_file = dump(&place, "--config c.toml");
    assert_has(&of_file, &expected);
    // A rule of another kind has its own settings, the preset's rule the preset's.
    let sgd = dump(&place, "classes.csv --target answer --preset tabular --optimizer sgd");
    assert_has(&sgd, &[("beta2", "0.999"), ("lr", "0.01"), ("parametrization", "\"ntp\"")]);
    let adam = dump(&place, "classes.csv --target answer --preset tabular --optimizer adamw");
    assert_has(&adam, &[("beta2", "0.95"), ("weight-decay", "0.01")]);
    assert!(!adam.contains_key("lr"), "{adam}");
    let bare = dump(&place, "classes.csv --target answer --preset tabular --no-standardize");
    assert!(!bare.contains_key("scaling"), "{bare}");
    // Moons have its network, and their own seeds.
    let moons = dump(&place, "moons --preset tabular");
    assert_has(
        &moons,
        &[("hidden", "[128, 128, 128]"), ("epochs", "\"auto\""), ("seed", "1105"), ("optimizer", "\"adam\"")],
    );
}

/// What the model is to be good at decides what epochs are judged by; what they are judged by may be said itself.
#[test]
fn metrics_decide_what_epochs_are_judged_by() {
    let place = Place::new();
    let words = "train classes.csv --target answer --hidden 4 --epochs 2 --folds 2 --device cpu --out run --json";
    for (said, monitor) in [
        ("--preset tabular", "accuracy"),
        ("--preset tabular --metric log_loss", "accuracy"),
        ("--preset tabular --metric macro_f1", "accuracy"),
        ("--preset tabular --metric loss", "loss"),
        ("--preset tabular --metric roc_auc", "roc_auc"),
        ("--preset tabular --metric roc_auc --monitor loss", "loss"),
        ("--preset plain --metric log_loss", "loss"),
        ("--preset plain --metric roc_auc --patience 2", "roc_auc"),
    ] {
        place.stdout(&format!("{words} {said}"));
        let kept = std::fs::read_to_string(place.path().join("run/config.toml")).unwrap();
        assert!(kept.contains(&format!("monitor = \"{monitor}\"")), "{said}: {kept}");
        let epochs = std::fs::read_to_string(place.path().join("run/metrics.jsonl")).unwrap();
        assert_eq!(epochs.contains("\"roc_auc\":"), monitor == "roc_auc", "{said}: {epochs}");
    }
    place.refuses("train numbers.csv --target y --metric roc_auc", 2, &["--metric is roc_auc", "rmse"]);
}

/// An effort decides where nothing is said; a configuration has what it decided. It is refused where it decides nothing.
#[test]
fn efforts_are_networks_and_epochs() {
    let place = Place::new();
    let words = "train numbers.csv --target y --preset tabular --effort best --device cpu";
    let found = place.run(&format!("{words} --hidden 4 --epochs 2 --out run --json"));
    assert!(found.stderr.contains("effort: 24 networks, 2 epochs, "), "{}", found.stderr);
    let kept = std::fs::read_to_string(place.path().join("run/config.toml")).unwrap();
    assert!(kept.contains("ensemble = 24") && !kept.contains("effort"), "{kept}");
    for said in ["--preset plain", "--preset tabular --epochs 2 --ensemble 2", "--config run/config.toml"] {
        let words = format!("train numbers.csv --target y --effort fast {said}");
        place.refuses(&words, 2, &["--effort is fast", "--preset tabular"]);
    }
    // Layers are the effort's, too, unless they are said; a run that is over at once says nothing of its time.
    for (words, hidden) in [("--effort fast", "64,64"), ("--effort fast --hidden 4", "4"), ("--hidden 4", "4")] {
        let found = place.run(&format!(
            "train numbers.csv --target y --preset tabular --epochs 2 --device cpu --out fast {words} --json"
        ));
        assert!(found.stderr.contains(&format!("preset: tabular: layers {hidden} of mish, ")), "{}", found.stderr);
        assert!(!found.stderr.contains("\ntime: "), "{}", found.stderr);
    }
    place.refuses("train numbers.csv --preset tabular --effort much", 2, &["--effort", "`much`", "fast, normal, best"]);
}

/// Folds and epochs are those that operations allow, and the line says so; what is said stays, and what cannot be is left out.
#[test]
fn networks_and_epochs_are_what_operations_allow() {
    let place = Place::new();
    let rows: String =
        (0..200).map(|i| format!("{},{}\n", i * 37 % 200, ["no", "yes"][usize::from(i % 40 == 0)])).collect();
    place.file("rare.csv", &format!("a,answer\n{rows}"));
    let small = "--hidden 4 --device cpu --no-baseline --out run";
    for (words, line, networks, folds) in [
        // 160 rows for training, 4 of them `yes`: no 5 folds with one of each, so seeds.
        ("rare.csv --target answer", "8 networks, 256 epochs, which take ", 8, None),
        ("rare.csv --target a --task regression", "24 networks, 3 for each fold, 256 epochs, ", 24, Some(8)),
        (
            "rare.csv --target a --task regression --share-weights=false",
            "8 networks, one for each fold, 256 epochs, ",
            8,
            Some(8),
        ),
        (
            "rare.csv --target a --task regression --test-fraction 0.3",
            "5 networks, one for each fold, 256 epochs, ",
            5,
            Some(5),
        ),
        // Folds of 9 rows judge nothing.
        ("numbers.csv --target y --epochs 3", "8 networks, 3 epochs, ", 8, None),
        ("rare.csv --target a --validation-fraction 0.2 --epochs 2", "8 networks, 2 epochs, ", 8, None),
        ("rare.csv --target a --ensemble 2", "2 networks, 256 epochs, ", 2, None),
        (
            "rare.csv --target a --task regression --epochs 3 --portfolio 1,1e-9",
            "16 networks, 2 for each fold, ",
            8,
            Some(8),
        ),
    ] {
        let found = place.run(&format!("train {words} --preset tabular {small} --json"));
        assert_eq!(found.code, Some(0), "{words}: {}", found.stderr);
        let told = found.stderr.lines().find(|told| told.starts_with("effort: ")).unwrap_or_default();
        assert!(
            told.contains(line)
                && told.contains(" of at most 2e12 for --effort normal; ")
                && told.contains(" otherwise"),
            "{words}: {}",
            found.stderr
        );
        assert_eq!(Model::load(place.path().join("run")).unwrap().networks(), networks, "{words}");
        let config: toml::Table = fs::read_to_string(place.path().join("run/config.toml")).unwrap().parse().unwrap();
        let decisions = serde_json::from_str::<serde_json::Value>(&found.stdout).unwrap()["decisions"].clone();
        assert!(decisions.as_array().unwrap().iter().any(|decision| decision["kind"] == "effort"), "{decisions}");
        assert_eq!(config.get("folds").map(ToString::to_string), folds.map(|folds: u64| folds.to_string()), "{words}");
    }
    let found = place.run("train rare.csv --target a --preset tabular --hidden 4 --device cpu --lr-find");
    assert!(found.code == Some(0) && !found.stderr.contains("\neffort: "), "{}", found.stderr);
}

/// Of classes the accuracy decides which epoch is kept, and probabilities are calibrated, unless somebody says otherwise or nothing is held
/// out; of numbers the loss decides.
#[test]
fn classes_are_judged_by_accuracy_and_calibrated() {
    let place = Place::new();
    for (words, monitor, calibrate) in [
        ("classes.csv --target answer --folds 3", "accuracy", true),
        ("classes.csv --target answer --folds 3 --monitor loss", "loss", true),
        ("classes.csv --target answer --folds 3 --calibrate=false", "accuracy", false),
        ("classes.csv --target answer --validation-fraction 0", "accuracy", false),
        ("numbers.csv --target y --folds 3", "loss", false),
    ] {
        let flags = "--preset tabular --hidden 4 --epochs 4 --device cpu --no-baseline --out run";
        let found = place.run(&format!("train {words} {flags}"));
        assert_eq!(found.code, Some(0), "{words}: {}", found.stderr);
        let config: toml::Table = fs::read_to_string(place.path().join("run/config.toml")).unwrap().parse().unwrap();
        assert_has(&config, &[("monitor", &format!("\"{monitor}\"")), ("calibrate", &calibrate.to_string())]);
        let model = Model::load(place.path().join("run")).unwrap();
        assert_eq!(!model.training.as_ref().unwrap().temperatures.is_empty(), calibrate, "{words}");
        assert_eq!(found.stderr.contains(" is kept, calibrated; "), calibrate, "{words}: {}", found.stderr);
        place.stdout("train --config run/config.toml --out again --quiet");
        assert!(Model::load(place.path().join("again")).unwrap() == model, "{words}");
    }
}

/// Beside the large network stands what the small one comes to on the same inputs, with rows for validation or without.
#[test]
fn a_plain_network_stands_beside() {
    let place = Place::new();
    let small = "train numbers.csv --target y --hidden 4 --epochs 2 --device cpu";
    for rest in ["--folds 2", "--validation-fraction 0.2"] {
        let words = format!("{small} --preset tabular {rest}");
        let found = place.json(&words);
        assert!(found["baseline"]["plain"]["r2"].as_f64().unwrap() > 0.8, "{rest}: {}", found["baseline"]);
        assert!(place.stdout(&words).contains("\ntest, plain "), "{rest}");
    }
    assert!(place.json(&format!("{small} --preset plain"))["baseline"]["plain"].is_null());
}

/// The file of a run keeps all of it as numbers, and makes the same bytes; so does a run that is taken up.
#[test]
fn a_run_is_repeated_from_what_it_came_to() {
    let place = Place::new();
    for (name, words, rate) in [
        ("classes", "classes.csv --target answer", "0.04"),
        ("smooth", "classes.csv --target answer --ensemble 2 --label-smoothing 0.1", "0.04"),
        ("numbers", "numbers.csv --target y", "0.07"),
        ("best", "numbers.csv --target y --validation-fraction 0.25", "0.07"),
        ("folds", "numbers.csv --target y --folds 3", "0.07"),
    ] {
        let found = place.run(&format!("train {words} {SMALL} --out {name} --checkpoint-every 3 --no-baseline"));
        assert_eq!(found.code, Some(0), "{}", found.stderr);
        let line = found.stderr.lines().find(|line| line.starts_with("preset: tabular: ")).unwrap_or_default();
        let expected = format!(
            "layers 8,8 of mish, scaling robust-all, numbers ple:bins=16, adam at {rate} with cos-log:cycles=4 and ntp, 256 rows"
        );
        assert!(line.contains(&expected) && line.contains("6 epochs"), "{}", found.stderr);
        assert!(found.stderr.find("preset: ") < found.stderr.find("plan: "), "{}", found.stderr);
        let config = fs::read_to_string(place.path().join(name).join("config.toml")).unwrap();
        for line in [&format!("lr = {rate}"), "scaling = \"robust-all\"", "patience = \"none\"", "preset = \"tabular\""]
        {
            assert!(config.contains(&format!("\n{line}\n")), "{line}: {config}");
        }
        let model = |folder: &str| Model::load(place.path().join(folder)).unwrap();
        place.stdout(&format!("train --config {name}/config.toml --out again-{name} --quiet"));
        assert!(model(&format!("again-{name}")) == model(name), "{words}");
        place.stdout(&format!(
            "train --resume {name}/checkpoints/epoch-000003.safetensors --out resumed-{name} --quiet"
        ));
        assert!(model(&format!("resumed-{name}")) == model(name), "{words}");
        let without = place.run(&format!("train {words} --epochs 1 --device cpu --no-baseline"));
        assert!(!without.stderr.contains("\npreset: ") && !without.stderr.contains("\neffort: "), "{}", without.stderr);
    }
}
