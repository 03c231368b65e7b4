//! A layer's gradient and the way back from it as one dispatch. Neither needs the other, but the next dispatch waits for both; where they are
//! small, the wait is most of what each costs (docs/benchmarks.md).

use super::buffers::places;
use super::passes::{Dispatch, Plan};
use crate::kernels::{DENSE_BACKWARD, DENSE_GRADIENT, DENSE_WAY_BACK, Part, Tiling};

impl Plan {
    /// The same work, in fewer dispatches where small products stand side by side. Bytes stay: each product keeps its tile.
    #[must_use]
    pub fn joined(mut self) -> Self {
        for pass in &mut self.passes {
            let mut joined: Vec<Dispatch> = Vec::with_capacity(pass.dispatches.len());
            for work in pass.dispatches.drain(..) {
                match joined.last_mut().and_then(|before| Some((join(before, &work)?, before))) {
                    Some((both, before)) => *before = both,
                    None => joined.push(work),
                }
            }
            pass.dispatches = joined;
        }
        self
    }
}

/// Both as one, if they are of one layer and their small tiles are of one size.
fn join(gradient: &Dispatch, back: &Dispatch) -> Option<Dispatch> {
    let pair = std::ptr::eq(gradient.kernel, &DENSE_GRADIENT) && std::ptr::eq(back.kernel, &DENSE_BACKWARD);
    let (Part::Tiling(own), Part::Tiling(other)) = (&gradient.part, &back.part) else { return None };
    let ([x, d, g], [back_d, w, z, a, c]) = (&gradient.views[..], &back.views[..]) else { return None };
    if !pair || d != back_d || own.tile != other.tile || !DENSE_WAY_BACK.part.takes(&back.part) {
        return None;
    }
    let (dims, views) = (gradient.dims.clone(), vec![*d, *w, *x, *z, *a, *c, *g]);
    let wide = Tiling::can_be_wide(DENSE_WAY_BACK.dims, &dims, &places(&views));
    let part = Part::Tiling(Tiling { wide, ..other.clone() });
    Some(Dispatch { kernel: &DENSE_WAY_BACK, part, variant: 0, dims, views })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Loss, Rule};
    use crate::plan::{PassKind, PlanKind, Recipe, Target, TrainShape, choose};
    use crate::spec::MlpSpec;

    const DISCRETE: Target = Target::Gpu { workgroup_bytes: 48 << 10, cores: 64, sums: 64 };

    /// The training step's kernels, and the number of those of the plan before it is joined.
    fn joined(spec: &MlpSpec, rows: usize) -> (Vec<&'static str>, usize) {
        let plan = choose(Some(PlanKind::Layered), spec, &Recipe::new(Rule::Adam), TrainShape::full(rows), DISCRETE);
        let plan = plan.unwrap();
        let before = plan.passes[0].dispatches.len();
        let joined = plan.joined();
        joined.check().unwrap();
        let (_, pass) = joined.passes_of(PassKind::Train).next().unwrap();
        (pass.dispatches.iter().map(|work| work.kernel.name).collect(), before)
    }

    /// A small step has one dispatch less for each hidden layer whose two products have tiles of one size.
    #[test]
    fn small_products_are_joined() {
        let spec = MlpSpec::new(&[784, 256, 128, 10], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
        let (found, before) = joined(&spec, 32);
        let expected =
            ["dense", "dense", "dense", "softmax_loss", "dense_way_back", "dense_way_back", "dense_gradient", "update"];
        assert_eq!((found, before), (expected.to_vec(), expected.len() + 2));
        // Rows enough for large tiles, which are busy one product at a time.
        let (found, before) = joined(&spec, 16_384);
        assert!(found.len() == before && !found.contains(&"dense_way_back"), "{found:?}");
    }

    /// A linear layer has no derivative to multiply by; what stands between two products keeps them apart in no case.
    #[test]
    fn others_stay_as_they_are() {
        let linear = MlpSpec::new(&[9, 8, 3], Activation::Identity, Loss::MeanSquaredError).unwrap();
        let (found, before) = joined(&linear, 32);
        assert!(found.len() == before && found.contains(&"matmul"), "{found:?}");
        let single = MlpSpec::new(&[9, 3], Activation::Relu, Loss::MeanSquaredError).unwrap();
        assert!(!joined(&single, 32).0.contains(&"dense_way_back"));
    }

    /// Another layer's d, and another tile, are no pair.
    #[test]
    fn only_a_pair_is_joined() {
        let spec = MlpSpec::new(&[20, 16, 8, 4], Activation::Mish, Loss::MeanSquaredError).unwrap();
        let plan = choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), TrainShape::full(32), DISCRETE);
        let dispatches = &plan.unwrap().passes[0].dispatches;
        let at = dispatches.iter().position(|work| work.kernel.name == "dense_gradient").unwrap();
        let (gradient, back) = (&dispatches[at], &dispatches[at + 1]);
        let both = join(gradient, back).unwrap();
        assert_eq!(both.kernel.check(&both.dims, &both.part), Ok(()));
        assert!(join(back, gradient).is_none() && join(gradient, &dispatches[at + 3]).is_none());
        let mut other = back.clone();
        if let Part::Tiling(tiling) = &mut other.part {
            tiling.tile = &crate::kernels::SMALL;
        }
        assert!(join(gradient, &other).is_none());
    }
}
