//! How many networks a preset trains and for how many epochs, where nobody says it. In: the rows and the network. Out: folds or seeds, and
//! epochs.

use super::effort::{Effort, MOST_EPOCHS, Networks};
use super::estimator::{Estimator, ValidationRows};
use super::fold_by::{FoldBy, InFolds};
use super::hint::Hint;
use super::length::Rows;
use super::prepare::rows_of;
use super::split_by::SplitSizes;
use super::start::Start;
use crate::bench::{Work, step_flops};
use crate::data::{Encoder, NumericEncoding, Table};
use crate::error::{Result, count, set};
use crate::math::Loss;
use crate::spec::MlpSpec;
use crate::train::Budget;

/// Steps of a network that are enough for it to be one of several, if it has the epochs of a single one: on large tables epochs are long.
const ENOUGH_STEPS: u64 = 1400;
/// Epochs of a single network at the least, whatever they take: the schedule has four cycles.
const FEWEST_OF_ONE: u64 = 16;

/// Numbers of all rows' inputs at the most, where nobody asks for bins: a GiB.
const CELLS: usize = 1 << 28;

/// The rows of a run, with its networks.
pub(super) struct Candidate {
    pub rows: InFolds,
    pub folds: Option<FoldBy>,
    /// Networks, or of each fold.
    pub each: usize,
    /// Epochs that it has at the least where they are open.
    pub fewest: u64,
}

impl Candidate {
    fn networks(&self) -> usize {
        self.each * self.rows.folds.len().max(1)
    }

    /// Operations of an epoch of all networks, with its validation.
    fn operations(&self, spec: &MlpSpec) -> u64 {
        operations(spec, rows_of(&self.rows.splits, &self.rows.folds), self.networks())
    }
}

#[cfg(feature = "cli")]
impl super::prepare::Prepared {
    /// Whether all epochs take so little that nobody waits for them: less than it takes to say how long.
    pub(crate) fn is_short(&self) -> bool {
        let epoch = operations(&self.spec, rows_of(&self.splits, &self.folds), self.replicas().len());
        epoch.saturating_mul(self.settled.config.epochs) <= Effort::Fast.operations()
    }
}

/// Operations of an epoch of so many networks, with its validation.
fn operations(spec: &MlpSpec, rows: Rows, networks: usize) -> u64 {
    let one = step_flops(spec, rows.train, Work::Train).saturating_add(step_flops(spec, rows.validation, Work::Infer));
    one.saturating_mul(networks as u64).max(1)
}

impl Estimator {
    /// Whether the number of networks is decided by operations.
    pub(crate) fn networks_are_open(&self) -> bool {
        let is_said = !self.ensemble_is_open || self.folds.is_some() || self.parallel.is_some();
        self.effort.is_some() && !is_said && matches!(self.start, Start::Drawn)
    }

    /// The effort, where it still decides on something.
    #[cfg(feature = "cli")]
    pub(crate) fn open_effort(&self) -> Option<Effort> {
        self.effort.filter(|_| self.networks_are_open() || self.length.epochs.is_none())
    }

    /// One network and all epochs, for a run that a time is going to cut.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn without_effort(self) -> Self {
        let is_open = self.effort.is_some() && self.length.epochs.is_none();
        let estimator = Self { effort: None, ..self };
        if is_open { estimator.epochs(MOST_EPOCHS) } else { estimator }
    }

    /// The runs that may be, the one with the most networks first; one where their number is said. `classes`: of every row of the table.
    pub(super) fn candidates(&self, table: &Table, target: &str, classes: Option<&[usize]>) -> Result<Vec<Candidate>> {
        let split = |sizes| self.split_by.split(sizes, table, classes);
        let fold = |by: &FoldBy| {
            let rows = split(SplitSizes { validation: Some(0.0), ..self.split_sizes() })?;
            by.apply(rows, &self.split_by, self.split_seed, table, target, classes)
        };
        if let Some(by) = &self.folds {
            return Ok(vec![Candidate {
                rows: fold(by)?,
                folds: Some(by.clone()),
                each: self.ensemble,
                fewest: FEWEST_OF_ONE,
            }]);
        }
        let rows = split(self.split_sizes())?;
        let whole = |each, fewest| {
            let rows = InFolds { splits: rows.clone(), folds: Vec::new() };
            Candidate { rows, folds: None, each, fewest }
        };
        if !self.networks_are_open() {
            return Ok(vec![whole(self.ensemble, FEWEST_OF_ONE)]);
        }
        let (mut all, networks) = (Vec::new(), self.effort.unwrap_or_default().networks());
        let several = |each: usize, fewest: u64| each > 1 && fewest < MOST_EPOCHS;
        if !matches!(self.validation, ValidationRows::Fraction(_)) {
            let rows = rows.train.len() + rows.validation.as_ref().map_or(0, Vec::len);
            let shares = self.would_share();
            // Fewer epochs are worth it where weights are shared.
            let may_be = |&&(number, each, fewest): &&Networks| {
                rows / number >= Budget::FEWEST_ROWS && (shares || !several(each, fewest))
            };
            for &(number, each, fewest) in networks.iter().filter(may_be) {
                let by = FoldBy::Number(number);
                let known = all.last().filter(|last: &&Candidate| last.folds.as_ref() == Some(&by));
                // Classes and groups may be too few for so many.
                if let Ok(rows) = known.map_or_else(|| fold(&by), |known| Ok(known.rows.clone())) {
                    all.push(Candidate { rows, folds: Some(by), each: each.max(self.ensemble), fewest });
                }
            }
        }
        if all.is_empty() {
            let networks = networks.iter().filter(|&&(_, each, fewest)| !several(each, fewest));
            all.extend(networks.map(|&(number, each, fewest)| whole(number * each.max(self.ensemble), fewest)));
        }
        all.push(whole(self.ensemble, FEWEST_OF_ONE));
        Ok(all)
    }

    /// The first of the candidates that has room for its epochs, with its encoder. Networks and epochs are settled; a hint says it, if they
    /// were open. Inputs are counted by the encoder of the first one: those of others differ little, and encoders of many rows take long.
    pub(super) fn choose(
        &mut self,
        mut candidates: Vec<Candidate>,
        table: &Table,
    ) -> Result<(Encoder, InFolds, Vec<Hint>)> {
        let known = self.known_encoder().cloned();
        let encoder_of = |estimator: &Self, candidate: &Candidate| match &known {
            Some(encoder) => Ok(encoder.clone()),
            None => estimator.fit_encoder(table, &candidate.rows.splits.train),
        };
        let mut encoder = encoder_of(self, &candidates[0])?;
        let bins = self.drop_bins(candidates[0].rows.splits.train.len(), encoder.inputs());
        if bins.is_some() {
            encoder = encoder_of(self, &candidates[0])?;
        }
        let Some(effort) = self.effort else {
            return Ok((encoder, candidates.swap_remove(0).rows, bins.into_iter().collect()));
        };
        let spec = self.network(&encoder, Loss::for_task(encoder.task(), self.loss)?)?;
        let last = candidates.len() - 1;
        let fits = |(at, candidate)| Some((at, self.epochs_of(candidate, &spec, effort, at == last)?));
        let (at, epochs) = candidates.iter().enumerate().find_map(fits).unwrap_or((last, FEWEST_OF_ONE));
        let is_fitted = candidates[at].rows.splits.train == candidates[0].rows.splits.train;
        let chosen = candidates.swap_remove(at);
        let encoder = if is_fitted { encoder } else { encoder_of(self, &chosen)? };
        let hint = self.settle_effort(effort, &chosen, epochs, &spec);
        Ok((encoder, chosen.rows, bins.into_iter().chain(hint).collect()))
    }

    /// Leaves out bins of numbers that nobody asked for and that take too much memory; says it.
    fn drop_bins(&mut self, rows: usize, inputs: usize) -> Option<Hint> {
        let cells = rows.saturating_mul(inputs);
        if !self.numbers_are_open || self.known_encoder().is_some() || cells <= CELLS {
            return None;
        }
        self.numbers = NumericEncoding::Scaled;
        let gib = cells as f64 * 4.0 / f64::from(1 << 30);
        Some(Hint::Advice(format!(
            "numbers have no bins, with which the inputs take {gib:.1} GiB; {} has them",
            set("numbers", "ple")
        )))
    }

    /// The epochs that a candidate has room for; none where it has too little for it to be the one. `is_last`: there is no other.
    fn epochs_of(&self, candidate: &Candidate, spec: &MlpSpec, effort: Effort, is_last: bool) -> Option<u64> {
        let room = effort.operations() / candidate.operations(spec);
        match self.length.epochs {
            Some(epochs) => (is_last || epochs <= room).then_some(epochs),
            None if is_last => Some(room.clamp(candidate.fewest, MOST_EPOCHS)),
            None => {
                (room >= candidate.fewest || self.has_enough_steps(candidate, room)).then_some(room.min(MOST_EPOCHS))
            }
        }
    }

    /// Whether so many epochs of a candidate's networks are enough, few as they may be: of 8, not of more.
    fn has_enough_steps(&self, candidate: &Candidate, epochs: u64) -> bool {
        let rows = rows_of(&candidate.rows.splits, &candidate.rows.folds).train;
        let steps = rows.div_ceil(self.config.batch.rows(rows).max(1)) as u64;
        candidate.networks() <= 8 && epochs >= FEWEST_OF_ONE && epochs.saturating_mul(steps) >= ENOUGH_STEPS
    }

    /// Settles networks and epochs; says it, if they were open.
    fn settle_effort(&mut self, effort: Effort, candidate: &Candidate, epochs: u64, spec: &MlpSpec) -> Option<Hint> {
        let (networks_are_open, epochs_are_open) = (self.networks_are_open(), self.length.epochs.is_none());
        (self.folds, self.ensemble, self.ensemble_is_open) = (candidate.folds.clone(), candidate.each, false);
        (self.length.epochs, self.effort) = (Some(epochs), None);
        let networks = candidate.networks();
        let what = match &candidate.folds {
            _ if networks == 1 => "one network".into(),
            Some(_) if candidate.each > 1 => {
                format!("{} networks, {} for each fold", count(networks as u64), count(candidate.each as u64))
            }
            Some(_) => format!("{} networks, one for each fold", count(networks as u64)),
            None => format!("{} networks", count(networks as u64)),
        };
        let taken = candidate.operations(spec).saturating_mul(epochs);
        let most = effort.operations();
        let flags = [
            (networks_are_open, set("folds", "K")),
            (networks_are_open, set("ensemble", "N")),
            (epochs_are_open, set("epochs", "N")),
        ];
        let flags: Vec<_> = flags.into_iter().filter(|(is_open, _)| *is_open).map(|(_, flag)| flag).collect();
        let aim = if taken <= most { "of at most" } else { "where the aim is" };
        (!flags.is_empty()).then(|| {
            Hint::Effort(format!(
                "{what}, {} epochs, which take {taken:.1e} operations {aim} {most:.0e} for {}; {} otherwise",
                count(epochs),
                set("effort", effort.name()),
                if flags.len() == 1 { format!("{} decides", flags[0]) } else { format!("{} decide", flags.join(", ")) },
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;
    use crate::pipeline::Preset;
    use crate::pipeline::splits::Splits;

    /// Networks and epochs of a table with so many rows and inputs; folds, if they are not forbidden.
    fn networks_and_epochs(estimator: &Estimator, rows: usize, inputs: usize) -> (usize, u64) {
        let spec = estimator.hidden.spec(inputs, 1, Activation::Mish, Loss::BinaryCrossEntropy).unwrap();
        let splits = || Splits { train: (0..rows).collect::<Vec<_>>(), validation: None, test: None };
        let folded = |&(count, each, fewest): &Networks| {
            let folds = (0..count).map(|at| at * rows / count..(at + 1) * rows / count).collect();
            let rows = InFolds { splits: splits(), folds };
            Candidate { rows, folds: Some(FoldBy::Number(count)), each, fewest }
        };
        let one = Candidate { rows: InFolds { splits: splits(), folds: Vec::new() }, folds: None, each: 1, fewest: 16 };
        let effort = estimator.effort.unwrap_or_default();
        let all: Vec<_> = match estimator.networks_are_open() {
            true => effort.networks().iter().map(folded).chain([one]).collect(),
            false => vec![one],
        };
        let last = all.len() - 1;
        let fits = |(at, candidate): (usize, &Candidate)| {
            Some((candidate.networks(), estimator.epochs_of(candidate, &spec, effort, at == last)?))
        };
        all.iter().enumerate().find_map(fits).unwrap()
    }

    #[test]
    fn what_operations_allow() {
        let tabular = || Estimator::new("y").preset(Preset::Tabular);
        let of = |rows, inputs| networks_and_epochs(&tabular(), rows, inputs);
        // Each has six operations for each weight and row of an epoch, but for the first layer's weights, which has four.
        assert_eq!(of(1000, 100), (24, 256));
        assert!(matches!(of(4000, 100), (24, 64..128)), "{:?}", of(4000, 100));
        assert!(matches!(of(8000, 100), (8, 128..256)), "{:?}", of(8000, 100));
        // Few epochs of many steps.
        assert!(matches!(of(16_000, 100), (8, 64..128)), "{:?}", of(16_000, 100));
        assert!(matches!(of(100_000, 100), (5, 16..64)), "{:?}", of(100_000, 100));
        assert!(matches!(of(200_000, 100), (1, 16..64)), "{:?}", of(200_000, 100));
        assert_eq!(of(10_000_000, 100), (1, 16));
        // More inputs, and epochs that are said.
        assert!(matches!(of(5000, 10_000), (1, 16..256)), "{:?}", of(5000, 10_000));
        assert_eq!(networks_and_epochs(&tabular().epochs(40), 4000, 100), (24, 40));
        assert_eq!(networks_and_epochs(&tabular().epochs(90), 8000, 100), (8, 90));
        assert_eq!(networks_and_epochs(&tabular().epochs(4000), 4000, 100), (1, 4000));
        assert_eq!(networks_and_epochs(&tabular().ensemble(1), 1000, 100), (1, 256));
        assert_eq!(networks_and_epochs(&tabular().without_effort(), 10_000_000, 100), (1, 256));
    }

    #[test]
    fn what_efforts_allow() {
        let of =
            |effort, rows| networks_and_epochs(&Estimator::new("y").preset(Preset::Tabular).effort(effort), rows, 100);
        assert!(matches!(of(Effort::Fast, 200), (8, 128..256)), "{:?}", of(Effort::Fast, 200));
        assert!(matches!(of(Effort::Fast, 4000), (1, 16..64)), "{:?}", of(Effort::Fast, 4000));
        assert_eq!(of(Effort::Best, 12_000), (24, 256));
        assert!(matches!(of(Effort::Best, 50_000), (24, 64..128)), "{:?}", of(Effort::Best, 50_000));
        // Layers that are said stay, before and after.
        let tabular = || Estimator::new("y").preset(Preset::Tabular);
        for estimator in [tabular().hidden(&[7]).effort(Effort::Fast), tabular().effort(Effort::Fast).hidden(&[7])] {
            assert_eq!(estimator.hidden.to_string(), "7");
        }
        assert_eq!(tabular().effort(Effort::Fast).hidden.to_string(), "64,64");
        // Another preset has none.
        assert!(Estimator::new("y").effort(Effort::Best).effort.is_none());
    }

    #[test]
    fn bins_that_take_too_much_are_left_out() {
        let mut tabular = Estimator::new("y").preset(Preset::Tabular);
        assert!(tabular.drop_bins(1 << 18, 1 << 10).is_none() && tabular.numbers != NumericEncoding::Scaled);
        let said = tabular.drop_bins(1 << 20, 1 << 10).unwrap().to_string();
        assert_eq!(said, "note: numbers have no bins, with which the inputs take 4.0 GiB; numbers = ple has them");
        assert_eq!(tabular.numbers, NumericEncoding::Scaled);
        let bins = NumericEncoding::Piecewise { bins: 2 };
        let mut said = Estimator::new("y").preset(Preset::Tabular).numbers(bins);
        assert!(said.drop_bins(1 << 20, 1 << 10).is_none() && said.numbers == bins);
    }
}
