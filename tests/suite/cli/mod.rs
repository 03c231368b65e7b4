//! The command: what a user types, and what comes back on stdout, on stderr and as the exit code. Here what the tests of
//! it share, and the subcommands that look at a device or at the program.

mod budget;
mod calibration;
mod cases;
mod checkpoints;
mod classes;
mod clipping;
mod config;
mod ensemble;
mod errors;
mod exchange;
mod explain;
mod formats;
mod help;
mod intervals;
mod kernels;
mod metrics_output;
mod numbers;
mod preset;
mod report;
mod runs;
mod sweep;
mod tables;
mod target_encoding;
mod texts;
mod train;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wgpu_mlp::Model;
use wgpu_mlp::kernels::KERNELS;

use crate::support::devices;

/// A folder with tables.
pub struct Place(TempDir);

/// What a command gave.
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        // b > a is `yes`; the number is 2 a - 3 b + 1.
        let points = || (0..60).map(|i| (f64::from(i * 37 % 60) / 10.0, f64::from(i * 23 % 60) / 10.0));
        let rows = |row: fn((f64, f64)) -> String| points().map(row).collect::<String>();
        place.file(
            "classes.csv",
            &format!("a,b,answer\n{}", rows(|(a, b)| format!("{a},{b},{}\n", if b > a { "yes" } else { "no" }))),
        );
        place.file("shuffled.csv", &format!("b,a\n{}", rows(|(a, b)| format!("{b},{a}\n"))));
        place.file(
            "numbers.csv",
            &format!("a,b,y\n{}", rows(|(a, b)| format!("{a},{b},{}\n", 2.0 * a - 3.0 * b + 1.0))),
        );
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// The command in this folder; words apart by spaces. Where `mlp train` would take its large default network, it gets `--preset plain`:
    /// most tests are of something else. [`typed`](Self::typed) leaves the words as they are.
    pub fn command(&self, words: &str) -> std::process::Command {
        const OTHERWISE: [&str; 5] = ["moons", "--preset", "--config", "--resume", "--init-from"];
        let is_said = words.split_whitespace().any(|word| OTHERWISE.contains(&word.split('=').next().unwrap_or(word)));
        match words.strip_prefix("train ") {
            Some(rest) if !is_said => self.typed(&format!("train --preset plain {rest}")),
            _ => self.typed(words),
        }
    }

    /// The command with these words and no others.
    pub fn typed(&self, words: &str) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mlp"));
        command.args(words.split_whitespace()).current_dir(self.path());
        command.env_remove("WGPU_BACKEND").env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &str) -> Output {
        finished(self.command(words))
    }

    /// Stdout of a command that must succeed.
    pub fn stdout(&self, words: &str) -> String {
        let Output { code, stdout, stderr } = self.run(words);
        assert_eq!(code, Some(0), "mlp {words}\n{stderr}");
        assert!(!stderr.contains("error:"), "mlp {words}\n{stderr}");
        stdout
    }

    /// The one JSON object on stdout.
    pub fn json(&self, words: &str) -> Value {
        let stdout = self.stdout(&format!("{words} --json"));
        assert_eq!(stdout.lines().count(), 1, "mlp {words}\n{stdout}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// Runs a command that must fail with this code and these words in its message; nothing on stdout.
    pub fn refuses(&self, words: &str, code: i32, message: &[&str]) -> String {
        refused(self.command(words), words, code, message)
    }

    pub fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(self.path()).unwrap().map(name).collect();
        names.sort();
        names
    }
}

/// Waits for the command's end, however long that takes: a hang is ended by whoever runs the tests.
pub fn finished(mut command: impl std::borrow::BorrowMut<std::process::Command>) -> Output {
    let output = command.borrow_mut().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub fn refused(command: std::process::Command, words: &str, code: i32, message: &[&str]) -> String {
    let Output { code: found, stdout, stderr } = finished(command);
    assert_eq!(found, Some(code), "mlp {words}\n{stderr}");
    assert_eq!(stdout, "", "mlp {words}");
    let error: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(error.len(), 1, "mlp {words}\n{stderr}");
    for part in message {
        assert!(error[0].contains(part), "mlp {words}: expected `{part}`\n{stderr}");
    }
    for word in ["panicked", "backtrace", "RUST_BACKTRACE"] {
        assert!(!stderr.contains(word), "mlp {words}\n{stderr}");
    }
    stderr
}

/// No step was taken: neither progress nor a device is told of.
pub fn assert_no_work(stderr: &str) {
    assert!(!stderr.contains(" %") && !stderr.contains("device: "), "{stderr}");
}

#[test]
fn gradients_are_checked_on_every_device() {
    let place = Place::new();
    // A GPU compiles the plans of small networks anew for each of them; the first one's is that of a user.
    let gpus = (0..devices().len()).map(|index| (index.to_string(), "--plan layered"));
    for (device, plan) in gpus.chain([("cpu".into(), "")]) {
        // Two networks are so narrow that for some rows all units of a layer are dead; of the last one the gradients
        // are so small that rounding errors could hide them.
        for flags in
            ["", "--hidden 2,2", "--hidden 4,4", "--hidden 1", "--activation sigmoid --init article --batch 500"]
        {
            let plan = if flags.is_empty() { "" } else { plan };
            let found = place.json(&format!("gradcheck --device {device} --differences 10 {plan} {flags}"));
            assert_eq!(found["passed"], true, "{found}");
        }
        for (flags, parameter) in [
            ("--label-smoothing 0.1", "label_smoothing 0.1"),
            ("--loss softmax_cross_entropy --label-smoothing 0.2", "label_smoothing 0.2"),
            ("--loss huber --huber-delta 0.3", "huber_delta 0.3"),
        ] {
            let found = place.json(&format!("gradcheck --device {device} --hidden 5 --differences 5 {plan} {flags}"));
            assert!(found["network"].as_str().unwrap().contains(parameter), "{found}");
            assert_eq!(found["passed"], true, "{found}");
        }
        let table =
            place.stdout(&format!("gradcheck --device {device} --loss mean_squared_error --differences 3 {plan}"));
        assert!(table.contains("layers.4.bias") && table.ends_with("passed\n"), "{table}");
    }
}

#[test]
fn lists_devices_and_kernels() {
    let place = Place::new();
    let found = place.json("devices");
    let names: Vec<_> = devices().iter().map(|device| device.name()).collect();
    let listed: Vec<_> =
        found["adapters"].as_array().unwrap().iter().map(|adapter| adapter["name"].as_str().unwrap()).collect();
    assert_eq!(listed, names);
    let table = place.stdout("devices");
    assert!(names.iter().all(|name| table.contains(name)) && table.contains("\ncpu "), "{table}");
    let table = place.stdout("kernels");
    for kernel in KERNELS {
        assert!(table.contains(&format!("\n{} ", kernel.name)) && table.contains(kernel.formula), "{table}");
    }
}

/// Ctrl-C ends a run at the next occasion, with what has been learnt so far as its result.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_model() {
    let place = Place::new();
    // Without the signal it would train for years.
    let words = format!("train moons --samples 20 --hidden 2 --epochs {FOREVER} --device cpu --out kept --json");
    let seen = || fs::metadata(place.path().join("kept/running/metrics.jsonl")).is_ok_and(|file| file.len() > 10_000);
    let Output { code, stdout, stderr } = Running::signalled(place.command(&words), "-INT", seen);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("stopped by Ctrl-C after "), "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["stopped"], true);
    let epochs = found["epochs"].as_u64().unwrap();
    assert!((20..FOREVER).contains(&epochs), "{epochs}");
    let model = Model::load(place.path().join("kept").join("model.safetensors")).unwrap();
    assert_eq!(model.training.unwrap().epochs, epochs);
}

/// Epochs that no run comes to the end of.
#[cfg(unix)]
pub const FOREVER: u64 = 1_000_000_000_000;

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    /// Starts a command that does not end by itself, waits until `seen`, sends it a signal and waits for its end.
    #[cfg(unix)]
    pub fn signalled(mut command: std::process::Command, signal: &str, seen: impl Fn() -> bool) -> Output {
        use std::io::Read;
        assert!(
            !is_ignored(signal),
            "{signal} is ignored in this process, as behind nohup or a shell's `&`: the run would never end. Start the tests in the foreground"
        );
        let mut child = Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let [mut told, mut given] = [String::new(), String::new()];
        let (mut stderr, mut stdout) = (child.0.stderr.take().unwrap(), child.0.stdout.take().unwrap());
        // Read all the while, so that it never waits for a reader.
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| stderr.read_to_string(&mut told).unwrap());
            while !seen() {
                assert!(!reader.is_finished(), "it ended by itself");
                std::thread::yield_now();
            }
            let sent = std::process::Command::new("kill").args([signal, &child.0.id().to_string()]).status().unwrap();
            assert!(sent.success());
            stdout.read_to_string(&mut given).unwrap();
        });
        Output { code: child.0.wait().unwrap().code(), stdout: given, stderr: told }
    }
}

/// Whether this process, and so each that it starts, was told to ignore a signal.
#[cfg(unix)]
fn is_ignored(signal: &str) -> bool {
    let number = [("-HUP", 1), ("-INT", 2), ("-TERM", 15)].into_iter().find(|(name, _)| *name == signal);
    // Linux says it here; elsewhere nothing is known.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.zip(number).is_some_and(|(mask, (_, number))| mask >> (number - 1) & 1 == 1)
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn usage_is_told() {
    let place = Place::new();
    let help = place.stdout("--help");
    for command in [
        "train",
        "sweep",
        "eval",
        "predict",
        "inspect",
        "data",
        "plot",
        "export",
        "import",
        "bench",
        "explain",
        "gradcheck",
        "devices",
        "kernels",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert!(place.stdout(&format!("{command} --help")).contains("Usage: "), "{command}");
    }
    place.refuses("trian moons", 2, &["trian"]);
    place.refuses("train", 2, &["required"]);
    assert_eq!(place.stdout("--version"), format!("mlp {}\n", env!("CARGO_PKG_VERSION")));
}
