//! The whole forward and backward pass of a small network, a slice of the rows at a time: every group's share of the
//! gradient, and its loss. On the CPU a group is a task, so that a thread works in its own cache.

use std::ops::Range;

use super::network::THREADS;
use crate::kernels::elementwise::Mask;
use crate::kernels::optimizer::settings;
use crate::kernels::sampling::{ORDERS, SampleOrder};
use crate::kernels::{
    BLOCK_WGSL, Call, HYPER, Io, Kernel, MASK_WGSL, MOST_GROUPS, Network, ORDER_WGSL, PartKind, WAY_BACK_WGSL,
    WorkgroupSize, all, cpu, dims, input, output, scratch,
};
use crate::math::{Activation, Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(rows, samples, inputs, columns, units, parameters, block, groups);

/// `g[group]`, each group's share of the gradient by all parameters, and its sums of the loss and of correct predictions: forward pass, loss and backward pass of a small network in one.
pub static FUSED_GRADIENT: Kernel = Kernel {
    name: "fused_gradient",
    formula: "each group's share of the loss and its gradient: forward and backward pass in one",
    wgsl: &[MASK_WGSL, ORDER_WGSL, BLOCK_WGSL, WAY_BACK_WGSL, wgsl!("fused/fused_gradient.wgsl")],
    part: PartKind::Network,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("y", &["samples", "columns"]),
        HYPER,
        input("p", &["parameters"]),
        scratch("scratch", &["groups", "units", "block"]),
        output("g", &["groups", "parameters"]),
        output("sums", &["groups", "2"]),
    ],
    variants: ORDERS,
    workgroup_size: WorkgroupSize::Fixed(THREADS as u32),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([(d.rows <= d.samples, "more rows than samples"), (d.groups <= MOST_GROUPS, "too many groups")])
    },
    cpu: cpu!(fused_gradient),
};

fn fused_gradient<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let Dims { rows, samples, columns, groups, .. } = Dims::of(call.dims);
    let rows = rows.min(call.step.rows as usize);
    slices(call, call.network(), Sizes { rows, samples, columns, groups }, io);
}

/// What a network leaves open.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub rows: usize,
    pub samples: usize,
    /// Of the targets.
    pub columns: usize,
    pub groups: usize,
}

/// Takes the rows through the network, in as many slices as groups. The bindings are those of [`FUSED_GRADIENT`].
pub(super) fn slices<T: Real>(call: &Call<'_>, network: &Network, sizes: Sizes, io: Io<'_, T>) {
    let ([x, y, hyper, p, ..], [_, g, sums, ..]) = (io.inputs, io.outputs);
    let Sizes { rows, columns, groups, .. } = sizes;
    if rows == 0 {
        return;
    }
    let run = rows.div_ceil(network.block).div_ceil(groups) * network.block;
    let layout = ActivationLayout::new(network, columns);
    let work = g.par_chunks_mut(network.parameters()).zip(sums.par_chunks_mut(2)).enumerate();
    work.for_each(|(group, (g, sums))| {
        sums.fill(T::default());
        let end = (run * (group + 1)).min(rows);
        T::with_scratch(layout.len * network.block, |values| {
            T::vectorized(
                #[inline(always)]
                || {
                    for first in (run * group..end).step_by(network.block) {
                        let (rows, values) = (network.block.min(end - first), &mut *values);
                        let mut block = Block { call, network, sizes, layout: &layout, values, first, rows, p };
                        block.load(x, y);
                        block.forward();
                        block.loss(hyper, sums);
                        block.backward(g, first > run * group);
                    }
                },
            );
        });
        if run * group >= rows {
            g.fill(T::default());
        }
    });
}

/// Where a block's values stand in the scratch memory, in elements a row: all rows of one thing, then of the next. The
/// features are first, then each layer's [places](places).
struct ActivationLayout {
    targets: usize,
    /// Two gradients that take turns.
    deltas: [usize; 2],
    len: usize,
}

impl ActivationLayout {
    fn new(network: &Network, columns: usize) -> Self {
        let targets = places(network, network.spec.layers().len())[0];
        let widest = network.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        let first = targets + columns;
        Self { targets, deltas: [first, first + widest], len: first + 2 * widest }
    }
}

/// Where z, a and what is handed on stand, of a layer; the same place where they are the same, or a takes that of z. Behind
/// the last layer, the end.
fn places(network: &Network, layer: usize) -> [usize; 3] {
    let (mut place, mut found) = (network.spec.inputs(), [network.spec.inputs(); 3]);
    for (layer, &threshold) in network.spec.layers().iter().zip(&network.thresholds).take(layer + 1) {
        let a = place + if layer.activation.needs_z() { layer.outputs } else { 0 };
        let y = a + if threshold > 0 { layer.outputs } else { 0 };
        found = [place, a, y];
        place = y + layer.outputs;
    }
    if layer < network.spec.layers().len() { found } else { [place; 3] }
}

/// Some rows on their way through the network.
struct Block<'a, T> {
    call: &'a Call<'a>,
    network: &'a Network,
    sizes: Sizes,
    layout: &'a ActivationLayout,
    values: &'a mut [T],
    first: usize,
    rows: usize,
    p: &'a [T],
}

impl<T: Real> Block<'_, T> {
    /// The place of `width` values a row.
    fn range(&self, place: usize, width: usize) -> Range<usize> {
        // The activations were laid out for whole blocks.
        let start = place * self.network.block;
        start..start + width * self.rows
    }

    /// Several things at once; they never overlap.
    fn get<const N: usize>(&mut self, ranges: [Range<usize>; N]) -> [&mut [T]; N] {
        #[allow(clippy::expect_used)]
        self.values.get_disjoint_mut(ranges).expect("the places of activations lie apart")
    }

    /// What a layer is handed.
    fn input(&self, layer: usize) -> Range<usize> {
        let width = self.network.spec.layers()[layer].inputs;
        self.range(if layer == 0 { 0 } else { places(self.network, layer - 1)[2] }, width)
    }

    fn delta(&self, layer: usize, width: usize) -> Range<usize> {
        self.range(self.layout.deltas[layer % 2], width)
    }

    #[inline(always)]
    fn load(&mut self, x: &[T], y: &[T]) {
        let (inputs, columns) = (self.network.spec.inputs(), self.sizes.columns);
        let order = SampleOrder::of(self.call, self.sizes.samples as u32);
        let (first, rows) = (self.first, self.rows);
        let [features, targets] = self.get([self.range(0, inputs), self.range(self.layout.targets, columns)]);
        let mut copy = |row: usize, sample: usize, count: usize| {
            for (from, to, width) in [(x, &mut *features, inputs), (y, &mut *targets, columns)] {
                let source = &from[sample * width..][..count * width];
                to[row * width..][..count * width].copy_from_slice(source);
            }
        };
        match order.run(first, rows) {
            Some(sample) => copy(0, sample, rows),
            None => order.for_each(first, rows, |row, sample| copy(row, sample, 1)),
        }
    }

    #[inline(always)]
    fn forward(&mut self) {
        let mut weight = 0;
        for (i, layer) in self.network.spec.layers().iter().enumerate() {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let [z_place, a_place, y_place] = places(self.network, i).map(|place| self.range(place, outputs));
            let (x, rows, p, bias) = (self.input(i), self.rows, self.p, weight + inputs * outputs);
            let [x, z] = self.get([x, z_place.clone()]);
            T::affine(&Product::new(rows, outputs, inputs), x, &p[weight..bias], &p[bias..bias + outputs], z);
            if z_place != a_place {
                let [z, a] = self.get([z_place, a_place.clone()]);
                layer.activation.forward(z, a);
            } else if layer.activation != Activation::Identity {
                let [a] = self.get([a_place.clone()]);
                layer.activation.forward_in_place(a);
            }
            if a_place != y_place {
                let mask = self.mask(i);
                let [a, y] = self.get([a_place, y_place]);
                a.iter().zip(y).zip(mask.1..).for_each(|((&a, y), index)| *y = mask.0.apply(a, index));
            }
            weight = bias + outputs;
        }
    }

    /// The mask of a layer's dropout, and the index of the block's first unit.
    fn mask(&self, layer: usize) -> (Mask<T>, usize) {
        let mask = Mask::of(&self.call.step, layer as u32 + 1, self.network.thresholds[layer]);
        (mask, self.first * self.network.spec.layers()[layer].outputs)
    }

    #[inline(always)]
    fn loss(&mut self, hyper: &[T], sums: &mut [T]) {
        let (loss, last) = (self.network.spec.loss(), self.network.spec.layers().len() - 1);
        let (outputs, columns, rows) = (self.network.spec.outputs(), self.sizes.columns, self.sizes.rows);
        let terms = loss.terms(outputs);
        let (c, count) = (settings(hyper).loss_parameter, T::from_f64((rows * terms) as f64));
        let weighting = self.call.step.weighting as usize;
        let ranges = [
            self.range(places(self.network, last)[2], outputs),
            self.range(self.layout.targets, columns),
            self.delta(last, outputs),
        ];
        let [z, y, d] = self.get(ranges);
        // Pointwise terms without weights are one long row.
        let whole = [outputs, columns] == [terms; 2];
        let [outputs, columns, terms] = if whole { [z.len(); 3] } else { [outputs, columns, terms] };
        let rows = z.chunks_exact(outputs).zip(y.chunks_exact(columns)).zip(d.chunks_exact_mut(outputs));
        for ((z, y), d) in rows {
            let (mut value, correct) = loss.row(z, &y[..terms], c, Some(d));
            if columns > terms {
                let weight = y[terms + weighting.min(columns - terms - 1)];
                value = weight * value;
                d.iter_mut().for_each(|d| *d = weight * *d);
            }
            d.iter_mut().for_each(|d| *d = *d / count);
            sums[0] += value;
            sums[1] += T::from_f64(correct as f64);
        }
    }

    /// `later` adds to the gradient of the blocks before.
    #[inline(always)]
    fn backward(&mut self, g: &mut [T], later: bool) {
        let mut end = g.len();
        for (i, layer) in self.network.spec.layers().iter().enumerate().rev() {
            let (inputs, outputs, rows, p) = (layer.inputs, layer.outputs, self.rows, self.p);
            let [z, a, y] = places(self.network, i).map(|place| self.range(place, outputs));
            let (x, delta) = (self.input(i), self.delta(i, outputs));
            // Nobody asks for the gradient by the features.
            let next = if i > 0 { self.delta(i + 1, inputs) } else { 0..0 };
            if a != y {
                let (mask, first) = self.mask(i);
                let [d] = self.get([delta.clone()]);
                d.iter_mut().zip(first..).for_each(|(d, index)| *d = mask.apply(*d, index));
            }
            if z != a {
                let [z, a, d] = self.get([z, a, delta.clone()]);
                layer.activation.backward(z, a, d);
            } else if layer.activation != Activation::Identity {
                let [a, d] = self.get([a, delta.clone()]);
                layer.activation.backward(a, a, d);
            }
            let [x, d, next] = self.get([x, delta, next]);
            let (bias, weight) = (end - outputs, end - outputs - inputs * outputs);
            let product = Product::new(inputs, outputs, rows).a_transposed();
            T::product(&if later { product.added() } else { product }, x, d, &mut g[weight..bias]);
            let sums = &mut g[bias..end];
            if !later {
                sums.fill(T::default());
            }
            d.chunks_exact(outputs).for_each(|d| sums.iter_mut().zip(d).for_each(|(sum, &d)| *sum += d));
            if i > 0 {
                T::product(&Product::new(rows, inputs, outputs).b_transposed(), d, &p[weight..bias], next);
            }
            end = weight;
        }
    }
}
