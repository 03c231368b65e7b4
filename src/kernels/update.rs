//! The optimiser's step on all parameters at once, with what it keeps for them.

use rayon::prelude::*;

use super::{CHUNK, Call, Io, Kernel, PLAIN, Part, PartKind, cpu, in_place, input, per_element};
use crate::math::{Real, RuleStep};

/// The row of the table.
pub static UPDATE: Kernel = Kernel {
    name: "update",
    formula: "p, s = rule(p, g, s)",
    wgsl: include_str!("../../shaders/update.wgsl"),
    part: PartKind::Rule,
    reads_step: true,
    dims: &["count", "slots"],
    bindings: &[
        input("g", &["count"]),
        input("hyper", &["12"]),
        in_place("p", &["count"]),
        in_place("s", &["count", "slots"]),
    ],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(update),
};

fn update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, hyper, ..], [p, s, ..], Part::Rule(rule)) = (io.inputs, io.outputs, call.part) else { return };
    let slots = call.dims[1] as usize;
    let step = RuleStep {
        hyper: std::array::from_fn(|index| hyper[index]),
        rate: T::from_f64(call.step.rate),
        corrections: call.step.corrections.map(T::from_f64),
    };
    let chunks = p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(s.par_chunks_mut(CHUNK * slots));
    chunks.for_each(|((p, g), s)| rule.apply(p, g, s, slots, &step));
}
