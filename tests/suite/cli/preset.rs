//! `--preset`: what it decides, what flags decide over it, and that a run can be repeated from what it came to.

use std::fs;

use wgpu_mlp::Model;

use crate::cli::Place;

const SMALL: &str = "--preset tabular --hidden 8,8 --epochs 6 --device cpu";

fn dump(place: &Place, words: &str) -> toml::Table {
    place.stdout(&format!("train {words} --dump-config")).parse().unwrap()
}

fn assert_has(found: &toml::Table, expected: &[(&str, &str)]) {
    for &(key, value) in expected {
        assert_eq!(found.get(key).map(ToString::to_string).as_deref(), Some(value), "{key} in {found}");
    }
}

/// Plain is what there is without the flag, for files and for moons.
#[test]
fn plain_is_the_default() {
    let place = Place::new();
    for data in ["classes.csv --target answer", "moons"] {
        let without = place.stdout(&format!("train {data} --dump-config"));
        assert_eq!(place.stdout(&format!("train {data} --preset plain --dump-config")), without);
        assert!(without.contains("\npreset = \"plain\"\n"), "{without}");
    }
    place.refuses("train moons --preset best", 2, &["--preset", "best", "plain, tabular"]);
}

#[test]
fn a_preset_decides_what_nobody_has_said() {
    let place = Place::new();
    let all = dump(&place, "classes.csv --target answer --preset tabular");
    assert_has(
        &all,
        &[
            ("hidden", "[256, 256, 256]"),
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
            ("epochs", "256"),
            ("patience", "\"none\""),
            ("validation-fraction", "\"auto\""),
            ("label-smoothing", "0"),
        ],
    );
    assert!(!all.contains_key("lr"), "the task decides, which the table tells: {all}");
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
        &[("hidden", "[256, 256, 256]"), ("epochs", "256"), ("seed", "1105"), ("optimizer", "\"adam\"")],
    );
}

/// Labels are smoothed where the accuracy decides, unless somebody says otherwise.
#[test]
fn labels_are_smoothed_where_the_accuracy_decides() {
    let place = Place::new();
    let data = "classes.csv --target answer --preset tabular";
    for (flags, expected) in [
        ("", "0"),
        ("--monitor loss", "0"),
        ("--monitor accuracy", "0.1"),
        ("--monitor accuracy --label-smoothing 0", "0"),
        ("--monitor accuracy --label-smoothing 0.25", "0.25"),
    ] {
        let words = format!("{data} {flags}");
        assert_has(&dump(&place, &words), &[("label-smoothing", expected)]);
        let found = place.run(&format!("train {words} --hidden 4 --epochs 2 --device cpu --no-baseline"));
        let smoothed = (expected != "0").then(|| format!("label_smoothing {expected}"));
        let is_there = smoothed.map_or(!found.stderr.contains("label_smoothing"), |text| found.stderr.contains(&text));
        assert!(found.code == Some(0) && is_there, "{flags}: {}", found.stderr);
    }
}

/// The file of a run keeps all of it as numbers, and makes the same bytes; so does a run that is taken up.
#[test]
fn a_run_is_repeated_from_what_it_came_to() {
    let place = Place::new();
    for (name, words, rate) in [
        ("classes", "classes.csv --target answer", "0.04"),
        ("smooth", "classes.csv --target answer --monitor accuracy", "0.04"),
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
        assert!(!without.stderr.contains("preset: "), "{}", without.stderr);
    }
}
