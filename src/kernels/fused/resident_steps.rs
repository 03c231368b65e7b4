//! A run of training steps of a small network in one dispatch: for few rows, where launching two dispatches a step takes longer
//! than their work.

use std::sync::Arc;

use super::fused_gradient::fused_gradient;
use super::network::THREADS;
use crate::kernels::optimizer::{apply, clipping, rule_step};
use crate::kernels::sampling::ORDERS;
use crate::kernels::{
    BLOCK_WGSL, Call, Io, Kernel, MASK_WGSL, ORDER_WGSL, Part, PartKind, RULES_WGSL, cpu, in_place, input, output,
    scratch,
};
use crate::math::Real;

/// The row of the table.
pub static RESIDENT_STEPS: Kernel = Kernel {
    name: "resident_steps",
    formula: "steps on end: the loss and its gradient; p, s = rule(p, clip(g) + penalties, s)",
    wgsl: &[RULES_WGSL, MASK_WGSL, ORDER_WGSL, BLOCK_WGSL, include_str!("../../../shaders/fused/resident_steps.wgsl")],
    part: PartKind::Training,
    reads_step: true,
    dims: &["samples", "inputs", "columns", "units", "parameters", "block", "slots"],
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("y", &["samples", "columns"]),
        input("hyper", &["12"]),
        in_place("p", &["parameters"]),
        scratch("scratch", &["units", "block"]),
        output("g", &["parameters"]),
        in_place("s", &["parameters", "slots"]),
        output("sums", &["2"]),
    ],
    variants: ORDERS,
    workgroup_size: THREADS as u32,
    workgroups: |_| 1,
    cpu: cpu!(resident_steps),
};

/// One step: nothing is launched here, so the backend calls it for each of a run.
fn resident_steps<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, y, hyper, ..], [p, scratch, g, s, sums, ..], Part::Training(network, rule)) =
        (io.inputs, io.outputs, call.part)
    else {
        return;
    };
    let [samples, inputs, columns, units, parameters, block, slots] = [0, 1, 2, 3, 4, 5, 6].map(|dim| call.dims[dim]);
    let gradient = Call {
        dims: &[call.step.rows, samples, inputs, columns, units, parameters, block, 1],
        part: &Part::Network(Arc::clone(network)),
        ..*call
    };
    let inputs = [x, y, hyper, p, &[], &[], &[], &[]];
    let outputs = [scratch, &mut *g, sums, &mut [], &mut [], &mut [], &mut [], &mut []];
    fused_gradient(&gradient, Io { inputs, outputs });
    let mut step = rule_step(call, hyper);
    if hyper[10] > T::default() {
        let mut squares = T::default();
        g.iter().for_each(|&g| squares += g * g);
        step.scale = clipping(squares, hyper);
    }
    apply(*rule, &step, (p, g, s), slots as usize);
}
