//! `mlp sweep`: grids and random trials, folds, halving, what a folder holds, a kill, and what is refused.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use wgpu_mlp::Model;

use crate::cli::{Place, assert_no_work};
use crate::support::devices;

const NUMBERS: &str = "sweep numbers.csv --target y --device cpu --epochs 4 --quiet";
const CLASSES: &str = "sweep classes.csv --target answer --device cpu --epochs 4 --quiet";

fn read(place: &Place, path: &str) -> String {
    fs::read_to_string(place.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of `results.csv` as cells by their headings.
fn table(place: &Place, folder: &str) -> Vec<BTreeMap<String, String>> {
    let path = place.path().join(folder).join("results.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What two sweeps of the same settings have in common: all but the seconds.
fn without_seconds(place: &Place, folder: &str) -> Vec<BTreeMap<String, String>> {
    let mut table = table(place, folder);
    table.iter_mut().for_each(|row| drop(row.remove("seconds")));
    table.sort();
    table
}

/// The values of a setting in the trials of `--json`, in the order of their numbers.
fn values(found: &Value, setting: &str) -> Vec<String> {
    let mut trials: Vec<&Value> = found["trials"].as_array().unwrap().iter().collect();
    trials.sort_by_key(|trial| trial["number"].as_u64());
    trials.iter().map(|trial| trial["settings"][setting].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_grid_is_trained_and_the_best_is_told() {
    let place = Place::new();
    let words = format!("{NUMBERS} --vary hidden=4;8,8 --vary lr=0.1,0.01,0.0001 --seeds 2 --out s");
    let found = place.json(&words);
    assert_eq!(values(&found, "hidden"), ["4", "4", "4", "8,8", "8,8", "8,8"]);
    assert_eq!(values(&found, "lr"), ["0.1", "0.01", "0.0001", "0.1", "0.01", "0.0001"]);
    assert_eq!((&found["metric"], &found["trainings"], &found["stopped"]), (&"rmse".into(), &12.into(), &false.into()));
    let trials = found["trials"].as_array().unwrap();
    let mean = |trial: &Value| trial["mean"].as_f64().unwrap();
    assert!(trials.iter().all(|trial| trial["end"] == "finished" && trial["scores"] == 2));
    assert!(trials.windows(2).all(|pair| mean(&pair[0]) <= mean(&pair[1])), "the best stands first");
    assert_eq!(found["best"], trials[0]);
    let best = |name: &str| found["best"]["settings"][name].as_str().unwrap();
    let command = format!(
        "mlp train numbers.csv --target y --preset plain --hidden {} --lr {} --epochs 4 --device cpu",
        best("hidden"),
        best("lr")
    );
    assert_eq!(found["command"], command);
    assert!(["0.1", "0.01"].contains(&best("lr")), "{found}");

    let rows = table(&place, "s");
    assert_eq!(rows.len(), 12);
    assert_eq!(fs::read_to_string(place.path().join("s/results.jsonl")).unwrap().lines().count(), 13);
    // Mean and standard error of two are half their sum and half their difference.
    let scores: Vec<f64> = rows
        .iter()
        .filter(|row| row["trial"].parse().ok() == found["best"]["number"].as_u64())
        .map(|row| row["score"].parse().unwrap())
        .collect();
    let close = |name: &str, expected: f64| (found["best"][name].as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(close("mean", (scores[0] + scores[1]) / 2.0), "{found}");
    assert!(close("standard_error", (scores[0] - scores[1]).abs() / 2.0), "{found}");

    // The score is that of the same training by `mlp train`, on the same rows.
    let first = rows.iter().find(|row| row["trial"] == "1" && row["seed"] == "0").unwrap();
    let one = place.json(
        "train numbers.csv --target y --device cpu --epochs 4 --hidden 4 --lr 0.1 --test-fraction 0 --validation-fraction 0.2 \
         --no-baseline --quiet",
    );
    assert_eq!(one["validation"]["rmse"].as_f64(), first["score"].parse().ok());

    let text = place.stdout(&format!("{NUMBERS} --vary lr=0.1,0.01"));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("trial") && lines[0].contains("lr") && lines[0].contains("± se"), "{text}");
    assert!(
        text.contains("\nbest: trial ") && text.contains("\nmlp train numbers.csv --target y --preset plain --lr 0.01"),
        "{text}"
    );
}

#[test]
fn random_trials_are_those_of_their_seed() {
    let place = Place::new();
    let words =
        "--vary lr=1e-3..1e-1:log --vary hidden=4;8,8 --vary batch=8..16 --vary dropout=0..0.5 --trials 6 --folds 3";
    let run = |out: &str, more: &str| place.json(&format!("{CLASSES} {words} --out {out} {more}"));
    let found = run("a", "");
    assert_eq!(found["metric"], "log_loss");
    run("b", "");
    assert_eq!(without_seconds(&place, "a"), without_seconds(&place, "b"));
    let rows = table(&place, "a");
    assert_eq!(rows.len(), 18);
    for row in &rows {
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        assert!((1e-3..=1e-1).contains(&number("lr")) && (0.0..=0.5).contains(&number("dropout")), "{row:?}");
        assert!((8.0..=16.0).contains(&number("batch")) && number("batch").fract() == 0.0, "{row:?}");
        assert!(["4", "8,8"].contains(&row["hidden"].as_str()) && row["end"] == "finished", "{row:?}");
    }
    let other = run("c", "--sweep-seed 1");
    assert_ne!(values(&found, "lr"), values(&other, "lr"));
    // The trials stand as they are in the file that repeats the sweep.
    place.json("sweep --config a/sweep.toml --out d --quiet");
    assert_eq!(without_seconds(&place, "a"), without_seconds(&place, "d"));
    // More of them begin with the same ones.
    let more = place.json(&format!("{CLASSES} {} ", words.replace("--trials 6", "--trials 8")));
    assert_eq!(values(&more, "lr")[..6], values(&found, "lr"));
    // A small space is used up.
    assert_eq!(place.json(&format!("{NUMBERS} --vary batch=8..10 --trials 50"))["trials"].as_array().unwrap().len(), 3);
}

#[test]
fn a_file_says_what_flags_say() {
    let place = Place::new();
    place.file(
        "s.toml",
        "data = \"numbers.csv\"\ntarget = \"y\"\ndevice = \"cpu\"\nepochs = 4\nfolds = 2\nquiet = true\n\n[vary]\nhidden = [\"4\", [8, 8]]\n\
         lr = [0.1, 0.01]\n",
    );
    let text = read(&place, "s.toml");
    let found = place.json("sweep --config s.toml --out file");
    assert_eq!(found["trainings"], 8);
    place.json(&format!("{NUMBERS} --folds 2 --vary hidden=4;8,8 --vary lr=0.1;0.01 --out flags"));
    assert_eq!(without_seconds(&place, "file"), without_seconds(&place, "flags"));
    // A flag takes the place of its key, and --vary that of the whole table.
    assert_eq!(place.json("sweep --config s.toml --folds 3")["trainings"], 12);
    assert_eq!(values(&place.json("sweep --config s.toml --vary lr=0.5,0.25,0.125"), "lr"), ["0.5", "0.25", "0.125"]);
    place.file(
        "range.toml",
        &text.replace("lr = [0.1, 0.01]", "lr = \"1e-2..1e-1:log\"\n").replace("folds = 2", "trials = 3"),
    );
    assert_eq!(place.json("sweep --config range.toml")["trials"].as_array().unwrap().len(), 3);
    for (text, words) in [
        ("vary = 3\n", vec!["line 1, column 1: `vary` is no table"]),
        ("[vary]\nlr = 2020-01-01\n", vec!["line 2, column 1: `lr` is a date or time"]),
        (
            "[vary]\nhidden = [[[8]], 4]\n",
            vec!["line 2, column 1: `hidden` is an array of arrays", "an array of the values"],
        ),
        ("[vary]\nlrr = [1, 2]\n", vec!["line 2, column 1: --vary is `lrr`", "did you mean `lr`?"]),
        ("trails = 3\n", vec!["unknown key `trails`", "`trials`", "mlp sweep --help"]),
    ] {
        place.file("bad.toml", text);
        let words: Vec<&str> = ["bad.toml: "].into_iter().chain(words).collect();
        place.refuses("sweep numbers.csv --target y --config bad.toml", 2, &words);
    }
}

/// Ctrl-C ends a sweep with what has ended, and it goes on from there.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_has_ended() {
    use crate::cli::{FOREVER, Output, Running};
    let place = Place::new();
    // The second trial would train for years.
    let words = format!("sweep numbers.csv --target y --device cpu --vary epochs=3,{FOREVER} --hidden 2 --out s");
    let seen = || fs::read_to_string(place.path().join("s/results.jsonl")).is_ok_and(|text| text.lines().count() == 2);
    let Output { code, stdout, stderr } = Running::signalled(place.command(&words), "-INT", seen);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("mlp sweep --resume s continues from here"), "{stderr}");
    assert!(stdout.contains("best: trial 1, rmse ") && stdout.contains("unfinished"), "{stdout}");
    assert_eq!(table(&place, "s").len(), 1);
    // It still knows that the first trial has ended.
    let (owner, before) = (read(&place, "s/.lock"), read(&place, "s/results.jsonl"));
    let again =
        || fs::read_to_string(place.path().join("s/.lock")).is_ok_and(|text| text.ends_with('\n') && text != owner);
    let Output { code, .. } = Running::signalled(place.command("sweep --resume s"), "-KILL", again);
    assert_eq!(code, None);
    assert_eq!(read(&place, "s/results.jsonl"), before);
}

/// Groups are in one fold, and each row is held out once.
#[test]
fn folds_keep_groups_together() {
    let place = Place::new();
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", i % 7, i % 11, i / 6)).collect();
    place.file("groups.csv", &format!("a,y,g\n{rows}"));
    let words = "sweep groups.csv --target y --group g --epochs 2 --device cpu --vary lr=0.1,0.01 --folds 5 --quiet";
    assert_eq!(place.json(words)["trainings"], 10);
    let error =
        place.refuses(&words.replace("--folds 5", "--folds 11"), 2, &["--folds is 11: expected 2 to 10, the groups"]);
    assert_no_work(&error);
    // A column may say the fold of each row; it is no feature.
    let rows: String = (0..60).map(|i| format!("{},{},{},f{}\n", i % 7, i % 11, i / 6, i / 12)).collect();
    place.file("given.csv", &format!("a,y,g,f\n{rows}"));
    let words = words.replace("groups.csv", "given.csv").replace("--folds 5", "--fold-column f --refit --out s");
    assert_eq!(place.json(&words)["trainings"], 10);
    let model = Model::load(place.path().join("s/best/model.safetensors")).unwrap();
    let features: Vec<_> =
        model.encoder.as_ref().unwrap().features().iter().map(|feature| feature.name.clone()).collect();
    assert_eq!(features, ["a"]);
    let rows: String = (0..60).map(|i| format!("{},{},{},f{}\n", i % 7, i % 11, i / 6, i / 10)).collect();
    place.file("torn.csv", &format!("a,y,g,f\n{rows}"));
    let torn = words.replace("given.csv", "torn.csv").replace("--out s", "--out t");
    let message = "--group is `g`, whose `1` is in the folds `f0` and `f1`: expected no group in two folds";
    assert_no_work(&place.refuses(&torn, 2, &[message]));
    for (column, message) in [("y", "another column than the target"), ("z", "no column `z`"), ("w", "a single fold")] {
        let text: String = read(&place, "given.csv")
            .lines()
            .map(|line| format!("{line},{}\n", if line.contains('g') { "w" } else { "1" }))
            .collect();
        place.file("one.csv", &text);
        let words =
            words.replace("given.csv", "one.csv").replace("--fold-column f", &format!("--fold-column {column}"));
        assert_no_work(&place.refuses(&words.replace("--out s", "--out u"), 2, &[message]));
    }
}

#[test]
fn halving_stops_losers_early() {
    let place = Place::new();
    let words = "sweep numbers.csv --target y --device cpu --epochs 9 --quiet --vary lr=0.1,0.05,0.02,0.01,0.001,0.0001,0.00001,0.000001,1e-7";
    let found = place.json(&format!("{words} --halving --rung 1 --folds 2 --out h"));
    let ends = |end: &str| found["trials"].as_array().unwrap().iter().filter(|trial| trial["end"] == end).count();
    assert_eq!((ends("finished"), ends("stopped")), (1, 8), "{found}");
    let epochs = |epochs: &str| table(&place, "h").iter().filter(|row| row["epoch"] == epochs).count();
    assert_eq!((epochs("9"), epochs("3"), epochs("1")), (2, 4, 12));
    assert!(read(&place, "h/report.html").contains("<figure id=\"rungs\">"));
    // Who goes on ends as if there had been no rung: nothing began anew.
    let whole = place.json(&format!("{words} --folds 2 --out w"));
    let of_best = |folder: &str| {
        let best = found["best"]["number"].to_string();
        let mut rows = without_seconds(&place, folder);
        rows.retain(|row| row["trial"] == best);
        rows.iter().map(|row| (row["fold"].clone(), row["score"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(of_best("h"), of_best("w"));
    assert_eq!(whole["trainings"], 18);
}

/// What was written before a kill is found again, whatever line the kill has torn, and the sweep ends with the same results.
#[test]
fn a_killed_sweep_repeats_nothing() {
    let place = Place::new();
    for more in ["--folds 2", "--halving=2 --rung 1"] {
        let folder = place.path().join("s");
        let words = format!("{NUMBERS} --vary lr=0.1,0.01,0.001 --vary hidden=4;8 {more} --out s");
        let best = place.json(&words)["best"].clone();
        let expected = without_seconds(&place, "s");
        let lines = read(&place, "s/results.jsonl");
        // The times of all trainings: a repeated one would have another.
        let seconds = |text: &str| -> Vec<String> {
            let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seconds"].to_string();
            text.lines().skip(1).map(of).collect()
        };
        let before = seconds(&lines);
        let csv = read(&place, "s/results.csv");
        for kept in [0, 1, 3] {
            let end: usize = lines.split_inclusive('\n').take(1 + kept).map(str::len).sum();
            // The next line has come to its middle, the table to another place.
            fs::write(folder.join("results.jsonl"), &lines[..end + 20]).unwrap();
            fs::write(folder.join("results.csv"), &csv[..csv.len() / 2 + kept]).unwrap();
            let found = place.json("sweep --resume s --quiet");
            let after = seconds(&read(&place, "s/results.jsonl"));
            assert_eq!(after[..kept], before[..kept]);
            assert_eq!(without_seconds(&place, "s"), expected, "{more}, {kept} kept");
            for name in ["number", "settings", "mean", "standard_error"] {
                assert_eq!(found["best"][name], best[name]);
            }
        }
        // Nothing is left to do: not a byte changes.
        let whole = read(&place, "s/results.jsonl");
        place.json("sweep --resume s --quiet");
        assert_eq!(read(&place, "s/results.jsonl"), whole);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn the_best_is_trained_on_all_rows() {
    let place = Place::new();
    let words = format!("{CLASSES} --vary lr=0.1,0.001 --folds 3 --refit --out s");
    let found = place.json(&words);
    assert_eq!(found["model"], "s/best/model.safetensors");
    let model = Model::load(place.path().join("s/best/model.safetensors")).unwrap();
    let training = model.training.as_ref().unwrap();
    assert_eq!((training.rows, training.epochs), (60, 4));
    let predicted = place.stdout("predict s/best classes.csv --device cpu");
    assert!(predicted.starts_with("prediction,p_no,p_yes\n") && predicted.lines().count() == 61);
    // It is the model of the same training by `mlp train`.
    let lr = found["best"]["settings"]["lr"].as_str().unwrap();
    place.stdout(&format!(
        "train classes.csv --target answer --device cpu --epochs 4 --lr {lr} --test-fraction 0 --no-baseline --quiet --out t"
    ));
    let other = Model::load(place.path().join("t/model.safetensors")).unwrap();
    assert_eq!(model.parameters, other.parameters);
    // Rows for testing stay apart, and a run without a length stops where its trainings were best.
    let found = place.json(
        "sweep classes.csv --target answer --device cpu --quiet --vary lr=0.1,0.05 --patience 2 --epochs 30 --test-fraction 0.2 \
         --refit --out u",
    );
    let model = Model::load(place.path().join("u/best/model.safetensors")).unwrap();
    let training = model.training.unwrap();
    assert_eq!((training.rows as u64, Some(training.epochs as f64)), (48, found["best"]["judged_epochs"].as_f64()));
}

#[test]
fn the_page_has_pictures_and_says_what_repeats_it() {
    let place = Place::new();
    let words = "--vary lr=1e-3..1e-1:log --vary hidden=4;8,8 --vary batch=8..16 --trials 5 --seeds 2 --out s";
    let found = place.json(&format!("{NUMBERS} {words}"));
    assert_eq!(found["report"], "s/report.html");
    let page = read(&place, "s/report.html");
    for name in ["parallel", "score-lr", "score-hidden", "score-batch"] {
        assert!(page.contains(&format!("<figure id=\"{name}\">")), "{name}");
    }
    let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for text in ["<script", "http", "url(", "@import", "href=", "src="] {
        assert!(!without_namespace.contains(text), "{text}");
    }
    assert!(page.contains(found["command"].as_str().unwrap()) && page.contains("prefers-color-scheme"));
    let number = found["best"]["number"].to_string();
    assert!(page.contains(&format!("rmse of trial {number}, the best")) && page.contains("[vary]"));
    let mut reader = quick_xml::Reader::from_str(&page);
    while !matches!(reader.read_event().unwrap_or_else(|error| panic!("{error}")), quick_xml::events::Event::Eof) {}
}

/// What a preset decides by the task is that of its trials, too: what epochs are judged by, and the rate of a trial that has none.
#[test]
fn a_presets_trials_have_what_it_decides_by_the_task() {
    let place = Place::new();
    let means = |flags: &str| -> Vec<Value> {
        let words = format!("{CLASSES} --preset tabular --hidden 4 --vary beta2=0.95,0.999 {flags}");
        let found = place.json(&words);
        found["trials"].as_array().unwrap().iter().map(|trial| trial["mean"].clone()).collect()
    };
    let decided = means("");
    assert!(decided.len() == 2 && decided.iter().all(Value::is_f64), "{decided:?}");
    assert_eq!(decided, means("--monitor accuracy --lr 0.04"));
    assert_ne!(decided, means("--lr 0.07"));
}

/// A trial that diverges or is too large does not end the others.
#[test]
fn lost_trials_are_told() {
    let place = Place::new();
    let words =
        "sweep numbers.csv --target y --device cpu --epochs 3 --quiet --optimizer sgd --no-standardize --out s --vary";
    let found = place.json(&format!("{words} lr=0.001,1e30"));
    let trials = found["trials"].as_array().unwrap();
    assert_eq!((&trials[0]["end"], &trials[1]["end"]), (&"finished".into(), &"diverged".into()));
    assert_eq!((&trials[1]["mean"], &found["best"]["number"]), (&Value::Null, &1.into()));
    let rows = table(&place, "s");
    let row = rows.iter().find(|row| row["trial"] == "2").unwrap();
    assert_eq!((row["end"].as_str(), row["score"].as_str()), ("diverged", ""));
    // More parameters than a buffer of any device has room for.
    let wide = format!("{NUMBERS} --out f --vary lr=0.1,0.01 --vary hidden=4;60000,60000,60000");
    let found = place.json(&wide);
    let ends: Vec<&str> =
        found["trials"].as_array().unwrap().iter().map(|trial| trial["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["finished", "finished", "failed", "failed"]);
    let failed: Vec<_> = table(&place, "f").into_iter().filter(|row| row["end"] == "failed").collect();
    assert!(failed.len() == 2 && failed.iter().all(|row| row["problem"].contains("bytes")), "{failed:?}");
    let output = place.run(&format!("{} lr=1e30,2e30", words.replace("--out s", "--out all")));
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("error: no trial has finished with a score"), "{}", output.stderr);
}

#[test]
fn bad_input_is_told_in_a_line() {
    let place = Place::new();
    let refuses = |words: &str, message: &[&str]| {
        let error = place.refuses(&format!("{NUMBERS} {words}").replace(" --quiet", ""), 2, message);
        assert_no_work(&error);
    };
    for (words, message) in [
        ("", &["--vary is not given", "lr=1e-4..1e-1:log"][..]),
        ("--vary lrr=1,2", &["--vary is `lrr`: expected a flag of `mlp train`: did you mean `lr`?"]),
        ("--vary target=a,b", &["--vary is `target`", "the same for all trials"]),
        ("--vary seed=1,2", &["--vary is `seed`", "--seeds N"]),
        ("--vary epochs=1,2 --halving", &["--vary is `epochs` beside --halving"]),
        ("--vary lr", &["--vary is `lr`: expected NAME=VALUES"]),
        ("--vary lr=", &["--vary is `lr` with empty"]),
        ("--vary lr=0.1..0.1 --trials 3", &["--vary is `lr` with an empty range"]),
        ("--vary lr=0.1..0.01 --trials 3", &["--vary is `lr` with an empty range", "the smaller number in front"]),
        ("--vary lr=0..1:log --trials 3", &["logarithms from 0"]),
        ("--vary lr=0.1..1", &["--vary is `lr` with a range", "--trials N"]),
        ("--vary lr=0.1", &["--vary is `lr` with the single value `0.1`"]),
        ("--vary hidden=32,32", &["`hidden` with the single value `32,32`", "`;` between values"]),
        ("--vary lr=0.1,0.1", &["`0.1` twice"]),
        ("--vary lr=0.1,0.2 --vary lr=0.3,0.4", &["--vary is `lr` twice"]),
        ("--vary lr=0.1,0.2 --lr 0.3", &["--vary is `lr` beside --lr"]),
        ("--vary lr=0.1,fast", &["--vary is `lr`", "lr=fast", "invalid float literal"]),
        ("--vary lr=0.1,-1", &["--lr is -1 in the trial lr=-1: expected"]),
        ("--vary dropout=0.5;1.5", &["--dropout is 1.5 in the trial dropout=1.5"]),
        ("--vary hidden=4;4,0", &["hidden=4,0", "widths from 1"]),
        ("--vary hidden=4;4,4 --dropout 0.1,0.2", &["--dropout is a list of 2", "hidden=4"]),
        ("--vary loss=huber;poission", &["poission"]),
        ("--vary lr=0.1,0.2 --trials 0", &["--trials is 0"]),
        ("--vary lr=0.1,0.2 --seeds 0", &["--seeds is 0"]),
        ("--vary lr=0.1,0.2 --folds 1", &["--folds is 1: expected 2 to 60"]),
        ("--vary lr=0.1,0.2 --folds 61", &["--folds is 61: expected 2 to 60"]),
        ("--vary lr=0.1,0.2 --validation-fraction 0", &["without rows that are held out", "--folds K"]),
        ("--vary lr=0.1,0.2 --metric accuracy", &["--metric is accuracy: expected one of loss, rmse, mae, r2"]),
        ("--vary lr=0.1,0.2 --metric rsme", &["--metric is `rsme`"]),
        ("--vary lr=0.1,0.2 --halving=1", &["--halving is 1: expected at least 2"]),
        ("--vary lr=0.1,0.2 --halving --rung 0", &["--rung is 0"]),
        ("--vary lr=0.1,0.2 --refit", &["--refit is without a folder", "--out DIR"]),
        ("--vary lr=0.1,0.2 --init-from m", &["--init-from"]),
    ] {
        refuses(words, message);
    }
    place.file(
        "few.csv",
        &format!(
            "a,y\n{}",
            (0..20).map(|i| format!("{i},{}\n", if i < 3 { "rare" } else { "often" })).collect::<String>()
        ),
    );
    let words = "sweep few.csv --target y --device cpu --vary lr=0.1,0.2 --folds 5";
    let error = place.refuses(words, 2, &["--folds is 5: expected at most 3, the training rows of class `rare`"]);
    assert_no_work(&error);
}

#[test]
fn results_of_another_sweep_are_left_alone() {
    let place = Place::new();
    let words = format!("{NUMBERS} --vary lr=0.1,0.01 --out s");
    place.json(&words);
    let files =
        || ["results.jsonl", "results.csv", "sweep.toml", "report.html"].map(|name| read(&place, &format!("s/{name}")));
    let before = files();
    let refuses = |words: &str, message: &[&str]| {
        let error = place.refuses(words, 2, message);
        assert_no_work(&error);
    };
    refuses(&words, &["--out is s, which has the results.jsonl of a sweep: expected another folder, or --resume s"]);
    refuses("sweep --resume s --epochs 9", &["--resume is together with --epochs"]);
    refuses("sweep --resume nothing", &["nothing/sweep.toml: cannot read the configuration"]);
    // Another table under the same name, then another space in the file.
    let table = read(&place, "numbers.csv");
    place.file("numbers.csv", &table.replacen("\n0,", "\n9,", 1));
    refuses("sweep --resume s", &["--resume is s, whose results are of another sweep: the data's checksum is"]);
    place.file("numbers.csv", &table);
    let file = read(&place, "s/sweep.toml");
    place.file("s/sweep.toml", &file.replace("0.1;0.01", "0.1;0.02"));
    refuses("sweep --resume s", &["another sweep: --vary 1 lr is 0.1;0.01 there and 0.1;0.02 here"]);
    place.file("s/sweep.toml", &file);
    place.file("s/results.jsonl", &before[0].replacen("\"trial\":1", "\"trail\":1", 1));
    refuses("sweep --resume s", &["results.jsonl: not results of a sweep: line 2: missing field `trial`"]);
    place.file("s/results.jsonl", &before[0]);
    assert_eq!(files(), before);
}

/// Several devices share the trials out; with two of one kind the results are those of one.
#[test]
fn devices_share_the_trials() {
    let place = Place::new();
    let words = "sweep numbers.csv --target y --epochs 6 --quiet --vary lr=0.1,0.05,0.01,0.001 --seeds 2";
    let one = place.json(&format!("{words} --device cpu"));
    let two = place.json(&format!("{words} --device cpu,cpu --halving --rung 2"));
    let halved = place.json(&format!("{words} --device cpu --halving --rung 2"));
    let trials = |found: &Value| {
        let mut trials = found["trials"].as_array().unwrap().clone();
        trials.iter_mut().for_each(|trial| drop(trial.as_object_mut().unwrap().remove("seconds")));
        trials
    };
    assert_eq!(trials(&two), trials(&halved));
    assert_eq!(one["trainings"], 8);
    let both = place.json(&format!("{words} --device cpu,cpu"));
    assert_eq!(trials(&both), trials(&one));
    assert!(both["device"].as_str().unwrap().contains(", CPU"), "{}", both["device"]);
    if !devices().iter().any(|device| device.summary().is_hardware()) {
        place.refuses(&format!("{words} --device all"), 2, &["all, which takes hardware GPUs alone", "cpu"]);
    }
}
