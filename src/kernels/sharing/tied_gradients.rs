//! The gradient by what networks train, where they share it.

use std::ops::Range;

use crate::kernels::{
    CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(parameters, trained, inputs, outputs, tied, members, networks);

/// From the gradients by the weights that networks compute with that by what one of them trains. Of the first `tied` parameters, which a run of `members`
/// networks shares, it is the mean over them; in rows of the first layer's weight `[inputs, outputs]` each counts times the network's factor.
pub static TIED_GRADIENTS: Kernel = Kernel {
    name: "tied_gradients",
    formula: "h = the mean of g over networks that share it, the network's own g, and Σ p g over outputs by its factors",
    wgsl: &[wgsl!("sharing/tied_gradients.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[
        input("g", &["networks", "parameters"]),
        input("p", &["networks", "trained"]),
        output("h", &["trained"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).trained, 256),
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([
            (d.trained == d.parameters + d.inputs, "not a factor for each input"),
            (d.inputs.saturating_mul(d.outputs) <= d.tied, "a first layer that is not shared"),
            (d.tied <= d.parameters, "more shared than there is"),
            (d.networks.is_multiple_of(d.members), "a run of networks that is not whole"),
        ])
    },
    cpu: cpu!(tied_gradients),
};

fn tied_gradients<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, p, ..], [h, ..]) = (io.inputs, io.outputs);
    let Dims { parameters, trained, inputs, outputs, tied, members, networks } = Dims::of(call.dims);
    let own = call.replica % networks;
    let (own_g, own_p) = (&g[own * parameters..][..parameters], &p[own * trained..][..trained]);
    let first = inputs * outputs;
    let (shared, rest) = h.split_at_mut(tied);
    let (weight, others) = shared.split_at_mut(first);
    let shares = Shares { g, p, run: own / members * members..own / members * members + members, parameters, trained };
    let rows_of_a_task = (CHUNK / outputs).max(1);
    weight.par_chunks_mut(rows_of_a_task * outputs).enumerate().for_each(|(task, h)| {
        T::vectorized(
            #[inline(always)]
            || {
                for (row, h) in (task * rows_of_a_task..).zip(h.chunks_exact_mut(outputs)) {
                    shares.mean(h, row * outputs, Some(row));
                }
            },
        );
    });
    others.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, h)| {
        T::vectorized(
            #[inline(always)]
            || shares.mean(h, first + chunk * CHUNK, None),
        );
    });
    let (heads, factors) = rest.split_at_mut(parameters - tied);
    heads.copy_from_slice(&own_g[tied..]);
    let rows = own_p[..first].chunks_exact(outputs).zip(own_g[..first].chunks_exact(outputs));
    factors.iter_mut().zip(rows).for_each(|(h, (p, g))| {
        *h = T::default();
        p.iter().zip(g).for_each(|(&p, &g)| *h += p * g);
    });
}

/// The gradients of a run of networks, and what they train.
struct Shares<'a, T> {
    g: &'a [T],
    p: &'a [T],
    run: Range<usize>,
    parameters: usize,
    trained: usize,
}

impl<T: Real> Shares<'_, T> {
    /// The mean over the networks of their gradients from the `at`-th on; in a `row` of the first layer's weight each times the network's factor.
    #[inline(always)]
    fn mean(&self, h: &mut [T], at: usize, row: Option<usize>) {
        h.fill(T::default());
        for network in self.run.clone() {
            let g = &self.g[network * self.parameters + at..][..h.len()];
            match row.map(|row| self.p[network * self.trained + self.parameters + row]) {
                Some(factor) => h.iter_mut().zip(g).for_each(|(h, &g)| *h += g * factor),
                None => h.iter_mut().zip(g).for_each(|(h, &g)| *h += g),
            }
        }
        let count = T::from_f64(self.run.len() as f64);
        h.iter_mut().for_each(|h| *h = *h / count);
    }
}
