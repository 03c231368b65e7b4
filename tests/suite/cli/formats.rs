//! The command on arrays: npy, npz and IDX files, from files and from stdin, give what the same table as text gives.

use std::fs;

use wgpu_mlp::Model;
use wgpu_mlp::data::Table;

use crate::cli::tables::with_stdin;
use crate::cli::{Place, finished};
use crate::data::idx::{file as idx, gzip};
use crate::data::tables::{npy, zip};

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
    let model = |name: &str| Model::load(place.path().join(name)).unwrap();
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
    place.refuses("predict t.npz.run cut.npz", 2, &["cut.npz: cannot read it as npz: it is damaged or truncated"]);
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

/// The name of an array stands for its columns, and arrays that are not wanted may be of any number of rows, as in Keras'
/// `mnist.npz`.
#[test]
fn arrays_are_chosen_by_their_names() {
    let place = Place::new();
    let numbers = |values: Vec<f64>| values.into_iter().flat_map(f64::to_le_bytes).collect::<Vec<u8>>();
    let x = |rows: usize| numbers((0..2 * rows).map(|at| (at * at % 17) as f64).collect());
    let y = |rows: usize| numbers((0..rows).map(|at| (at % 2) as f64).collect());
    let put = |name: &str, arrays: &[(&str, &[u8])]| fs::write(place.path().join(name), zip(arrays)).unwrap();
    let (x_train, y_train) = (npy("'<f8'", "(60, 2)", &x(60)), npy("'<f8'", "(60,)", &y(60)));
    let (x_test, y_test) = (npy("'<f8'", "(20, 2)", &x(20)), npy("'<f8'", "(20,)", &y(20)));
    put(
        "keras.npz",
        &[("x_test.npy", &x_test), ("x_train.npy", &x_train), ("y_train.npy", &y_train), ("y_test.npy", &y_test)],
    );
    put("plain.npz", &[("x_train.npy", &x_train), ("y_train.npy", &y_train)]);
    let expected = place.stdout("data plain.npz --target y_train");
    for columns in [
        "--features x_train",
        "--features x_train0,x_train1",
        "--ignore x_test,y_test",
        "--ignore x_test0,x_test1,y_test",
    ] {
        assert_eq!(place.stdout(&format!("data keras.npz --target y_train {columns}")), expected, "{columns}");
    }
    place.stdout("train keras.npz --target y_train --features x_train --epochs 2 --device cpu --quiet --out run");
    let predicted = place.stdout("predict run keras.npz --device cpu");
    assert_eq!(predicted.lines().count(), 61);
    assert_eq!(predicted, place.stdout("predict run plain.npz --device cpu"));
    place.refuses(
        "train keras.npz --target y_train",
        2,
        &[
            "keras.npz: cannot read it as npz: its arrays have different numbers of rows, `x_test` 20, `x_train` 60",
            "--features x_train",
            "--ignore x_test,y_test",
        ],
    );
    place.refuses("data keras.npz --target y_train --features x_tr", 2, &["no column `x_tr`"]);
    place.refuses(
        "data keras.npz --target y_train --features x_train --ignore x_train1",
        2,
        &["`x_train1`", "both used and ignored"],
    );
    // Of an array whose name ends in a digit, the columns' numbers stand behind a line.
    put("digits.npz", &[("x1.npy", &x_train), ("y.npy", &y_train)]);
    let told = place.stdout("data digits.npz --target y --categorical x1");
    assert!(told.contains("x1_0") && told.contains("text"), "{told}");
    assert_eq!(told, place.stdout("data digits.npz --target y --categorical x1_0,x1_1"));
    // Ids of more digits than a float has, from an archive.
    let ids: Vec<u8> = (0..60_i64).flat_map(|row| (1_152_921_504_606_846_976 + row % 6).to_le_bytes()).collect();
    put("ids.npz", &[("x.npy", &x_train), ("user.npy", &npy("'<i8'", "(60,)", &ids)), ("y.npy", &y_train)]);
    let told = place.json("data ids.npz --target y --features user");
    assert_eq!(told["columns"][0]["distinct"], 6, "{told}");
}
