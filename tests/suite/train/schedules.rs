//! Learning-rate schedules against optax, scikit-learn and PyTorch's published values, their text and file forms, and
//! early stopping.

use std::f64::consts::PI;

use serde::de::DeserializeOwned;
use wgpu_mlp::train::{EarlyStopping, EarlyStoppingState, Monitor, PlateauState, Position, Schedule, StoppingDecision};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn rows<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_path(format!("{FOLDER}/{file}")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn parse(text: &str) -> Schedule {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A run of 10 epochs of 8 steps over 250 rows.
fn at(step: u64) -> Position {
    Position { step, steps_per_epoch: 8, steps: 80, samples: 250 }
}

/// A few roundings; and those of (1 + cos x) / 2, which cancel near the end of the references' cosines.
fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-14 * expected + 5e-16
}

#[test]
fn factors_are_those_of_optax_and_scikit_learn() {
    let mut seen = Vec::new();
    for (name, steps_per_epoch, steps, samples, step, factor) in
        rows::<(String, u64, u64, u64, u64, f64)>("schedules.csv")
    {
        let schedule = parse(&name);
        let at = Position { step, steps_per_epoch, steps, samples };
        let found = schedule.factor(&at);
        assert!(close(found, factor), "{name} at {at:?}: {found}, expected {factor}");
        seen.push(schedule.name());
    }
    for schedule in Schedule::ALL {
        assert!(seen.contains(&schedule.name()) || schedule.name() == "plateau", "{schedule} has no fixture");
    }
}

/// The targets of PyTorch's own test, test_onecycle_lr_cosine_annealing: a peak of 25, `div_factor` 25,
/// `final_div_factor` 2, 10 steps.
#[test]
fn one_cycle_is_pytorchs() {
    let schedule = parse("one-cycle:end=0.02");
    let down = |sevenths: f64| 0.5 + (25.0 - 0.5) / 2.0 * ((PI * sevenths / 7.0).cos() + 1.0);
    let targets = [1.0, 13.0, 25.0, down(1.0), down(2.0), down(3.0), down(4.0), down(5.0), down(6.0), 0.5];
    for (step, target) in (0..).zip(targets) {
        let found = 25.0 * schedule.factor(&Position { step, steps_per_epoch: 5, steps: 10, samples: 5 });
        assert!((found - target).abs() <= 1e-14 * target, "step {step}: {found}, expected {target}");
    }
    // Its defaults, 1 / 25 and 1 / 25 / 1e4.
    let Schedule::OneCycle { warmup, start, end } = parse("one-cycle") else { unreachable!() };
    assert_eq!((warmup, start, end), (0.3, 1.0 / 25.0, 1.0 / 250_000.0));
}

/// At every epoch the state goes through JSON, as it does in a checkpoint.
#[test]
fn a_plateau_is_optaxs() {
    let mut states = std::collections::BTreeMap::new();
    let mut changes = 0;
    for (name, loss, factor) in rows::<(String, f64, f64)>("plateau.csv") {
        let schedule = parse(&name);
        let state: &mut PlateauState = states.entry(name.clone()).or_default();
        let before = *state;
        state.observe(&schedule, loss);
        let text = serde_json::to_string(state).unwrap();
        assert_eq!(serde_json::from_str::<PlateauState>(&text).unwrap(), *state, "{text}");
        assert!(close(state.factor, factor), "{name}: {state:?} after {before:?} and {loss}, expected {factor}");
        assert_eq!(schedule.factor(&at(3)), 1.0);
        changes += u32::from(state.factor < before.factor);
    }
    assert!(states.len() == 3 && changes >= 10, "{} schedules, {changes} changes", states.len());
}

#[test]
fn a_plateau_counts_epochs_as_pytorch_does() {
    let factors = |schedule: &str, losses: &[f64]| {
        let (schedule, mut state) = (parse(schedule), PlateauState::default());
        let observe = |&loss: &f64| {
            state.observe(&schedule, loss);
            state.factor
        };
        losses.iter().map(observe).collect::<Vec<_>>()
    };
    let halving = "plateau:factor=0.5,patience=2,min_delta=0.25,floor=0.2";
    // Two bad epochs pass, the third halves, and the count begins anew; the floor holds.
    assert_eq!(factors(halving, &[1.0; 10]), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]);
    // Lower by just min_delta is not lower; a little more is, and sets the count back.
    assert_eq!(factors(halving, &[1.0, 0.75, 0.75, 0.74, 0.74, 0.74, 0.74]), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5]);
    // Nor is what is not finite, even at first.
    assert_eq!(factors(halving, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0, 1.0]), [1.0, 1.0, 0.5, 0.5, 0.5]);
    // Other schedules have no plateaus.
    assert_eq!(factors("step", &[1.0; 20]), [1.0; 20]);
}

#[test]
fn factors_are_fine_everywhere() {
    let texts = ["step:every=1,factor=0.9", "cosine:warmup=0.7,floor=0.1", "one-cycle:warmup=0", "one-cycle:warmup=1"];
    let all = texts.map(parse).into_iter().chain(Schedule::ALL.iter().copied());
    for schedule in all {
        for (steps_per_epoch, epochs) in [(1, 1), (1, 2), (1, 1000), (3, 7), (8, 10), (1000, 1), (1 << 40, 1 << 20)] {
            let steps = steps_per_epoch * epochs;
            let factor = |step| schedule.factor(&Position { step, steps_per_epoch, steps, samples: 7 });
            for step in (0..steps.min(2000)).chain([steps / 3, steps / 2, steps - 1]) {
                // A run of 2^20 epochs is beyond what f64 holds of a power of them.
                let least = if epochs > 1000 { 0.0 } else { f64::MIN_POSITIVE };
                let found = factor(step);
                assert!((least..=1.0).contains(&found), "{schedule}: {found} at {step} of {steps}");
            }
            for step in [steps, steps + 1, 2 * steps, u64::MAX] {
                let found = factor(step);
                assert!((0.0..=1.0).contains(&found), "{schedule}: {found} at {step}, beyond {steps}");
            }
        }
        // Nothing is divided by 0, even in a run that cannot be.
        let nowhere = Position { step: 0, steps_per_epoch: 0, steps: 0, samples: 0 };
        assert!(schedule.factor(&nowhere).is_finite(), "{schedule}");
    }
    // The last step of a very long cosine to 0: 1 + cos would be 0 there.
    let long = Position { step: (1 << 40) - 1, steps_per_epoch: 1 << 20, steps: 1 << 40, samples: 1 };
    assert!(parse("cosine").factor(&long) > 0.0);
}

#[test]
fn warm_up_rises_and_the_rest_falls() {
    for (text, peak) in [("cosine:warmup=2.5", 20), ("one-cycle:warmup=0.5", 39), ("cosine", 0), ("one-cycle", 23)] {
        let factors: Vec<f64> = (0..80).map(|step| parse(text).factor(&at(step))).collect();
        assert!(factors[..=peak].is_sorted_by(|a, b| a < b), "{text}: {factors:?}");
        assert!(factors[peak..].is_sorted_by(|a, b| a > b), "{text}: {factors:?}");
        assert_eq!(factors[peak], 1.0, "{text}");
    }
}

#[test]
fn schedules_change_where_they_should() {
    let factors = |text: &str, steps: [u64; 5]| steps.map(|step| parse(text).factor(&at(step)));
    // At the borders of epochs, which have 8 steps.
    assert_eq!(factors("step:every=2,factor=0.5", [0, 15, 16, 31, 32]), [1.0, 1.0, 0.5, 0.5, 0.25]);
    assert_eq!(factors("exponential:factor=0.5", [0, 7, 8, 15, 16]), [1.0, 1.0, 0.5, 0.5, 0.25]);
    let after = |rows: f64| 1.0 / (rows + 1.0);
    let expected = [1.0, 1.0, after(250.0), after(250.0), after(500.0)];
    assert_eq!(factors("inverse-scaling:power=1", [0, 7, 8, 15, 16]), expected);
    // At every step: an epoch of warm-up is 8 steps, of which the first has 1/9.
    let expected = [1.0 / 9.0, 2.0 / 9.0, 8.0 / 9.0, 1.0, 0.25];
    assert_eq!(factors("cosine:warmup=1,floor=0.25", [0, 1, 7, 8, 80]), expected);
}

#[test]
fn text_is_read_back() {
    let canonical = [
        ("constant", "constant"),
        ("step", "step:every=10,factor=0.5"),
        ("exponential", "exponential:factor=0.95"),
        ("cosine", "cosine:warmup=0,floor=0"),
        ("cosine:floor=1e-2,warmup=5.0", "cosine:warmup=5,floor=0.01"),
        ("one-cycle", "one-cycle:warmup=0.3,start=0.04,end=0.000004"),
        ("inverse-scaling", "inverse-scaling:power=0.5"),
        (
            "plateau:patience=18446744073709551615",
            "plateau:factor=0.1,patience=18446744073709551615,min_delta=0.0001,floor=0",
        ),
    ];
    for (text, full) in canonical {
        assert_eq!(parse(text).to_string(), full);
    }
    assert_eq!(Schedule::default(), Schedule::Constant);
    let odd = Schedule::Plateau { factor: 0.1 + 0.2, patience: 0, min_delta: 1e-300, floor: 1.0 / 3.0 };
    for schedule in Schedule::ALL.iter().chain([&odd]) {
        assert_eq!(parse(&schedule.to_string()), *schedule);
        let json = serde_json::to_string(schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), *schedule, "{json}");
        schedule.check(1).unwrap();
    }
}

#[test]
fn files_hold_tables() {
    let read = |json: &str| serde_json::from_str::<Schedule>(json).map_err(|error| error.to_string());
    let cosine = Schedule::Cosine { warmup: 5.0, floor: 0.01 };
    assert_eq!(serde_json::to_string(&cosine).unwrap(), r#"{"name":"cosine","warmup":5.0,"floor":0.01}"#);
    assert_eq!(read(r#"{"floor":0.01,"warmup":5,"name":"cosine"}"#).unwrap(), cosine);
    assert_eq!(read(r#"{"name":"one-cycle"}"#).unwrap(), parse("one-cycle"));
    for (json, expected) in [
        (r#""cosine""#, r#"expected a table with a `name` and settings, as { name = "cosine", warmup = 5 }"#),
        (r#"{"warmup":5}"#, "missing field `name`"),
        (r#"{"name":"cosin"}"#, "schedule is `cosin`: expected constant, step,"),
        (
            r#"{"name":"cosine","warm":5}"#,
            "`cosine` with `warm=5`: expected settings, each once, as in `cosine:warmup=0,",
        ),
        (r#"{"name":"step","every":2.5}"#, "step:every is `2.5`: expected a whole number of at least 1"),
        (r#"{"name":"step","every":"2"}"#, "expected a JSON number"),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(expected), "{json}: {error}");
    }
}

#[test]
fn senseless_text_is_refused() {
    let names = "constant, step, exponential, cosine, one-cycle, cos-log, inverse-scaling, plateau";
    let step = "expected settings, each once, as in `step:every=10,factor=0.5`";
    for (text, expected) in [
        ("", format!("schedule is ``: expected {names}")),
        ("Step:every=2", format!("schedule is `Step`: expected {names}")),
        ("step:evry=2", format!("schedule is `step` with `evry=2`: {step}")),
        ("step:every", format!("schedule is `step` with `every`: {step}")),
        ("step:", format!("schedule is `step` with ``: {step}")),
        ("step:every=1,every=2", format!("schedule is `step` with `every=2`: {step}")),
        (
            "constant:factor=1",
            "schedule is `constant` with `factor=1`: expected settings, each once, as in `constant`".into(),
        ),
        ("step:every=-1", "schedule step:every is `-1`: expected a whole number of at least 1".into()),
        ("step:factor=half", "schedule step:factor is `half`: expected a number in (0, 1]".into()),
    ] {
        assert_eq!(text.parse::<Schedule>().unwrap_err().to_string(), expected);
    }
}

#[test]
fn senseless_settings_are_refused() {
    for (text, expected) in [
        ("step:every=0", "schedule step:every is 0: expected a whole number of at least 1"),
        ("step:factor=0", "schedule step:factor is 0: expected a number in (0, 1]"),
        ("exponential:factor=1.1", "schedule exponential:factor is 1.1: expected a number in (0, 1]"),
        ("exponential:factor=nan", "schedule exponential:factor is NaN: expected a number in (0, 1]"),
        ("cosine:warmup=-1", "schedule cosine:warmup is -1: expected a number of at least 0"),
        ("cosine:warmup=20", "schedule cosine:warmup is 20: expected fewer than epochs, 20"),
        ("cosine:floor=2", "schedule cosine:floor is 2: expected a number in [0, 1]"),
        ("one-cycle:warmup=1.5", "schedule one-cycle:warmup is 1.5: expected a number in [0, 1]"),
        ("one-cycle:start=0", "schedule one-cycle:start is 0: expected a number in (0, 1]"),
        ("one-cycle:end=0", "schedule one-cycle:end is 0: expected a number in (0, 1]"),
        ("inverse-scaling:power=inf", "schedule inverse-scaling:power is inf: expected a number of at least 0"),
        ("plateau:factor=-0.1", "schedule plateau:factor is -0.1: expected a number in (0, 1]"),
        ("plateau:min_delta=-1", "schedule plateau:min_delta is -1: expected a number of at least 0"),
        ("plateau:floor=1.1", "schedule plateau:floor is 1.1: expected a number in [0, 1]"),
    ] {
        assert_eq!(parse(text).check(20).unwrap_err().to_string(), expected);
    }
    parse("cosine:warmup=19.9").check(20).unwrap();
}

/// The verdicts over epochs 1, 2, … whose losses are what is monitored; the state goes through JSON at each.
fn verdicts(rule: &EarlyStopping, values: &[f64]) -> (String, EarlyStoppingState) {
    verdicts_with(rule, &values.iter().map(|&value| (value, value)).collect::<Vec<_>>())
}

/// The same of values with their losses.
fn verdicts_with(rule: &EarlyStopping, values: &[(f64, f64)]) -> (String, EarlyStoppingState) {
    rule.check().unwrap();
    let mut state = EarlyStoppingState::default();
    let observe = |(epoch, &(value, loss)): (u64, &(f64, f64))| {
        let verdict = state.observe(rule, epoch, value, loss);
        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        match verdict {
            StoppingDecision { improved: true, stop: false } => '+',
            StoppingDecision { improved: false, stop: false } => '-',
            StoppingDecision { improved: false, stop: true } => 's',
            StoppingDecision { improved: true, stop: true } => '?',
        }
    };
    let text = (1..).zip(values).map(observe).collect();
    (text, state)
}

#[test]
fn early_stopping_is_that_of_keras() {
    // The example of its documentation: with patience 3 and a loss that stays, 4 epochs are run.
    let three = EarlyStopping::new(3);
    assert_eq!(verdicts(&three, &[1.0; 4]).0, "+--s");
    // An improvement begins the count anew.
    let (text, state) = verdicts(&three, &[1.0, 1.1, 1.2, 0.9, 0.9, 0.95, 0.91]);
    assert_eq!(text, "+--+--s");
    assert_eq!(state, EarlyStoppingState { best: Some(0.9), best_loss: 0.9, best_epoch: 4, bad_epochs: 3 });
    // By just min_delta is no improvement; many small ones add up, since the best stays.
    let coarse = EarlyStopping { min_delta: 0.25, ..three };
    assert_eq!(verdicts(&coarse, &[1.0, 0.75, 0.74, 0.6, 0.5, 0.48]).0, "+-+--+");
    // Accuracy improves upwards.
    let accuracy = EarlyStopping { patience: Some(2), min_delta: 0.125, monitor: Monitor::Accuracy };
    assert_eq!(verdicts(&accuracy, &[0.5, 0.75, 0.875, 0.8]).0, "++-s");
    // Without a patience nothing stops, and the last of equal ones counts.
    let last = EarlyStopping::keep_best();
    let (text, state) = verdicts(&last, &[1.0, 0.5, 0.75, 0.5, 0.5, f64::NAN, 0.625, 0.75, 0.75]);
    assert_eq!(text, "++-++----");
    assert_eq!(state, EarlyStoppingState { best: Some(0.5), best_loss: 0.5, best_epoch: 5, bad_epochs: 4 });
    let accuracy = EarlyStopping { monitor: Monitor::Accuracy, ..last };
    assert_eq!(verdicts(&accuracy, &[0.5, 0.75, 0.75, 0.625]).0, "+++-");
    assert_eq!(verdicts(&EarlyStopping { min_delta: 0.25, ..last }, &[1.0, 0.75, 0.625, 0.5]).0, "++-+");
    // Of equal accuracy the lowest loss counts, and the last of the lowest; a patience counts no tie.
    let ties = [(0.5, 0.9), (0.75, 0.5), (0.75, 0.6), (0.75, 0.4), (0.75, 0.4), (0.625, 0.1), (0.875, 2.0)];
    assert_eq!(verdicts_with(&accuracy, &ties).0, "++-++-+");
    assert_eq!(verdicts_with(&EarlyStopping { patience: Some(9), ..accuracy }, &ties).0, "++----+");
    let coarse = EarlyStopping { min_delta: 0.125, ..accuracy };
    assert_eq!(verdicts_with(&coarse, &[(0.5, 0.5), (0.625, 0.9)]).0, "++");
    // What is not finite is no improvement, even at first.
    assert_eq!(verdicts(&three, &[f64::NAN, f64::INFINITY, 2.0, f64::NEG_INFINITY]).0, "--+-");
}

#[test]
fn early_stopping_in_text_and_files() {
    let rule = |json: &str| serde_json::from_str::<EarlyStopping>(json);
    assert_eq!(rule(r#"{"patience":3}"#).unwrap(), EarlyStopping::new(3));
    let last = EarlyStopping::keep_best();
    assert_eq!(rule(&serde_json::to_string(&last).unwrap()).unwrap(), last);
    let full = EarlyStopping { patience: Some(2), min_delta: 0.1, monitor: Monitor::Accuracy };
    assert_eq!(serde_json::to_string(&full).unwrap(), r#"{"patience":2,"min_delta":0.1,"monitor":"accuracy"}"#);
    assert_eq!(rule(&serde_json::to_string(&full).unwrap()).unwrap(), full);
    assert!(rule(r#"{"patience":3,"delta":1}"#).unwrap_err().to_string().contains("unknown field `delta`"));
    for monitor in [Monitor::Loss, Monitor::Accuracy, Monitor::RocAuc] {
        assert_eq!(monitor.to_string().parse::<Monitor>().unwrap(), monitor);
    }
    let error = "recall".parse::<Monitor>().unwrap_err().to_string();
    assert_eq!(error, "monitor is `recall`: expected loss, accuracy or roc_auc");
    let error = EarlyStopping::new(0).check().unwrap_err().to_string();
    assert_eq!(error, "patience is 0: expected a whole number of at least 1");
    for min_delta in [-1.0, f64::NAN, f64::INFINITY] {
        let error = EarlyStopping { min_delta, ..full }.check().unwrap_err().to_string();
        assert_eq!(error, format!("min_delta is {min_delta}: expected a number of at least 0"));
    }
}
