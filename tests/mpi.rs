//! `mlp train --data-parallel` and `mlp sweep` under `mpirun`: the same on any number of ranks, and an end of all ranks where one fails.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;
use wgpu_mlp::Model;

const MLP: &str = env!("CARGO_BIN_EXE_mlp");

/// A folder with a table.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.table("t.csv", 0.0);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn table(&self, name: &str, shift: f64) {
        let mut text = String::from("a,b,y\n");
        for row in 0..203_u32 {
            let (a, b) = (f64::from(row % 17) / 8.0 - 1.0, f64::from(row % 23) / 11.0 - 1.0 + shift);
            writeln!(text, "{a},{b},{}", (2.0 * a).sin() + a * b).unwrap();
        }
        fs::write(self.path(name), text).unwrap();
    }

    /// `mpirun` with these words: programs with their numbers of ranks, a colon between two.
    fn mpirun<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new("mpirun");
        let version = Command::new("mpirun").arg("--version").output().unwrap();
        if String::from_utf8_lossy(&version.stdout).contains("Open MPI") {
            command.arg("--oversubscribe");
        }
        command
            .args(words)
            .current_dir(self.0.path())
            .env("RAYON_NUM_THREADS", "1")
            // Open MPI: tests run as root too, beside each other, and in containers.
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
            .env("OMPI_MCA_hwloc_base_binding_policy", "none")
            .env("OMPI_MCA_btl_vader_single_copy_mechanism", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A whole run on so many ranks.
    fn train(&self, ranks: usize, words: &str) -> Output {
        let number = ranks.to_string();
        let words = ["-n", &number, MLP, "train", "--preset", "plain"].into_iter().chain(words.split_whitespace());
        let output = self.mpirun(words.chain(["--device", "cpu,cpu", "--data-parallel"])).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    }

    fn parameters(&self, folder: &str) -> Vec<u32> {
        let model = Model::load(self.path(folder).join("model.safetensors")).unwrap();
        model.parameters.iter().map(|value| value.to_bits()).collect()
    }

    /// A program that writes down its process before it trains in the same process.
    fn noted(&self) -> String {
        let script = self.path("noted");
        fs::write(&script, format!("#!/bin/sh\necho $$ > pid.part && mv pid.part pid\nexec {MLP} \"$@\"\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        script.to_str().unwrap().into()
    }

    /// Begins a run of a plain rank and a noted one; waits until it trains. The second rank's process.
    fn begin(&self, words: &str) -> (Child, String) {
        let (noted, words) = (self.noted(), format!("train --preset plain {words} --device cpu --data-parallel"));
        let program = |program| ["-n", "1", program].into_iter().chain(words.split_whitespace());
        let child = self.mpirun(program(MLP).chain([":"]).chain(program(&noted))).spawn().unwrap();
        let (pid, metrics) = (self.path("pid"), self.path("run").join("running").join("metrics.jsonl"));
        wait_for(|| pid.exists() && lines(&metrics) >= 3);
        (child, fs::read_to_string(pid).unwrap().trim().to_string())
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// Whoever runs the tests ends a wait for what never comes.
fn wait_for(holds: impl Fn() -> bool) {
    while !holds() {
        sleep(Duration::from_millis(20));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The one line that says what went wrong.
fn error(output: &Output) -> String {
    let stderr = text(&output.stderr);
    let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    errors[0].to_string()
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn the_number_of_ranks_changes_no_byte_of_the_model() {
    let place = Place::new();
    for (name, words) in [
        ("small", "t.csv --target y --hidden 9,5 --epochs 6 --batch 24"),
        ("full", "t.csv --target y --hidden 9 --epochs 9 --batch full --dropout 0.2 --clip-norm 0.5"),
        ("large", "t.csv --target y --hidden 4000,7 --epochs 2 --batch 64 --no-baseline"),
        ("early", "moons --hidden 8 --epochs 400 --lr 0.5 --batch 60 --validation-fraction 0.2 --patience 2"),
    ] {
        for ranks in [1, 2, 4] {
            let output = place.train(ranks, &format!("{words} --out {name}{ranks}"));
            let stderr = text(&output.stderr);
            let told = stderr.lines().filter(|line| line.starts_with("ranks: ")).collect::<Vec<_>>();
            let expected = format!("ranks: {ranks}, with {} of 8 shards of the training rows each", 8 / ranks);
            assert_eq!(told, [expected], "{stderr}");
        }
        let alone = place.parameters(&format!("{name}1"));
        for ranks in [2, 4] {
            assert!(place.parameters(&format!("{name}{ranks}")) == alone, "{name}: {ranks} ranks give other bytes");
        }
        let metrics = |ranks| {
            let text = fs::read_to_string(place.path(&format!("{name}{ranks}")).join("metrics.jsonl")).unwrap();
            let line = |line: &str| {
                let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
                value.as_object_mut().unwrap().remove("seconds");
                value
            };
            text.lines().map(line).collect::<Vec<_>>()
        };
        assert!(!metrics(1).is_empty() && metrics(1) == metrics(2) && metrics(1) == metrics(4), "{name}");
    }
}

/// Whole batches are those of a run without ranks, whose result differs by rounding alone.
#[test]
fn a_whole_batch_is_that_of_a_run_alone() {
    let place = Place::new();
    let words = "t.csv --target y --hidden 9 --epochs 20 --batch full --seed 3";
    place.train(2, &format!("{words} --out ranks"));
    let words = ["train", "--preset", "plain"].into_iter().chain(words.split_whitespace());
    let words = words.chain(["--device", "cpu", "--out", "alone"]);
    let alone = Command::new(MLP).args(words).current_dir(place.0.path()).output().unwrap();
    assert!(alone.status.success(), "{}", text(&alone.stderr));
    let [ranks, alone] = ["ranks", "alone"].map(|name| place.parameters(name));
    assert_eq!(ranks.len(), alone.len());
    for (a, b) in ranks.into_iter().zip(alone) {
        let (a, b) = (f32::from_bits(a), f32::from_bits(b));
        // Adam divides by the root of the gradient's square, so that a rounding of a small gradient can be a large part of a step.
        assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{a} and {b}");
    }
}

#[test]
fn a_rank_with_another_table_is_told() {
    let place = Place::new();
    place.table("other.csv", 0.25);
    fs::create_dir(place.path("run")).unwrap();
    let train = |table, ranks| {
        let words = [MLP, "train", table, "--target", "y", "--epochs", "2", "--device", "cpu", "--data-parallel"];
        ["-n", ranks].into_iter().chain(words).chain(["--out", "run"])
    };
    let output = place.mpirun(train("t.csv", "2").chain([":"]).chain(train("other.csv", "1"))).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let expected =
        "error: rank 2 of 3: not the data of rank 0: expected the same program, settings and files on every rank";
    assert_eq!(error(&output), expected);
    let kept = fs::read_dir(place.path("run")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert!(!kept.iter().any(|name| name == "model.safetensors"), "{kept:?}");

    let output = place.mpirun(train("t.csv", "1").chain([":"]).chain(train("none.csv", "2"))).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(error(&output).starts_with("error: rank 1 of 3: none.csv: cannot "), "{}", text(&output.stderr));
}

#[test]
fn a_rank_with_another_program_is_told() {
    let place = Place::new();
    let other = place.path("other");
    let mut program = fs::read(MLP).unwrap();
    program.push(0);
    fs::write(&other, program).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let train = |program| {
        ["-n", "1", program, "train", "t.csv", "--target", "y", "--epochs", "2", "--device", "cpu", "--data-parallel"]
    };
    let output =
        place.mpirun(train(MLP).into_iter().chain([":"]).chain(train(other.to_str().unwrap()))).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let expected =
        "error: rank 1 of 2: not the program of rank 0: expected the same program, settings and files on every rank";
    assert_eq!(error(&output), expected);
}

#[test]
fn what_several_ranks_cannot_do_is_refused_once() {
    let place = Place::new();
    for (words, code, expected) in [
        ("--ensemble 2", 2, "--ensemble is 2 networks: expected one network on all ranks"),
        ("--shards 1", 2, "--shards is 1: expected at least one for each of 2 ranks"),
        ("--plan resident", 2, "--plan is resident: expected another one with data-parallel training"),
        (
            "--batch 155",
            2,
            "--batch is 155 of 162 rows: expected all of them, or at most 152 where they are dealt into 8 shards",
        ),
    ] {
        let line =
            format!("-n 2 {MLP} train t.csv --preset plain --target y --epochs 2 --device cpu --data-parallel {words}");
        let output = place.mpirun(line.split_whitespace()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(error(&output).starts_with(&format!("error: {expected}")), "{words}: {}", text(&output.stderr));
    }
}

const LONG: &str = "t.csv --target y --hidden 9 --epochs 100000000 --batch 24 --out run --checkpoint-every 1";

#[test]
fn a_killed_rank_ends_all_and_leaves_its_checkpoints() {
    let place = Place::new();
    let (child, rank) = place.begin(LONG);
    kill("-KILL", &rank);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    // From the last checkpoint another number of ranks goes on, to the bytes of an unbroken run.
    let checkpoints = fs::read_dir(place.path("run").join("running").join("checkpoints")).unwrap();
    let epoch = |name: String| name.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u64>().ok();
    let epochs = checkpoints.filter_map(|entry| epoch(entry.unwrap().file_name().into_string().unwrap())).max();
    let epochs = (epochs.unwrap() + 2).to_string();
    let resume = ["-n", "4", MLP, "train", "--resume", "run", "--epochs", &epochs, "--out", "run"];
    let output = place.mpirun(resume).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    place.train(1, &LONG.replace("100000000", &epochs).replace("run", "whole"));
    assert_eq!(place.parameters("run"), place.parameters("whole"));
}

#[test]
fn a_signal_to_one_rank_ends_all_with_a_model() {
    let place = Place::new();
    let (child, rank) = place.begin(LONG);
    kill("-INT", &rank);
    let output = child.wait_with_output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert_eq!(stderr.matches("stopped by Ctrl-C").count(), 1, "{stderr}");
    assert!(place.path("run").join("model.safetensors").exists());
    assert!(stderr.lines().all(|line| !line.starts_with("error")), "{stderr}");
}

/// A run that stops and goes on with another number of ranks ends with the bytes of an unbroken one.
#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let place = Place::new();
    let words = "t.csv --target y --hidden 9 --batch 24 --patience 50 --validation-fraction 0.2 --no-baseline";
    place.train(2, &format!("{words} --epochs 9 --out whole"));
    place.train(4, &format!("{words} --epochs 4 --out part --checkpoint-every 4"));
    let resume = ["-n", "3", MLP, "train", "--resume", "part", "--epochs", "9", "--out", "part"];
    let output = place.mpirun(resume).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(place.parameters("part"), place.parameters("whole"));
}

const SWEEP: &str =
    "t.csv --target y --vary lr=0.1,0.03,0.01,0.003 --vary hidden=5;9 --seeds 2 --batch 24 --device cpu";

impl Place {
    /// A sweep on so many ranks; `None`: without `mpirun`.
    fn sweep(&self, ranks: Option<usize>, words: &str) -> Output {
        let number = ranks.map_or(String::new(), |ranks| ranks.to_string());
        let words = ["sweep"].into_iter().chain(words.split_whitespace());
        match ranks {
            Some(_) => self.mpirun(["-n", &number, MLP].into_iter().chain(words)).output().unwrap(),
            None => Command::new(MLP).args(words).current_dir(self.0.path()).output().unwrap(),
        }
    }

    /// The lines of a sweep's results without their seconds, sorted.
    fn results(&self, folder: &str) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.path(folder).join("results.jsonl")).unwrap();
        let mut lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("seconds")));
        lines.sort_by_key(ToString::to_string);
        lines
    }
}

#[test]
fn ranks_share_the_trials_of_a_sweep() {
    let place = Place::new();
    for (name, more) in [("plain", "--epochs 4"), ("halved", "--epochs 9 --halving --rung 1 --refit")] {
        let alone = place.sweep(None, &format!("{SWEEP} {more} --out {name}"));
        assert!(alone.status.success(), "{}", text(&alone.stderr));
        assert_eq!(place.results(name).len(), 17);
        for ranks in [1, 2, 4] {
            let output = place.sweep(Some(ranks), &format!("{SWEEP} {more} --out {name}{ranks}"));
            let stderr = text(&output.stderr);
            assert!(output.status.success(), "{stderr}");
            assert_eq!(place.results(&format!("{name}{ranks}")), place.results(name), "{name}, {ranks} ranks");
            let told: Vec<_> = stderr.lines().filter(|line| line.starts_with("ranks: ")).collect();
            assert_eq!(told.len(), usize::from(ranks > 1), "{stderr}");
            let best = |output: &Output| {
                text(&output.stdout).lines().find(|line| line.starts_with("best: ")).map(String::from)
            };
            assert!(best(&output).is_some() && best(&output) == best(&alone), "{}", text(&output.stdout));
        }
    }
    assert_eq!(place.parameters("halved4/best"), place.parameters("halved/best"));
}

#[test]
fn a_sweep_goes_on_without_the_rank_that_was_killed() {
    let place = Place::new();
    // Ranks train one shape after the other, the second one without an end.
    let words = "t.csv --target y --vary lr=0.1,0.03 --vary epochs=3;100000000 --batch 24 --device cpu --out run";
    let noted = place.noted();
    let program = |program| ["-n", "1", program, "sweep"].into_iter().chain(words.split_whitespace());
    let child = place.mpirun(program(MLP).chain([":"]).chain(program(&noted))).spawn().unwrap();
    let results = place.path("run").join("results.jsonl");
    wait_for(|| lines(&results) >= 3);
    kill("-KILL", fs::read_to_string(place.path("pid")).unwrap().trim());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let before = place.results("run");
    assert_eq!(before.len(), 3, "{before:?}");
    // Those that have ended are not repeated; a signal to any rank ends the rest.
    fs::remove_file(place.path("pid")).unwrap();
    let resume = |program| ["-n", "1", program, "sweep", "--resume", "run"];
    let child = place.mpirun(resume(MLP).into_iter().chain([":"]).chain(resume(&noted))).spawn().unwrap();
    let pid = place.path("pid");
    wait_for(|| pid.exists() && busy(fs::read_to_string(&pid).unwrap().trim()));
    kill("-INT", fs::read_to_string(&pid).unwrap().trim());
    let output = child.wait_with_output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("mlp sweep --resume run continues from here"), "{stderr}");
    assert_eq!(place.results("run"), before);
}

/// Whether a process trains: it has the thread that does.
fn busy(pid: &str) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let name = |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.ok()?.path().join("comm")).ok();
    threads.filter_map(name).any(|name| name.trim() == "mlp-training")
}

#[test]
fn ranks_of_another_sweep_are_told() {
    let place = Place::new();
    place.table("other.csv", 0.25);
    fs::create_dir(place.path("run")).unwrap();
    let sweep = |table, rates, ranks| {
        [
            "-n", ranks, MLP, "sweep", table, "--target", "y", "--vary", rates, "--epochs", "2", "--device", "cpu",
            "--out", "run",
        ]
    };
    let last = "of rank 0: expected the same program, settings and files on every rank";
    for (table, rates, expected) in [
        ("other.csv", "lr=0.1,0.2", format!("error: rank 2 of 3: not the data {last}")),
        ("t.csv", "lr=0.1,0.3", format!("error: rank 2 of 3: not the settings {last}")),
        ("t.csv", "lr=", "error: rank 2 of 3: --vary".into()),
        ("none.csv", "lr=0.1,0.2", "error: rank 2 of 3: none.csv: cannot ".into()),
    ] {
        let first = sweep("t.csv", "lr=0.1,0.2", "2");
        let output = place.mpirun(first.into_iter().chain([":"]).chain(sweep(table, rates, "1"))).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(error(&output).starts_with(&expected), "{}", text(&output.stderr));
        assert!(!place.path("run").join("results.jsonl").exists(), "{table} {rates}");
    }
}
