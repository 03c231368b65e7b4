//! The command: what a user types, and what comes back on stdout, on stderr and as the exit code.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use wgpu_mlp::Model;
use wgpu_mlp::kernels::KERNELS;

use super::support::devices;

/// A folder with tables.
struct Place(TempDir);

/// What a command gave.
struct Output {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
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

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// The command in this folder; words apart by spaces.
    fn command(&self, words: &str) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mlp"));
        command.args(words.split_whitespace()).current_dir(self.path());
        command.env_remove("WGPU_BACKEND").env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    fn run(&self, words: &str) -> Output {
        finished(self.command(words))
    }

    /// Stdout of a command that must succeed.
    fn stdout(&self, words: &str) -> String {
        let Output { code, stdout, stderr } = self.run(words);
        assert_eq!(code, Some(0), "mlp {words}\n{stderr}");
        assert!(!stderr.contains("error:"), "mlp {words}\n{stderr}");
        stdout
    }

    /// The one JSON object on stdout.
    fn json(&self, words: &str) -> Value {
        let stdout = self.stdout(&format!("{words} --json"));
        assert_eq!(stdout.lines().count(), 1, "mlp {words}\n{stdout}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// Runs a command that must fail with this code and these words in its message; nothing on stdout.
    fn refuses(&self, words: &str, code: i32, message: &[&str]) -> String {
        refused(self.command(words), words, code, message)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(self.path()).unwrap().map(name).collect();
        names.sort();
        names
    }
}

fn finished(command: std::process::Command) -> Output {
    let output = assert_cmd::Command::from_std(command).timeout(Duration::from_secs(100)).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn refused(command: std::process::Command, words: &str, code: i32, message: &[&str]) -> String {
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
fn assert_no_work(stderr: &str) {
    assert!(!stderr.contains(" %") && !stderr.contains("device: "), "{stderr}");
}

#[test]
fn trains_on_moons() {
    let place = Place::new();
    let found = place.json("train moons --epochs 20 --device cpu");
    for (key, expected) in [("backend", "cpu"), ("plan", "layered")] {
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
    let Output { stdout, stderr, .. } = place.run("train moons --epochs 20 --device cpu --quiet");
    assert!(stdout.contains("log10 loss") && !stderr.contains('%') && !stderr.contains("device"), "{stdout}{stderr}");
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
    let loaded = Model::load(&place.path().join(model)).unwrap();
    let bytes = fs::read(place.path().join(model)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    place.file("foreign.safetensors", "");
    fs::write(place.path().join("foreign.safetensors"), safetensors::serialize(tensors.tensors(), None).unwrap())
        .unwrap();
    place.json(&format!("{train} --epochs 1 --lr 1e-9 --init-from foreign.safetensors --out second"));
    // A folder stands for the model in it.
    let second = Model::load(&place.path().join("second")).unwrap();
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

#[test]
fn gradients_are_checked_on_every_device() {
    let place = Place::new();
    for device in (0..devices().len()).map(|index| index.to_string()).chain(["cpu".into()]) {
        // Two networks are so narrow that for some rows all units of a layer are dead; of the last one the gradients
        // are so small that rounding errors could hide them.
        for flags in
            ["", "--hidden 2,2", "--hidden 4,4", "--hidden 1", "--activation sigmoid --init article --batch 500"]
        {
            let found = place.json(&format!("gradcheck --device {device} --differences 10 {flags}"));
            assert_eq!(found["passed"], true, "{found}");
        }
        let table = place.stdout(&format!("gradcheck --device {device} --loss mean_squared_error --differences 3"));
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

#[test]
fn devices_that_are_not_there_are_named() {
    let place = Place::new();
    for words in ["train moons --device gpu", "gradcheck --device gpu"] {
        let mut command = place.command(words);
        command.env("WGPU_BACKEND", if cfg!(windows) { "metal" } else { "dx12" });
        let stderr = refused(command, words, 1, &["no GPU adapter", "install", "--device cpu"]);
        assert_no_work(&stderr);
    }
    let number = devices().len().to_string();
    for name in ["abacus", &number, "-1"] {
        place.refuses(
            &format!("train moons --device={name}"),
            2,
            &["no device", name, "cpu", "auto", devices()[0].name()],
        );
    }
}

#[test]
fn unreadable_tables_are_refused() {
    let place = Place::new();
    place.file("text.csv", "a,b,y\n1,2,0\n3,four,1\n5,6,0\n");
    place.file("nan.csv", "a,b,y\n1,2,0\n3,NaN,1\n5,6,0\n");
    place.file("infinite.csv", "a,b,y\n1,2,0\n3,4,1\n-inf,6,0\n");
    place.file("header.csv", "a,b,y\n");
    place.file("nothing.csv", "");
    place.file("single.csv", "a,b,y\n1,2,0\n3,4,0\n5,6,0\n");
    place.file("ragged.csv", "a,b,y\n1,2,0\n3,4\n");
    let train = |rest: &str| format!("train {rest} --device cpu --epochs 1000000000 --out kept");
    let cases: &[(&str, &[&str])] = &[
        ("absent.csv --target y", &["absent.csv", "cannot read"]),
        ("classes.csv", &["classes.csv", "--target", "`a`, `b`, `answer`"]),
        ("classes.csv --target anser", &["classes.csv", "no column `anser`", "`a`, `b`, `answer`"]),
        ("text.csv --target y", &["text.csv", "line 3", "column `b`", "`four`", "not a number"]),
        ("nan.csv --target y", &["nan.csv", "line 3", "column `b`", "`NaN`", "not finite"]),
        ("infinite.csv --target y", &["infinite.csv", "line 4", "column `a`", "`-inf`", "not finite"]),
        ("header.csv --target y", &["header.csv", "no data rows"]),
        ("nothing.csv --target y", &["nothing.csv", "no data rows"]),
        ("single.csv --target y", &["single.csv", "`y`", "`0`", "second class"]),
        ("ragged.csv --target y", &["ragged.csv", "line 3", "2 cells", "3"]),
        ("classes.csv --target answer --task regression", &["`answer`", "numbers", "`no` in line 2"]),
    ];
    for (rest, message) in cases {
        assert_no_work(&place.refuses(&train(rest), 2, message));
    }
    assert!(!place.path().join("kept").join("model.safetensors").exists());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let place = Place::new();
    let cases: &[(&str, &[&str])] = &[
        ("--epochs 0", &["--epochs", "0", "at least 1"]),
        ("--batch 0", &["--batch", "0"]),
        ("--batch some", &["--batch", "some", "full"]),
        ("--hidden 5,0", &["--hidden", "5,0", "none"]),
        ("--hidden 5,x", &["--hidden", "x"]),
        ("--lr -0.1", &["--lr", "-0.1", "positive"]),
        ("--lr 0", &["--lr", "0", "positive"]),
        ("--lr nan", &["--lr", "positive"]),
        ("--activation tanhh", &["tanhh", "relu"]),
        ("--optimizer adamm", &["adamm", "sgd"]),
        ("--init zeros", &["zeros", "he"]),
        ("--plan fast", &["--plan", "fast", "layered"]),
        ("--test-fraction 1", &["--test-fraction", "1"]),
        ("--validation-fraction 2", &["--validation-fraction", "2"]),
        ("--samples 0", &["--samples", "0"]),
        ("--samples 9999999999", &["--samples", "9999999999"]),
        ("--noise=-1", &["--noise", "-1"]),
    ];
    for (flags, message) in cases {
        let words = format!("train moons --device cpu {flags}");
        let stderr = place.refuses(&words, 2, message);
        assert!(!stderr.contains(" %"), "mlp {words}\n{stderr}");
    }
    place.refuses("train classes.csv --target answer --samples 5", 2, &["--samples", "moons"]);
    place.refuses("gradcheck --differences 0", 2, &["--differences", "at least 1"]);
    place.refuses("gradcheck --batch 0", 2, &["number of rows", "1 to"]);
    place.refuses("gradcheck --batch 99999999999 --device cpu", 2, &["number of rows", "99999999999"]);
    place.refuses("gradcheck --batch 4000000000 --device cpu", 1, &["needs", "bytes"]);
    place.refuses("gradcheck --hidden 100000,100000 --device cpu", 1, &["needs", "bytes"]);
    place.refuses("train moon", 2, &["`moon`", "moons"]);
}

#[test]
fn models_that_are_none_are_refused() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out .");
    let bytes = fs::read(place.path().join("model.safetensors")).unwrap();
    fs::write(place.path().join("half.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let foreign = safetensors::serialize(tensors.tensors(), None).unwrap();
    fs::write(place.path().join("foreign.safetensors"), foreign).unwrap();
    place.file("wide.csv", "a,b,c,d\n1,2,3,4\n");
    place.file("narrow.csv", "a\n1\n");
    place.file("other.csv", "a,b,answer\n1,2,perhaps\n");
    let cases: &[(&str, &[&str])] = &[
        ("predict half.safetensors shuffled.csv", &["half.safetensors", "truncated"]),
        ("eval half.safetensors classes.csv", &["half.safetensors", "truncated"]),
        ("inspect half.safetensors", &["half.safetensors", "truncated"]),
        ("train moons --init-from half.safetensors", &["half.safetensors", "truncated"]),
        ("predict classes.csv classes.csv", &["classes.csv", "not a model file"]),
        ("predict foreign.safetensors shuffled.csv", &["foreign.safetensors", "--init-from"]),
        ("inspect absent.safetensors", &["absent.safetensors", "cannot read"]),
        ("predict model.safetensors wide.csv", &["wide.csv", "4 feature columns", "takes 2", "`c`, `d`"]),
        ("predict model.safetensors narrow.csv", &["narrow.csv", "no column `b`", "`a`"]),
        ("eval model.safetensors shuffled.csv", &["shuffled.csv", "no column `answer`"]),
        ("eval model.safetensors other.csv", &["other.csv", "`perhaps`", "line 2", "`no`", "`yes`"]),
        ("predict model.safetensors shuffled.csv --out absent/p.csv", &["p.csv", "cannot write"]),
    ];
    for (words, message) in cases {
        assert_no_work(&place.refuses(words, 2, message));
    }
}

/// Sizes are added up before anything is allocated.
#[test]
fn networks_that_are_too_large_are_refused_at_once() {
    let place = Place::new();
    for device in (0..devices().len()).map(|index| index.to_string()).chain(["cpu".into()]) {
        let started = Instant::now();
        let words = format!("train moons --hidden 100000,100000 --device {device}");
        let stderr = place.refuses(&words, 1, &["needs 40002", " bytes", " has 17179869180", "smaller"]);
        assert!(!stderr.contains(" %"), "{stderr}");
        assert!(started.elapsed() < Duration::from_secs(20), "{device}: {:?}", started.elapsed());
    }
}

/// An output that cannot be written is found before the first step.
#[test]
fn unwritable_outputs_are_refused_at_once() {
    let place = Place::new();
    let words = "train moons --device cpu --epochs 1000000000 --out classes.csv/model";
    assert_no_work(&place.refuses(words, 2, &["classes.csv", "cannot make the output folder"]));
    let words = "train moons --device cpu --epochs 1000000000 --out classes.csv";
    assert_no_work(&place.refuses(words, 2, &["classes.csv", "cannot"]));
}

#[test]
fn divergence_is_told_and_the_last_good_model_kept() {
    let place = Place::new();
    // From a few good steps to one.
    for rate in ["30", "1000", "1e4", "1e6"] {
        let words = format!("train moons --device cpu --lr {rate} --epochs 1000");
        let stderr = place.refuses(&format!("{words} --out kept"), 1, &["diverged at step ", "epoch", "--lr"]);
        assert!(stderr.contains("model.safetensors"), "{stderr}");
        let model = Path::new("kept").join("model.safetensors");
        let evaluated = place.json(&format!("eval {} moons --device cpu", model.display()));
        assert!(evaluated["loss"].is_f64(), "--lr {rate}: the model kept has no finite loss: {evaluated}");
        let stderr = place.refuses(&words, 1, &["diverged at step "]);
        assert!(stderr.contains("--out"), "{stderr}");
    }
}

/// Ctrl-C ends a run at the next occasion, with what has been learnt so far as its result.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_model() {
    use std::io::{BufRead, BufReader, Read};
    let place = Place::new();
    let words = "train moons --samples 20 --hidden 2 --epochs 4000000 --device cpu --out kept --json";
    let mut child = Running(place.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut stderr = BufReader::new(child.0.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains(" %") {
        assert!(stderr.read_line(&mut told).unwrap() > 0, "no progress: {told}");
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.0.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let interrupted = Instant::now();
    stderr.read_to_string(&mut told).unwrap();
    assert!(interrupted.elapsed() < Duration::from_secs(5), "{:?}", interrupted.elapsed());
    let mut stdout = String::new();
    child.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0), "{told}");
    assert!(told.contains("stopped by Ctrl-C after "), "{told}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["stopped"], true);
    let epochs = found["epochs"].as_u64().unwrap();
    assert!((400_000..4_000_000).contains(&epochs), "{epochs}");
    let model = Model::load(&place.path().join("kept").join("model.safetensors")).unwrap();
    assert_eq!(model.training.unwrap().epochs, epochs);
}

/// A process that ends with the test.
struct Running(Child);

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
    for command in ["train", "eval", "predict", "inspect", "gradcheck", "devices", "kernels"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert!(place.stdout(&format!("{command} --help")).contains("Usage: "), "{command}");
    }
    place.refuses("trian moons", 2, &["trian"]);
    place.refuses("train", 2, &["required"]);
    assert_eq!(place.stdout("--version"), format!("mlp {}\n", env!("CARGO_PKG_VERSION")));
}
