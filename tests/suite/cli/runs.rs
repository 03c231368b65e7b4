//! The folder of a run, and what may happen to a run there: signals, other runs, kills at any moment, disks that are full.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{Place, assert_no_work};

const WORDS: &str = "train classes.csv --target answer --device cpu --quiet";

/// All files of a folder, with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// Every file but the table of predictions says which run it is of; equal runs have one name.
#[test]
fn files_name_their_run() {
    let place = Place::new();
    let found = place.json(&format!("{WORDS} --epochs 3 --checkpoint-every 1 --keep 1 --out run"));
    let run = found["run"].as_str().unwrap();
    assert!(run.ends_with("-3") && run.len() == 10, "{run}");
    place.stdout("plot run");
    let folder = place.path().join("run");
    assert_eq!(
        names(&folder),
        [
            "checkpoints",
            "config.toml",
            "metrics.jsonl",
            "model.safetensors",
            "plots",
            "predictions.csv",
            "report.html",
            "report.json"
        ]
    );
    for (path, bytes) in files(&folder) {
        let text = String::from_utf8_lossy(&bytes);
        let is_other = path.ends_with("predictions.csv") || path.ends_with(".lock");
        assert!(is_other || text.contains(run), "{}", path.display());
    }
    assert_eq!(place.json(&format!("{WORDS} --epochs 3 --out again"))["run"], run);
    for other in ["--epochs 4", "--epochs 3 --lr 0.5", "--epochs 3 --seed 1", "--epochs 3 --split-seed 1"] {
        assert_ne!(place.json(&format!("{WORDS} {other} --out other"))["run"], run, "{other}");
    }
}

/// A run into a used folder leaves nothing of the earlier one.
#[test]
fn a_rerun_takes_the_place_of_a_run() {
    let place = Place::new();
    let folder = place.path().join("run");
    place.json(&format!("{WORDS} --epochs 3 --out run"));
    place.stdout("plot run");
    fs::write(folder.join("plots/note.txt"), "mine").unwrap();
    fs::write(folder.join("note.txt"), "mine").unwrap();
    fs::write(folder.join(".tmpAbC123"), "of a process that was killed").unwrap();
    let second = place.json(&format!("{WORDS} --epochs 2 --lr 0.5 --out run"));
    assert_eq!(
        names(&folder),
        [
            "config.toml",
            "metrics.jsonl",
            "model.safetensors",
            "note.txt",
            "plots",
            "predictions.csv",
            "report.html",
            "report.json"
        ]
    );
    assert_eq!(names(&folder.join("plots")), ["note.txt"]);
    let run = second["run"].as_str().unwrap();
    for name in ["config.toml", "metrics.jsonl", "model.safetensors", "report.html", "report.json"] {
        let bytes = fs::read(folder.join(name)).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains(run), "{name}");
    }
    assert_eq!(fs::read_to_string(folder.join("metrics.jsonl")).unwrap().lines().count(), 2);
}

/// What a kill leaves of the move at the end, at each of its steps: the next command finishes it.
#[test]
fn a_move_that_was_broken_off_is_finished() {
    let place = Place::new();
    place.json(&format!("{WORDS} --epochs 3 --out old"));
    place.stdout("plot old");
    place.json(&format!("{WORDS} --epochs 2 --checkpoint-every 1 --lr 0.5 --out new"));
    let (old, new) = (place.path().join("old"), place.path().join("new"));
    let moved = ["checkpoints", "config.toml", "metrics.jsonl"];
    let expected = place.stdout("predict new classes.csv --device cpu");
    for done in 0..=moved.len() {
        for command in ["predict run classes.csv --device cpu", "eval run classes.csv --device cpu", "inspect run"] {
            let folder = place.path().join("run");
            let running = folder.join("running");
            copy(&old, &folder);
            fs::create_dir(&running).unwrap();
            fs::copy(new.join("model.safetensors"), running.join("model.safetensors")).unwrap();
            for (at, name) in moved.iter().enumerate() {
                let to = if at < done { &folder } else { &running };
                let _ = fs::remove_file(to.join(name));
                copy(&new.join(name), &to.join(name));
            }
            let given = place.stdout(command);
            assert!(
                !command.starts_with("predict") || given == expected,
                "{done} steps, {command}\n{given}\n{expected}"
            );
            assert_eq!(
                names(&folder),
                ["checkpoints", "config.toml", "metrics.jsonl", "model.safetensors"],
                "{command}"
            );
            for name in ["config.toml", "metrics.jsonl", "model.safetensors"] {
                assert_eq!(
                    fs::read(folder.join(name)).unwrap(),
                    fs::read(new.join(name)).unwrap(),
                    "{done} steps: {name}"
                );
            }
            place.json("train --resume run --out run --epochs 3");
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

#[test]
fn files_of_different_runs_are_refused() {
    let place = Place::new();
    place.json(&format!("{WORDS} --epochs 3 --out run"));
    place.json(&format!("{WORDS} --epochs 2 --lr 0.5 --out other"));
    for name in ["metrics.jsonl", "config.toml", "report.json", "model.safetensors"] {
        copy(&place.path().join("run"), &place.path().join("mixed"));
        copy(&place.path().join("other").join(name), &place.path().join("mixed").join(name));
        for command in ["predict mixed classes.csv", "eval mixed classes.csv", "plot mixed", "inspect mixed"] {
            place.refuses(command, 2, &["mixed: its files belong to different runs", name, "name a model file"]);
        }
        place.stdout("predict mixed/model.safetensors classes.csv --device cpu");
        fs::remove_dir_all(place.path().join("mixed")).unwrap();
    }
    // A configuration is its user's to change.
    let config = place.path().join("run/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.split_once('\n').unwrap().1).unwrap();
    place.stdout("predict run classes.csv --device cpu");
}

#[cfg(unix)]
mod signals {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::cli::{FOREVER, Output, Running, finished};

    /// The command behind what a shell does first.
    fn in_shell(place: &Place, before: &str, words: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_mlp")]);
        command.args(words.split_whitespace()).current_dir(place.path()).stdin(Stdio::null());
        command.env_remove("WGPU_BACKEND");
        command
    }

    fn lines_of(path: &Path) -> usize {
        fs::read_to_string(path).map_or(0, |text| text.lines().count())
    }

    fn forever(out: &str) -> String {
        format!("{WORDS} --validation-fraction 0 --epochs {FOREVER} --out {out} --json")
    }

    /// Each signal has its exit code, the model is there, and nothing is evaluated; the command that is told makes the figures.
    #[test]
    fn a_signal_ends_a_run_and_the_shell_learns_of_it() {
        let place = Place::new();
        for (signal, code, name) in [("-INT", 130, "Ctrl-C"), ("-TERM", 143, "SIGTERM"), ("-HUP", 129, "SIGHUP")] {
            let metrics = place.path().join("run/running/metrics.jsonl");
            let command = place.command(&forever("run"));
            let Output { code: found, stdout, stderr } = Running::signalled(command, signal, || lines_of(&metrics) > 5);
            assert_eq!(found, Some(code), "{stderr}");
            assert!(stderr.contains(name) && stderr.contains("a second signal ends it at once"), "{stderr}");
            let summary: Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!(summary["stopped"], true);
            for left_out in ["train", "test", "baseline", "report"] {
                assert!(summary[left_out].is_null(), "{left_out}: {summary}");
            }
            let phases: Vec<&String> = summary["phases"].as_object().unwrap().keys().collect();
            for left_out in ["evaluate", "baseline", "report"] {
                assert!(!phases.iter().any(|phase| *phase == left_out), "{left_out}: {summary}");
            }
            let folder = place.path().join("run");
            assert_eq!(names(&folder), ["checkpoints", "config.toml", "metrics.jsonl", "model.safetensors"]);
            let told =
                stderr.lines().find_map(|line| line.strip_prefix("metrics and report are left out: mlp ")).unwrap();
            let epochs = summary["epochs"].as_u64().unwrap();
            let scores = place.json(told.strip_suffix(" makes them").unwrap());
            assert!(scores["test"]["loss"].is_number() && scores["report"] == "run/report.html", "{scores}");
            assert_eq!(lines_of(&folder.join("metrics.jsonl")) as u64, epochs);
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    /// As `nohup mlp train … &` does it.
    #[test]
    fn a_signal_that_is_ignored_stays_so() {
        let place = Place::new();
        let metrics = place.path().join("run/running/metrics.jsonl");
        let command = in_shell(&place, "trap '' HUP INT", &forever("run"));
        let lock = place.path().join("run/.lock");
        let sent = std::cell::Cell::new(None);
        let seen = || match sent.get() {
            None if lines_of(&metrics) > 5 => {
                let owner = fs::read_to_string(&lock).unwrap();
                let process = owner.split_whitespace().nth(1).unwrap();
                for signal in ["-HUP", "-INT"] {
                    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
                }
                sent.set(Some(lines_of(&metrics)));
                false
            }
            None => false,
            // It goes on for long after.
            Some(lines) => lines_of(&metrics) > lines + 200,
        };
        let Output { code, stderr, .. } = Running::signalled(command, "-TERM", seen);
        assert_eq!(code, Some(143), "{stderr}");
        assert!(!stderr.contains("Ctrl-C") && !stderr.contains("SIGHUP"), "{stderr}");
    }

    /// A second run is refused at once, and the folder is free when the first one was killed.
    #[test]
    fn a_folder_is_one_runs_alone() {
        let place = Place::new();
        let metrics = place.path().join("run/running/metrics.jsonl");
        let refused = std::cell::Cell::new(false);
        let seen = || {
            if lines_of(&metrics) > 5 && !refused.get() {
                let stderr =
                    place.refuses(&format!("{WORDS} --epochs 1 --out run"), 1, &["run: another run uses this folder"]);
                assert!(stderr.contains("process ") && stderr.contains("mlp train classes.csv"), "{stderr}");
                assert_no_work(&stderr);
                refused.set(true);
            }
            refused.get()
        };
        assert_eq!(Running::signalled(place.command(&forever("run")), "-KILL", seen).code, None);
        assert_eq!(names(&place.path().join("run")), ["running"]);
        place.json(&format!("{WORDS} --epochs 1 --out run"));
        assert!(!place.path().join("run/running").exists());
    }

    /// A rerun that was killed has touched nothing of the run before; with checkpoints it goes on, and no other takes its place.
    #[test]
    fn a_rerun_that_was_killed_leaves_the_run_before() {
        let place = Place::new();
        place.json(&format!("{WORDS} --epochs 3 --out run"));
        let folder = place.path().join("run");
        let kept = || -> Vec<_> {
            let is_old = |path: &Path| !path.starts_with(folder.join("running")) && !path.ends_with(".lock");
            files(&folder).into_iter().filter(|(path, _)| is_old(path)).collect()
        };
        let before = kept();
        let running = folder.join("running");
        let words = format!("{} --checkpoint-every 2 --keep 1", forever("run"));
        let seen = || running.join("checkpoints/epoch-000006.safetensors").exists();
        assert_eq!(Running::signalled(place.command(&words), "-KILL", seen).code, None);
        assert_eq!(kept(), before);
        place.stdout("predict run classes.csv --device cpu");
        place.stdout("plot run");
        place.refuses(&format!("{WORDS} --epochs 1 --out run"), 2, &["checkpoints of another run", "--resume"]);
        // Nor does a run that goes on from another one's checkpoint take its place.
        place.json(&format!("{WORDS} --epochs 2 --lr 0.5 --checkpoint-every 1 --out other"));
        place.refuses("train --resume other --out run --epochs 3", 2, &["checkpoints of another run", "--resume"]);
        // As a kill between a checkpoint and the removal of an older one leaves it.
        let checkpoints = running.join("checkpoints");
        let newest = names(&checkpoints).pop().unwrap();
        copy(&checkpoints.join(&newest), &checkpoints.join("epoch-000001.safetensors"));
        let epochs: u64 = newest.trim_start_matches("epoch-").trim_end_matches(".safetensors").parse().unwrap();
        place.json(&format!("train --resume run --epochs {}", epochs + 1));
        assert_eq!(names(&folder.join("checkpoints")), [newest]);
        assert_eq!(lines_of(&folder.join("metrics.jsonl")) as u64, epochs + 1);
        assert!(!running.exists() && !folder.join("plots").exists());
    }

    /// Where the run's folder does not take the model, it is saved beside it, and its path is the last thing said.
    #[test]
    fn a_model_is_saved_wherever_it_can_be() {
        let place = Place::new();
        let running = place.path().join("run/running");
        let seen = || {
            lines_of(&running.join("metrics.jsonl")) > 5
                && fs::remove_dir_all(&running).and_then(|()| fs::write(&running, "in the way")).is_ok()
        };
        let Output { code, stderr, .. } = Running::signalled(place.command(&forever("run")), "-TERM", seen);
        assert_eq!(code, Some(1), "{stderr}");
        let last = stderr.lines().last().unwrap();
        let path = last.rsplit_once("the model is in ").unwrap().1;
        assert!(last.starts_with("error: ") && path.starts_with("run-"), "{stderr}");
        place.stdout(&format!("predict {path} classes.csv --device cpu"));
    }

    /// A file that may not grow is what a full disk is to it. The log does not fit, the model does.
    #[test]
    fn a_log_that_cannot_be_written_costs_no_training() {
        let place = Place::new();
        let words = format!("{WORDS} --hidden 2 --epochs 200 --validation-fraction 0 --out run --json");
        // 16 blocks of 512 bytes; the signal that would kill the process is ignored, as under many a batch system.
        let command = in_shell(&place, "trap '' XFSZ; ulimit -f 16", &words);
        let Output { code, stderr, .. } = finished(command);
        assert_eq!(code, Some(1), "{stderr}");
        assert_eq!(stderr.matches("warning: ").count(), 1, "{stderr}");
        assert!(stderr.contains("metrics.jsonl") && stderr.contains("training continues"), "{stderr}");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.ends_with("the model is in run/model.safetensors"), "{stderr}");
        let model = wgpu_mlp::Model::load(place.path().join("run")).unwrap();
        assert_eq!(model.training.unwrap().epochs, 200);
        // What there was room for are whole lines.
        let text = fs::read_to_string(place.path().join("run/metrics.jsonl")).unwrap();
        assert!(text.ends_with('\n') && text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    }
}
