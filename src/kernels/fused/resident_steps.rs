//! A run of training steps of a small network in one dispatch: for few rows, where launching two dispatches a step takes longer
//! than their work.

use super::fused_gradient::{Sizes, slices};
use super::network::THREADS;
use crate::kernels::optimizer::{apply, clipping, rates, rates_fit, rule_step, settings};
use crate::kernels::sampling::ORDERS;
use crate::kernels::{
    BLOCK_WGSL, Call, HYPER_AND_RATES, Io, Kernel, MASK_WGSL, MAX_RUN, ORDER_WGSL, Part, PartKind, RULES_WGSL,
    WAY_BACK_WGSL, WorkgroupSize, all, cpu, dims, in_place, input, output, scratch,
};
use crate::math::Real;
use crate::wgsl::wgsl;

dims!(samples, inputs, columns, units, parameters, block, slots, settings);

/// Steps on end: `g`, the gradient by all parameters, then `p, s = rule(p, clip(g) + l2 p + l1 sign(p), s)`, and each step's sums of the loss and of correct predictions.
pub static RESIDENT_STEPS: Kernel = Kernel {
    name: "resident_steps",
    formula: "steps on end: the loss and its gradient; p, s = rule(p, clip(g) + penalties, s)",
    wgsl: &[RULES_WGSL, MASK_WGSL, ORDER_WGSL, BLOCK_WGSL, WAY_BACK_WGSL, wgsl!("fused/resident_steps.wgsl")],
    part: PartKind::Training,
    most_steps: MAX_RUN,
    dims: Dims::NAMES,
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("y", &["samples", "columns"]),
        HYPER_AND_RATES,
        in_place("p", &["parameters"]),
        scratch("scratch", &["units", "block"]),
        output("g", &["parameters"]),
        in_place("s", &["parameters", "slots"]),
        output("sums", &["2"]),
    ],
    variants: ORDERS,
    workgroup_size: WorkgroupSize::Fixed(THREADS as u32),
    workgroups: |_| 1,
    fits: |dims, part| {
        let Part::Training(_, rule) = part else { return Err("no rule") };
        let d = Dims::of(dims);
        let slots = (d.slots >= rule.state(), "fewer slots than the rule keeps");
        all([slots, rates_fit(d.settings, d.parameters)])
    },
    cpu: cpu!(resident_steps),
};

/// One step: nothing is launched here, so the backend calls it for each of a run.
fn resident_steps<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, y, hyper, ..], [p, scratch, g, s, sums, ..]) = (io.inputs, io.outputs);
    if call.step.rows == 0 {
        return;
    }
    let Dims { samples, columns, slots, .. } = Dims::of(call.dims);
    let sizes = Sizes { rows: call.step.rows as usize, samples, columns, groups: 1 };
    let inputs = [x, y, hyper, p, &[], &[], &[], &[]];
    let outputs = [scratch, &mut *g, sums, &mut [], &mut [], &mut [], &mut [], &mut []];
    slices(call, call.network(), sizes, Io { inputs, outputs });
    let mut step = rule_step(call, hyper);
    if settings(hyper).clip_norm > T::default() {
        let mut squares = T::default();
        g.iter().for_each(|&g| squares += g * g);
        step.scale = clipping(squares, hyper);
    }
    apply(call.rule(), &step, rates(hyper), (p, g, s), slots);
}
