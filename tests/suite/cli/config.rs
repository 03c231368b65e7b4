//! `mlp train --config FILE` and `--dump-config`: what a file says, what flags say over it, and what is refused.

use std::collections::BTreeSet;
use std::fs;

use wgpu_mlp::Model;

use crate::cli::{Place, assert_no_work};

/// Flags that `--dump-config` has no line for where nobody gave them.
const WITHOUT_DEFAULT: [&str; 30] = [
    "clip-outputs",
    "target-encoding",
    "metric",
    "shards",
    "folds",
    "portfolio",
    "share-weights",
    "scaling",
    "numbers",
    "decimal",
    "encoding",
    "missing",
    "not-missing",
    "numeric",
    "thousands",
    "target",
    "features",
    "ignore",
    "categorical",
    "weight-column",
    "loss",
    "clip-value",
    "clip-norm",
    "patience",
    "validation",
    "test",
    "group",
    "init-from",
    "out",
    "checkpoint-every",
];
/// Flags that are no keys.
const NO_KEYS: [&str; 7] = ["config", "dump-config", "resume", "lr-find", "budget", "effort", "help"];

fn keys(toml: &str) -> BTreeSet<String> {
    toml.parse::<toml::Table>().unwrap().keys().cloned().collect()
}

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(String::from).collect()
}

/// Long flags that the help of `mlp train` lists.
fn flags(place: &Place) -> BTreeSet<String> {
    let help = place.stdout("train --help");
    let flag = |line: &str| {
        let words = line.strip_prefix("  -h, ").or_else(|| line.strip_prefix("      "))?;
        let name = words.strip_prefix("--")?.split(|c: char| c.is_whitespace() || c == '[').next()?;
        Some(name.to_string())
    };
    help.lines().filter_map(flag).collect()
}

/// A flag that is added is in the dump: with a fixed default by itself, with another by its line in
/// `Settings::words`, or it has none and stands in this file's list.
#[test]
fn no_flag_is_forgotten() {
    let place = Place::new();
    let flags = flags(&place);
    assert!(flags.len() > 25 && NO_KEYS.iter().all(|flag| flags.contains(*flag)), "{flags:?}");
    let dumped = keys(&place.stdout("train moons --dump-config"));
    let apart = set(WITHOUT_DEFAULT.into_iter().chain(NO_KEYS));
    let found: BTreeSet<_> = dumped.iter().filter(|key| *key != "data").cloned().collect();
    assert_eq!(found, flags.difference(&apart).cloned().collect());
    let without_default = set(WITHOUT_DEFAULT);
    let given = "train classes.csv --target answer --features a --ignore b,c --categorical a --weight-column w --loss huber --clip-norm 1 --patience 3 --init-from m --validation v --test t --group g \
                 --numeric b --missing u --not-missing NA --decimal , --thousands . --encoding latin1 \
                 --out o --checkpoint-every 5 --dump-config";
    let mut dumped_given = keys(&place.stdout(given));
    dumped_given.extend(keys(&place.stdout(
        "train moons --metric accuracy --clip-value 1 --scaling robust --numbers ple --clip-outputs --target-encoding --folds 3 --portfolio 1,2 --dump-config",
    )));
    dumped_given.extend(keys(&place.stdout("train moons --data-parallel --shards 4 --dump-config")));
    assert!(dumped_given.is_superset(&without_default), "{dumped_given:?}");
    // A file has all of it but the settings of the built-in data.
    let file = keys(&place.stdout("train classes.csv --dump-config"));
    assert_eq!(dumped.difference(&file).cloned().collect::<BTreeSet<_>>(), set(["samples", "noise", "data-seed"]));
}

/// The dump of a dump is itself, to the byte.
#[test]
fn a_dump_says_the_same_again() {
    let place = Place::new();
    for words in [
        "moons",
        "classes.csv --target answer",
        "classes.csv --target answer --init-from model.safetensors --seed 18446744073709551615",
        "moons --samples 77 --noise 0.125 --data-seed 4 --hidden none --activation gelu_tanh --init xavier --seed 12",
        "classes.csv --target a --epochs auto --validation v.csv --split time=b",
        "classes.csv --target a --epochs 7 --validation-fraction auto --test t.csv --group g",
        "moons --optimizer adamw --lr 1e-4 --epsilon 1e-12 --beta2 0.9995 --l2 0.001 --batch 7 --epochs 3",
        "classes.csv --target 5 --task binary --class-weight no=2,yes=0.5 --weight-column w --momentum 0.5 --optimizer nesterov --batch full --hidden 5 --quiet",
        "classes.csv --features a,b --ignore 7 --categorical a --target answer",
        "classes.csv --hidden 8:tanh,4 --loss huber --huber-delta 0.5 --schedule cosine:warmup=2 --dropout 0.1,0.2 --clip-norm 2",
        "classes.csv --patience 5 --min-delta 0.001 --monitor accuracy --out o --checkpoint-every 2.5m --keep 7 --l1 1e-6",
        "classes.csv --target answer --preset tabular",
        "classes.csv --target answer --preset tabular --monitor accuracy --folds 3 --lr 0.1 --epochs auto",
        "classes.csv --target answer --preset tabular --monitor accuracy --label-smoothing 0 --no-standardize",
        "classes.csv --target answer --preset tabular --init-from m --optimizer sgd --patience none",
        "classes.csv --target answer --preset tabular --ensemble 3 --share-weights=false",
        "classes.csv --target answer --preset tabular --ensemble 3 --epochs 4 --patience 2",
        "classes.csv --target answer --ensemble 2 --share-weights --epochs 9",
        "moons --preset tabular",
        "classes.csv --target answer --scaling robust --activation mish --schedule cos-log",
        "./classes.csv --no-standardize --split-seed 9 --validation-fraction .25 --test-fraction 0 --device 1 --json",
    ] {
        let dump = place.stdout(&format!("train {words} --dump-config"));
        place.file("c.toml", &dump);
        assert_eq!(place.stdout("train --config c.toml --dump-config"), dump, "mlp train {words}");
    }
}

#[test]
fn a_dump_shows_what_is_in_force() {
    let place = Place::new();
    let dump = |words: &str| place.stdout(&format!("train {words} --dump-config")).parse::<toml::Table>().unwrap();
    let moons = dump("moons");
    assert!(place.stdout("train moons --dump-config").contains("\nepsilon = 1e-8\n"));
    for (key, expected) in [
        ("data", "\"moons\""),
        ("samples", "1000"),
        ("hidden", "[25, 50, 50, 25]"),
        ("activation", "\"relu\""),
        ("optimizer", "\"sgd\""),
        ("lr", "0.01"),
        ("epsilon", "0.00000001"),
        ("batch", "\"full\""),
        ("epochs", "10000"),
        ("init", "\"article\""),
        ("json", "false"),
    ] {
        assert_eq!(moons[key].to_string(), expected, "{key}");
    }
    let file = dump("classes.csv --target 5 --hidden 7 --momentum 0.5 --optimizer adamw --no-standardize");
    for (key, expected) in [
        ("data", "\"classes.csv\""),
        ("target", "\"5\""),
        ("hidden", "7"),
        ("beta1", "0.5"),
        ("optimizer", "\"adamw\""),
        ("weight-decay", "0.01"),
        ("batch", "32"),
        ("init", "\"he\""),
        ("no-standardize", "true"),
    ] {
        assert_eq!(file[key].to_string(), expected, "{key}");
    }
    // A model that training starts from brings its network.
    let from = dump("classes.csv --init-from m");
    assert!(["hidden", "init", "activation"].iter().all(|key| !from.contains_key(*key)), "{from}");
}

/// A run keeps its configuration, and trains to the same model from it.
#[test]
fn a_run_can_be_repeated_from_its_folder() {
    let place = Place::new();
    for (case, words) in [
        "moons --samples 60 --epochs 5 --noise 0.3 --seed 3",
        "classes.csv --target answer --epochs 3 --batch 7 --optimizer adamw --lr 3e-3 --hidden 4,3 --init xavier",
        "numbers.csv --target y --epochs 2 --no-standardize --l2 0.01 --validation-fraction 0.2 --activation tanh",
    ]
    .into_iter()
    .enumerate()
    {
        let (first, second) = (format!("first{case}"), format!("second{case}"));
        let words = format!("{words} --device cpu --out {first}");
        place.json(&format!("train {words}"));
        // In front stands the run's name.
        let read = |folder: &str| {
            let text = fs::read_to_string(place.path().join(folder).join("config.toml")).unwrap();
            text.strip_prefix("# run ").unwrap().split_once('\n').unwrap().1.to_string()
        };
        let config = read(&first);
        assert_eq!(config, place.stdout(&format!("train {words} --json --dump-config")));
        place.json(&format!("train --config {first}/config.toml --out {second}"));
        // The metadata of a model file stand in any order; what they say and the tensors are compared.
        let model = |folder: &str| Model::load(place.path().join(folder)).unwrap();
        assert!(model(&second) == model(&first), "mlp train {words}: another model");
        assert_eq!(read(&second), config.replace(&format!("out = \"{first}\""), &format!("out = \"{second}\"")));
    }
    place.json("train --config first1/config.toml --init-from first1 --out third --lr 1e-9");
    assert!(!keys(&fs::read_to_string(place.path().join("third/config.toml")).unwrap()).contains("hidden"));
}

/// Whatever the forms, a file is as good as its words.
#[test]
fn a_file_holds_what_flags_do() {
    let place = Place::new();
    for (toml, words) in [
        ("data = 'moons'\nlr = 0.5", "moons --lr 0.5"),
        (
            "data = 'moons'\nhidden = [3, 4]\nvalidation_fraction = 0.25",
            "moons --hidden 3,4 --validation-fraction 0.25",
        ),
        ("lr = 1e-3\nepochs = 1_000\nbatch = 'full'\ndata = 'moons'", "moons --lr 0.001 --epochs 1000 --batch full"),
        ("json = true\nquiet = false\ndata = \"moons\"\nmomentum = 0.5", "moons --json --beta1 0.5"),
        (
            "# none\ndata = 'classes.csv'\npreset = 'plain'\nno-standardize = true\r\nhidden = 'none'",
            "classes.csv --no-standardize --hidden none",
        ),
        ("\u{feff}data = 'moons'\nseed = 18446744073709551615", "moons --seed 18446744073709551615"),
    ] {
        place.file("c.toml", toml);
        let expected = place.stdout(&format!("train {words} --dump-config"));
        for form in ["--config c.toml", "--config=c.toml"] {
            assert_eq!(place.stdout(&format!("train {form} --dump-config")), expected, "{toml}");
        }
    }
    place.file("c.toml", "");
    assert_eq!(place.stdout("train moons --config c.toml --dump-config"), place.stdout("train moons --dump-config"));
    place.refuses("train --config c.toml", 2, &["required"]);
    // Only `train` has files, and only where the flag is one.
    place.refuses("eval --config c.toml m moons", 2, &["--config"]);
    place.refuses("train -- moons --config c.toml", 2, &["unexpected"]);
    // A path is one even where it looks like a flag.
    place.file("-x.csv", "a,y\n1,2\n2,3\n3,4\n");
    place.file("c.toml", "data = '-x.csv'");
    let expected = place.stdout("train --preset tabular --dump-config -- -x.csv");
    assert_eq!(place.stdout("train --config c.toml --dump-config"), expected);
    assert!(expected.contains("data = \"-x.csv\"\n"), "{expected}");
}

#[test]
fn flags_override_the_file() {
    let place = Place::new();
    place.file(
        "c.toml",
        "data = 'moons'\nlr = 0.5\nmomentum = 0.5\njson = true\nquiet = true\nhidden = [9]\nl2 = 0.125",
    );
    let flags = "--lr 0.25 --beta1 0.75 --json=false --hidden 3,4 --quiet";
    let expected = place.stdout(&format!("train moons --l2 0.125 {flags} --dump-config"));
    for words in [format!("--config c.toml {flags}"), format!("{flags} --config c.toml")] {
        assert_eq!(place.stdout(&format!("train {words} --dump-config")), expected);
    }
    let data = place.stdout("train classes.csv --config c.toml --dump-config");
    assert!(data.contains("data = \"classes.csv\"\n") && data.contains("batch = 256\n"), "{data}");
    // What cannot stand with a flag gives way to it.
    let from = keys(&place.stdout("train --config c.toml --init-from m --dump-config"));
    assert!(from.contains("init-from") && !from.contains("hidden"), "{from:?}");
    // A wrong value is one although a flag takes its place.
    place.file("wrong.toml", "lr = 'fast'");
    place.refuses("train moons --config wrong.toml --lr 0.1", 2, &["wrong.toml", "`lr`", "fast"]);
}

#[test]
fn what_a_file_cannot_say_is_refused() {
    let place = Place::new();
    let cases: &[(&str, &[&str])] = &[
        // Unknown keys.
        ("lr = 1\nlearnig_rate = 2", &["line 2, column 1", "unknown key `learnig_rate`", "closest known one is `"]),
        ("hiden = 3", &["line 1, column 1", "`hiden`", "`hidden`"]),
        ("\n  epoch = 3", &["line 2, column 3", "`epoch`", "`epochs`"]),
        ("momentun = 3", &["`momentun`", "`momentum`"]),
        ("validation_fractoin = 3", &["`validation_fractoin`", "`validation-fraction`"]),
        ("config = 'd.toml'", &["line 1", "`config`", "only for the command line"]),
        ("dump_config = true", &["line 1", "`dump_config`", "only for the command line"]),
        ("budget = '60s'", &["line 1", "`budget`", "only for the command line"]),
        ("help = true", &["line 1", "unknown key `help`"]),
        ("version = true", &["line 1", "unknown key `version`"]),
        // Forms that no flag has.
        ("[optimizer]\nlr = 1", &["line 1, column 2", "`optimizer` is a table"]),
        ("optimizer.lr = 1", &["line 1, column 1", "`optimizer` is a table"]),
        ("epochs = 2\ndata = 1979-05-27", &["line 2", "`data` is a date"]),
        ("hidden = [[3], [4]]", &["line 1", "`hidden` is an array of arrays"]),
        ("validation-fraction = 0.1\nvalidation_fraction = 0.2", &["line 2", "`validation_fraction`", "line 1"]),
        ("beta1 = 0.1\nmomentum = 0.2", &["line 2", "`momentum`", "`beta1`", "line 1"]),
        // What is no TOML.
        ("lr = 1\nlr = 2", &["line 2, column 1", "duplicate"]),
        ("lr = 1\nhidden = [3, ", &["line 2", "column"]),
        ("lr 0.1", &["line 1, column", "expected"]),
        ("é = 1", &["line 1, column 1"]),
        // Values that a flag refuses, alone or with those before it.
        ("epochs = 3\nlr = 'fast'", &["line 2", "`lr`", "fast", "float"]),
        ("lr = true", &["line 1", "`lr`", "true", "float"]),
        ("lr = false", &["line 1", "`lr`", "false", "float"]),
        ("json = 1", &["line 1", "`json`", "true, false"]),
        ("quiet = 'yes'", &["line 1", "`quiet`", "'yes'"]),
        ("epochs = 1.5", &["line 1", "`epochs`", "1.5"]),
        ("seed = 0xff", &["line 1", "`seed`", "0xff"]),
        ("batch = 0", &["line 1", "`batch`", "0", "rows of at least 1"]),
        ("hidden = []", &["line 1", "`hidden`", "none"]),
        ("task = 'guess'", &["line 1", "`task`", "guess", "auto, binary, multiclass, regression"]),
        ("hidden = 3\nlr = 1\ninit-from = 'm'", &["line 3", "`init-from`", "--hidden"]),
        // Values that the settings refuse.
        ("epochs = 3\nlr = -0.5", &["line 2, column 1", "--lr is -0.5", "positive"]),
        ("test_fraction = 1.0", &["line 1", "--test-fraction", "1"]),
        ("optimizer = 'adamm'", &["line 1", "adamm", "sgd"]),
        ("plan = 'fast'", &["line 1", "--plan", "layered"]),
    ];
    for (toml, message) in cases {
        place.file("c.toml", toml);
        let message = [&["c.toml: "], *message].concat();
        let stderr = place.refuses("train moons --config c.toml --device cpu --epochs 1000000000", 2, &message);
        assert_no_work(&stderr);
        assert!(stderr.lines().all(|line| line.starts_with("error: ") || line.starts_with("note: ")), "{stderr}");
    }
    place.file("c.toml", "epochs = 3\ndata = 'moon'");
    place.refuses("train --config c.toml", 2, &["c.toml: line 2, column 1", "`moon`", "moons"]);
    // What a flag says is no fault of the file.
    place.file("c.toml", "data = 'moons'\nlr = 1");
    let stderr = place.refuses("train --config c.toml --lr -1", 2, &["--lr is -1"]);
    assert!(!stderr.contains("c.toml"), "{stderr}");
    place.refuses("train moons --config absent.toml", 2, &["absent.toml", "cannot read the configuration"]);
    fs::write(place.path().join("latin.toml"), b"target = '\xe9'").unwrap();
    place.refuses("train moons --config latin.toml", 2, &["latin.toml", "UTF-8"]);
    place.refuses("train moons --config", 2, &["--config"]);
}

/// Found before the first step, as for the model.
#[test]
fn a_configuration_that_cannot_be_kept_is_refused() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("run/config.toml")).unwrap();
    let words = "train moons --device cpu --epochs 1000000000 --out run --quiet";
    place.refuses(words, 2, &["config.toml", "cannot write the configuration"]);
    assert!(!place.path().join("run/model.safetensors").exists());
}

/// A dump touches nothing.
#[test]
fn a_dump_does_no_work() {
    let place = Place::new();
    place.stdout("train moons --device abacus --out run --dump-config");
    assert!(!place.path().join("run").exists());
    let help = place.stdout("train --help");
    assert!(help.contains("--config <FILE>") && help.contains("--quiet[=<BOOL>]"), "{help}");
}
