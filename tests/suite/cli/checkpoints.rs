//! The command over a run's life: checkpoints, runs that are broken off and go on, `metrics.jsonl`, `--lr-find`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{Place, assert_no_work};

/// Rows whose classes say nothing: what is learnt of them is wrong for others, so validation gets worse and worse.
fn noise(place: &Place) {
    let rows: String = (0..80_u32)
        .map(|i| {
            let hash = i.wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519);
            format!("{},{},{}\n", i % 9, i * 31 % 80, if hash & 0x1000 == 0 { "no" } else { "yes" })
        })
        .collect();
    place.file("noise.csv", &format!("a,b,answer\n{rows}"));
}

fn epochs_of(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder.join("checkpoints")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The lines of `metrics.jsonl` without their seconds, which must not fall.
fn journal(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let mut last = 0.0;
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let seconds = value.as_object_mut().unwrap().remove("seconds").unwrap().as_f64().unwrap();
        assert!(seconds >= last, "{text}");
        last = seconds;
        value
    };
    text.lines().map(line).collect()
}

fn validation_loss(line: &Value) -> f64 {
    line["validation"]["loss"].as_f64().unwrap()
}

#[test]
fn the_last_checkpoints_and_the_best_are_kept() {
    let place = Place::new();
    noise(&place);
    let words = "train noise.csv --target answer --device cpu --lr 0.02 --validation-fraction 0.3 --epochs 150";
    place.json(&format!("{words} --checkpoint-every 20 --keep 2 --out run"));
    let folder = place.path().join("run");
    let lines = journal(&folder);
    assert_eq!(lines.len(), 150);
    for (epoch, line) in (1..).zip(&lines) {
        assert_eq!(line["epoch"], epoch, "{line}");
        for key in ["step", "learning_rate", "loss", "accuracy"] {
            assert!(line[key].is_number(), "{key}: {line}");
        }
    }
    let saved = (20..=140).step_by(20);
    let best =
        saved.min_by(|&a, &b| validation_loss(&lines[a - 1]).total_cmp(&validation_loss(&lines[b - 1]))).unwrap();
    assert!(best < 120, "the best, {best}, is not to be among the last");
    let expected = [best, 120, 140].map(|epoch| format!("epoch-{epoch:06}.safetensors"));
    assert_eq!(epochs_of(&folder), expected);
    // A checkpoint is a model, and a folder of a run is its model and not a checkpoint.
    let newest = place.json(&format!("eval run/checkpoints/{} noise.csv --device cpu", expected[2]));
    assert_eq!(newest["rows"], 80, "{newest}");

    // Another run is not mixed up with this one, and leaves it as it was.
    let before = fs::read(folder.join("config.toml")).unwrap();
    let words = "train noise.csv --target answer --device cpu --epochs 1000000000 --out run";
    assert_no_work(&place.refuses(words, 2, &["--out", "checkpoints of another run", "--resume"]));
    assert_eq!(fs::read(folder.join("config.toml")).unwrap(), before);
    assert_eq!(journal(&folder), lines);
}

/// A run that was killed or interrupted, and goes on, ends with the bytes and with the journal of the unbroken one.
#[cfg(unix)]
#[test]
fn a_broken_run_goes_on_to_the_same_bytes() {
    use crate::cli::{FOREVER, Output, Running};
    use std::collections::BTreeSet;
    let place = Place::new();
    noise(&place);
    let words = format!(
        "train noise.csv --target answer --device cpu --hidden 16,8 --batch 8 --dropout 0.2,0.1 --clip-norm 1 --lr 0.02 \
         --schedule plateau:patience=30,factor=0.9 --validation-fraction 0.3 --patience {FOREVER}"
    );
    let path = |run: &str| place.path().join(run);
    let model = |run: &str| fs::read(path(run).join("model.safetensors")).unwrap();
    let least = |lines: &[Value]| lines.iter().map(validation_loss).fold(f64::INFINITY, f64::min);
    for signal in ["-KILL", "-INT"] {
        let run = format!("broken{signal}");
        // It would go on for years, and is broken off behind some checkpoints.
        let command = place.command(&format!("{words} --epochs {FOREVER} --checkpoint-every 40 --out {run}"));
        let running = path(&run).join("running");
        let seen = || fs::metadata(running.join("metrics.jsonl")).is_ok_and(|file| file.len() > 60_000);
        let Output { code, stderr: told, .. } = Running::signalled(command, signal, seen);
        let done = journal_so_far(if signal == "-INT" { path(&run) } else { running }.as_path());
        assert!(done.len() > 80, "{} epochs\n{told}", done.len());
        if signal == "-INT" {
            assert_eq!(code, Some(130), "{told}");
            assert!(told.contains("continues from here"), "{told}");
            // The model is the best so far, as that of a finished run is; the checkpoint goes on from the last.
            assert!(told.contains("stopped by Ctrl-C") && told.contains(", the best"), "{told}");
            let found = place.json(&format!(
                "train noise.csv --target answer --device cpu --lr 1e-30 --epochs 1 \
                 --validation-fraction 0.3 --init-from {run}/model.safetensors"
            ));
            let (found, best) = (found["validation"]["loss"].as_f64().unwrap(), least(&done));
            assert!((found - best).abs() < 1e-5, "{found}, {best}");
            assert!(validation_loss(done.last().unwrap()) > best + 1e-4, "the last is the best");
        } else {
            assert_eq!(code, None, "{told}");
            assert!(!path(&run).join("model.safetensors").exists());
        }
        let (epochs, unbroken) = (done.len() + 150, format!("whole{signal}"));
        let whole = place.json(&format!("{words} --epochs {epochs} --out {unbroken}"));
        let resumed = place.json(&format!("train --resume {run} --epochs {epochs}"));
        assert_eq!(resumed["train"], whole["train"], "{resumed}");
        assert!(model(&run) == model(&unbroken), "{signal}: other bytes");
        let lines = journal(&path(&unbroken));
        assert_eq!(lines.len(), epochs);
        assert_eq!(journal(&path(&run)), lines, "{signal}");
        let rates: BTreeSet<_> = lines.iter().map(|line| line["learning_rate"].to_string()).collect();
        assert!(rates.len() > 3, "no plateau: {rates:?}");
    }
}

/// Of a killed run the last line may be half a line.
#[cfg(unix)]
fn journal_so_far(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A finished run becomes a longer one.
#[test]
fn more_epochs_lengthen_a_run() {
    let place = Place::new();
    let words = "train classes.csv --target answer --device cpu --dropout 0.1";
    place.json(&format!("{words} --epochs 9 --out whole"));
    place.json(&format!("{words} --epochs 5 --checkpoint-every 5 --out short"));
    place.json("train --resume short --epochs 9 --out longer");
    let model = |run: &str| fs::read(place.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("longer") == model("whole") && model("short") != model("whole"));
    let epochs: Vec<_> = journal(&place.path().join("longer")).iter().map(|line| line["epoch"].clone()).collect();
    assert_eq!(epochs, [6, 7, 8, 9], "the folder is another, so it has the epochs of this part");
}

#[test]
fn checkpoints_that_do_not_serve_are_refused() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 2 --checkpoint-every 1 --out run");
    let newest = place.path().join("run").join("checkpoints").join("epoch-000002.safetensors");
    let bytes = fs::read(&newest).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(place.path().join(name), bytes).unwrap();
    put("half.safetensors", &bytes[..bytes.len() / 2]);
    put("empty.safetensors", b"");
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    put("flipped.safetensors", &flipped);
    fs::create_dir(place.path().join("nothing")).unwrap();
    for (words, message) in [
        ("half.safetensors", &["half.safetensors", "truncated"][..]),
        ("empty.safetensors", &["empty.safetensors", "truncated"]),
        ("flipped.safetensors", &["flipped.safetensors", "checksum", "damaged"]),
        ("classes.csv", &["classes.csv", "not a model file"]),
        ("run/model.safetensors", &["model.safetensors", "a model without a checkpoint", "--init-from"]),
        ("absent.safetensors", &["absent.safetensors", "cannot read"]),
        ("nothing", &["--resume", "nothing", "without checkpoints", "--checkpoint-every"]),
        ("run --hidden 5", &["--resume", "together with --hidden", "epochs"]),
        ("run --lr 0.5", &["--resume", "together with --lr", "epochs"]),
        ("run --config run/config.toml", &["--resume", "together with --config"]),
        ("run --lr-find", &["--resume", "together with --lr-find"]),
    ] {
        assert_no_work(&place.refuses(&format!("train --resume {words}"), 2, message));
    }
    // Another table, in rows of every part, under the name of the run's, and another model's checkpoint under this run's settings.
    let table = fs::read_to_string(place.path().join("classes.csv")).unwrap();
    place.file("classes.csv", &table.replace(",no\n", "5,no\n"));
    place.refuses("train --resume run", 2, &["--resume is of a run on other data", "the same training and validation"]);
    // The rows that the run is judged by are none of those that it learns from.
    let changed = |part: &str| table.replacen(part, &part.replace(',', "5,"), 1);
    let kept = fs::read_to_string(place.path().join("run").join("predictions.csv")).unwrap();
    let row: usize = kept.lines().nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    place.file("classes.csv", &changed(table.lines().nth(row).unwrap()));
    place.refuses("train --resume run", 2, &["--resume is of a run with other test rows", "the same test rows"]);
    place.file("classes.csv", &table);
    place.json("train --resume run");
}

#[test]
fn lr_find_tells_and_draws() {
    let place = Place::new();
    let words = "train classes.csv --target answer --device cpu --lr-find";
    let text = place.stdout(&format!("{words} --out found"));
    for part in ["learning rate", "smoothed", "the loss falls fastest at --lr ", "lr-find.svg"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let folder = place.path().join("found");
    let picture = fs::read_to_string(folder.join("lr-find.svg")).unwrap();
    assert!(picture.trim_start().starts_with("<svg") && picture.trim_end().ends_with("</svg>"), "{picture}");
    assert!(!folder.join("model.safetensors").exists(), "it does not train");
    let found = place.json(words);
    let points = found["points"].as_array().unwrap();
    let rates: Vec<f64> = points.iter().map(|point| point["rate"].as_f64().unwrap()).collect();
    assert!(rates.len() >= 10 && rates.windows(2).all(|pair| pair[0] < pair[1]), "{found}");
    let suggestion = found["suggestion"].as_f64().unwrap();
    assert!((1e-4..0.1).contains(&suggestion) && rates.contains(&suggestion), "{found}");
    // The figures of the text are those of the object.
    assert!(text.contains(&format!("--lr {suggestion:.2e}")), "{text} {suggestion}");
}
