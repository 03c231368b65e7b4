//! The whole forward pass of a small network in one dispatch.

use super::network::THREADS;
use crate::kernels::{
    BLOCK_WGSL, Call, Io, Kernel, MOST_GROUPS, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output,
};
use crate::math::{Activation, Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(rows, inputs, outputs, parameters, block, groups);

/// `a`, the network's outputs for `x`. Its rows are in blocks, of which a workgroup takes some.
pub static FUSED_FORWARD: Kernel = Kernel {
    name: "fused_forward",
    formula: "the outputs of a small network: its forward pass in one",
    wgsl: &[BLOCK_WGSL, wgsl!("fused/fused_forward.wgsl")],
    part: PartKind::Forward,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("x", &["rows", "inputs"]), input("p", &["parameters"]), output("a", &["rows", "outputs"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(THREADS as u32),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| all([(Dims::of(dims).groups <= MOST_GROUPS, "too many groups")]),
    cpu: cpu!(fused_forward),
};

fn fused_forward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, p, ..], [a, ..]) = (io.inputs, io.outputs);
    let network = call.network();
    let (layers, block) = (network.spec.layers(), network.block);
    let widest = layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
    let blocks = x.par_chunks(block * network.spec.inputs()).zip(a.par_chunks_mut(block * network.spec.outputs()));
    blocks.for_each(|(x, out)| {
        let rows = x.len() / network.spec.inputs();
        T::with_scratch(2 * rows * widest, |memory| {
            let (z, a) = memory.split_at_mut(rows * widest);
            let mut weight = 0;
            for (i, layer) in layers.iter().enumerate() {
                let bias = weight + layer.inputs * layer.outputs;
                let end = bias + layer.outputs;
                let (x, z) = (if i == 0 { x } else { &a[..rows * layer.inputs] }, &mut z[..rows * layer.outputs]);
                T::affine(&Product::new(rows, layer.outputs, layer.inputs), x, &p[weight..bias], &p[bias..end], z);
                let a = if i + 1 == layers.len() { &mut *out } else { &mut a[..rows * layer.outputs] };
                match layer.activation {
                    Activation::Identity => a.copy_from_slice(z),
                    activation => T::vectorized(
                        #[inline(always)]
                        || activation.forward(z, a),
                    ),
                }
                weight = end;
            }
        });
    });
}
