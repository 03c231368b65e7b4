//! The pipeline as a program uses it: it learns what `mlp train` learns, to the bit.

use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use wgpu_mlp::data::{Categorical, Cells, Column, Task};
use wgpu_mlp::pipeline::{ClassWeight, Fitting, HeldOutTables, Hint, Preset, SplitBy, Splits};
use wgpu_mlp::train::{EarlyStopping, Monitor};
use wgpu_mlp::{
    Batch, Checkpoint, Error, Estimator, Event, Fitted, Loss, Model, Optimizer, Prediction, Rule, Table,
    TablePredictor, TrainConfig, open,
};

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
        ("number", "--preset tabular --hidden 9,9 --epochs 6", {
            Estimator::new("number").preset(Preset::Tabular).hidden(&[9, 9]).epochs(6)
        }),
        ("three", "--preset tabular --monitor accuracy --hidden 9 --epochs 6 --lr 0.02 --beta2 0.95", {
            let rate = Optimizer::new(Rule::Adam, 0.02).betas(0.9, 0.95);
            let estimator = Estimator::new("three").preset(Preset::Tabular).monitor(Monitor::Accuracy).optimizer(rate);
            estimator.hidden(&[9]).epochs(6)
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
        let (predictions, notes) = fitted.model.predict(&table, &device).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        let kept = TablePredictor::new(&fitted.model, &device, 1).unwrap();
        (0..2).for_each(|_| assert_eq!(kept.predict(&table).unwrap().0, predictions));
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

/// 60 rows: a number, one of five groups, a day, and two targets.
fn shops() -> Table {
    let rows = || (0..60_u32).map(f64::from);
    let text = |name: &str, of: fn(u32) -> String| {
        let texts: Categorical = (0..60).map(|row| Some(of(row))).collect();
        Column::new(name, Cells::Text(texts))
    };
    let columns = vec![
        Column::new("a", Cells::Number(rows().map(|x| (x * 7.0) % 13.0).collect())),
        text("shop", |row| format!("shop {}", row % 5)),
        Column::new("day", Cells::Number(rows().map(|x| (x * 17.0) % 60.0).collect())),
        Column::new("y", Cells::Number(rows().map(|x| 2.0 * ((x * 7.0) % 13.0) + x % 5.0).collect())),
        text("kind", |row| ["low", "high", "none"][row as usize % 3].into()),
    ];
    Table::new("shops", columns).unwrap()
}

fn without(mut table: Table, names: &[&str]) -> Table {
    names.iter().for_each(|name| drop(table.take(name).unwrap()));
    table
}

fn go_on(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Whoever drives it, in one call, by the frame, with a pause or from a checkpoint, it comes to the same bits.
#[test]
fn a_fit_is_driven_by_frames_and_goes_on_from_a_checkpoint() {
    let device = open("cpu").unwrap().device;
    let table = || without(shops(), &["kind", "day"]);
    let dropout = |config: TrainConfig| config.dropout(&[0.1]);
    let estimator = Estimator::new("y").hidden(&[9]).epochs(6).patience(4).batch(Batch::Rows(7)).train_config(dropout);
    let expected = estimator.fit(table(), &device).unwrap();
    let is_expected = |fitting: Fitting, epochs: u64| {
        let fitted = fitting.finish().unwrap();
        assert_eq!(fitted.model.parameters, expected.model.parameters);
        assert_eq!(fitted.outcome.last_epoch, expected.outcome.last_epoch);
        assert_eq!(fitted.outcome.best_epoch, expected.outcome.best_epoch);
        assert_eq!((fitted.outcome.epochs, fitted.outcome.stopped), (epochs, false));
    };

    let mut frames = estimator.start(table(), &device).unwrap();
    while !frames.is_finished() {
        frames.submit(3).unwrap();
        while frames.try_collect().unwrap().is_some() {}
    }
    assert_eq!(frames.submit(3).unwrap(), 0);
    is_expected(frames, expected.outcome.epochs);

    let mut paused = estimator.start(table(), &device).unwrap();
    paused.pause_every(Some(2));
    let stop = |event| if let Event::Epoch(_) = event { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    assert!(paused.run_with(stop).unwrap().stopped && !paused.is_finished());
    let checkpoint = Checkpoint::from_bytes(&paused.checkpoint().unwrap().to_bytes().unwrap()).unwrap();
    assert!(paused.run_with(go_on).unwrap().last_epoch.is_some());
    is_expected(paused, expected.outcome.epochs);

    let resumed = |estimator: &Estimator| estimator.clone().resume(checkpoint.clone());
    let mut again = resumed(&estimator).start(table(), &device).unwrap();
    let done = again.trainer().epochs();
    again.run_with(go_on).unwrap();
    is_expected(again, expected.outcome.epochs - done);

    // What is not that run is refused.
    let message = |estimator: &Estimator| resumed(estimator).start(table(), &device).unwrap_err().to_string();
    assert!(message(&estimator.clone().seed(1)).starts_with("resume is of a run with"));
    assert!(message(&estimator.clone().split_seed(1)).starts_with("resume is of a run"));
}

/// A model's parameters are where another run starts; a network for another target is none.
#[test]
fn a_fit_starts_from_a_model() {
    let device = open("cpu").unwrap().device;
    let table = || without(shops(), &["kind"]);
    let model = Estimator::new("y").hidden(&[6]).epochs(3).fit(table(), &device).unwrap().model;
    let mut from = Estimator::new("y").init_from(model.clone()).epochs(2).start(table(), &device).unwrap();
    let first = from.model().unwrap();
    assert_eq!((&first.parameters, &first.encoder), (&model.parameters, &model.encoder));
    let mut bare = model;
    bare.encoder = None;
    // A column of weights stays one.
    let weighted = Estimator::new("y").weight_column("a").hidden(&[6]).epochs(1).fit(table(), &device).unwrap().model;
    let prepared = Estimator::new("y").init_from(weighted).epochs(1).prepare(table()).unwrap();
    assert_eq!(prepared.encoder.weight_column(), Some("a"));
    assert!(prepared.data.train.weights().is_some());
    let other = Estimator::new("kind").init_from(bare).fit(shops(), &device).unwrap_err().to_string();
    assert!(other.starts_with("number of outputs of init_from is 1: expected 3, for target `kind`"), "{other}");
}

/// The last update has no later loss to tell that it went wrong: judging the model does, and goes back to before it.
#[test]
fn a_last_update_that_goes_wrong_is_taken_back() {
    let device = open("cpu").unwrap().device;
    let estimator = Estimator::new("y").hidden(&[8]).epochs(1).batch(Batch::Full).optimizer(Optimizer::sgd(1e25));
    let table = || without(shops(), &["kind"]);
    let mut fitting = estimator.start(table(), &device).unwrap();
    let first = fitting.model().unwrap().parameters.clone();
    fitting.run_with(go_on).unwrap();
    assert_ne!(fitting.model().unwrap().parameters, first);
    let diverged = |error: &Error| matches!(error, Error::Diverged { step: 1, epoch: 1, .. });
    assert!(diverged(&fitting.evaluate().unwrap_err()));
    assert_eq!(fitting.model().unwrap().parameters, first);
    assert!(diverged(&estimator.fit(table(), &device).unwrap_err()));

    let place = Place::new();
    fs::write(place.path().join("t.csv"), csv(60)).unwrap();
    let words = "train t.csv --target number --hidden 8 --epochs 1 --batch full --optimizer sgd --lr 1e25 --device cpu --out run";
    place.refuses(words, 1, &["step 1 (epoch 1)", "loss after it"]);
    let model = Model::load(place.path().join("run")).unwrap();
    assert!(model.parameters.iter().all(|parameter| parameter.abs() < 10.0));
    assert_eq!(model.training.unwrap().steps, 0);
}

/// Rows are split by columns and by tables, and such a column is a feature only where that is said.
#[test]
fn rows_are_split_by_columns_and_by_tables() {
    let table = || without(shops(), &["kind"]);
    let estimator = |by| Estimator::new("y").epochs(1).split_by(by).test_fraction(0.3).validation_fraction(0.2);
    let names = |estimator: &Estimator| {
        let prepared = estimator.prepare(table()).unwrap();
        let features = prepared.encoder.features().iter().map(|feature| feature.name.clone()).collect::<Vec<_>>();
        (features, prepared.splits)
    };
    let shops_of = |rows: &[usize]| rows.iter().map(|row| row % 5).collect::<std::collections::BTreeSet<_>>();
    let (features, splits) = names(&estimator(SplitBy::Group("shop".into())));
    assert_eq!(features, ["a", "day"]);
    let parts: Vec<_> = splits.named().map(|(_, rows)| shops_of(rows)).collect();
    assert_eq!((parts.len(), parts.iter().map(|part| part.len()).sum::<usize>()), (3, 5));

    let (features, splits) = names(&estimator(SplitBy::Time("day".into())).split_column_is_feature(true));
    assert_eq!(features, ["a", "shop", "day"]);
    let day = |row: &usize| row * 17 % 60;
    assert!(splits.train.iter().map(day).max() < splits.test.unwrap().iter().map(day).min());
    assert_eq!(names(&estimator(SplitBy::Last)).1.test.unwrap(), (42..60).collect::<Vec<_>>());

    // A table of its own is a split as a whole; the groups of all tables are others.
    let by_shop = estimator(SplitBy::Group("shop".into())).validation_fraction(0.0).test_fraction(0.0);
    let with_test = |test: Table| by_shop.prepare_with(table(), |_| Ok(HeldOutTables::new(None, Some(test))));
    let message = with_test(table()).unwrap_err().to_string();
    assert!(message.contains("group is `shop`") && message.contains("no group in two parts"), "{message}");
    let mut other = table();
    let texts: Categorical = (0..60).map(|_| Some("elsewhere".to_string())).collect();
    other.take("shop").unwrap();
    let columns = other.names().into_iter().map(|name| other.column_of(&name).unwrap().clone());
    let other = Table::new("other", columns.chain([Column::new("shop", Cells::Text(texts))]).collect()).unwrap();
    let prepared = with_test(other).unwrap();
    assert_eq!((prepared.data.train.rows(), prepared.data.test.unwrap().rows()), (60, 60));
}

/// What was noticed is told as data, with the setting that decides otherwise.
#[test]
fn hints_say_what_was_decided() {
    let hints = |estimator: Estimator, table| estimator.prepare(table).unwrap().hints;
    let lines = |hints: &[Hint]| hints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let target: Vec<f64> = (0..400).map(|row| f64::from(row % 4)).collect();
    let x: Vec<f64> = (0..400).map(|row| f64::from(row * 7 % 31)).collect();
    let table = |y: Vec<f64>| {
        Table::new("t", vec![Column::new("x", Cells::Number(x.clone())), Column::new("y", Cells::Number(y))]).unwrap()
    };
    let found = hints(Estimator::new("y"), table(target.clone()));
    let text = lines(&found);
    for part in
        ["task: regression, `y` holds", "4 distinct whole numbers", "task = multiclass takes", "epochs = N trains"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(found.iter().any(|hint| matches!(hint, Hint::Length(_))));
    let rare: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row % 40 == 0))).collect();
    let text = lines(&hints(Estimator::new("y").epochs(1), table(rare)));
    assert!(text.contains("class_weight = balanced makes") && !text.contains("epochs: "), "{text}");
    let text = lines(&hints(Estimator::new("y").task(Task::Multiclass).epochs(1), table(target)));
    assert!(text.contains("task: multiclass, as task says") && !text.contains("distinct"), "{text}");
}

/// A time becomes epochs or networks, with which an estimator gives the same bytes; measuring alone changes nothing. The times are so far
/// apart from what the run takes that no clock matters.
#[test]
fn a_run_is_fitted_into_a_time() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), csv(90)).unwrap();
    let device = open("cpu").unwrap().device;
    let estimator = Estimator::new("number").hidden(&[5]).epochs(7).validation_fraction(0.2);
    let prepare = |estimator: &Estimator| estimator.prepare(Table::read(place.path().join("t.csv")).unwrap()).unwrap();
    let parameters = |prepared: wgpu_mlp::pipeline::Prepared| {
        let mut fitting = prepared.start(&device).unwrap();
        fitting.run_with(|_| ControlFlow::Continue(())).unwrap();
        fitting.finish().unwrap().model.parameters
    };
    let (short, long) = (Duration::from_nanos(1), Duration::from_secs(36_000_000));
    for (estimator, time, expected, networks) in [
        (estimator.clone(), short, estimator.clone().epochs(1), 1),
        (estimator.clone(), long, estimator.clone().ensemble(8), 8),
        (estimator.clone().ensemble(1), long, estimator.clone(), 1),
        (estimator.clone().ensemble(3), short, estimator.clone().ensemble(3).epochs(1), 3),
        (
            estimator.clone().validation_fraction(0.0).folds(4),
            long,
            estimator.clone().validation_fraction(0.0).folds(4),
            4,
        ),
    ] {
        let mut prepared = prepare(&estimator);
        assert!(prepared.expected_seconds(&device).unwrap() > 0.0);
        assert_eq!(prepared.replicas(), prepare(&estimator).replicas());
        prepared.fit_into(time, &device).unwrap();
        assert!(prepared.hints.iter().any(|hint| matches!(hint, Hint::Budget(text) if text.contains("ensemble = N"))));
        assert_eq!(prepared.replicas().len(), networks);
        let settled = prepared.settled().clone();
        let found = parameters(prepared);
        assert_eq!(found, parameters(prepare(&expected)), "{networks} networks");
        assert_eq!(found, parameters(prepare(&settled)), "{networks} networks");
    }
    let mut prepared = prepare(&estimator);
    let message = prepared.fit_into(Duration::ZERO, &device).unwrap_err().to_string();
    assert!(message.starts_with("budget is no time: expected"), "{message}");
    let checkpoint = prepare(&estimator).start(&device).unwrap().checkpoint().unwrap();
    let message = prepare(&estimator.clone().resume(checkpoint)).fit_into(long, &device).unwrap_err().to_string();
    assert!(message.contains("budget is for a run that goes on"), "{message}");
    let refused = crate::train::ranks::on_ranks(2, |ranks| {
        let parallel = wgpu_mlp::ranks::DataParallel::new(ranks);
        prepare(&estimator.clone().data_parallel(parallel)).fit_into(long, &device).unwrap_err().to_string()
    });
    assert!(refused.iter().all(|message| message.contains("budget is for a run on several ranks")), "{refused:?}");
}

/// What a model cannot take as it is, is told beside its predictions; rows of numbers are of models of numbers.
#[test]
fn predictions_come_with_what_there_is_to_note() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), csv(120)).unwrap();
    let model = fit(&place, &Estimator::new("number").epochs(2), &["two", "three"]).model;
    let device = open("cpu").unwrap().device;
    let number = |name: &str, cells: [f64; 2]| Column::new(name, Cells::Number(cells.into()));
    let columns = vec![number("a", [1.0, 2.0]), number("b", [3.0, 4.0]), number("c", [0.0, 1.0])];
    let (predictions, notes) = model.predict(&Table::of_rows("two", columns).unwrap(), &device).unwrap();
    assert_eq!(predictions.len(), 2);
    let lines = notes.lines().concat();
    assert!(lines.contains("`c`"), "{lines}");
    let refused = model.predict_rows(&[1.0, 3.0, 0.0], &device).unwrap_err().to_string();
    assert!(refused.contains("in `c`") && refused.contains("predict takes a table"), "{refused}");
}

/// Epochs and early stopping that a configuration says are those that their own methods say.
#[test]
fn a_configuration_says_how_long_a_run_is() {
    let device = open("cpu").unwrap().device;
    let fitted = |estimator: Estimator| {
        let fitted = estimator.hidden(&[9]).fit(without(shops(), &["kind", "day"]), &device).unwrap();
        (fitted.model.parameters, fitted.outcome.epochs, fitted.outcome.best_epoch)
    };
    let new = || Estimator::new("y");
    let set = |epochs: u64, rule: Option<EarlyStopping>| {
        new().train_config(|mut config| {
            assert_eq!((config.epochs, config.early_stopping), (0, None));
            (config.epochs, config.early_stopping) = (epochs, rule);
            config
        })
    };
    let rule = EarlyStopping { patience: None, ..EarlyStopping::new(1) };
    assert_eq!(fitted(set(1, None)), fitted(new().epochs(1)));
    assert_eq!(fitted(set(7, Some(EarlyStopping::new(2)))), fitted(new().epochs(7).patience(2)));
    assert_eq!(fitted(set(7, Some(rule))), fitted(new().epochs(7).keep_best()));
    let seeded = |config: TrainConfig| config.seed(3);
    assert_eq!(
        fitted(new().epochs(7).patience(2).train_config(seeded)),
        fitted(new().train_config(seeded).epochs(7).patience(2))
    );
}

/// Arrays have rows, counted from 1, and no lines.
#[test]
fn messages_about_arrays_name_rows() {
    let device = open("cpu").unwrap().device;
    let refused = Estimator::new("y").fit_arrays(&[0.0; 12], &[1.0, f64::NAN, 2.0, 3.0], &device).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("row 2, column `y`") && !text.contains("line"), "{text}");
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let model = Estimator::new("y").epochs(1).fit_arrays(&x, &x, &device).unwrap().model;
    let text = model.predict_rows(&[1.0, 2.0, f64::INFINITY], &device).unwrap_err().to_string();
    assert!(text.contains("row 3, column `x0`"), "{text}");
}
