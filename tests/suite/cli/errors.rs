//! What the command refuses: its message, its exit code, and that no work was done before.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::Stdio;

use crate::cli::{Place, assert_no_work, refused};
use crate::support::devices;

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

/// wgpu's own driver that takes all work and does none, in place of one that computes something else.
#[test]
fn a_device_with_wrong_results_is_refused_at_once() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out run");
    for words in [
        "train moons --epochs 1000000000 --out kept",
        "eval run classes.csv",
        "predict run shuffled.csv",
        "gradcheck",
        "bench --seconds 0.01 --batch 16",
    ] {
        let mut command = place.command(&format!("{words} --device gpu"));
        command.env("WGPU_BACKEND", "noop").env("WGPU_NOOP_BACKEND", "1");
        let message = ["wrong results", "of 306 elements", "expected", "--device cpu", "driver"];
        assert_no_work(&refused(command, words, 1, &message));
    }
    assert!(!place.path().join("kept").join("model.safetensors").exists());
}

#[test]
fn unreadable_tables_are_refused() {
    let place = Place::new();
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
        (
            "classes.csv --target anser",
            &["classes.csv", "no column `anser`", "`a`, `b`, `answer`: did you mean `answer`?"],
        ),
        ("classes.csv --target answer --features a,c --ignore d", &["classes.csv", "no column `c`, `d`", "`answer`"]),
        ("classes.csv --target answer --ignore a,answer", &["--ignore", "`answer`", "not the target"]),
        ("classes.csv --target answer --ignore a --features a,b", &["`a`", "both used and ignored"]),
        ("classes.csv --target answer --ignore a,b", &["features", "at least one column besides"]),
        ("nan.csv --target b", &["nan.csv", "line 3", "column `b`", "missing", "fill it in"]),
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
        ("--plan fast", &["--plan", "fast", "layered, fused, resident"]),
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
    place.refuses("train classes.csv --target answer --samples 5", 2, &["--samples", "moons, circles"]);
    for command in ["gradcheck", "train moons", "bench --batch 3"] {
        let words = format!("{command} --device cpu --precision f16x3");
        place.refuses(&words, 2, &["--precision is f16x3", "expected f32", "the processor has no matrix units"]);
    }
    place.refuses("train moons --precision f8", 2, &["f8", "f32, f16x3, f16"]);
    place.refuses("gradcheck --differences 0", 2, &["--differences", "at least 1"]);
    place.refuses("gradcheck --batch 0", 2, &["--batch is 0", "1 to"]);
    place.refuses("gradcheck --batch 99999999999 --device cpu", 2, &["--batch is 99999999999"]);
    place.refuses("gradcheck --batch 4000000000 --device cpu", 1, &["needs", "bytes"]);
    place.refuses("gradcheck --inputs 0", 2, &["--inputs is 0", "1 to"]);
    place.refuses("gradcheck --outputs 0", 2, &["--outputs is 0", "1 to"]);
    place.refuses("gradcheck --loss softmax_cross_entropy --outputs 1", 2, &["--outputs is 1", "at least 2"]);
    place.refuses("gradcheck --hidden 99999999999", 2, &["--hidden", "16777216"]);
    // A loss's parameter, by its flag's name.
    place.refuses("gradcheck --label-smoothing 1", 2, &["--label-smoothing is 1", "[0, 1)"]);
    place.refuses("gradcheck --loss huber --huber-delta 0", 2, &["--huber-delta is 0", "positive"]);
    place.refuses("gradcheck --huber-delta 2", 2, &["--huber-delta", "left out with binary_cross_entropy"]);
    place.refuses("train moons --device cpu --label-smoothing 2", 2, &["--label-smoothing is 2", "[0, 1)"]);
    place.file("smooth.toml", "data = \"moons\"\nlabel-smoothing = 2\n");
    place.refuses("train --config smooth.toml --device cpu", 2, &["smooth.toml: line 2", "--label-smoothing is 2"]);
    place.refuses("gradcheck --hidden 100000,100000 --device cpu", 1, &["needs", "bytes"]);
    place.refuses("train moon", 2, &["`moon`", "(moons, circles, blobs, spirals, xor)"]);
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
    place.file("text.csv", "a,b\n1,2\n3,four\n");
    place.file("header.csv", "a,b\n");
    place.file("narrow.csv", "c\n1\n");
    place.file("other.csv", "a,b,answer\n1,2,perhaps\n");
    let cases: &[(&str, &[&str])] = &[
        ("predict half.safetensors shuffled.csv", &["half.safetensors", "truncated"]),
        ("eval half.safetensors classes.csv", &["half.safetensors", "truncated"]),
        ("inspect half.safetensors", &["half.safetensors", "truncated"]),
        ("train moons --init-from half.safetensors", &["half.safetensors", "truncated"]),
        ("predict classes.csv classes.csv", &["classes.csv", "not a model file"]),
        ("predict foreign.safetensors shuffled.csv", &["foreign.safetensors", "--init-from"]),
        ("inspect absent.safetensors", &["absent.safetensors", "cannot read"]),
        ("predict model.safetensors narrow.csv", &["narrow.csv", "no column `a`, `b`", "`c`"]),
        ("predict model.safetensors text.csv --strict", &["text.csv", "line 3", "`b`", "`four`", "a guess was needed"]),
        ("predict model.safetensors header.csv", &["header.csv", "no data rows"]),
        ("eval model.safetensors shuffled.csv", &["shuffled.csv", "no column `answer`"]),
        ("eval model.safetensors other.csv", &["other.csv", "`perhaps`", "line 2", "`no`", "`yes`"]),
        ("predict model.safetensors shuffled.csv --out absent/p.csv", &["p.csv", "cannot write"]),
    ];
    for (words, message) in cases {
        assert_no_work(&place.refuses(words, 2, message));
    }
}

/// Sizes are added up before anything is allocated: no machine of these tests has 40 GB to draw parameters in.
#[test]
fn networks_that_are_too_large_are_refused_at_once() {
    let place = Place::new();
    for device in (0..devices().len()).map(|index| index.to_string()).chain(["cpu".into()]) {
        let words = format!("train moons --hidden 100000,100000 --device {device}");
        let stderr = place.refuses(&words, 1, &["needs 40000400000 bytes", " has 17179869180", "smaller"]);
        assert!(!stderr.contains(" %"), "{stderr}");
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

/// A file that is read is not written over, by whatever path: what it held would be gone.
#[test]
fn inputs_are_not_written_over() {
    let place = Place::new();
    place.json("train numbers.csv --target y --device cpu --epochs 1 --out run");
    place.stdout("export run --onnx net.onnx");
    fs::copy(place.path().join("numbers.csv"), place.path().join("run").join("predictions.csv")).unwrap();
    let model = Path::new("run").join("model.safetensors").display().to_string();
    let contents = |name: &str| fs::read(place.path().join(name)).unwrap();
    for (words, file) in [
        ("predict run numbers.csv --device cpu --out numbers.csv".to_string(), "numbers.csv"),
        ("predict run numbers.csv --device cpu --out run/../numbers.csv".into(), "numbers.csv"),
        (format!("predict run numbers.csv --device cpu --out {model}"), model.as_str()),
        (format!("export run --onnx {model}"), &model),
        (format!("export {model} --onnx {model}"), &model),
        ("import net.onnx --out net.onnx".into(), "net.onnx"),
        ("import net.onnx numbers.csv --target y --out numbers.csv".into(), "numbers.csv"),
        ("train run/predictions.csv --target y --device cpu --out run".into(), "run/predictions.csv"),
        (
            "train numbers.csv --test run/predictions.csv --target y --device cpu --out run".into(),
            "run/predictions.csv",
        ),
    ] {
        let before = contents(file);
        assert_no_work(&place.refuses(&words, 2, &["a file that is read", "another file"]));
        assert!(contents(file) == before, "{words}");
    }
    // Another file of that name, and one that is there and not read, are written.
    place.stdout("predict run numbers.csv --device cpu --out run/numbers.csv");
    place.stdout("predict run numbers.csv --device cpu --out run/numbers.csv");
}

/// Where stderr takes nothing, as on a full disk or behind a `head` that has seen enough, what was to be told there is dropped.
#[test]
#[cfg(unix)]
fn a_run_survives_a_stderr_that_takes_nothing() {
    let place = Place::new();
    for words in [
        "train numbers.csv --target y --device cpu --epochs 200 --out run --json",
        "sweep numbers.csv --target y --device cpu --epochs 20 --vary lr=0.1,0.01 --out swept --json",
    ] {
        let mut command = place.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert!(output.stdout.starts_with(b"{"), "{words}");
        assert!(place.names().iter().any(|name| ["run", "swept"].contains(&name.as_str())), "{words}");
        if cfg!(target_os = "linux") {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = place.command(&words.replace("--out ", "--out again-")).stderr(full).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{words}");
        }
    }
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

/// Several ranks need MPI, which the usual build is without; what cannot stand beside it is said before.
#[test]
fn ranks_need_a_build_with_mpi() {
    let place = Place::new();
    if !cfg!(feature = "mpi") {
        let words = "train moons --data-parallel --epochs 1000000000 --out kept";
        assert_no_work(&place.refuses(words, 2, &["--data-parallel", "without the feature `mpi`"]));
        // As mpirun starts it.
        place.file("t.csv", "a,y\n1,2\n");
        for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"] {
            let words = "sweep t.csv --target y --vary lr=0.1,0.2 --out kept";
            let mut command = place.command(words);
            command.env(name, "2");
            refused(command, words, 2, &["`mlp sweep` by several processes", "without the feature `mpi`"]);
        }
    }
    for (words, message) in [
        ("--shards 4", "required arguments"),
        ("--data-parallel --lr-find", "cannot be used with"),
        ("--data-parallel --folds 3", "cannot be used with"),
    ] {
        place.refuses(&format!("train moons {words}"), 2, &[message]);
    }
    assert!(!place.path().join("kept").exists());
}
