//! Successive halving: after a few epochs only the best trials go on. The rule is that of ASHA (Li et al. 2020, "A System for Massively
//! Parallel Hyperparameter Tuning") as it stops trials: a trial that comes to a rung goes on if it is among the best 1/η of all
//! that have come there so far. Nothing waits for trials that are still to be trained.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// When trials are compared, and how many of them go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Halving {
    /// One in so many goes on.
    pub eta: u64,
    /// Epochs of the first rung; none for 1/η³ of the run's epochs.
    pub first: Option<u64>,
}

impl Halving {
    /// The η that is usual.
    pub const ETA: u64 = 3;

    /// Rungs at `first`, `first`·η, … epochs, each of which one trial in `eta` leaves upwards.
    ///
    /// # Errors
    /// [`Error::Setting`] for an η below 2 and for a first rung at 0 epochs.
    pub fn new(eta: u64, first: Option<u64>) -> Result<Self> {
        let refused = |what, found: u64, expected: &str| {
            Err(Error::Setting { what, found: found.to_string(), expected: expected.into() })
        };
        if eta < 2 {
            return refused("halving", eta, "at least 2: one trial in so many goes on");
        }
        if first == Some(0) {
            return refused("rung", 0, "at least 1 epoch");
        }
        Ok(Self { eta, first })
    }

    /// The rungs of a run of so many epochs: `first`, `first`·η, … as long as they are below it.
    #[must_use]
    pub fn rungs(&self, epochs: u64) -> Vec<u64> {
        let cube = self.eta.saturating_mul(self.eta).saturating_mul(self.eta);
        let first = self.first.unwrap_or((epochs / cube).max(1));
        let all = std::iter::successors(Some(first), |rung| rung.checked_mul(self.eta));
        all.take_while(|&rung| rung < epochs).collect()
    }
}

/// The scores of all trials that have come to each rung.
#[derive(Clone, Debug)]
pub struct Ladder {
    eta: u64,
    lower_is_better: bool,
    /// Trials with their scores by the rung's epochs.
    rungs: BTreeMap<u64, Vec<(usize, Option<f64>)>>,
}

impl Ladder {
    /// A ladder that nobody has climbed.
    #[must_use]
    pub fn new(halving: Halving, lower_is_better: bool) -> Self {
        Self { eta: halving.eta, lower_is_better, rungs: BTreeMap::new() }
    }

    /// Takes note of trials that have come to a rung, by number and score, and says of each whether it goes on: it has to be among
    /// the best ⌈n/η⌉ of the n trials that have come there, these and those before. Of equal scores the lower number is the better
    /// one. A trial without a score, as after a divergence, or with one that is not finite never goes on, and counts in n.
    pub fn judge(&mut self, epoch: u64, arrived: &[(usize, Option<f64>)]) -> Vec<bool> {
        let all = self.rungs.entry(epoch).or_default();
        all.extend(arrived.iter().map(|&(trial, score)| (trial, score.filter(|score| score.is_finite()))));
        let kept = all.len().div_ceil(usize::try_from(self.eta).unwrap_or(usize::MAX));
        let sign = if self.lower_is_better { 1.0 } else { -1.0 };
        let mut ranked: Vec<(f64, usize)> =
            all.iter().filter_map(|&(trial, score)| Some((sign * score?, trial))).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        ranked.truncate(kept);
        arrived.iter().map(|(trial, _)| ranked.iter().any(|(_, kept)| kept == trial)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_powers_below_the_end() {
        let rungs = |eta, first, epochs| Halving::new(eta, first).unwrap().rungs(epochs);
        assert_eq!(rungs(3, Some(1), 27), [1, 3, 9]);
        assert_eq!(rungs(2, Some(5), 41), [5, 10, 20, 40]);
        assert_eq!(rungs(3, None, 270), [10, 30, 90]);
        assert_eq!(rungs(3, None, 10), [1, 3, 9]);
        assert_eq!(rungs(3, Some(50), 50), [] as [u64; 0]);
        assert_eq!(rungs(u64::MAX, Some(2), u64::MAX), [2]);
        assert!(Halving::new(1, None).is_err() && Halving::new(2, Some(0)).is_err());
    }

    fn judged(ladder: &mut Ladder, arrived: &[(usize, Option<f64>)]) -> Vec<usize> {
        let goes_on = ladder.judge(1, arrived);
        arrived.iter().zip(goes_on).filter(|(_, goes_on)| *goes_on).map(|((trial, _), _)| *trial).collect()
    }

    #[test]
    fn the_best_of_all_that_came_go_on() {
        let scores = |range: std::ops::Range<usize>| range.map(|i| (i, Some(i as f64))).collect::<Vec<_>>();
        let ladder = |lower| Ladder::new(Halving::new(3, None).unwrap(), lower);
        assert_eq!(judged(&mut ladder(true), &scores(0..9)), [0, 1, 2]);
        assert_eq!(judged(&mut ladder(false), &scores(0..9)), [6, 7, 8]);
        // ⌈10 / 3⌉.
        assert_eq!(judged(&mut ladder(true), &scores(0..10)), [0, 1, 2, 3]);
        // The first one has nobody to lose against; later ones have all before them.
        let mut one_by_one = ladder(true);
        assert_eq!(judged(&mut one_by_one, &[(0, Some(5.0))]), [0]);
        assert_eq!(judged(&mut one_by_one, &[(1, Some(6.0))]), [] as [usize; 0]);
        assert_eq!(judged(&mut one_by_one, &[(2, Some(4.0))]), [2]);
        // Of the 13 five may go on: 4, 5 and 6 are among the scores before.
        assert_eq!(judged(&mut one_by_one, &scores(10..20)), [10, 11]);
        // A rung knows nothing of another.
        assert_eq!(one_by_one.judge(2, &[(3, Some(100.0))]), [true]);
    }

    #[test]
    fn ties_and_lost_trials_are_defined() {
        let ladder = || Ladder::new(Halving::new(2, None).unwrap(), true);
        let equal: Vec<_> = [4, 2, 3, 1].map(|trial| (trial, Some(1.0))).into();
        assert_eq!(judged(&mut ladder(), &equal), [2, 1]);
        // Of four two may go on, but only one has a score.
        for lost in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
            assert_eq!(judged(&mut ladder(), &[(1, lost), (2, Some(9.0)), (3, lost), (4, lost)]), [2]);
        }
        assert_eq!(judged(&mut ladder(), &[(1, None)]), [] as [usize; 0]);
        assert_eq!(judged(&mut ladder(), &[]), [] as [usize; 0]);
    }
}
