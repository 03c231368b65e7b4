//! A small network that workgroups take rows through, block by block.

use std::sync::Arc;

use crate::error::Result;
use crate::kernels::{MOST_LAYERS, Network};

/// A network and the number of workgroups, or of tasks on a CPU, that share its rows.
#[derive(Debug)]
pub(super) struct Slices {
    pub network: Arc<Network>,
    pub groups: usize,
}

/// The network in the first of the blocks that fit so many bytes of workgroup memory, if it is not too deep, with the parameters held
/// beside the rows where there is room for them.
pub(super) fn fitted(
    network: Network,
    blocks: impl IntoIterator<Item = usize>,
    workgroup_bytes: usize,
) -> Result<Option<Network>> {
    if network.spec().layers().len() > MOST_LAYERS {
        return Ok(None);
    }
    let fits = |block, holds| network.workgroup_bytes(block, holds) <= workgroup_bytes;
    let Some(block) = blocks.into_iter().find(|&block| fits(block, false)) else { return Ok(None) };
    let holds = fits(block, true);
    network.in_blocks(block, holds).map(Some)
}

/// Rows that a block may have on a GPU, the best first: so many that every core has a block.
pub(super) fn gpu_blocks(rows: usize, cores: usize) -> impl Iterator<Item = usize> {
    GPU_BLOCKS.into_iter().filter(move |&block| block <= LEAST_ROWS || rows.div_ceil(block) >= cores)
}

/// Rows that a workgroup takes through a network at a time: more of them make fewer shares of the gradient and more use of the parameters
/// that are held, fewer leave work for more cores.
const GPU_BLOCKS: [usize; 4] = [32, 16, 8, 4];
/// The fewest of them that more cores are worth.
const LEAST_ROWS: usize = 8;
