//! The optimiser's step on all parameters at once, with what it keeps for them.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, Part, PartKind, RULES_WGSL, Variant, cpu, in_place, input, per_element};
use crate::math::{Real, Rule, RuleStep};

/// Takes gradients as they are, or brings each into a limit.
pub const UNSCALED: usize = 0;
/// Scales all gradients down to a norm first.
pub const CLIPPED: usize = 1;

/// The row of the table.
pub static UPDATE: Kernel = Kernel {
    name: "update",
    formula: "p, s = rule(p, clip(g) + penalties, s)",
    wgsl: &[RULES_WGSL, include_str!("../../../shaders/optimizer/update.wgsl")],
    part: PartKind::Rule,
    reads_step: true,
    dims: &["count", "slots", "groups"],
    bindings: &[
        input("g", &["count"]),
        input("squares", &["groups"]),
        input("hyper", &["12"]),
        in_place("p", &["count"]),
        in_place("s", &["count", "slots"]),
    ],
    variants: &[
        Variant { name: "", constants: &[("CLIP", 0.0)] },
        Variant { name: "clipped", constants: &[("CLIP", 1.0)] },
    ],
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(update),
};

fn update<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, squares, hyper, ..], [p, s, ..], Part::Rule(rule)) = (io.inputs, io.outputs, call.part) else { return };
    let slots = call.dims[1] as usize;
    let mut step = rule_step(call, hyper);
    if call.variant == CLIPPED {
        let mut sum = T::default();
        squares.iter().for_each(|&square| sum += square);
        step.scale = clipping(sum, hyper);
    }
    apply(*rule, &step, (p, g, s), slots);
}

/// The factor that brings a gradient with such a sum of squares down to the norm that is allowed.
pub(in crate::kernels) fn clipping<T: Real>(squares: T, hyper: &[T]) -> Option<T> {
    let (norm, limit) = (squares.sqrt(), hyper[10]);
    (norm > limit).then(|| limit / norm)
}

/// The step of all parameters, with their gradients and what is kept for them.
pub(in crate::kernels) fn apply<T: Real>(
    rule: Rule,
    step: &RuleStep<T>,
    (p, g, s): (&mut [T], &[T], &mut [T]),
    slots: usize,
) {
    let chunks = p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(s.par_chunks_mut(CHUNK * slots));
    chunks.for_each(|((p, g), s)| {
        T::vectorized(
            #[inline(always)]
            || rule.apply(p, g, s, slots, step),
        );
    });
}

/// What a rule has to know of a step, without scaling.
pub(in crate::kernels) fn rule_step<T: Real>(call: &Call<'_>, hyper: &[T]) -> RuleStep<T> {
    RuleStep {
        hyper: std::array::from_fn(|index| hyper[index]),
        rate: T::from_f64(call.step.rate),
        corrections: call.step.corrections.map(T::from_f64),
        scale: None,
    }
}
