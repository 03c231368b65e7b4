//! Two dispatches as one: the rows of a batch and the first layer of them, a layer's gradient and the way back from it, of which neither needs
//! the other, and a narrow last layer and its loss, which goes by rows as the layer does. The next dispatch waits for the one before; where they
//! are small, the wait is most of what each costs (docs/benchmarks.md).

use super::buffers::places;
use super::passes::{Dispatch, Plan};
use super::product::holds;
use super::request::Target;
use crate::kernels::{
    DENSE, DENSE_BACKWARD, DENSE_GRADIENT, DENSE_KEEP, DENSE_LOSS, DENSE_SOFTMAX_LOSS, DENSE_WAY_BACK, GATHER,
    GATHER_DENSE, GATHER_DENSE_KEEP, LARGE, LOSS, Part, SOFTMAX_LOSS, TINY, Tile, Tiling,
};
use crate::math::Activation;

/// Most rows x inputs of a layer that is joined with its loss, by which an invocation makes one element: the tiles of a layer read less.
const MOST_OF_NARROW: u64 = 1 << 20;

impl Plan {
    /// The same work, in fewer dispatches where small ones stand side by side. Each product keeps its tile, but for that of a last layer of at most
    /// 16 outputs, whose sums ascend.
    #[must_use]
    pub fn joined(mut self, target: Target) -> Self {
        for pass in &mut self.passes {
            let mut joined: Vec<Dispatch> = Vec::with_capacity(pass.dispatches.len());
            for work in pass.dispatches.drain(..) {
                let both = joined.last().and_then(|before| {
                    first_layer(before, &work, target)
                        .or_else(|| way_back(before, &work, target))
                        .or_else(|| last_layer(before, &work))
                });
                if both.is_some() {
                    joined.pop();
                }
                joined.push(both.unwrap_or(work));
            }
            pass.dispatches = joined;
        }
        self
    }
}

/// Both as one, if the layer is of the batch, in small tiles.
fn first_layer(gather: &Dispatch, layer: &Dispatch, target: Target) -> Option<Dispatch> {
    let kernel = match layer.kernel {
        of if std::ptr::eq(of, &DENSE) => &GATHER_DENSE,
        of if std::ptr::eq(of, &DENSE_KEEP) => &GATHER_DENSE_KEEP,
        _ => return None,
    };
    let ([x, y, batch_x, batch_y], [of, w, bias, made @ ..]) = (&gather.views[..], &layer.views[..]) else {
        return None;
    };
    let (&[rows, samples, inputs, columns], &[layer_rows, outputs, layer_inputs, ref tile @ ..]) =
        (&gather.dims[..], &layer.dims[..])
    else {
        return None;
    };
    let Part::Tiling(tiling) = &layer.part else { return None };
    let of_batch = of == batch_x && [layer_rows, layer_inputs] == [rows, inputs];
    if !std::ptr::eq(gather.kernel, &GATHER) || !of_batch || !kernel.part.takes(&layer.part) {
        return None;
    }
    // An element at a time takes more of the compiler's cycles than the layer alone, read by four (benches/compilers/table.md).
    if !reads_by_four(tiling.tile, target) {
        return None;
    }
    let dims = [&[rows, outputs, inputs, samples, columns], tile].concat();
    let views = [&[*x, *w, *bias, *y, *batch_x, *batch_y], made].concat();
    let part = Part::Tiling(Tiling { wide: kernel.can_be_wide(&dims, &places(&views)), ..tiling.clone() });
    Some(Dispatch { kernel, part, variant: gather.variant, dims, views })
}

/// Both as one, if they are of one layer and their small tiles are of one size.
fn way_back(gradient: &Dispatch, back: &Dispatch, target: Target) -> Option<Dispatch> {
    let pair = std::ptr::eq(gradient.kernel, &DENSE_GRADIENT) && std::ptr::eq(back.kernel, &DENSE_BACKWARD);
    let (Part::Tiling(own), Part::Tiling(other)) = (&gradient.part, &back.part) else { return None };
    let ([x, d, g], [back_d, w, z, a, c]) = (&gradient.views[..], &back.views[..]) else { return None };
    if !pair || d != back_d || own.tile != other.tile || !DENSE_WAY_BACK.part.takes(&back.part) {
        return None;
    }
    let (dims, views) = (gradient.dims.clone(), vec![*d, *w, *x, *z, *a, *c, *g]);
    let wide = reads_by_four(other.tile, target) && DENSE_WAY_BACK.can_be_wide(&dims, &places(&views));
    let part = Part::Tiling(Tiling { wide, ..other.clone() });
    Some(Dispatch { kernel: &DENSE_WAY_BACK, part, variant: 0, dims, views })
}

/// Whether a target's invocations have registers for a tile that a kernel reads by four beside something else. The panels of the smallest one are
/// deep: where the sums of the largest one spill, so do these (benches/compilers/table.md).
fn reads_by_four(tile: &Tile, target: Target) -> bool {
    tile != &TINY || holds(target, &LARGE)
}

/// Both as one, if the loss is of what a small layer makes.
fn last_layer(layer: &Dispatch, loss: &Dispatch) -> Option<Dispatch> {
    let kernel = match loss.kernel {
        of if std::ptr::eq(of, &LOSS) => &DENSE_LOSS,
        of if std::ptr::eq(of, &SOFTMAX_LOSS) => &DENSE_SOFTMAX_LOSS,
        _ => return None,
    };
    let Part::Tiling(Tiling { activation: Activation::Identity, .. }) = layer.part else { return None };
    let ([x, w, bias, a], [z, y, hyper, d, sums]) = (&layer.views[..], &loss.views[..]) else { return None };
    let (&[rows, outputs, inputs, ..], &[_, _, columns, groups]) = (&layer.dims[..], &loss.dims[..]) else {
        return None;
    };
    let small = u64::from(rows) * u64::from(inputs) <= MOST_OF_NARROW;
    if !std::ptr::eq(layer.kernel, &DENSE) || a != z || !small {
        return None;
    }
    let dims = vec![rows, outputs, inputs, columns, groups];
    kernel.check(&dims, &loss.part).ok()?;
    let views = vec![*x, *w, *bias, *y, *hyper, *a, *d, *sums];
    Some(Dispatch { kernel, part: loss.part.clone(), variant: 0, dims, views })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{IN_ORDER, SHUFFLED};
    use crate::math::{Activation, Loss, Rule};
    use crate::plan::{PassKind, PlanKind, Recipe, Target, TrainShape, choose};
    use crate::spec::MlpSpec;

    const DISCRETE: Target = Target::Gpu { workgroup_bytes: 48 << 10, cores: 64, sums: 64 };

    /// The training step's kernels, and the number of those of the plan before it is joined.
    fn joined(spec: &MlpSpec, rows: usize) -> (Vec<&'static str>, usize) {
        let plan = choose(Some(PlanKind::Layered), spec, &Recipe::new(Rule::Adam), TrainShape::full(rows), DISCRETE);
        let plan = plan.unwrap();
        let before = plan.passes[0].dispatches.len();
        let joined = plan.joined(DISCRETE);
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
            ["dense", "dense", "dense_softmax_loss", "dense_way_back", "dense_way_back", "dense_gradient", "update"];
        assert_eq!((found, before), (expected.to_vec(), expected.len() + 3));
        // Rows enough for large tiles, which are busy one product at a time.
        let (found, before) = joined(&spec, 16_384);
        assert!(found.len() == before && !found.contains(&"dense_way_back"), "{found:?}");
    }

    /// The rows of a mini-batch come with the first layer of them, in training and in validation, where its tiles are small.
    #[test]
    fn a_batch_comes_with_its_first_layer() {
        let layer = |of_training| if of_training { &GATHER_DENSE_KEEP } else { &GATHER_DENSE };
        for (activation, rows, kept) in
            [(Activation::Relu, 32, Some(false)), (Activation::Gelu, 32, Some(true)), (Activation::Relu, 16_384, None)]
        {
            let spec = MlpSpec::new(&[784, 256, 10], activation, Loss::SoftmaxCrossEntropy).unwrap();
            // Validation takes 1,024 rows at a time, if the batch has no more.
            let validation = 2 * rows.max(1024) + 1;
            let shape = TrainShape { batch: rows, validation, ..TrainShape::full(3 * rows + 4) };
            let plan = choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), shape, DISCRETE).unwrap();
            let plan = plan.joined(DISCRETE);
            plan.check().unwrap();
            for (kind, order) in [(PassKind::Train, SHUFFLED), (PassKind::Validate, IN_ORDER)] {
                let first = &plan.passes_of(kind).next().unwrap().1.dispatches[0];
                let kernel = kept.map_or(&GATHER, |kept| layer(kept && kind == PassKind::Train));
                assert_eq!((first.kernel.name, first.variant), (kernel.name, order), "{activation} {rows} {kind:?}");
                // Its targets are one a row, which does not keep the rest from being read by four.
                let wide = matches!(&first.part, Part::Tiling(Tiling { wide: true, .. }));
                assert_eq!(wide, kept.is_some());
            }
        }
    }

    /// A last layer goes with its loss if it is narrow and linear, in validation too.
    #[test]
    fn a_narrow_last_layer_goes_with_its_loss() {
        for (outputs, last, kernel) in [
            (16, Activation::Identity, "dense_loss"),
            (17, Activation::Identity, "loss"),
            (1, Activation::Relu, "loss"),
        ] {
            let layers = [(20, Activation::Relu), (outputs, last)];
            let layers = layers.map(|(outputs, activation)| crate::spec::Layer { inputs: 20, outputs, activation });
            let spec = MlpSpec::from_layers(layers.to_vec(), Loss::MeanSquaredError).unwrap();
            let shape = TrainShape { validation: 7, ..TrainShape::full(32) };
            let plan = choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), shape, DISCRETE)
                .unwrap()
                .joined(DISCRETE);
            plan.check().unwrap();
            for kind in [PassKind::Train, PassKind::Validate] {
                let (_, pass) = plan.passes_of(kind).next().unwrap();
                let found: Vec<_> = pass.dispatches.iter().map(|work| work.kernel.name).collect();
                assert!(found.contains(&kernel), "{outputs} {last}: {found:?}");
            }
        }
    }

    /// A linear layer has no derivative to multiply by; what stands between two products keeps them apart in no case.
    #[test]
    fn others_stay_as_they_are() {
        let linear = MlpSpec::new(&[9, 8, 3], Activation::Identity, Loss::MeanSquaredError).unwrap();
        let (found, _) = joined(&linear, 32);
        assert!(found.contains(&"matmul") && !found.contains(&"dense_way_back"), "{found:?}");
        let single = MlpSpec::new(&[9, 3], Activation::Relu, Loss::MeanSquaredError).unwrap();
        assert!(!joined(&single, 32).0.contains(&"dense_way_back"));
    }

    /// Where 64 sums of an invocation would not stay in registers, two products in the smallest tile read an element at a time, and the rows of a
    /// batch come alone.
    #[test]
    fn joints_follow_the_registers() {
        let spec = MlpSpec::new(&[20, 16, 8, 4], Activation::Relu, Loss::MeanSquaredError).unwrap();
        let intel = Target::Gpu { workgroup_bytes: 48 << 10, cores: 64, sums: 32 };
        for (target, first, wide) in [(DISCRETE, &GATHER_DENSE, true), (intel, &GATHER, false)] {
            let shape = TrainShape { batch: 32, ..TrainShape::full(100) };
            let plan = choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), shape, target).unwrap();
            let dispatches = plan.joined(target).passes.remove(0).dispatches;
            assert_eq!(dispatches[0].kernel.name, first.name);
            let pair = dispatches.iter().find(|work| std::ptr::eq(work.kernel, &DENSE_WAY_BACK)).unwrap();
            let Part::Tiling(tiling) = &pair.part else { panic!("{:?}", pair.part) };
            assert_eq!((tiling.tile, tiling.wide), (&TINY, wide));
        }
    }

    /// Another layer's d, and another tile, are no pair.
    #[test]
    fn only_a_pair_is_joined() {
        let spec = MlpSpec::new(&[20, 16, 8, 4], Activation::Mish, Loss::MeanSquaredError).unwrap();
        let plan = choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), TrainShape::full(32), DISCRETE);
        let dispatches = &plan.unwrap().passes[0].dispatches;
        let at = dispatches.iter().position(|work| work.kernel.name == "dense_gradient").unwrap();
        let (gradient, back) = (&dispatches[at], &dispatches[at + 1]);
        let both = way_back(gradient, back, DISCRETE).unwrap();
        assert_eq!(both.kernel.check(&both.dims, &both.part), Ok(()));
        assert!(
            way_back(back, gradient, DISCRETE).is_none() && way_back(gradient, &dispatches[at + 3], DISCRETE).is_none()
        );
        let mut other = back.clone();
        if let Part::Tiling(tiling) = &mut other.part {
            tiling.tile = &crate::kernels::SMALL;
        }
        assert!(way_back(gradient, &other, DISCRETE).is_none());
    }
}
