//! What is going to be trained, all of it checked before the first step.

use super::trials::{Common, blamed, space};
use super::{Args, check};
use crate::cli::source::Source;
use crate::cli::train;
use crate::error::{Error, Result};
use crate::pipeline::{Estimator, FoldBy};
use crate::report::{count, count_of};
use crate::sweep::{Candidate, FoldedTable, Halving, Space, Trial};

/// Fraction of the rows that is held out where nobody says it.
const HELD_OUT: &str = "0.2";

/// A sweep as it was asked for.
#[derive(Debug)]
pub struct Plan {
    pub space: Space,
    pub common: Common,
    /// The flags of the first trial, by which the table is read.
    pub base: train::Args,
    pub source: Source,
    trials: Vec<(Trial, Estimator)>,
    pub seeds: Vec<u64>,
    pub halving: Option<Halving>,
    pub folds: Option<FoldBy>,
    /// Flags that nobody typed.
    pub more: Vec<(String, String)>,
}

impl Plan {
    /// What the flags say.
    pub fn new(args: &Args) -> Result<Self> {
        check(args)?;
        let space = space(&args.vary)?;
        let halving = args.halving.map(|eta| Halving::new(eta, args.rung)).transpose()?;
        if halving.is_some() && space.axes().iter().any(|axis| axis.name == "epochs") {
            let found = "`epochs` beside --halving".into();
            return Err(Error::Setting { what: "vary", found, expected: "one of both: rungs stand at epochs".into() });
        }
        let data = args.said.0.explicit().find(|(flag, _)| *flag == "data").map_or("", |(_, data)| data);
        let common = Common::new(&args.said.0, data, &space)?;
        let drawn = match args.trials {
            Some(trials) => space.draw(trials, args.sweep_seed)?,
            None => space.grid()?,
        };
        let of_column = args.fold_column.clone().map(FoldBy::Column);
        let folds = args.folds.map(FoldBy::Number).or(of_column);
        let default = |flag: &str, word: &str| (!common.has(flag)).then(|| (flag.to_string(), word.to_string()));
        let held_out = default("validation-fraction", HELD_OUT).filter(|_| folds.is_none());
        let more: Vec<_> = default("test-fraction", "0").into_iter().chain(held_out).collect();
        let mut trials = Vec::with_capacity(drawn.len());
        let mut base = None;
        for trial in drawn {
            let args = common.trial(&trial, &more)?;
            let (source, estimator) = args.estimator().map_err(|error| blamed(error, &trial))?;
            base.get_or_insert((args, source));
            trials.push((trial, estimator));
        }
        let Some((base, source)) = base else {
            return Err(Error::Setting { what: "trials", found: "0".into(), expected: "at least 1".into() });
        };
        let first = trials.first().map_or(0, |(_, estimator)| estimator.config.seed);
        let seeds = (0..args.seeds).map(|seed| first.wrapping_add(seed)).collect();
        Ok(Self { space, common, base, source, trials, seeds, halving, folds, more })
    }

    /// An estimator of any trial: what it says of the table is said by all.
    pub fn estimator(&self) -> &Estimator {
        &self.trials[0].1
    }

    /// The trials with what they train.
    pub fn candidates(&self, facts: &train::TableFacts) -> Vec<Candidate> {
        let candidate = |(trial, estimator): &(Trial, Estimator)| {
            let estimator = facts.tell(estimator.clone());
            Candidate::new(trial.clone(), self.folds.iter().cloned().fold(estimator, Estimator::fold_by))
        };
        self.trials.iter().map(candidate).collect()
    }

    /// The names of the settings that vary.
    pub fn names(&self) -> Vec<String> {
        self.space.axes().iter().map(|axis| axis.name.clone()).collect()
    }

    /// What decides what the trainings come to.
    pub fn identity(&self, args: &Args, data: &FoldedTable) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        let said = self.common.flags().iter().chain(&self.more);
        all.extend(said.filter(|(flag, _)| flag != "device").map(|(flag, word)| (format!("--{flag}"), word.clone())));
        let varied = self.space.axes().iter().enumerate();
        all.extend(varied.map(|(at, axis)| (format!("--vary {} {}", at + 1, axis.name), axis.values.to_string())));
        let number = |number: Option<u64>| number.map_or("none".into(), |number| number.to_string());
        let folds = args.folds.map(|folds| folds as u64);
        all.extend([
            ("--trials".into(), number(args.trials)),
            ("--sweep-seed".into(), args.sweep_seed.to_string()),
            ("--folds".into(), number(folds)),
            ("--fold-column".into(), args.fold_column.clone().unwrap_or("none".into())),
            ("--seeds".into(), args.seeds.to_string()),
            ("--metric".into(), data.metric().name().into()),
            ("--halving".into(), number(args.halving)),
            ("--rung".into(), number(args.rung)),
            ("the data's checksum".into(), format!("{:08x}", data.checksum())),
        ]);
        all
    }

    /// What is going to be done.
    pub fn tell(&self, args: &Args, data: &FoldedTable) {
        let each = data.folds().unwrap_or(1) as u64 * self.seeds.len() as u64;
        let trials = self.trials.len() as u64;
        let trainings = count_of(each * trials, "training");
        let metric = data.metric();
        let better = if metric.lower_is_better() { "lower" } else { "higher" };
        eprintln!("sweep: {}, {trainings}, by {metric} ({better} is better)", count_of(trials, "trial"));
        if let Some(asked) = args.trials.filter(|&asked| asked > trials) {
            eprintln!("note: the space has fewer than {} different trials: all of them are trained", count(asked));
        }
        if self.halving.is_some() {
            eprintln!("halving: only the best go on at each rung; without --halving all train to their end");
        }
    }
}
