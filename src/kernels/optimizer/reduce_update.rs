//! The second half of a fused step: the gradient as the sum of the groups' shares, and the optimiser's step with it.

use super::reduce::{CHUNK, add_up};
use super::update;
use crate::kernels::{
    Call, HYPER_AND_RATES, Io, Kernel, MOST_GROUPS, PARTIALS_WGSL, PLAIN, Part, PartKind, RULES_WGSL, WorkgroupSize,
    all, cpu, dims, in_place, input, output, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count, slots, groups, stride, settings);

/// `sum = Σ g` over the groups, then `p, s = rule(p, clip(sum) + l2 p + l1 sign(p), s)`: the second half of a fused step.
pub static REDUCE_UPDATE: Kernel = Kernel {
    name: "reduce_update",
    formula: "sum = g over groups; p, s = rule(p, clip(sum) + penalties, s)",
    wgsl: &[RULES_WGSL, PARTIALS_WGSL, wgsl!("optimizer/reduce_update.wgsl")],
    part: PartKind::Rule,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("g", &["groups", "stride"]),
        HYPER_AND_RATES,
        output("sum", &["count"]),
        in_place("p", &["count"]),
        in_place("s", &["count", "slots"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 32),
    fits: |dims, part| {
        let (d, Part::Rule(rule)) = (Dims::of(dims), part) else { return Err("no rule") };
        all([
            (d.slots >= rule.state(), "fewer slots than the rule keeps"),
            (d.stride >= d.count, "a stride less than the count"),
            (d.groups <= MOST_GROUPS, "too many groups"),
            update::rates_fit(d.settings, d.count),
        ])
    },
    cpu: cpu!(reduce_update),
};

fn reduce_update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, hyper, ..], [sum, p, s, ..], rule) = (io.inputs, io.outputs, call.rule());
    let Dims { slots, stride, .. } = Dims::of(call.dims);
    if call.step.rows == 0 {
        return;
    }
    let (step, rates) = (update::rule_step(call, hyper), update::rates(hyper));
    let chunks = p.par_chunks_mut(CHUNK).zip(sum.par_chunks_mut(CHUNK)).zip(s.par_chunks_mut(CHUNK * slots));
    chunks.enumerate().for_each(|(chunk, ((p, sum), s))| {
        T::vectorized(
            #[inline(always)]
            || {
                add_up(g, stride, chunk * CHUNK, sum);
                let rates = update::rates_from(rates, chunk * CHUNK, p.len());
                update::apply_at_rates(rule, &step, rates, (p, sum, s), slots);
            },
        );
    });
}
