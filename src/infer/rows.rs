//! A network's outputs on this processor, by blocks of rows that a thread takes through all layers. A row's outputs are the same
//! bits whatever rows come with it, so that blocks can be cut as it suits.

use crate::math::{Real, affine_alone};
use crate::parallel::Pool;
use crate::parallel::prelude::*;
use crate::params::Layout;
use crate::spec::MlpSpec;

/// Multiplications that are worth waking other threads.
const SHARED: usize = 1 << 19;
/// Rows of a block: enough that packing a weight does not count, few enough for a core's cache.
const MOST: usize = 256;
/// Fewest rows that another thread is given.
const LEAST: usize = 32;

/// Writes the outputs [rows, outputs] of `x` [rows, inputs], both by rows: on this thread where it is little work, else on
/// those of `pool`.
pub(super) fn run(pool: &Pool, network: NetworkView<'_>, x: &[f32], z: &mut [f32]) {
    let (inputs, outputs) = (network.spec.inputs(), network.spec.outputs());
    let rows = x.len() / inputs;
    if rows.saturating_mul(network.layout.len()) < SHARED {
        for (x, z) in x.chunks(MOST * inputs).zip(z.chunks_mut(MOST * outputs)) {
            network.block(x, z);
        }
        return;
    }
    // Several blocks for each thread, so that one that begins late does not decide.
    let block = rows.div_ceil(4 * pool.threads()).clamp(LEAST, MOST);
    pool.install(|| {
        let blocks = x.par_chunks(block * inputs).zip(z.par_chunks_mut(block * outputs));
        blocks.for_each(|(x, z)| network.block(x, z));
    });
}

/// A network with its parameters, and where each of them stands.
#[derive(Clone, Copy)]
pub(super) struct NetworkView<'a> {
    pub spec: &'a MlpSpec,
    pub layout: &'a Layout,
    pub parameters: &'a [f32],
}

impl NetworkView<'_> {
    fn block(&self, x: &[f32], out: &mut [f32]) {
        let layers = self.spec.layers();
        let rows = x.len() / self.spec.inputs();
        let widest = layers.iter().map(|layer| layer.outputs).max().unwrap_or(0);
        f32::with_scratch(2 * rows * widest, |memory| {
            let (z, a) = memory.split_at_mut(rows * widest);
            for (i, layer) in layers.iter().enumerate() {
                let (weight, bias) = (&self.layout.weight(i).range, &self.layout.bias(i).range);
                let (weight, bias) = (&self.parameters[weight.clone()], &self.parameters[bias.clone()]);
                let z = &mut z[..rows * layer.outputs];
                let x = if i == 0 { x } else { &a[..rows * layer.inputs] };
                affine_alone([rows, layer.outputs, layer.inputs], x, weight, bias, z);
                let a = if i + 1 == layers.len() { &mut *out } else { &mut a[..rows * layer.outputs] };
                f32::vectorized(
                    #[inline(always)]
                    || layer.activation.forward(z, a),
                );
            }
        });
    }
}
