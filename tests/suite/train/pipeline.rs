//! The pipeline as a program uses it: it learns what `mlp train` learns, to the bit.

use std::fs;
use std::ops::ControlFlow;

use wgpu_mlp::data::{Cells, Column, Task};
use wgpu_mlp::pipeline::{ClassWeight, Splits};
use wgpu_mlp::{Error, Estimator, Event, Fitted, Loss, Model, Prediction, Table, open};

use crate::cli::Place;

/// A table of two numbers, a text and three targets: a class of two, a class of three, and a number.
fn csv(rows: usize) -> String {
    let mut text = String::from("a,b,c,two,three,number\n");
    for row in 0..rows {
        let (a, b) = (((row * 37) % 101) as f64 / 10.0, ((row * 53) % 97) as f64 / 7.0);
        let c = ["red", "green", "blue"][row * 7 % 3];
        let two = if a + b > 11.0 { "yes" } else { "no" };
        let three = ["low", "mid", "high"][((a * 2.0) as usize / 7).min(2)];
        text += &format!("{a},{b:.3},{c},{two},{three},{:.4}\n", 3.0 * a - b);
    }
    text
}

fn fit(place: &Place, estimator: &Estimator, drop: &[&str]) -> Fitted {
    let device = open("cpu").unwrap().device;
    let mut table = Table::read(place.path().join("t.csv")).unwrap();
    for name in drop {
        table.take(name).unwrap();
    }
    estimator.fit(table, &device).unwrap()
}

#[test]
fn an_estimator_learns_what_the_command_learns() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), csv(300)).unwrap();
    for (target, flags, estimator) in [
        ("two", "--epochs 5", Estimator::new("two").epochs(5)),
        ("three", "", Estimator::new("three")),
        ("number", "--patience 3 --epochs 30 --hidden 9:tanh,5 --loss huber --seed 3", {
            let hidden = "9:tanh,5".parse().unwrap();
            Estimator::new("number").patience(3).epochs(30).hidden_layers(hidden).loss(Loss::Huber).seed(3)
        }),
        ("two", "--epochs 3 --class-weight balanced --weight-column a --test-fraction 0.1", {
            let weights = Estimator::new("two").epochs(3).class_weight(ClassWeight::Balanced).weight_column("a");
            weights.test_fraction(0.1)
        }),
    ] {
        let others = ["two", "three", "number"].into_iter().filter(|name| *name != target).collect::<Vec<_>>();
        let ignored = others.join(",");
        let words =
            format!("train t.csv --target {target} --ignore {ignored} --device cpu --no-baseline --out run {flags}");
        let told = place.json(&words);
        let model = Model::load(place.path().join("run")).unwrap();
        let fitted = fit(&place, &estimator, &others);
        assert_eq!(fitted.model.parameters, model.parameters, "{target} {flags}");
        assert_eq!(fitted.model.spec, model.spec, "{target} {flags}");
        let epochs = fitted.model.training.as_ref().unwrap().epochs;
        assert_eq!(epochs, told["epochs"].as_u64().unwrap(), "{target} {flags}");
        let test = fitted.metrics.test.as_ref().unwrap();
        assert_eq!(test.loss, told["test"]["loss"].as_f64().unwrap(), "{target} {flags}");
        // And predicts what the command predicts.
        let device = open("cpu").unwrap().device;
        let table = Table::read(place.path().join("t.csv")).unwrap();
        let predictions = fitted.model.predict(&table, &device).unwrap();
        let lines = place.stdout("predict run t.csv --device cpu");
        for (prediction, line) in predictions.iter().zip(lines.lines().skip(1)) {
            let first = line.split(',').next().unwrap();
            match prediction {
                Prediction::Class { label, .. } => assert_eq!(label, first),
                Prediction::Number(number) => assert_eq!(*number, first.parse::<f64>().unwrap()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(predictions.len(), 300);
        fs::remove_dir_all(place.path().join("run")).unwrap();
    }
}

#[test]
fn a_model_is_saved_loaded_and_evaluated() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), csv(120)).unwrap();
    let fitted = fit(&place, &Estimator::new("three").epochs(20).baseline(true), &["two", "number", "c"]);
    assert_eq!(fitted.splits.train.len() + fitted.splits.test.as_ref().unwrap().len(), 120);
    assert!(fitted.baseline.is_some() && fitted.timings.all().iter().any(|(name, _)| *name == "train"));
    let path = place.path().join("three.safetensors");
    fitted.model.save(&path).unwrap();
    let (model, device) = (Model::load(&path).unwrap(), open("cpu").unwrap().device);
    let table = Table::read(place.path().join("t.csv")).unwrap();
    let metrics = model.evaluate(&table, &device).unwrap();
    assert_eq!(metrics.rows, 120);
    let of_rows = model.predict_rows(&[1.0, 2.0, 9.5, f64::NAN], &device).unwrap();
    let labels: Vec<_> = of_rows.iter().map(|prediction| prediction.label().unwrap()).collect();
    assert_eq!((labels[0], of_rows.len()), ("low", 2));
    let Prediction::Class { probabilities, .. } = &of_rows[1] else { panic!("{of_rows:?}") };
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    for rows in [&[][..], &[1.0]] {
        assert!(matches!(model.predict_rows(rows, &device), Err(Error::Shape { .. })));
    }
}

#[test]
fn arrays_are_a_table_and_a_run_can_be_stopped() {
    let device = open("cpu").unwrap().device;
    let x: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
    let y: Vec<f64> = x.chunks(2).map(|row| row[0] - 2.0 * row[1]).collect();
    let estimator = Estimator::new("y").hidden(&[8]).epochs(100);
    let fitted = estimator.fit_arrays(&x, &y, &device).unwrap();
    assert!(fitted.metrics.test.unwrap().r2().unwrap() > 0.9);
    assert!(matches!(estimator.fit_arrays(&x[1..], &y, &device), Err(Error::Shape { .. })));
    assert!(matches!(estimator.fit_arrays(&[], &[], &device), Err(Error::Shape { .. })));

    let columns = vec![Column::new("x", Cells::Number(x)), Column::new("y", Cells::Number([y.clone(), y].concat()))];
    let table = Table::new("t", columns).unwrap();
    let stop_after_3 = |event| match event {
        Event::Epoch(epoch) if epoch.epoch == 3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let fitted = estimator.fit_with(table.clone(), &device, stop_after_3).unwrap();
    assert!(fitted.outcome.stopped && fitted.model.training.unwrap().epochs >= 3);

    // What cannot be is an error that names the field.
    let message = |estimator: &Estimator| estimator.fit(table.clone(), &device).unwrap_err().to_string();
    assert!(message(&Estimator::new("z")).contains("no column `z`"));
    assert!(message(&Estimator::new("y").test_fraction(1.5)).starts_with("test_fraction is 1.5"));
    assert!(message(&Estimator::new("y").validation_fraction(-1.0)).starts_with("validation_fraction is -1"));
    assert!(message(&Estimator::new("y").epochs(0)).starts_with("epochs is 0"));
    assert!(message(&Estimator::new("y").loss(Loss::SoftmaxCrossEntropy)).starts_with("loss is softmax_cross_entropy"));
    let two = Estimator::new("y").task(Task::Binary);
    assert!(message(&two).contains("task = multiclass takes them as classes"));
    let Splits { train, .. } = estimator.fit(table.clone(), &device).unwrap().splits;
    assert_eq!(train.len(), 320);
}
