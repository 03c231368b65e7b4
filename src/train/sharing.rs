//! Networks that share weights: what they train, and the ordinary networks that it makes.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::Trainer;
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
