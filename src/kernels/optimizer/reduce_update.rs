//! The second half of a fused step: the gradient as the sum of the groups' shares, and the optimiser's step with it.

use rayon::prelude::*;

use super::reduce::{CHUNK, add_up};
use super::update;
use crate::kernels::{
    Call, Io, Kernel, PLAIN, Part, PartKind, RULES_WGSL, SHARES_WGSL, cpu, in_place, input, output, per_element,
};
use crate::math::Real;

/// The row of the table.
pub static REDUCE_UPDATE: Kernel = Kernel {
    name: "reduce_update",
    formula: "sum = g over groups; p, s = rule(p, clip(sum) + penalties, s)",
    wgsl: &[RULES_WGSL, SHARES_WGSL, include_str!("../../../shaders/optimizer/reduce_update.wgsl")],
    part: PartKind::Rule,
    reads_step: true,
    dims: &["count", "slots", "groups", "stride"],
    bindings: &[
        input("g", &["groups", "stride"]),
        input("hyper", &["12"]),
        output("sum", &["count"]),
        in_place("p", &["count"]),
        in_place("s", &["count", "slots"]),
    ],
    variants: PLAIN,
    workgroup_size: 64,
    workgroups: |dims| per_element(dims[0].into(), 64),
    cpu: cpu!(reduce_update),
};

fn reduce_update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, hyper, ..], [sum, p, s, ..], Part::Rule(rule)) = (io.inputs, io.outputs, call.part) else { return };
    let [slots, stride] = [1, 3].map(|dim| call.dims[dim] as usize);
    let step = update::rule_step(call, hyper);
    let chunks = p.par_chunks_mut(CHUNK).zip(sum.par_chunks_mut(CHUNK)).zip(s.par_chunks_mut(CHUNK * slots));
    chunks.enumerate().for_each(|(chunk, ((p, sum), s))| {
        T::vectorized(
            #[inline(always)]
            || {
                add_up(g, stride, chunk * CHUNK, sum);
                rule.apply(p, sum, s, slots, &step);
            },
        );
    });
}
