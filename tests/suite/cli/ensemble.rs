//! Ensembles and folds, from the flags to the files.

use std::collections::BTreeSet;

use serde_json::Value;
use wgpu_mlp::Model;
use wgpu_mlp::params::Layout;

use super::Place;

const TRAIN: &str = "train classes.csv --target answer --hidden 6 --device cpu --quiet --no-baseline";

/// The cells of a CSV file or text, without its heading, and that.
fn cells(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut rows = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    (rows.next().unwrap(), rows.collect())
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

/// Each network is the one that its seed makes alone, and what they predict is the mean of what each predicts; `std` is how far these are
/// apart.
#[test]
fn networks_of_an_ensemble_are_those_of_their_seeds() {
    let place = Place::new();
    let rest = "--epochs 5 --batch 8";
    place.stdout(&format!("{TRAIN} {rest} --ensemble 3 --seed 5 --out all"));
    let all = Model::load(place.path().join("all")).unwrap();
    assert_eq!(all.networks(), 3);
    let mut each = Vec::new();
    for (number, member) in (5..).zip(all.members()) {
        place.stdout(&format!("{TRAIN} {rest} --seed {number} --out one"));
        let one = Model::load(place.path().join("one")).unwrap();
        assert_eq!(one.parameters, member, "seed {number}");
        assert_eq!(one.networks(), 1);
        each.push(cells(&place.stdout("predict one shuffled.csv --device cpu")).1);
    }
    let (head, together) = cells(&place.stdout("predict all shuffled.csv --device cpu --std"));
    assert_eq!(head, ["prediction", "p_no", "p_yes", "std"]);
    for (row, cells) in together.iter().enumerate() {
        let values: Vec<f64> = each.iter().map(|rows| number(&rows[row][2])).collect();
        let mean = values.iter().sum::<f64>() / 3.0;
        assert!((number(&cells[2]) - mean).abs() < 1e-6, "row {row}: {} and {mean}", cells[2]);
        assert_eq!(cells[0], if mean > 0.5 { "yes" } else { "no" });
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        assert!((number(&cells[3]) - (squares / 2.0).sqrt()).abs() < 1e-6, "row {row}: {}", cells[3]);
    }
    let (head, _) = cells(&place.stdout("predict all shuffled.csv --device cpu"));
    assert_eq!(head, ["prediction", "p_no", "p_yes"]);
}

/// One network is one network, with the flag or without.
#[test]
fn an_ensemble_of_one_is_a_network() {
    let place = Place::new();
    place.stdout(&format!("{TRAIN} --epochs 4 --out a"));
    place.stdout(&format!("{TRAIN} --epochs 4 --ensemble 1 --out b"));
    let [a, b] = ["a", "b"].map(|name| std::fs::read(place.path().join(name).join("model.safetensors")).unwrap());
    assert!(a == b);
}

/// Each training row is judged by the network that held it out; test rows by all.
#[test]
fn folds_give_an_estimate_from_all_rows() {
    let place = Place::new();
    for (table, target) in [("classes.csv", "answer"), ("numbers.csv", "y")] {
        let words = format!(
            "train {table} --target {target} --hidden 8 --device cpu --no-baseline --folds 4 --epochs 30 --lr 0.01 --out run --json"
        );
        let summary: Value = serde_json::from_str(&place.stdout(&words)).unwrap();
        let members = summary["members"].as_array().unwrap();
        let folds: Vec<_> = members.iter().map(|member| member["fold"].as_u64().unwrap()).collect();
        assert_eq!(folds, [0, 1, 2, 3]);
        assert!(members.iter().all(|member| member["epochs"] == 30 && member["is_kept"] == true));
        assert_eq!(summary["out_of_fold"], true);
        let read = |name: &str| cells(&std::fs::read_to_string(place.path().join("run").join(name)).unwrap());
        let ((head, held_out), (test_head, tested)) = (read("out-of-fold.csv"), read("predictions.csv"));
        // Intervals are made from the rows held out, which have none.
        assert!(test_head.starts_with(&head) && test_head.len() == head.len() + 2 * usize::from(target == "y"));
        let rows = |cells: &[Vec<String>]| cells.iter().map(|row| row[0].parse().unwrap()).collect::<Vec<usize>>();
        let all: BTreeSet<usize> = rows(&held_out).into_iter().chain(rows(&tested)).collect();
        assert_eq!((held_out.len(), tested.len()), (48, 12), "{table}");
        assert!(all.into_iter().eq(1..=60), "{table}");
        // The scores are those of the file, and the truth is the table's.
        let lines: Vec<String> =
            std::fs::read_to_string(place.path().join(table)).unwrap().lines().map(String::from).collect();
        for row in &held_out {
            let truth = lines[row[0].parse::<usize>().unwrap()].rsplit(',').next().unwrap().to_string();
            assert!(row[1] == truth || number(&row[1]) == number(&truth), "{table}: {row:?}, {truth}");
        }
        let validation = &summary["validation"];
        assert_eq!(validation["rows"], 48);
        if target == "answer" {
            let right = held_out.iter().filter(|row| row[1] == row[2]).count() as f64 / 48.0;
            assert!((validation["accuracy"].as_f64().unwrap() - right).abs() < 1e-12);
        } else {
            let squares = held_out.iter().map(|row| (number(&row[1]) - number(&row[2])).powi(2)).sum::<f64>();
            let rmse = validation["rmse"].as_f64().unwrap();
            assert!((rmse - (squares / 48.0).sqrt()).abs() < 1e-4 * rmse, "{rmse}");
        }
        let text = place.stdout("inspect run");
        assert!(text.contains("an ensemble of 4 networks") && text.contains("validation loss"), "{text}");
        let page = std::fs::read_to_string(place.path().join("run/report.html")).unwrap();
        assert!(page.contains("Networks") && page.contains("out-of-fold"), "{table}");
    }
    // Without rows for testing the folds are what the report is about.
    place.stdout(&format!("{TRAIN} --folds 3 --epochs 3 --test-fraction 0 --out whole"));
    let (_, judged) = cells(&std::fs::read_to_string(place.path().join("whole/predictions.csv")).unwrap());
    let (_, held_out) = cells(&std::fs::read_to_string(place.path().join("whole/out-of-fold.csv")).unwrap());
    assert_eq!((judged.len(), judged), (60, held_out));
}

/// Whole groups are held out.
#[test]
fn no_group_is_in_two_folds() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{row},{},g{}\n", row % 2, row % 6)).collect();
    place.file("groups.csv", &format!("a,y,who\n{rows}"));
    let words = "train groups.csv --target y --hidden 4 --device cpu --quiet --no-baseline --group who --folds 3 --epochs 2 --test-fraction 0 --out run --json";
    let summary: Value = serde_json::from_str(&place.stdout(words)).unwrap();
    assert_eq!(summary["members"].as_array().unwrap().len(), 3);
    let output = place.run(&words.replace("--folds 3", "--folds 7").replace("--out run", ""));
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--folds is 7: expected 2 to 6, the groups"), "{}", output.stderr);
}

/// Learning rates that are worse are left out, of every fold; what is left is the model, and what out-of-fold scores are of. A run from the
/// configuration and one that goes on choose the same.
#[test]
fn a_portfolio_keeps_the_rates_that_are_best_together() {
    let place = Place::new();
    for (table, target) in [("classes.csv", "answer"), ("numbers.csv", "y")] {
        let words = format!(
            "train {table} --target {target} --hidden 8 --device cpu --no-baseline --folds 3 --lr 0.01 --portfolio 1,1e-6,2 --checkpoint-every 2 --json"
        );
        let told = place.run(&format!("{words} --epochs 30 --out run"));
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        let line = told.stderr.lines().find(|line| line.starts_with("portfolio: ")).unwrap_or_default();
        assert!(
            line.starts_with("portfolio: of the networks with learning rates ×1, ×0.000001, ×2 those with ×"),
            "{line}"
        );
        assert!(
            line.contains(" % less than that of all") && !line["portfolio: of".len() + 60..].contains("×0.000001"),
            "{line}"
        );
        let summary: Value = serde_json::from_str(&told.stdout).unwrap();
        assert!(summary["decisions"].as_array().unwrap().iter().any(|decision| decision["kind"] == "portfolio"));
        let members = summary["members"].as_array().unwrap();
        let kept: Vec<bool> = members.iter().map(|member| member["is_kept"] == true).collect();
        assert!(kept.len() == 9 && !kept[1] && kept[..3] == kept[3..6] && kept[..3] == kept[6..], "{kept:?}");
        let model = Model::load(place.path().join("run")).unwrap();
        assert_eq!(model.networks(), kept.iter().filter(|kept| **kept).count());
        let held_out = std::fs::read_to_string(place.path().join("run/out-of-fold.csv")).unwrap();
        if target == "y" {
            let (_, held_out) = cells(&held_out);
            let squares = held_out.iter().map(|row| (number(&row[1]) - number(&row[2])).powi(2)).sum::<f64>();
            let rmse = summary["validation"]["rmse"].as_f64().unwrap();
            assert!((rmse - (squares / 48.0).sqrt()).abs() < 1e-4 * rmse, "{rmse}");
        }
        let page = std::fs::read_to_string(place.path().join("run/report.html")).unwrap();
        assert!(page.contains("left out by the portfolio"), "{table}");
        let rates = place.stdout("inspect run");
        assert!(rates.contains("learning rate") && rates.contains("0.0200") && !rates.contains("e-8"), "{rates}");
        place.stdout("train --config run/config.toml --out again --quiet");
        place.stdout(&format!("{words} --epochs 8 --out part"));
        place.stdout("train --resume part --epochs 30 --quiet");
        for other in ["again", "part"] {
            let other = Model::load(place.path().join(other)).unwrap();
            assert!(other.parameters == model.parameters);
        }
        for folder in ["run", "again", "part"] {
            std::fs::remove_dir_all(place.path().join(folder)).unwrap();
        }
    }
}

/// A run of many that goes on from a checkpoint ends with the bytes of the unbroken one.
#[test]
fn an_ensemble_resumes_to_the_byte() {
    let place = Place::new();
    let words = format!("{TRAIN} --folds 3 --ensemble 2 --patience 2 --lr 0.05 --checkpoint-every 1");
    place.stdout(&format!("{words} --epochs 12 --out whole"));
    place.stdout(&format!("{words} --epochs 4 --out part"));
    place.stdout("train --resume part --epochs 12 --quiet");
    let [whole, part] = ["whole", "part"].map(|name| Model::load(place.path().join(name)).unwrap());
    assert_eq!(whole.networks(), 6);
    assert!(whole.parameters == part.parameters);
    let ends = |model: &Model| model.training.clone().unwrap().members;
    assert_eq!(ends(&whole), ends(&part));
}

#[test]
fn an_ensemble_is_exported_as_one_graph_and_not_imported() {
    let place = Place::new();
    place.stdout(&format!("{TRAIN} --epochs 2 --ensemble 3 --out run"));
    let text = place.stdout("export run --onnx run.onnx");
    let bytes = std::fs::read(place.path().join("run.onnx")).unwrap();
    let names = ["members.0.layers.0.weight", "members.2.layers.1.bias", "Mean"];
    let holds = |name: &str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(names.into_iter().all(holds), "{text}");
    let output = place.run("import run.onnx --out back");
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("Mean"), "{}", output.stderr);
}

#[test]
fn what_cannot_be_is_one_line() {
    let place = Place::new();
    place.stdout(&format!("{TRAIN} --epochs 2 --ensemble 2 --out two"));
    place.stdout(&format!("{TRAIN} --epochs 2 --out one"));
    for (words, expected) in [
        (format!("{TRAIN} --folds 1"), "--folds is 1: expected 2 to 48"),
        (format!("{TRAIN} --folds 48"), "--folds is 48: expected at most 2"),
        (format!("{TRAIN} --ensemble 0"), "--ensemble is 0: expected at least 1"),
        (format!("{TRAIN} --portfolio 1,0"), "--portfolio is 0: expected positive numbers"),
        (
            format!("{TRAIN} --ensemble 2 --portfolio 1,2,3"),
            "--portfolio is 3 factors for 2 networks: expected no more",
        ),
        (format!("{TRAIN} --portfolio 1,a"), "'--portfolio"),
        (format!("{TRAIN} --folds 3 --validation-fraction 0.2"), "cannot be used with"),
        (format!("{TRAIN} --folds 3 --validation classes.csv"), "cannot be used with"),
        (
            "train classes.csv --target answer --quiet --init-from two --device cpu".into(),
            "--init-from is an ensemble of 2 networks: expected a model of one",
        ),
        ("predict one shuffled.csv --std --device cpu".into(), "--std is a model of one network"),
    ] {
        let output = place.run(&words);
        assert_eq!(output.code, Some(2), "{words}: {}", output.stderr);
        assert!(output.stderr.contains(expected), "{words}: {}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{words}");
    }
}

/// `--share-weights` has networks of a fold in common what they may have, in models that are like others; interrupted or from the written
/// configuration they come to the same bytes. The preset decides it, and what speaks against it is heard.
#[test]
fn networks_of_a_fold_share_weights() {
    let place = Place::new();
    let words = format!("{TRAIN} --epochs 20 --folds 2 --ensemble 2 --checkpoint-every 10 --share-weights");
    place.stdout(&format!("{words} --out run"));
    let load = |name: &str| Model::load(place.path().join(name)).unwrap();
    let model = load("run");
    assert_eq!(model.networks(), 4);
    let layout = Layout::new(&model.spec);
    let networks: Vec<_> = model.members().collect();
    for (index, tensor) in layout.tensors.iter().enumerate() {
        let of = |network: usize| &networks[network][tensor.range.clone()];
        let alike = of(0) == of(1) && of(2) == of(3);
        assert_eq!(alike, index == 1, "{}", tensor.name);
        assert!(of(0) != of(2) && of(1) != of(3));
    }
    // The factors begin as 1 or -1.
    let ratios = networks[0].iter().zip(networks[1]).take(6).map(|(a, b)| (a / b).abs());
    assert!(ratios.clone().all(|ratio| (0.5..2.0).contains(&ratio)), "{:?}", ratios.collect::<Vec<_>>());
    place.stdout(&format!("{} --out short", words.replace("--epochs 20", "--epochs 10")));
    place.stdout("train --resume short/checkpoints --epochs 20 --device cpu --quiet --out resumed");
    place.stdout("train --config run/config.toml --out again");
    assert_eq!(load("resumed").parameters, model.parameters);
    assert_eq!(load("again").parameters, model.parameters);
    place.stdout(&format!("{} --out own", words.replace(" --share-weights", "")));
    assert_ne!(load("own").parameters, model.parameters);

    let shares = |words: &str| {
        let dump = place.stdout(&format!("train classes.csv --target answer {words} --dump-config"));
        dump.parse::<toml::Table>().unwrap().get("share-weights").map(|value| value.as_bool().unwrap())
    };
    assert_eq!(shares("--preset tabular"), None);
    assert_eq!(shares("--preset tabular --ensemble 2"), Some(true));
    assert_eq!(shares("--preset tabular --ensemble 2 --patience 3"), Some(false));
    assert_eq!(shares("--preset tabular --portfolio 1,2"), Some(false));
    assert_eq!(shares("--preset tabular --ensemble 2 --hidden none"), Some(false));
    assert_eq!(shares("--preset plain --ensemble 2"), Some(false));
    for (words, expected) in [
        ("--share-weights", ["--share-weights", "with one network"]),
        ("--ensemble 2 --share-weights --patience 3", ["--share-weights", "end together"]),
        ("--ensemble 2 --share-weights --portfolio 1,2", ["--share-weights", "differ in their seeds alone"]),
        ("--ensemble 2 --share-weights --hidden none", ["--share-weights", "a network with a hidden layer"]),
        ("--ensemble 2 --share-weights --init-from run", ["--share-weights", "networks that are drawn"]),
    ] {
        let patience = if words.contains("--patience") { "" } else { " --epochs 3" };
        place.refuses(&format!("train classes.csv --target answer --device cpu {words}{patience}"), 2, &expected);
    }
}
