//! The optimiser's step on all parameters at once.

use rayon::prelude::*;

use super::{CHUNK, Call, Io, Kernel, PLAIN, Part, PartKind, cpu, in_place, input, per_element};
use crate::math::Real;

/// The row of the table.
pub static UPDATE: Kernel = Kernel {
    name: "update",
    formula: "p = rule(p, g, rate)",
    wgsl: include_str!("../../shaders/update.wgsl"),
    part: PartKind::Rule,
    reads_step: true,
    dims: &["count"],
    bindings: &[input("g", &["count"]), input("hyper", &["1"]), in_place("p", &["count"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(update),
};

fn update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, hyper, ..], [p, ..], Part::Rule(rule)) = (io.inputs, io.outputs, call.part) else { return };
    let rate = hyper[0] * T::from_f64(call.step.rate);
    p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).for_each(|(p, g)| rule.apply(p, g, rate));
}
