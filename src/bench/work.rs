//! What a step has to do, counted: arithmetic by the network, traffic by the plan; and where two devices are level.

use super::Work;
use crate::kernels::Access;
use crate::plan::Pass;
use crate::spec::MlpSpec;

/// Operations of a step on `batch` rows: those of its matrix products, a multiplication and an addition for each weight
/// and row. The forward pass takes 2 B Σ in·out over the layers, B being the batch. Training adds as much for the
/// weights' gradients, and for the gradients by a layer's input as much again except for the first layer, which has
/// none. Biases, activations, the loss and the update are not counted: they are less than a hundredth in layers of some
/// width.
pub fn step_flops(spec: &MlpSpec, batch: usize, work: Work) -> u64 {
    let products = spec.layers().iter().enumerate().map(|(index, layer)| {
        let products = match work {
            Work::Infer => 1,
            Work::Train if index == 0 => 2,
            Work::Train => 3,
        };
        // Too many for any device where it overflows.
        [batch, layer.inputs, layer.outputs]
            .iter()
            .fold(2 * products, |all: u64, &size| all.saturating_mul(size as u64))
    });
    products.fold(0, u64::saturating_add)
}

/// Bytes that a pass's dispatches read and write, of one replica in f32: each binding once, twice where it is changed in
/// place or is memory to work in. Products read their tiles more often, and caches keep a part from the memory, so it is neither bound nor
/// measure of what crosses the memory's bus, but what would if every dispatch read and wrote all that it names just once.
pub fn pass_bytes(pass: &Pass) -> u64 {
    let bindings = pass.dispatches.iter().flat_map(|dispatch| {
        // What two bindings read is read once.
        let is_first = |&(index, _): &(usize, _)| !dispatch.views[..index].contains(&dispatch.views[index]);
        dispatch.kernel.bindings.iter().enumerate().filter(is_first).map(|(index, binding)| {
            let times = if matches!(binding.access, Access::InOut | Access::Scratch) { 2 } else { 1 };
            4 * times * dispatch.kernel.elements(index, &dispatch.dims)
        })
    });
    bindings.sum()
}

/// Batch sizes at which two devices are equally fast, from their speeds at the same sizes in rising order, `(batch, one's,
/// the other's)`: between two sizes where the faster one changes, the ratio of their speeds is taken for a power of the
/// batch.
pub fn crossings(speeds: &[(usize, f64, f64)]) -> Vec<f64> {
    let between = |pair: &[(usize, f64, f64)]| {
        let [from, to] = [pair[0], pair[1]].map(|(batch, one, other)| ((batch as f64).ln(), (other / one).ln()));
        let crosses = (from.1 < 0.0) != (to.1 < 0.0);
        crosses.then(|| (from.0 + (to.0 - from.0) * from.1 / (from.1 - to.1)).exp())
    };
    speeds.windows(2).filter_map(between).collect()
}
