//! What a run's folder holds besides its model: the page, the predictions, and the pictures of `mlp plot`.

use std::collections::BTreeSet;
use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use wgpu_mlp::Model;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::metrics::{Classification, calibration, roc_curve};
use wgpu_mlp::report;
use wgpu_mlp::spec::MlpSpec;

use crate::cli::Place;

fn read(place: &Place, path: &str) -> String {
    fs::read_to_string(place.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of all elements, and of the figures, of a text that must be well-formed.
fn elements(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, mut figures) = (BTreeSet::new(), BTreeSet::new());
    let mut reader = Reader::from_str(text);
    let mut depth = 0;
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error} in {text}"));
        match event {
            Event::Start(ref element) | Event::Empty(ref element) => {
                let name = element.name().0.to_string();
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{error} in <{name}>"));
                    if name == "figure" && attribute.key.0 == "id" {
                        figures.insert(attribute.value.to_string());
                    }
                }
                names.insert(name);
                depth += i32::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "an element is not closed");
    (names, figures)
}

/// A page that opens offline and runs nothing, with these pictures; `mlp plot` writes the same ones.
fn check_page(place: &Place, run: &str, pictures: &[&str]) -> String {
    let page = read(place, &format!("{run}/report.html"));
    let (names, figures) = elements(&page);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("width=device-width"), "{page}");
    for name in ["script", "link", "img", "iframe", "object", "a", "image", "use"] {
        assert!(!names.contains(name), "<{name}>");
    }
    let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for text in ["http", "url(", "@import", "href=", "src=", "onload"] {
        assert!(!without_namespace.contains(text), "{text} in {page}");
    }
    assert!(page.contains("prefers-color-scheme"));
    let expected: BTreeSet<String> = pictures.iter().map(|name| name.to_string()).collect();
    assert_eq!(figures, expected);
    let listed = place.stdout(&format!("plot {run} --out {run}-plots"));
    assert_eq!(listed.lines().count(), pictures.len(), "{listed}");
    for name in pictures {
        let svg = read(place, &format!("{run}-plots/{name}.svg"));
        assert!(svg.starts_with("<svg ") && page.contains(&svg), "{name} is another picture");
        assert!(elements(&svg).0.contains("title"), "{svg}");
    }
    page
}

fn figure(value: &Value, part: &str, name: &str) -> String {
    let figure = value[part][name].as_f64().unwrap_or_else(|| panic!("no {part} {name} in {value}"));
    if ["rmse", "mae"].contains(&name) { report::figure(figure) } else { report::score(figure) }
}

/// What `predictions.csv` says is what `mlp predict` does of the same rows, and the table of the truth.
fn check_predictions(place: &Place, run: &str, table: &str, rows: usize) {
    let all: Vec<String> =
        place.stdout(&format!("predict {run} {table} --device cpu")).lines().map(String::from).collect();
    let truth = read(place, table);
    let truth: Vec<&str> = truth.lines().map(|line| line.rsplit_once(',').unwrap().1).collect();
    let kept = read(place, &format!("{run}/predictions.csv"));
    let lines: Vec<&str> = kept.lines().collect();
    assert_eq!(lines[0], format!("row,truth,{}", all[0]));
    assert_eq!(lines.len(), rows + 1);
    for line in &lines[1..] {
        let cells: Vec<&str> = line.splitn(3, ',').collect();
        let row: usize = cells[0].parse().unwrap();
        assert_eq!(cells[2], all[row], "{line}");
        let same = cells[1] == truth[row] || cells[1].parse::<f64>().ok() == truth[row].parse().ok();
        assert!(same, "{line}, not {}", truth[row]);
    }
}

#[test]
fn two_classes() {
    let place = Place::new();
    let words = "train classes.csv --target answer --device cpu --epochs 30 --validation-fraction 0.2 --out run";
    let found = place.json(words);
    assert_eq!(found["report"], "run/report.html");
    let pictures = ["loss", "accuracy", "confusion", "roc", "calibration", "surface", "importance"];
    let page = check_page(&place, "run", &pictures);
    let decided = found["decisions"].as_array().unwrap();
    assert!(!decided.is_empty() && page.contains("Decided for you"), "{found}");
    for text in decided.iter().map(|decision| decision["text"].as_str().unwrap()) {
        assert!(page.contains(&*quick_xml::escape::escape(text)), "{text}");
    }
    for (part, name) in [("train", "accuracy"), ("validation", "accuracy"), ("test", "accuracy"), ("test", "roc_auc")] {
        assert!(page.contains(&format!(">{}<", figure(&found, part, name))), "{part} {name}: {found}");
    }
    assert!(page.contains(&format!("<b>{}</b>", figure(&found, "test", "accuracy"))));
    for phase in ["read", "encode", "device", "upload", "train", "save", "evaluate", "baseline", "report"] {
        assert!(
            found["phases"][phase].as_f64().unwrap() >= 0.0 && page.contains(&format!("<td>{phase}</td>")),
            "{phase}"
        );
    }
    let kept: Value = serde_json::from_str(&read(&place, "run/report.json")).unwrap();
    assert_eq!((&kept["run"]["test"], &kept["part"]), (&found["test"], &"test".into()));
    check_predictions(&place, "run", "classes.csv", 12);
    assert!(page.contains("&quot;classes.csv&quot;") || page.contains("data = \"classes.csv\""), "no configuration");

    // The command that the page shows makes the same model.
    let command = page.split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap();
    let flags = "--preset plain --target answer --validation-fraction 0.2 --epochs 30 --device cpu --out run --json";
    let sorted = |words: &str| words.split(" --").map(String::from).collect::<BTreeSet<_>>();
    assert_eq!(sorted(command), sorted(&format!("mlp train classes.csv {flags}")));
    let model = || fs::read(place.path().join("run/model.safetensors")).unwrap();
    let before = model();
    place.stdout(command.strip_prefix("mlp ").unwrap());
    assert!(model() == before, "{command} makes another model");
}

#[test]
fn numbers() {
    let place = Place::new();
    let found = place.json("train numbers.csv --target y --device cpu --epochs 20 --out run");
    let pictures = ["loss", "predictions", "residuals", "surface", "importance"];
    let page = check_page(&place, "run", &pictures);
    for name in ["rmse", "mae", "r2"] {
        assert!(page.contains(&format!("<b>{}</b>", figure(&found, "test", name))), "{name}: {found}");
    }
    check_predictions(&place, "run", "numbers.csv", 12);
    // y = 2 a - 3 b + 1
    let kept: Value = serde_json::from_str(&read(&place, "run/report.json")).unwrap();
    assert_eq!(kept["importance"][0]["column"], "b", "{kept}");
}

/// Many classes, many columns, of which one is constant, no row held out, many epochs.
#[test]
fn what_is_much_is_told_in_short() {
    let place = Place::new();
    let mut text = (0..30).map(|column| format!("column {column},")).collect::<String>() + "class\n";
    for row in 0..208_usize {
        text += &(0..30).map(|column| format!("{},", row * (column + 7) % 26)).collect::<String>();
        text += &format!("{}\n", char::from(b'A' + (row % 26) as u8));
    }
    place.file("many.csv", &text);
    place.json("train many.csv --target class --device cpu --epochs 900 --batch full --hidden none --test-fraction 0 --out run");
    let page = check_page(&place, "run", &["loss", "accuracy", "confusion", "importance"]);
    for words in ["No data was held out", "Of every 5 epochs", "The 20 highest of 29 columns", "208 training rows"] {
        assert!(page.contains(words), "{words}");
    }
    let loss = read(&place, "run-plots/loss.svg");
    let longest = loss.split("points=\"").map(|line| line.split('"').next().unwrap().split(' ').count()).max().unwrap();
    assert!((100..450).contains(&longest), "{longest} points");
}

#[test]
fn what_the_user_names_is_escaped() {
    let place = Place::new();
    let mut text = "\"<script>alert(1)</script>\",\"b&\"\"'\u{1}\",\"</title><script>\"\n".to_string();
    for i in 0..60 {
        text +=
            &format!("{},{},{}\n", i % 7, i * 11 % 13, ["<script>alert(2)</script>", "</style>&", "\u{2}]]>"][i % 3]);
    }
    place.file("hostile.csv", &text);
    let mut command = place.command("train hostile.csv --device cpu --epochs 2 --out run --target");
    command.arg("</title><script>");
    assert_eq!(crate::cli::finished(command).code, Some(0));
    let page = check_page(&place, "run", &["loss", "accuracy", "confusion", "surface", "importance"]);
    for text in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;script&gt;alert(2)&lt;/script&gt;",
        "&lt;/title&gt;&lt;script&gt;",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains(['\u{1}', '\u{2}']));
    let heading = "row,truth,prediction,p_\u{2}]]>,p_</style>&,p_<script>alert(2)</script>\n";
    assert!(read(&place, "run/predictions.csv").starts_with(heading));
}

/// A run that goes on has all of its epochs in the pictures.
#[test]
fn a_resumed_run_has_one_report() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 4 --checkpoint-every 2 --out run");
    place.json("train --resume run --epochs 6");
    place.stdout("plot run");
    let resumed = read(&place, "run/plots/loss.svg");
    place.json("train classes.csv --target answer --device cpu --epochs 6 --out whole");
    place.stdout("plot whole");
    assert!(resumed == read(&place, "whole/plots/loss.svg"));
    assert!(read(&place, "run/report.html").contains(">6<"));
}

/// The model is written first.
#[test]
fn a_report_that_cannot_be_written_leaves_the_model() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("run/report.html")).unwrap();
    let words = "train classes.csv --target answer --device cpu --epochs 1 --out run";
    place.refuses(words, 2, &["report.html", "report"]);
    assert!(Model::load(place.path().join("run")).is_ok());
}

#[test]
fn folders_that_have_nothing_to_plot_are_refused() {
    let place = Place::new();
    place.refuses("plot absent", 2, &["absent", "report.json", "cannot read"]);
    place.json("train classes.csv --target answer --device cpu --epochs 2 --out run");
    let kept = read(&place, "run/report.json");
    let metrics = read(&place, "run/metrics.jsonl");
    let put = |name: &str, text: &str| fs::write(place.path().join("run").join(name), text).unwrap();
    let with = |key: &str, value: Value| {
        let mut all: Value = serde_json::from_str(&kept).unwrap();
        *all.pointer_mut(key).unwrap_or_else(|| panic!("{key}")) = value;
        put("report.json", &all.to_string());
    };
    for (text, message) in [("", "EOF"), ("{}", "missing field"), (&kept[..kept.len() / 2], "line 1")] {
        put("report.json", text);
        place.refuses("plot run", 2, &["report.json", message]);
    }
    with("/confusion/rows", serde_json::json!([[1]]));
    place.refuses("plot run", 2, &["report.json", "confusion matrix", "2 classes"]);
    with("/surface/side", 7.into());
    place.refuses("plot run", 2, &["report.json", "surface", "7"]);
    // Numbers that no run makes: a message or a picture, and never a panic or a hang.
    for (key, value) in [
        ("/surface/spans/0", serde_json::json!([1e308, -1e308])),
        ("/surface/cells/0", serde_json::json!([u64::MAX, 255])),
        ("/surface/points/0", serde_json::json!([[1e300, -1e300], [3, 9]])),
        ("/confusion/rows", serde_json::json!([[u64::MAX, u64::MAX], [0, 0]])),
        ("/roc/0", serde_json::json!([1e308, -1e308])),
        ("/calibration/0/rows", u64::MAX.into()),
        ("/importance/0/mean", (-1e200).into()),
        ("/importance", serde_json::json!([])),
        ("/target", "x".repeat(100_000).into()),
    ] {
        with(key, value);
        let output = place.run("plot run");
        assert!(matches!(output.code, Some(0..=2)), "{key}: {}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{key}: {}", output.stderr);
    }
    put("report.json", &kept);
    put("metrics.jsonl", &format!("{metrics}{{\"epoch\": 3"));
    place.refuses("plot run", 2, &["metrics.jsonl", "line 3"]);
    put("metrics.jsonl", "");
    assert!(!place.stdout("plot run").contains("loss"));
    fs::remove_dir_all(place.path().join("run/plots")).unwrap();
    fs::write(place.path().join("run/plots"), "").unwrap();
    place.refuses("plot run", 2, &["plots", "cannot make the output folder"]);
}

/// Shuffling what the network does not look at changes nothing; shuffling what decides leaves guessing.
#[test]
fn importance_is_what_shuffling_costs() {
    let spec = MlpSpec::new(&[3, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let rows: Vec<f32> = (0..400_i16).flat_map(|i| [f32::from(i % 2) - 0.5, f32::from(i * 7 % 31), 1.0]).collect();
    let truth: Vec<f32> = (0..400_i16).map(|i| f32::from(i % 2)).collect();
    let data = Dataset::new(rows, truth, 3, 1).unwrap();
    let predictor = Predictor::new(&device, &spec, &[8.0, 0.0, 2.0, -2.0], 400).unwrap();
    let found = predictor.importance(&data, &[0..1, 1..2, 0..2], 20, 3, None).unwrap();
    assert!((found[0].mean - 0.5).abs() < 0.03 && (0.005..0.05).contains(&found[0].deviation), "{found:?}");
    assert_eq!((found[1].mean, found[1].deviation), (0.0, 0.0));
    assert!((found[2].mean - 0.5).abs() < 0.03, "{found:?}");
    // Numbers: z = 2 x, and of shuffled x the RMSE is 2 √2 deviations of x.
    let spec = MlpSpec::new(&[3, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let truth = data.features().chunks(3).map(|row| 2.0 * row[0]).collect();
    let data = Dataset::new(data.features().to_vec(), truth, 3, 1).unwrap();
    let predictor = Predictor::new(&device, &spec, &[2.0, 0.0, 0.0, 0.0], 400).unwrap();
    let found = predictor.importance(&data, &[0..1, 1..2], 20, 3, None).unwrap();
    assert!((found[0].mean - 2_f64.sqrt()).abs() < 0.05 && found[1].mean == 0.0, "{found:?}");
}

/// The area under the curve is the count of pairs won.
#[test]
fn curves_agree_with_figures() {
    let rows: Vec<(f64, bool)> = (0..500_u32)
        .map(|i| (f64::from(i.wrapping_mul(2_654_435_761) >> 20) % 41.0 / 40.0, i.wrapping_mul(40_503) >> 9 & 3 == 0))
        .collect();
    let curve = roc_curve(rows.iter().copied()).unwrap();
    assert_eq!((curve[0], curve[curve.len() - 1]), ([0.0, 0.0], [1.0, 1.0]));
    assert!(curve.len() <= 42 && curve.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1]), "{curve:?}");
    let area: f64 = curve.windows(2).map(|ends| (ends[1][0] - ends[0][0]) * (ends[0][1] + ends[1][1]) / 2.0).sum();
    let (p, truth): (Vec<f64>, Vec<usize>) = rows.iter().map(|&(p, yes)| (p, usize::from(yes))).unzip();
    let figures = Classification::binary(&p, &truth).unwrap();
    assert!((area - figures.roc_auc.unwrap()).abs() < 1e-12, "{area}, {figures:?}");
    assert!(roc_curve(rows.iter().map(|row| (row.0, true))).is_none());

    let bins = calibration(rows.iter().copied(), 10);
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 500);
    let yes: f64 = bins.iter().map(|bin| bin.observed * bin.rows as f64).sum();
    assert!((yes - truth.iter().sum::<usize>() as f64).abs() < 1e-9);
    let three = calibration([(0.0, true), (0.1, false), (0.95, true), (1.0, false)].into_iter(), 10);
    let found: Vec<_> = three.iter().map(|bin| (bin.predicted, bin.observed, bin.rows)).collect();
    assert_eq!(found, [(0.05, 0.5, 2), (0.975, 0.5, 2)]);
}
