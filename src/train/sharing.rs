//! Networks that share weights: what they train, and the ordinary networks that it makes.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::Trainer;
use super::replica::Replica;
use crate::error::{Error, Result};
use crate::params::Layout;

/// The stream of a seed's generator that draws factors on inputs; initial parameters have the first.
const FACTORS: u64 = 1;

impl Trainer {
    /// The networks of what is trained: of those that share weights each with its factors in its first layer.
    pub(super) fn folded(&self, trained: Vec<f32>) -> Vec<f32> {
        if self.config().sharing == 1 {
            return trained;
        }
        let (count, first) = (Layout::new(&self.spec).len(), self.spec.layers()[0]);
        let mut all = Vec::with_capacity(count * self.members.len());
        for values in trained.chunks_exact(count + first.inputs) {
            let (parameters, factors) = values.split_at(count);
            let (weight, others) = parameters.split_at(first.inputs * first.outputs);
            let rows = weight.chunks_exact(first.outputs).zip(factors);
            all.extend(rows.flat_map(|(row, factor)| row.iter().map(move |value| value * factor)));
            all.extend(others);
        }
        all
    }

    /// What is trained from these networks on: where they share weights, what the first of them has, and factors that are drawn.
    pub(super) fn unfolded(&self, parameters: &[f32]) -> Vec<f32> {
        let sharing = self.config().sharing;
        if sharing == 1 {
            return parameters.to_vec();
        }
        let (layout, inputs) = (Layout::new(&self.spec), self.spec.inputs());
        let own = layout.weight(self.spec.layers().len() - 1).range.start;
        let mut all = Vec::with_capacity((layout.len() + inputs) * self.members.len());
        for (number, member) in self.members.iter().enumerate() {
            let [first, this] = [number / sharing * sharing, number].map(|number| number * layout.len());
            all.extend(&parameters[first..first + own]);
            all.extend(&parameters[this + own..this + layout.len()]);
            let mut random = ChaCha8Rng::seed_from_u64(member.replica.config.seed);
            random.set_stream(FACTORS);
            all.extend((0..inputs).map(|_| if random.random() { 1.0 } else { -1.0 }));
        }
        all
    }
}

/// Refuses replicas that cannot share weights as they are asked to.
pub(super) fn check(replicas: &[Replica]) -> Result<()> {
    let sharing = replicas.first().map_or(1, |first| first.config.sharing);
    if sharing == 1 {
        return Ok(());
    }
    let refused =
        |found: String, expected: &str| Err(Error::Setting { what: "sharing", found, expected: expected.into() });
    if !replicas.len().is_multiple_of(sharing) {
        return refused(format!("{sharing} of {} networks", replicas.len()), "a number by which they can be divided");
    }
    for run in replicas.chunks_exact(sharing) {
        let first = &run[0];
        let alike = |other: &Replica| {
            let mut config = other.config.clone();
            (config.seed, config.init) = (first.config.seed, first.config.init);
            Replica { config, ..other.clone() } == *first
        };
        if !run.iter().all(alike) {
            return refused(
                format!("{sharing} with networks that differ"),
                "networks that differ in their seeds alone",
            );
        }
        if first.config.early_stopping.is_some_and(|rule| rule.patience.is_some()) {
            let expected = "early stopping without a patience: networks that share weights end together";
            return refused(format!("{sharing} with a patience"), expected);
        }
    }
    Ok(())
}
