//! `--budget`: what a time is turned into, that a run can be repeated from it, and what is refused. The times are so far apart from what
//! a run takes that no clock matters: a billionth of a second, and 10,000 hours.

use std::fs;

use wgpu_mlp::Model;

use crate::cli::{Place, assert_no_work};

/// Epochs of one network that are worth a measurement.
const LONG: &str = "--preset tabular --device cpu --no-baseline --hidden 1000,1000 --ensemble 1 --epochs 100";
const SMALL: &str = "--preset tabular --hidden 6 --device cpu --no-baseline";

fn config(place: &Place, run: &str) -> String {
    fs::read_to_string(place.path().join(run).join("config.toml")).unwrap()
}

fn model(place: &Place, run: &str) -> Model {
    Model::load(place.path().join(run)).unwrap()
}

/// The file of a run has epochs and networks in place of the time, and makes the same bytes; so does a run that is taken up.
#[test]
fn a_time_becomes_epochs_and_networks() {
    let place = Place::new();
    for (name, words, epochs, networks, line) in [
        (
            "none",
            format!("classes.csv --target answer {SMALL} --budget 1e-9s"),
            "1",
            1,
            "one network of 1 epoch, about ",
        ),
        (
            "all",
            format!("numbers.csv --target y {SMALL} --budget 10000h"),
            "256",
            8,
            "8 networks of 256 epochs, about ",
        ),
        (
            "folds",
            format!("numbers.csv --target y {SMALL} --folds 3 --budget 1e4h"),
            "256",
            3,
            "3 networks of 256 epochs",
        ),
        ("one", format!("numbers.csv --target y {SMALL} --ensemble 1 --budget 1e4h"), "256", 1, "one network of 256 "),
        (
            "two",
            format!("numbers.csv --target y {SMALL} --ensemble 2 --budget 1e-10m"),
            "1",
            2,
            "2 networks of 1 epoch",
        ),
        (
            "plain",
            "numbers.csv --target y --hidden 3 --device cpu --patience 5 --budget 1e-9s".into(),
            "1",
            1,
            "of 1 epoch",
        ),
        ("moons", "moons --samples 60 --hidden 3 --device cpu --budget 1e-9s".into(), "1", 1, "one network of 1 epoch"),
    ] {
        let found = place.run(&format!("train {words} --out {name}"));
        assert_eq!(found.code, Some(0), "{words}: {}", found.stderr);
        let told: Vec<_> = found.stderr.lines().filter(|line| line.starts_with("budget: ")).collect();
        let [told] = told[..] else { panic!("{words}: {}", found.stderr) };
        assert!(told.contains(line) && told.contains("--epochs N and --ensemble N"), "{words}: {told}");
        assert!(found.stderr.find("budget: ") < found.stderr.find("plan: "), "{}", found.stderr);
        assert_eq!(model(&place, name).networks(), networks, "{words}");
        let kept = config(&place, name);
        let each = if name == "folds" { 1 } else { networks };
        assert!(kept.contains(&format!("\nepochs = {epochs}\n")) && !kept.contains("budget"), "{words}: {kept}");
        assert!(kept.contains(&format!("\nensemble = {each}\n")), "{words}: {kept}");
        place.stdout(&format!("train --config {name}/config.toml --out again-{name} --quiet"));
        assert!(model(&place, &format!("again-{name}")) == model(&place, name), "{words}");
    }
    // What a budget has decided is said in the file: another budget does not change the networks.
    place.stdout("train --config two/config.toml --budget 1e4h --out more --quiet");
    assert_eq!((model(&place, "more").networks(), config(&place, "more").contains("\nepochs = 10000\n")), (2, false));
    // A model to start from makes one network, since several would start alike.
    let words = "train numbers.csv --target y --init-from one --device cpu --no-baseline --budget 1e4h --out from";
    place.stdout(&format!("{words} --batch full --lr 1e-6 --patience 1 --quiet"));
    assert_eq!(model(&place, "from").networks(), 1);
}

#[test]
fn a_run_in_a_budget_is_resumed_without_one() {
    let place = Place::new();
    let words = format!("numbers.csv --target y {SMALL} --budget 10000h --checkpoint-every 128 --out whole --quiet");
    place.stdout(&format!("train {words}"));
    place.stdout("train --resume whole/checkpoints/epoch-000128.safetensors --out resumed --quiet");
    assert!(model(&place, "resumed") == model(&place, "whole"));
    assert_eq!(model(&place, "resumed").networks(), 8);
    let stderr = place.refuses("train --resume whole --budget 60s", 2, &["--resume", "together with --budget"]);
    assert_no_work(&stderr);
}

/// stdout is the JSON alone, and `--quiet` leaves the line out, not what it says.
#[test]
fn a_budget_leaves_output_alone() {
    let place = Place::new();
    let words = format!("train numbers.csv --target y {SMALL} --budget 1e-9s");
    let told = place.json(&words);
    assert_eq!(told["epochs"].as_u64(), Some(1));
    let quiet = place.run(&format!("{words} --quiet --json --out quiet"));
    let is_told = quiet.stderr.lines().any(|line| line.starts_with("budget: ") || line.starts_with("time: "));
    assert_eq!((quiet.code, quiet.stdout.lines().count(), is_told), (Some(0), 1, false), "{}", quiet.stderr);
    assert!(config(&place, "quiet").contains("\nepochs = 1\n"));
}

/// A preset's run says how long it takes; one that is over at once, of its own settings or in a budget, does not.
#[test]
fn the_time_of_a_preset_is_told() {
    let place = Place::new();
    for (words, is_told) in [
        (format!("numbers.csv --target y {LONG}"), true),
        (format!("numbers.csv --target y {LONG} --quiet"), false),
        (format!("numbers.csv --target y {SMALL} --epochs 3"), false),
        (format!("numbers.csv --target y {SMALL} --budget 1e-9s"), false),
        ("numbers.csv --target y --hidden 6 --epochs 3 --device cpu --no-baseline".into(), false),
    ] {
        let found = place.run(&format!("train {words}"));
        let told = found.stderr.lines().any(|line| line.starts_with("time: about ") && line.contains("--budget 60s"));
        assert_eq!((found.code, told), (Some(0), is_told), "{words}: {}", found.stderr);
    }
}

/// A measurement that diverges leaves it to the run to say so.
#[test]
fn a_run_that_diverges_says_so_itself() {
    let place = Place::new();
    let words = "train numbers.csv --target y --hidden 6 --optimizer sgd --lr 1e30 --no-standardize --device cpu";
    let found = place.run(&format!("{words} --budget 1e4h --ensemble 1 --out run"));
    assert_ne!(found.code, Some(0), "{}", found.stderr);
    for text in ["budget: one network", "training diverged", "the last good parameters are in run"] {
        assert!(found.stderr.contains(text), "{text}: {}", found.stderr);
    }
}

#[test]
fn what_is_no_budget_is_refused() {
    let place = Place::new();
    let words = "train moons --device cpu --epochs 1000000000";
    for time in ["60", "0s", "-5s", "1d", "s", "nans", "infs", "1e30h", "1e-12s", "1_0s", "5 m", "5ms", "1h30m"] {
        let mut command = place.command("train moons --device cpu");
        command.arg(format!("--budget={time}"));
        let message = ["--budget", time, "a time above 0 with its unit: 60s, 5m, 1.5h"];
        assert_no_work(&crate::cli::refused(command, &format!("--budget={time}"), 2, &message));
    }
    place.refuses("train moons --budget", 2, &["--budget"]);
    for (flags, others) in
        [("--budget 60s", ["--budget", "--epochs"]), ("--lr-find --budget 60s", ["--budget", "cannot be used with"])]
    {
        assert_no_work(&place.refuses(&format!("{words} {flags}"), 2, &others));
    }
    for flag in ["--lr-find", "--dump-config", "--data-parallel"] {
        assert_no_work(&place.refuses(&format!("train moons --budget 60s {flag}"), 2, &["--budget", flag]));
    }
    place.refuses("sweep moons --vary lr=0.1,0.2 --out s --budget 60s", 2, &["--budget"]);
}
