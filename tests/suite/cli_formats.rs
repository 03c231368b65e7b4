//! The command on arrays: npy, npz and IDX files, from files and from stdin, give what the same table as text gives.

use std::fs;

use wgpu_mlp::Model;
use wgpu_mlp::data::Table;

use super::cli::{Place, finished};
use super::cli_tables::with_stdin;
use super::idx::{file as idx, gzip};
use super::tables::{npy, zip};

const TRAIN: &str = "--device cpu --epochs 5 --quiet";

/// `classes.csv` as an archive of two arrays, and as text with the archive's names.
fn arrays(place: &Place) -> Vec<u8> {
    let table = Table::read(place.path().join("classes.csv")).unwrap();
    let [a, b] = ["a", "b"].map(|name| table.numbers(name).unwrap());
    let x: Vec<u8> = a.iter().zip(b).flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect();
    let y: Vec<u8> = a.iter().zip(b).flat_map(|(a, b)| if b > a { *b"yes" } else { *b"no\0" }).collect();
    let archive = zip(&[("x.npy", &npy("'<f8'", "(60, 2)", &x)), ("y.npy", &npy("'|S3'", "(60,)", &y))]);
    fs::write(place.path().join("t.npz"), &archive).unwrap();
    fs::write(place.path().join("x.npy"), npy("'<f8'", "(60, 2)", &x)).unwrap();
    let text = fs::read_to_string(place.path().join("classes.csv")).unwrap();
    place.file("t.csv", &text.replacen("a,b,answer", "x0,x1,y", 1));
    archive
}

#[test]
fn arrays_are_learned_and_predicted_as_text_is() {
    let place = Place::new();
    let archive = arrays(&place);
    let model = |name: &str| Model::load(&place.path().join(name)).unwrap();
    for data in ["t.csv", "t.npz"] {
        place.stdout(&format!("train {data} --target y {TRAIN} --out {data}.run"));
    }
    let words = format!("train - --target y {TRAIN} --out stdin.run");
    with_stdin(&place, &words, &archive);
    for run in ["t.npz.run", "stdin.run"] {
        assert_eq!(model(run).parameters, model("t.csv.run").parameters, "{run}");
        assert_eq!(model(run).encoder, model("t.csv.run").encoder, "{run}");
    }
    let expected = place.stdout("predict t.npz.run t.csv --device cpu");
    assert_eq!(expected.lines().count(), 61);
    for data in ["t.npz", "x.npy"] {
        assert_eq!(place.stdout(&format!("predict t.npz.run {data} --device cpu")), expected, "{data}");
        let bytes = fs::read(place.path().join(data)).unwrap();
        for bytes in [gzip(&bytes), bytes] {
            assert_eq!(with_stdin(&place, "predict t.npz.run - --device cpu", &bytes), expected, "{data} from stdin");
        }
    }
    let figures = |data: &str| place.stdout(&format!("eval t.npz.run {data} --device cpu"));
    assert_eq!(figures("t.npz"), figures("t.csv"));
    let told = |data: &str| place.stdout(&format!("data {data} --target y"));
    assert_eq!(told("t.npz"), told("t.csv"));
    place.refuses("predict t.npz.run t.npz --ignore y", 2, &["--ignore"]);
    place.refuses("train t.npz --target z", 2, &["t.npz: no column `z`; the table has `x0`, `x1`, `y`"]);
    place.refuses("eval t.npz.run x.npy", 2, &["x.npy: no column `y`"]);
    fs::write(place.path().join("cut.npz"), &archive[..archive.len() / 2]).unwrap();
    place.refuses("predict t.npz.run cut.npz", 2, &["cut.npz: cannot read it as npz: it is broken or cut off"]);
}

/// A pipe that stands for a file, as a shell makes one for `<(…)`, is there once and cannot be read in any order.
#[cfg(unix)]
#[test]
fn pipes_are_read_as_files_are() {
    let place = Place::new();
    arrays(&place);
    for data in ["t.csv", "t.npz", "x.npy"] {
        let expected = place.stdout(&format!("data {data}"));
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &format!("{} data <(cat {data})", env!("CARGO_BIN_EXE_mlp"))]).current_dir(place.path());
        let output = finished(shell);
        assert_eq!((output.code, output.stdout), (Some(0), expected), "{data}: {}", output.stderr);
    }
}

#[test]
fn images_are_learned_by_their_labels() {
    let place = Place::new();
    // Three classes; the first pixel says which.
    let images: Vec<u8> = (0..90_u8).flat_map(|i| [i % 3 * 100, i, 7, 255 - i]).collect();
    let labels: Vec<u8> = (0..90).map(|i| i % 3 + 4).collect();
    fs::write(place.path().join("i-images-idx3-ubyte.gz"), gzip(&idx(&[90, 2, 2], &images))).unwrap();
    fs::write(place.path().join("i-labels-idx1-ubyte"), idx(&[90], &labels)).unwrap();
    let train = "train i-images-idx3-ubyte.gz --target label --device cpu --epochs 60 --lr 0.01 --batch 8 --out run";
    let output = place.run(train);
    assert!(output.stderr.contains("task: multiclass, `label` has 3 texts, `4`, `5`, `6`"), "{}", output.stderr);
    let found = place.json("eval run i-images-idx3-ubyte.gz --device cpu");
    assert!(found["accuracy"].as_f64().unwrap() > 0.9, "{found}");
    let images = idx(&[90, 2, 2], &images);
    let expected = place.stdout("predict run i-images-idx3-ubyte.gz --device cpu");
    assert_eq!(with_stdin(&place, "predict run - --device cpu", &images), expected);
    assert!(expected.starts_with("prediction,p_4,p_5,p_6\n"), "{expected}");
    let told = place.json("data i-images-idx3-ubyte.gz --target label");
    assert_eq!(told["columns"][0]["most_frequent"], serde_json::json!([["4", 30], ["5", 30], ["6", 30]]));
    assert!(told["warnings"].to_string().contains("`pixel2` is the same in all rows"), "{told}");
}
