//! `mlp explain`: the numbers of a training step, beside those of numpy and beside a second step.

use serde_json::Value;

use crate::cli::Place;
use crate::support::devices;

/// What numpy computed, by `tests/fixtures/explain.py`.
const NUMPY: &str = include_str!("../../fixtures/explain.json");

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap()).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn quantity<'a>(explanation: &'a Value, name: &str) -> &'a Value {
    let all = explanation["quantities"].as_array().unwrap();
    all.iter().find(|quantity| quantity["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The flags of a case of the fixture.
fn flags(case: &Value) -> String {
    let mut flags = String::new();
    for (name, value) in case.as_object().unwrap() {
        let text = match value {
            Value::Array(widths) if widths.is_empty() => "none".into(),
            Value::Array(widths) => widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        flags += &format!(" --{name} {text}");
    }
    flags
}

/// Both start from the same f32 numbers, so the device may differ from numpy by what rounding does to it, and by what it
/// does to numpy in f64, 2^-29 of that.
#[test]
fn every_number_of_a_step_is_the_one_of_numpy() {
    let place = Place::new();
    let cases: Vec<Value> = serde_json::from_str(NUMPY).unwrap();
    let all = (0..devices().len()).map(|index| index.to_string()).chain(["cpu".into()]);
    for device in all {
        for (index, case) in cases.iter().enumerate() {
            // A GPU compiles tiles anew for each network; the deep one is left to the CPU.
            if device != "cpu" && index == 3 {
                continue;
            }
            let words = format!("explain moons --device {device}{}", flags(&case["case"]));
            let found = place.json(&words);
            assert_eq!(found["passed"], true, "mlp {words}");
            for (name, expected) in case["quantities"].as_object().unwrap() {
                let expected = rows(expected);
                let (values, limits) = match name.as_str() {
                    "P" => {
                        // Probabilities of the device's Z: the sigmoid's slope is 1/4 at most.
                        let z = found["quantities"].as_array().unwrap();
                        let z = z.iter().rfind(|quantity| quantity["stage"] == "forward").unwrap();
                        (rows(&found["predictions"]), rows(&z["limits"]))
                    }
                    _ => (rows(&quantity(&found, name)["values"]), rows(&quantity(&found, name)["limits"])),
                };
                assert_eq!(values.len(), expected.len(), "{name}: mlp {words}");
                for ((values, limits), expected) in values.iter().zip(limits).zip(expected) {
                    assert_eq!(values.len(), expected.len(), "{name}: mlp {words}");
                    for ((value, limit), expected) in values.iter().zip(limits).zip(expected) {
                        let limit = 1.01 * limit + 1e-15 * expected.abs().max(1.0);
                        assert!(
                            (value - expected).abs() <= limit,
                            "{name}: {value}, {expected} ± {limit}: mlp {words}"
                        );
                    }
                }
            }
        }
    }
}

/// The second step starts where the first one ended, to the bit.
#[test]
fn a_step_starts_from_the_steps_before_it() {
    let place = Place::new();
    let flags = "explain moons --device cpu --lr 0.3 --hidden 4,3";
    let [first, second, third] = [1, 2, 3].map(|step| place.json(&format!("{flags} --step {step}")));
    for name in ["W1", "b1", "W2", "b2", "W3", "b3"] {
        for (before, after) in [(&first, &second), (&second, &third)] {
            let ended = &quantity(before, &format!("{name}'"))["values"];
            assert_eq!(ended, &quantity(after, name)["values"]);
            assert_ne!(ended, &quantity(before, name)["values"]);
        }
    }
    assert_eq!(third["step"], 3);
}

#[test]
fn every_loss_and_activation_is_explained() {
    let place = Place::new();
    for loss in wgpu_mlp::math::Loss::ALL {
        let found = place.json(&format!("explain moons --device cpu --loss {loss} --step 2"));
        assert_eq!(found["passed"], true, "{loss}");
    }
    for activation in wgpu_mlp::math::Activation::ALL {
        let found = place.json(&format!("explain moons --device cpu --activation {activation} --hidden 3,2"));
        assert_eq!(found["passed"], true, "{activation}");
    }
}

#[test]
fn a_step_is_printed_as_in_a_textbook() {
    let place = Place::new();
    let text = place.stdout("explain moons --device cpu");
    for line in [
        "2→3 relu→1, binary_cross_entropy; 13 parameters",
        "Z1 = X W1 + b1  [4 x 3]   by matmul, bias_add",
        "A1 = relu(Z1)  [4 x 3]   by activation_forward",
        "dZ2 = (sigmoid(Z2) - Y) / m  [4 x 1]   by loss",
        "dW2 = A1ᵀ dZ2  [3 x 1]   by matmul",
        "dZ1 = dA1 ⊙ relu'(Z1)  [4 x 3]   by activation_backward",
        "db1 = column sums of dZ1  [1 x 3]   by bias_grad",
        "W1' = W1 - 0.01 dW1  [2 x 3]   by update",
        "  -0.2287248   0.1209719  -0.2168031",
        "  0.6955544",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with(": passed\n"), "{text}");
    let long = place.stdout("explain moons --device cpu --rows 20 --hidden 15");
    assert!(long.contains("… 3 more") && long.contains("… 8 more rows; --json has all"), "{long}");
}

/// The rows of any built-in data are explained.
#[test]
fn other_built_in_data_is_explained() {
    let place = Place::new();
    let first = |data: &str| place.json(&format!("explain {data} --device cpu"))["quantities"][0]["values"].clone();
    let found = ["moons", "circles", "blobs", "spirals", "xor"].map(first);
    assert!(found.iter().enumerate().all(|(at, rows)| !found[..at].contains(rows)), "{found:?}");
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let place = Place::new();
    for (flags, parts) in [
        ("moons --step 0", &["--step", "at least 1"][..]),
        ("moons --rows 0", &["--rows", "1 to 1000"]),
        ("moons --rows 1001", &["--rows", "1 to 1000"]),
        ("moons --lr 0", &["--lr", "a positive number"]),
        ("table.csv", &["table.csv", "DATA", "moons, circles"]),
    ] {
        place.refuses(&format!("explain {flags} --device cpu"), 2, parts);
    }
    let steep = "explain moons --device cpu --loss mean_squared_error --activation identity --lr 1e30 --step 9";
    place.refuses(steep, 1, &["diverged"]);
}
