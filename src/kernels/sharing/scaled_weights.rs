//! The weights that a network computes with, where it has factors on its inputs.

use crate::kernels::{Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output, per_element};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(parameters, trained, inputs, outputs);

/// `w = p`, the rows of the first layer's weight `[inputs, outputs]` by the factors that stand behind the parameters.
pub static SCALED_WEIGHTS: Kernel = Kernel {
    name: "scaled_weights",
    formula: "w = p, the rows of the first weight by the factors behind the parameters",
    wgsl: &[wgsl!("sharing/scaled_weights.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("p", &["trained"]), output("w", &["parameters"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).parameters, 256),
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([
            (d.trained == d.parameters + d.inputs, "not a factor for each input"),
            (d.inputs.saturating_mul(d.outputs) <= d.parameters, "a first layer of more than all parameters"),
        ])
    },
    cpu: cpu!(scaled_weights),
};

fn scaled_weights<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([p, ..], [w, ..]) = (io.inputs, io.outputs);
    let Dims { parameters, inputs, outputs, .. } = Dims::of(call.dims);
    let (p, factors) = p.split_at(parameters);
    let first = inputs * outputs;
    let rows = w[..first].par_chunks_mut(outputs).zip(p[..first].par_chunks(outputs)).zip(factors);
    rows.for_each(|((w, p), &factor)| w.iter_mut().zip(p).for_each(|(w, &p)| *w = p * factor));
    w[first..].copy_from_slice(&p[first..]);
}
