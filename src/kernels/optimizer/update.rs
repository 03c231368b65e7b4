//! The optimiser's step on all parameters at once, with what it keeps for them.

use super::square_sum::MOST as MOST_SQUARES;
use crate::kernels::{
    CHUNK, Call, HYPER_AND_RATES, Io, Kernel, Part, PartKind, RULES_WGSL, Variant, WorkgroupSize, all, cpu, dims,
    in_place, input, per_element,
};
use crate::math::{Hyper, Optimizer, Real, Rule, RuleStep};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Takes gradients as they are, or brings each into a limit.
pub const UNSCALED: usize = 0;
/// Scales all gradients down to a norm first.
pub const CLIPPED: usize = 1;

dims!(count, slots, groups, settings);

/// `p, s = rule(p, clip(g) + l2 p + l1 sign(p), s)`: the optimiser's step on every parameter.
pub static UPDATE: Kernel = Kernel {
    name: "update",
    formula: "p, s = rule(p, clip(g) + penalties, s)",
    wgsl: &[RULES_WGSL, wgsl!("optimizer/update.wgsl")],
    part: PartKind::Rule,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("g", &["count"]),
        input("squares", &["groups"]),
        HYPER_AND_RATES,
        in_place("p", &["count"]),
        in_place("s", &["count", "slots"]),
    ],
    variants: &[
        Variant { name: "", constants: &[("CLIP", 0.0)] },
        Variant { name: "clipped", constants: &[("CLIP", 1.0)] },
    ],
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: |dims, part| {
        let (d, Part::Rule(rule)) = (Dims::of(dims), part) else { return Err("no rule") };
        // A workgroup adds the groups' squares up at once.
        let groups = d.groups <= MOST_SQUARES;
        all([
            (d.slots >= rule.state(), "fewer slots than the rule keeps"),
            (groups, "too many groups"),
            rates_fit(d.settings, d.count),
        ])
    },
    cpu: cpu!(update),
};

fn update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, squares, hyper, ..], [p, s, ..]) = (io.inputs, io.outputs);
    let slots = Dims::of(call.dims).slots;
    if call.step.rows == 0 {
        return;
    }
    let mut step = rule_step(call, hyper);
    if call.variant == CLIPPED {
        let mut sum = T::default();
        squares.iter().for_each(|&square| sum += square);
        step.scale = clipping(sum, hyper);
    }
    apply(call.rule(), &step, rates(hyper), (p, g, s), slots);
}

/// A replica's settings by name.
pub(in crate::kernels) fn settings<T: Real>(hyper: &[T]) -> Hyper<T> {
    Hyper::of(&std::array::from_fn(|place| hyper[place]))
}

/// The learning rates of the parameters, behind a replica's settings; none where they are the same.
pub(in crate::kernels) fn rates<T>(hyper: &[T]) -> &[T] {
    &hyper[Optimizer::HYPER..]
}

/// Whether there are so many settings, with rates for `count` parameters or without; and what is wrong otherwise.
pub(in crate::kernels) fn rates_fit(settings: usize, count: usize) -> (bool, &'static str) {
    let fit = [Optimizer::HYPER, Optimizer::HYPER + count].contains(&settings);
    (fit, "neither a learning rate for all parameters nor one for each")
}

/// The factor that brings a gradient with such a sum of squares down to the norm that is allowed.
pub(in crate::kernels) fn clipping<T: Real>(squares: T, hyper: &[T]) -> Option<T> {
    let (norm, limit) = (squares.sqrt(), settings(hyper).clip_norm);
    (norm > limit).then(|| limit / norm)
}

/// The step of all parameters, with their gradients and what is kept for them.
pub(in crate::kernels) fn apply<T: Real>(
    rule: Rule,
    step: &RuleStep<T>,
    rates: &[T],
    (p, g, s): (&mut [T], &[T], &mut [T]),
    slots: usize,
) {
    let chunks = p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(s.par_chunks_mut(CHUNK * slots));
    chunks.enumerate().for_each(|(chunk, ((p, g), s))| {
        T::vectorized(
            #[inline(always)]
            || apply_at_rates(rule, step, rates_from(rates, chunk * CHUNK, p.len()), (p, g, s), slots),
        );
    });
}

/// The rates of `count` parameters from the first on, where there are any.
#[inline(always)]
pub(super) fn rates_from<T>(rates: &[T], first: usize, count: usize) -> &[T] {
    if rates.is_empty() { rates } else { &rates[first..first + count] }
}

/// The step of neighbouring parameters, each run of them that has one rate at once; those of a rate of 0 stay.
// A browser has one copy for both kernels; elsewhere it becomes part of what is compiled for the processor's SIMD.
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(super) fn apply_at_rates<T: Real>(
    rule: Rule,
    step: &RuleStep<T>,
    rates: &[T],
    (p, g, s): (&mut [T], &[T], &mut [T]),
    slots: usize,
) {
    // The rule stands here once: its text is long, for each number type.
    let mut first = 0;
    while first < p.len() {
        let run = rates.get(first..).and_then(|rates| rates.chunk_by(|one, next| one == next).next());
        let (learning_rate, len) = run.map_or((step.hyper.learning_rate, p.len()), |run| (run[0], run.len()));
        let range = first..first + len;
        first = range.end;
        if run.is_none() || learning_rate != T::default() {
            let own = RuleStep { hyper: Hyper { learning_rate, ..step.hyper }, ..*step };
            let s = &mut s[range.start * slots..range.end * slots];
            rule.apply(&mut p[range.clone()], &g[range], s, slots, &own);
        }
    }
}

/// What a rule has to know of a step, without scaling.
pub(in crate::kernels) fn rule_step<T: Real>(call: &Call<'_>, hyper: &[T]) -> RuleStep<T> {
    RuleStep {
        hyper: settings(hyper),
        lr_factor: T::from_f64(call.step.lr_factor),
        bias_corrections: call.step.bias_corrections.map(T::from_f64),
        scale: None,
    }
}
