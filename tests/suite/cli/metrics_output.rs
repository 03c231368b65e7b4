//! What the command and a library's `Metrics` say of a model, against the figures that its own predictions give.

use std::fs;

use serde_json::{Value, json};
use wgpu_mlp::Error;
use wgpu_mlp::data::Dataset;
use wgpu_mlp::infer::{Metrics, Scores};
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::metrics::{Classification, MultiLabel, Regression};
use wgpu_mlp::report;
use wgpu_mlp::spec::MlpSpec;

use crate::cli::{Place, assert_no_work};

/// Three bands of the plane by a + b, in 90 rows, `mid` the largest; some rows are in the wrong one.
fn bands(place: &Place) {
    let row = |i: u32| {
        let (a, b) = (f64::from(i * 37 % 90) / 10.0, f64::from(i * 41 % 90) / 10.0);
        let band =
            if i.is_multiple_of(11) { i as usize % 3 } else { usize::from(a + b >= 6.0) + usize::from(a + b > 12.0) };
        format!("{a},{b},{}\n", ["low", "mid", "top"][band])
    };
    place.file("bands.csv", &format!("a,b,band\n{}", (0..90).map(row).collect::<String>()));
}

/// The last column of a table, as texts.
fn target(place: &Place, file: &str) -> Vec<String> {
    let table = fs::read_to_string(place.path().join(file)).unwrap();
    table.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1.to_string()).collect()
}

/// The numbers in what `predict` prints, from this column on.
fn predictions(place: &Place, words: &str, from: usize) -> Vec<f64> {
    let csv = place.stdout(&format!("predict {words} --device cpu"));
    csv.lines().skip(1).flat_map(|line| line.split(',').skip(from).map(|cell| cell.parse().unwrap())).collect()
}

/// The object has all of `expected`'s members, to the bit; besides them only those that every evaluation has.
fn assert_figures(found: &Value, expected: &impl serde::Serialize, rows: usize) {
    let mut expected = serde_json::to_value(expected).unwrap();
    for key in ["device", "loss", "notes"] {
        assert!(!found[key].is_null(), "{found}");
        expected[key] = found[key].clone();
    }
    expected["rows"] = rows.into();
    assert_eq!(*found, expected);
}

#[test]
fn eval_says_what_the_predictions_give() {
    let place = Place::new();
    bands(&place);
    place.json("train bands.csv --target band --device cpu --epochs 40 --lr 0.01 --out bands");
    let labels = ["low", "mid", "top"].map(String::from);
    let number = |label: &String| labels.iter().position(|other| other == label).unwrap();
    let truth: Vec<usize> = target(&place, "bands.csv").iter().map(number).collect();
    let p = predictions(&place, "bands bands.csv", 1);
    for k in [None, Some(1), Some(2)] {
        let flag = k.map_or(String::new(), |k| format!("--top-k {k}"));
        let found = place.json(&format!("eval bands bands.csv --device cpu {flag}"));
        let expected = Classification::new(&p, 3, &truth, k).unwrap().with_labels(&labels).unwrap();
        assert!(expected.accuracy > 0.5 && expected.roc_auc.unwrap() > 0.7, "{expected:?}");
        assert_figures(&found, &expected, 90);
    }

    place.json("train classes.csv --target answer --device cpu --epochs 20 --out answers");
    let truth: Vec<usize> = target(&place, "classes.csv").iter().map(|label| usize::from(label == "yes")).collect();
    let p = predictions(&place, "answers classes.csv", 1);
    let p_yes: Vec<f64> = p.chunks(2).map(|row| row[1]).collect();
    let expected = Classification::binary(&p_yes, &truth).unwrap().with_labels(&["no", "yes"].map(String::from));
    assert_figures(&place.json("eval answers classes.csv --device cpu"), &expected.unwrap(), 60);

    // The truth has gone through the f32 of the encoded target.
    place.json("train numbers.csv --target y --device cpu --epochs 20 --out numbers");
    let truth: Vec<f64> = target(&place, "numbers.csv").iter().map(|cell| cell.parse().unwrap()).collect();
    let expected = Regression::new(&predictions(&place, "numbers numbers.csv", 0), &truth, 1).unwrap().score;
    let found = place.json("eval numbers numbers.csv --device cpu");
    for (key, expected) in [
        ("rmse", expected.rmse),
        ("mae", expected.mae),
        ("median_absolute_error", expected.median_absolute_error),
        ("r2", expected.r2.unwrap()),
    ] {
        assert!((found[key].as_f64().unwrap() - expected).abs() < 1e-5 * expected.abs(), "{key}: {found}, {expected}");
    }
    assert_eq!((&found["rows"], &found["accuracy"]), (&60.into(), &Value::Null));
}

/// The lines of a table under the line that starts with these words, as words.
fn lines(text: &str, heading: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    let at = text.lines().position(|line| words(line).join(" ") == heading);
    let at = at.unwrap_or_else(|| panic!("no `{heading}` in\n{text}"));
    text.lines().skip(at + 1).map(words).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn tables_show_the_figures_of_the_object() {
    let place = Place::new();
    bands(&place);
    let train =
        "train bands.csv --target band --device cpu --epochs 40 --lr 0.01 --validation-fraction 0.2 --out bands";
    let (trained, printed) = (place.json(train), place.stdout(train));
    let short = |number: &Value| number.as_f64().map_or("-".into(), report::score);
    let digits = |number: &Value| report::figure(number.as_f64().unwrap());
    let row = |name: &str, part: &Value| {
        let loss = digits(&part["loss"]);
        let figures = [&part["accuracy"], &part["macro_average"]["f1"], &part["roc_auc"]].map(short);
        [name.to_string(), part["rows"].to_string(), loss].into_iter().chain(figures).collect::<Vec<_>>()
    };
    let parts = lines(&printed, "rows loss accuracy macro f1 roc auc");
    for (line, (name, rows)) in parts.iter().zip([("train", 57), ("validation", 15), ("test", 18)]) {
        assert_eq!((line, &trained[name]["rows"]), (&row(name, &trained[name]), &rows.into()), "{printed}");
        assert_eq!(trained[name]["classes"][2]["label"], "top", "{trained}");
    }

    let (found, printed) = (
        place.json("eval bands bands.csv --device cpu --top-k 2"),
        place.stdout("eval bands bands.csv --device cpu --top-k 2"),
    );
    let mut expected = row("data", &found);
    expected.push(short(&found["top_k"]["accuracy"]));
    assert_eq!(lines(&printed, "rows loss accuracy macro f1 roc auc top 2")[0], expected, "{printed}");
    let score = |name: &str, score: &Value| {
        let shares = ["precision", "recall", "f1"].map(|key| short(&score[key])).join(" ");
        format!("{name} {shares} {}", score["support"])
    };
    let classes = found["classes"].as_array().unwrap().iter();
    let mut expected: Vec<_> = classes.map(|class| score(class["label"].as_str().unwrap(), class)).collect();
    expected.push(score("macro average", &found["macro_average"]));
    expected.push(score("weighted average", &found["weighted_average"]));
    let table: Vec<_> =
        lines(&printed, "class precision recall f1 support").iter().map(|line| line.join(" ")).collect();
    assert_eq!(table, expected, "{printed}");

    assert!(printed.contains("rows are the true classes, columns the predicted ones\ntrue"), "{printed}");
    let confusion = lines(&printed, "true low mid top");
    for (line, (label, counts)) in confusion.iter().zip([("low", 0), ("mid", 1), ("top", 2)]) {
        let counts = found["confusion"][counts].as_array().unwrap().iter().map(Value::to_string);
        assert_eq!(*line, [label.to_string()].into_iter().chain(counts).collect::<Vec<_>>(), "{printed}");
    }
    assert_eq!((table.len(), confusion.len()), (5, 3));

    let train = "train numbers.csv --target y --device cpu --epochs 2 --out numbers";
    let (trained, printed) = (place.json(train), place.stdout(train));
    let test = &trained["test"];
    let [loss, rmse, mae] = ["loss", "rmse", "mae"].map(|key| digits(&test[key]));
    let expected = format!("test 12 {loss} {rmse} {mae} {}", short(&test["r2"]));
    assert_eq!(lines(&printed, "rows loss rmse mae r2")[1].join(" "), expected);
    let printed = place.stdout("eval numbers numbers.csv --device cpu");
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

/// A class that a table lacks leaves it without an area under the curve, and a constant target without an r².
#[test]
fn figures_that_do_not_exist_are_left_out() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out answers");
    place.json("train numbers.csv --target y --device cpu --epochs 1 --out numbers");
    place.file("yes.csv", "a,b,answer\n1,2,yes\n2,3,yes\n");
    place.file("seven.csv", "a,b,y\n1,2,7\n2,3,7\n");
    for (words, key, heading) in [
        ("eval answers yes.csv --device cpu", "roc_auc", "rows loss accuracy macro f1 roc auc"),
        ("eval numbers seven.csv --device cpu", "r2", "rows loss rmse mae r2"),
    ] {
        let found = place.json(words);
        assert!(found.get(key).is_none() && found["rows"] == 2, "{found}");
        assert_eq!(lines(&place.stdout(words), heading)[0].last().unwrap(), "-");
    }
}

#[test]
fn a_terminal_has_room_for_twelve_classes() {
    let place = Place::new();
    for (classes, shown) in [(12, true), (13, false)] {
        let rows: String = (0..4 * classes).map(|i| format!("{i},{}\n", i % classes)).collect();
        place.file("many.csv", &format!("a,c\n{rows}"));
        place.json("train many.csv --target c --task multiclass --device cpu --epochs 1 --out many");
        let printed = place.stdout("eval many many.csv --device cpu");
        assert_eq!(printed.contains("\nconfusion matrix: rows are"), shown, "{printed}");
        assert_eq!(printed.contains("\n--json has the confusion matrix of the 13 classes\n"), !shown, "{printed}");
        assert_eq!(lines(&printed, "class precision recall f1 support").len(), classes + 2);
        let found = place.json("eval many many.csv --device cpu");
        assert_eq!(found["confusion"].as_array().unwrap().len(), classes);
    }
}

#[test]
fn top_k_is_for_more_than_two_classes() {
    let place = Place::new();
    bands(&place);
    place.json("train bands.csv --target band --device cpu --epochs 1 --out bands");
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out answers");
    place.json("train numbers.csv --target y --device cpu --epochs 1 --out numbers");
    for (words, found, message) in [
        ("bands bands.csv", 0, "1 to 2: `band` has 3 classes"),
        ("bands bands.csv", 3, "1 to 2: `band` has 3 classes"),
        ("answers classes.csv", 1, "no such flag: `answer` has two classes"),
        ("numbers numbers.csv", 1, "no such flag: `y` is a number"),
    ] {
        let words = format!("eval {words} --device cpu --top-k {found}");
        assert_no_work(&place.refuses(&words, 2, &[&format!("--top-k is {found}: expected {message}")]));
    }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
}

/// Three questions with yes and no of each of four rows; a target above one half is a yes.
#[test]
fn several_labels_a_row_have_figures() {
    let spec = MlpSpec::new(&[1, 3], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let targets = vec![1.0, 0.0, 0.75, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.25, 1.0];
    let truth: Vec<bool> = targets.iter().map(|&y| y > 0.5).collect();
    let data = Dataset::new(vec![0.0; 4], targets, 1, 3).unwrap();
    let z = [2.0f32, -1.0, 0.5, 1.0, -3.0, 4.0, 0.5, 0.25, -0.5, -2.0, 1.0, -1.0];
    let found = Metrics::new(&spec, &z, &data, None).unwrap();
    let p: Vec<f64> = z.iter().map(|&z| Loss::BinaryCrossEntropy.prediction(z.into())).collect();
    let expected = MultiLabel::new(&p, 3, &truth).unwrap();
    assert_eq!((found.rows, found.multi_label()), (4, Some(&expected)));
    // Wrong are the first of row 1, the second and the third of row 3.
    assert_eq!(found.accuracy(), Some(0.75));
    assert!(found.classification().is_none() && found.regression().is_none() && found.rmse().is_none());
    let serialised = serde_json::to_value(&found).unwrap();
    let keys: Vec<_> = serialised.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["accuracy", "labels", "loss", "macro_average", "micro_average", "rows"]);
    let refused = Metrics::with_top_k(&spec, &z, &data, None, Some(1)).unwrap_err();
    assert!(matches!(refused, Error::Setting { what: "the k of top-k accuracy", .. }), "{refused}");
}

/// Logits as large as an f32 holds have probabilities, and a loss that is no less than it is.
#[test]
fn huge_logits_have_figures() {
    let spec = MlpSpec::new(&[1, 3], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
    let data = Dataset::new(vec![0.0; 2], vec![2.0, 0.0], 1, 1).unwrap();
    let most = f32::MAX;
    let found = Metrics::with_top_k(&spec, &[most, -most, 0.0, most, 0.0, -most], &data, None, Some(2)).unwrap();
    close(found.loss / f64::from(most), 0.5);
    let figures = found.classification().unwrap();
    assert_eq!((figures.accuracy, figures.top_k.unwrap().accuracy), (0.5, 1.0));
    assert_eq!(figures.confusion, Some(vec![vec![1, 0, 0], vec![0, 0, 0], vec![1, 0, 0]]));
    close(figures.log_loss, -f64::EPSILON.ln() / 2.0);
    assert_eq!(figures.classes[2].label, "2");
}

/// What has diverged is no error: the loss says it, and nothing else does.
#[test]
fn outputs_that_diverged_have_a_loss_alone() {
    for (loss, outputs, target) in [
        (Loss::BinaryCrossEntropy, 1, 1.0),
        (Loss::BinaryCrossEntropy, 2, 0.0),
        (Loss::SoftmaxCrossEntropy, 2, 1.0),
        (Loss::MeanSquaredError, 1, 0.5),
        (Loss::Huber, 2, 0.5),
        (Loss::Poisson, 1, 0.0),
    ] {
        let spec = MlpSpec::new(&[1, outputs], Activation::Relu, loss).unwrap();
        let targets = vec![target; 2 * spec.target_columns()];
        let data = Dataset::new(vec![0.0; 2], targets, 1, spec.target_columns()).unwrap();
        let found = |z: f32| {
            let mut all = vec![0.5; 2 * outputs];
            all[1] = z;
            Metrics::new(&spec, &all, &data, None).unwrap()
        };
        assert!(found(1.0).scores.is_some(), "{loss}");
        for z in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let found = found(z);
            assert!(!found.loss.is_finite() && found.scores.is_none(), "{loss}, {z}: {found:?}");
            assert_eq!(serde_json::to_value(&found).unwrap(), json!({"rows": 2, "loss": null}));
        }
    }
    // e^400 is finite; its square is not.
    let spec = MlpSpec::new(&[1, 1], Activation::Relu, Loss::Poisson).unwrap();
    let data = Dataset::new(vec![0.0], vec![1.0], 1, 1).unwrap();
    let found = Metrics::new(&spec, &[400.0], &data, None).unwrap();
    assert!(found.loss.is_finite() && found.scores.is_none(), "{found:?}");
    assert!(matches!(Metrics::new(&spec, &[1.0], &data, None).unwrap().scores, Some(Scores::Regression(_))));
}
