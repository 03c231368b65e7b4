//! `--calibrate`: probabilities by rows that were held out.

use wgpu_mlp::Model;
use wgpu_mlp::params::Layout;

use crate::cli::Place;

/// Three classes by a + b in 240 rows, a fifth of which have another class; `y` is a number.
fn noisy(place: &Place) {
    let mut text = "a,b,class,y\n".to_string();
    for i in 0..240 {
        let (a, b) = (f64::from(i * 37 % 240) / 24.0, f64::from(i * 101 % 240) / 24.0);
        let class = if i % 5 == 0 { i / 5 % 3 } else { i32::from(a + b > 8.0) + i32::from(a + b > 12.0) };
        text += &format!("{a},{b},{},{}\n", ["low", "mid", "top"][class as usize], a - b);
    }
    place.file("noisy.csv", &text);
}

const LONG: &str = "train noisy.csv --target class --ignore y --device cpu --hidden 32,32 --lr 0.01 --epochs 150";

/// The last layer alone is changed, predicted classes stay, and the rows that were held out have a lower loss: of one network and of folds.
#[test]
fn logits_are_divided_by_what_fits_rows_that_were_held_out() {
    let place = Place::new();
    noisy(&place);
    for (split, part, networks) in [("--validation-fraction 0.3", "validation", 1), ("--folds 3", "validation", 3)] {
        let plain = place.json(&format!("{LONG} {split} --out plain"));
        let calibrated = place.json(&format!("{LONG} {split} --calibrate --out calibrated"));
        let [before, after] = [&plain, &calibrated].map(|run| run[part]["loss"].as_f64().unwrap());
        // Of several networks only the root of a temperature is divided by.
        assert!(after < 0.95 * before, "{split}: {before} and {after}");
        if networks == 1 {
            assert_eq!(plain["test"]["accuracy"], calibrated["test"]["accuracy"]);
            assert_eq!(plain[part]["accuracy"], calibrated[part]["accuracy"]);
        }
        let models = ["plain", "calibrated"].map(|run| Model::load(place.path().join(run)).unwrap());
        let temperatures = &models[1].training.as_ref().unwrap().temperatures;
        assert_eq!(temperatures.len(), networks);
        assert!(models[0].training.as_ref().unwrap().temperatures.is_empty());
        let layout = Layout::new(&models[0].spec);
        let each = models[0].parameters.chunks_exact(layout.len()).zip(models[1].parameters.chunks_exact(layout.len()));
        for ((plain, calibrated), temperature) in each.zip(temperatures) {
            assert!(*temperature > 1.1, "{split}: an overfitted network is too sure, and {temperature} says it is not");
            let last = layout.weight(2).range.start;
            assert_eq!(plain[..last], calibrated[..last]);
            for (plain, calibrated) in plain[last..].iter().zip(&calibrated[last..]) {
                let expected = f64::from(*plain) / temperature;
                assert!((f64::from(*calibrated) - expected).abs() <= 1e-6 * expected.abs(), "{calibrated}, {expected}");
            }
        }
        let inspected = place.stdout("inspect calibrated");
        assert!(inspected.contains("calibration: logits are divided by "), "{inspected}");
    }
}

/// The loss that a network is listed with is that of the parameters that it has, whatever its epoch was chosen by: of folds of one network and
/// one size the mean is the loss of all rows that were held out.
#[test]
fn a_network_is_listed_with_its_own_loss() {
    let place = Place::new();
    noisy(&place);
    for words in
        ["", "--calibrate", "--calibrate --monitor accuracy --patience 20", "--monitor accuracy --patience none"]
    {
        let run = place.json(&format!("{LONG} --folds 3 {words}"));
        let members = run["members"].as_array().unwrap();
        let losses: Vec<f64> = members.iter().map(|member| member["validation_loss"].as_f64().unwrap()).collect();
        let (mean, held_out) = (losses.iter().sum::<f64>() / 3.0, run["validation"]["loss"].as_f64().unwrap());
        assert!((mean - held_out).abs() < 1e-6 * held_out, "{words}: {losses:?}, {held_out}");
    }
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let place = Place::new();
    noisy(&place);
    let rest = "--device cpu --hidden 4 --calibrate";
    let words = format!("train noisy.csv --target y --ignore class {rest}");
    place.refuses(&words, 2, &["--calibrate", "of numbers", "a target with classes"]);
    let words = format!("train noisy.csv --target class --ignore y --epochs 2 {rest}");
    place.refuses(&words, 2, &["--calibrate", "held out", "--validation-fraction", "--folds"]);
}
