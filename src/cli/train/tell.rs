//! What a user is told on stderr before and after training.

use std::path::Path;

use crate::cli::interrupt::Signal;
use crate::cli::notes;
use crate::cli::source::Source;
use crate::data::{Encoder, Task};
use crate::error::{list, shell_word};
use crate::folder::{MODEL, data_of};
use crate::infer::Metric;
use crate::kernels::MOST_LAYERS;
use crate::math::Loss;
use crate::params::Layout;
use crate::pipeline::{Fitted, Fitting, Hint, Member};
use crate::plan::PlanKind;
use crate::report::{count, count_of, figure, memory};
use crate::train::ReplicaEnd;

/// How many times a baseline's error one has to be to count as worse: what lies between is chance.
const MARGIN: f64 = 1.01;

/// That a model of other data in the run's folder gives way.
pub fn the_run_it_replaces(folder: &Path, data: &str) {
    let model = folder.join(MODEL);
    if let Some(other) = data_of(&model).filter(|other| other != data) {
        eprintln!("note: {} was trained on {other}: this run replaces it when it ends", model.display());
    }
}

/// Which columns of another part's table are passed over; those that the training rows' table has, too, are so on purpose.
pub fn extra(path: &Path, extra: &[String], known: &[String]) {
    let extra: Vec<String> = extra.iter().filter(|name| !known.contains(name)).cloned().collect();
    if !extra.is_empty() {
        eprintln!("note: {}: DATA has no columns {}: they are skipped", path.display(), list(&extra));
    }
}

/// What was noticed and decided while the data was prepared. A range test of learning rates has no length of its own.
pub fn hints(hints: &[Hint], lr_find: bool) {
    for hint in hints {
        match hint {
            Hint::Notes { table: None, notes } => notes::tell(notes),
            Hint::Notes { table: Some(path), notes } => notes::tell_of(path, notes),
            Hint::Length(_) | Hint::Effort(_) if lr_find => {}
            other => eprintln!("{other}"),
        }
    }
}

/// How long all epochs take.
pub fn the_time(seconds: f64) {
    let seconds = count(seconds.ceil() as u64);
    eprintln!("time: about {seconds} s on this device; --budget 60s fits epochs and networks into a time");
}

/// What is trained and how a step is planned.
pub fn the_plan(fitting: &Fitting) {
    let (spec, trainer) = (&fitting.prepared().spec, fitting.trainer());
    let networks = trainer.replicas();
    let several = if networks > 1 { format!("{} times ", count(networks as u64)) } else { String::new() };
    eprintln!("network: {several}{spec}; {} parameters", count(Layout::new(spec).len() as u64));
    let (batch, bytes) = (count(trainer.batch() as u64), trainer.plan().bytes(4));
    let each = if networks > 1 { format!(", {} a network", memory(bytes / networks as u64)) } else { String::new() };
    let memory = memory(bytes);
    let kind = trainer.plan().kind;
    let deep = kind == PlanKind::Layered && spec.layers().len() > MOST_LAYERS;
    let reason = if deep { format!(" (the others take at most {MOST_LAYERS} layers)") } else { String::new() };
    let rows = count(fitting.prepared().data.train.rows() as u64);
    eprintln!("plan: {kind}{reason}, {batch} of {rows} rows a step, {memory} of memory{each}");
}

/// Why a run ended before its last epoch, and whose parameters it left.
pub fn the_end(fitting: &Fitting, signal: Option<Signal>) {
    let members = fitting.members();
    if !members.is_empty() {
        return eprintln!("{}", the_networks(&members, fitting.trainer().config().epochs, signal));
    }
    let (outcome, trainer) = (fitting.outcome(), fitting.trainer());
    let (done, epochs) = (trainer.epochs(), trainer.config().epochs);
    let best = outcome.best_epoch.map(|best| format!("; the parameters are those of epoch {}, the best", count(best)));
    let end = match signal.filter(|_| outcome.stopped) {
        Some(signal) => format!("stopped by {} after {} of {}", signal.name(), count(done), count_of(epochs, "epoch")),
        None if best.is_none() => return,
        None if done < epochs => format!("stopped early after {}", count_of(done, "epoch")),
        None => format!("trained for {}", count_of(done, "epoch")),
    };
    eprintln!("{end}{}", best.unwrap_or_default());
}

/// Which networks of a portfolio predict.
pub fn the_choice(fitting: &Fitting) {
    let hints = fitting.prepared().hints.iter();
    hints.filter(|hint| matches!(hint, Hint::Portfolio(_))).for_each(|hint| eprintln!("{hint}"));
}

/// Which baseline is better than the network, if one is, and what to try. Rows with weights are learned for something else than what is
/// compared.
pub fn the_better_baseline(fitted: &Fitted) {
    let Some(baseline) = fitted.baseline.as_ref().filter(|_| fitted.data.train.weights().is_none()) else { return };
    let (part, own) = fitted.metrics.test.as_ref().map_or(("training", &fitted.metrics.train), |test| ("test", test));
    let loss = fitted.model.spec.loss();
    let task = fitted.model.encoder.as_ref().map_or(Task::Regression, Encoder::task);
    let (constant, to_try) = match task {
        Task::Regression => ("the mean", "other columns"),
        _ => ("the shares of the classes", "--calibrate, or other columns"),
    };
    let others = [
        ("the plain network", baseline.plain.as_ref(), "--preset plain"),
        ("the linear model", baseline.linear.as_ref(), "--hidden none"),
        (constant, Some(&baseline.constant), to_try),
    ];
    // By the loss that was trained, too: a network that predicts medians has a larger RMSE on purpose.
    let metric = Metric::of_task(task);
    let is_worse = |metric: Metric, other| Some(metric.of(own)? > MARGIN * metric.of(other)?);
    let others = others.into_iter().filter_map(|(name, other, to_try)| {
        let worse = is_worse(metric, other?) == Some(true) && is_worse(Metric::Loss, other?) != Some(false);
        Some((name, metric.of(other?)?, to_try)).filter(|_| worse)
    });
    let Some((name, other, to_try)) = others.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    let tails = ", or --loss huber if a few targets are far from the rest";
    let tails = if loss == Loss::MeanSquaredError { tails } else { "" };
    let [own, other] = [metric.of(own).unwrap_or(other), other].map(figure);
    eprintln!(
        "note: the network is worse than {name} on the {part} rows, {metric} {own} against {other}: try {to_try}{tails}"
    );
}

/// How the networks of an ensemble ended.
fn the_networks(members: &[Member], epochs: u64, signal: Option<Signal>) -> String {
    let mut text = String::new();
    for (number, member) in (1..).zip(members) {
        if let Some(ReplicaEnd::Diverged { step, what }) = &member.end {
            let then = if member.is_kept { "its best parameters are kept" } else { "it is left out of the model" };
            text += &format!("note: network {number} diverged: its {what} was not finite in step {step}; {then}\n");
        }
    }
    let done = members.iter().map(|member| member.record.epochs);
    let (least, most) = (done.clone().min().unwrap_or(0), done.max().unwrap_or(0));
    let range =
        if least == most { count_of(most, "epoch") } else { format!("{} to {} epochs", count(least), count(most)) };
    let stopped = members.iter().filter(|member| member.end == Some(ReplicaEnd::Stopped)).count();
    let early = if stopped > 0 { format!(", {} of them stopped early", count(stopped as u64)) } else { String::new() };
    let by = signal.map_or_else(String::new, |signal| format!("stopped by {}: ", signal.name()));
    let of = if signal.is_some() { format!(" of {}", count(epochs)) } else { String::new() };
    let best = members.iter().any(|member| member.record.best_epoch.is_some());
    let best = if best { "; each has its best parameters" } else { "" };
    text + &format!("{by}{} networks trained for {range}{of}{early}{best}", count(members.len() as u64))
}

/// After a signal: what computes the metrics that are left out; of a run that was `stopped` after so many epochs, what goes on.
pub fn what_is_left_out(folder: &Path, source: &Source, stopped: Option<u64>) {
    let folder = shell_word(&folder.to_string_lossy()).into_owned();
    match stopped {
        Some(done) => {
            eprintln!("metrics and report are left out: mlp train --resume {folder} --epochs {done} makes them");
            eprintln!("mlp train --resume {folder} continues from here");
        }
        None => eprintln!("the report is left out: mlp eval {folder} {} computes the metrics", source.typed()),
    }
}

/// After a divergence.
pub fn what_is_left(saved: Option<&Path>) {
    match saved {
        Some(path) => eprintln!("the last good parameters are in {}", path.display()),
        None => eprintln!("the last good parameters were not saved: --out DIR would save them"),
    }
}
