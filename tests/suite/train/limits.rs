//! Limits of the system, and files that change under their reader: an error of one line that says which and what to do.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wgpu_mlp::Error;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::data::{ReadAs, Reading, Table};
use wgpu_mlp::math::{Activation, Loss, Rule};
use wgpu_mlp::plan::{PlanKind, Recipe, Role, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;

use crate::cli::{Place, refused};
use crate::support::wait;

/// A stack that no machine has room for, so that no thread can be started.
const STACK: &str = "1125899906842624";

#[test]
fn without_a_thread_there_is_an_error() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --hidden 2 --out run");
    for words in [
        "data classes.csv",
        "data moons",
        "train classes.csv --target answer --device cpu --epochs 1",
        "eval run classes.csv --device cpu",
        "predict run classes.csv --device cpu",
        "bench --device cpu",
        "gradcheck --device cpu",
    ] {
        let mut command = place.command(words);
        command.env("RUST_MIN_STACK", STACK);
        let error =
            refused(command, words, 1, &["error: no thread could be started (", "ulimit -u", "RAYON_NUM_THREADS"]);
        assert!(error.lines().all(|line| line.chars().count() < 300), "{error}");
    }
}

/// What a run keeps of its parameters counts, before anything is allocated.
#[test]
fn copies_of_parameters_count() {
    let spec = MlpSpec::new(&[1; 201], Activation::Tanh, Loss::MeanSquaredError).unwrap();
    let recipe = Recipe { keep_best: true, ..Recipe::new(Rule::Adam) };
    let shape = TrainShape::full(u32::MAX as usize / 2);
    let plan = choose(Some(PlanKind::Layered), &spec, &recipe, shape, Target::Cpu).unwrap();
    let (buffers, of) = (plan.bytes(4), |role| plan.buffers[plan.buffer(role).unwrap()].len as u64);
    // A model that is written, and the rest of a state.
    let kept = 4 * (4 * of(Role::Parameters) + of(Role::OptimizerState) + of(Role::Best));
    match wait(Device::Cpu(CpuDevice::new(1).unwrap()).load(plan)) {
        Err(Error::TooLarge { needed, .. }) => assert_eq!(needed, buffers + kept),
        other => panic!("{other:?}"),
    }
}

/// Less memory than a process may have is an error, not its end.
#[cfg(target_os = "linux")]
#[test]
fn without_memory_there_is_an_error() {
    let place = Place::new();
    let words = "train moons --hidden 6000,6000 --optimizer sgd --epochs 1 --device cpu";
    let mut command = std::process::Command::new("sh");
    // 400 MB, where the parameters take 144 MB and the plan several times that.
    command.args(["-c", "ulimit -v 400000 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_mlp")]);
    command.args(words.split(' ')).current_dir(place.path()).env("RAYON_NUM_THREADS", "1");
    refused(command, words, 1, &["error: out of memory: ", " bytes: use fewer rows", "ulimit -v"]);
}

/// A file of these bytes in a folder that lives as long as the first value.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads a file that is changed once its columns are known, and gives the message without the path.
fn problem(path: &Path, change: impl Fn()) -> String {
    let kinds = |names: &[String]| {
        change();
        Ok(vec![ReadAs::Infer; names.len()])
    };
    let error = Table::read_with(path, &Reading::default(), kinds).unwrap_err().to_string();
    let head = format!("{}: ", path.display());
    error.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{error}`")).to_string()
}

/// Text of more bytes than are worked on at a time, four blocks a thread; its last cell is a text, so it is read twice.
fn long() -> Vec<u8> {
    let rows: String =
        (0..(4 * rayon::current_num_threads() + 1) << 14).map(|row| format!("{row}.000000000,1\n")).collect();
    format!("a,b\n{rows}1,x\n").into_bytes()
}

#[test]
fn a_text_that_changes_is_named() {
    let bytes = long();
    let (_folder, path) = file(&bytes);
    let shorter = problem(&path, || File::options().write(true).open(&path).unwrap().set_len(600_001).unwrap());
    let told = format!("it changed while it was read, from {} to 600001 bytes: wait until it is complete", bytes.len());
    assert!(shorter.starts_with("line ") && shorter.ends_with(&told), "{shorter}");

    let (_folder, path) = file(&bytes);
    let more = || OpenOptions::new().append(true).open(&path).unwrap().write_all(b"2,3\n4").unwrap();
    let longer = problem(&path, more);
    let told = format!("from {} to {} bytes", bytes.len(), bytes.len() + 5);
    assert!(longer.contains(&told), "{longer}");

    // Of the same length, but with another header when it is read once more.
    let (_folder, path) = file(&bytes);
    let other = problem(&path, || File::options().write(true).open(&path).unwrap().write_all_at(b"abc", 0).unwrap());
    assert!(other.starts_with("line 1: it changed while it was read, and has other columns"), "{other}");
    // Whole again, it is read.
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Table::read(&path).unwrap().names(), ["a", "b"]);
}

#[test]
fn a_compressed_text_that_changes_is_named() {
    let bytes = crate::data::idx::gzip(&long());
    let (_folder, path) = file(&bytes);
    let half = bytes.len() as u64 - 9;
    let shorter = problem(&path, || File::options().write(true).open(&path).unwrap().set_len(half).unwrap());
    assert!(shorter.contains(&format!("from {} to {half} bytes", bytes.len())), "{shorter}");
}

/// Arrays are found by the archive's directory, at its end, and read after that.
#[test]
fn an_archive_that_changes_is_named() {
    for format in ["npz/stored", "npz/deflated"] {
        let (_, bytes, _) = crate::data::tables::cases(format).remove(0);
        let (_folder, path) = file(&bytes);
        let shorter = problem(&path, || File::options().write(true).open(&path).unwrap().set_len(100).unwrap());
        let told = format!("cannot read it as npz: it changed while it was read, from {} to 100 bytes", bytes.len());
        assert!(shorter.starts_with(&told), "{format}: {shorter}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn columns_that_change_are_named() {
    let (_, bytes, _) = crate::data::tables::cases("parquet/small none").remove(0);
    let (_folder, path) = file(&bytes);
    let shorter = problem(&path, || File::options().write(true).open(&path).unwrap().set_len(20).unwrap());
    let told = format!("cannot read it as Parquet: it changed while it was read, from {} to 20 bytes", bytes.len());
    assert!(shorter.starts_with(&told), "{shorter}");
}
