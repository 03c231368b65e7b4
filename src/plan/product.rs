//! Dispatches of the kernels that multiply matrices: which tile serves a shape.

use super::builder::{Builder, dispatch};
use super::{Dispatch, View};
use crate::error::Result;
use crate::kernels::{Kernel, LARGE, MEDIUM, Part, SMALL, TALL, TINY, Tile, Tiling};
use crate::math::Activation;

impl Builder<'_> {
    /// A dispatch of a kernel whose part is a tile; `dims` are its dimensions without the tile's, the product's rows and
    /// columns first.
    pub(super) fn product(
        &self,
        kernel: &'static Kernel,
        variant: usize,
        activation: Activation,
        dims: &[usize],
        views: &[View],
    ) -> Result<Dispatch> {
        let mut dispatch = dispatch(kernel, Part::None, variant, dims, views)?;
        (dispatch.part, dispatch.dims) = tiled(kernel, activation, &dispatch.dims, self.replicas, &places(views));
        Ok(dispatch)
    }
}

/// The tile as a part, and the dimensions with the tile's; `places` as [`Tiling::can_be_wide`] takes them.
pub(super) fn tiled(
    kernel: &Kernel,
    activation: Activation,
    dims: &[u32],
    replicas: usize,
    places: &[usize],
) -> (Part, Vec<u32>) {
    // As many products of the shape as there are shares, for each replica.
    let shares = kernel.dims.iter().zip(dims).find(|(name, _)| **name == "groups").map_or(1, |(_, &groups)| groups);
    let tile = tile_for(dims[0], dims[1], u64::from(shares).saturating_mul(replicas as u64));
    let dims: Vec<_> = dims.iter().copied().chain([tile.rows as u32, tile.columns as u32]).collect();
    let wide = Tiling::can_be_wide(kernel.dims, &dims, places);
    (Part::Tiling(Tiling { tile, wide, activation }), dims)
}

/// Where views begin, and the distances of their replicas.
pub(super) fn places(views: &[View]) -> Vec<usize> {
    views.iter().flat_map(|view| [view.offset, view.replica_stride]).collect()
}

/// The tile for so many rows and columns of a product, of which there are `products`.
fn tile_for(rows: u32, columns: u32, products: u64) -> &'static Tile {
    let tiles = |tile: &Tile| {
        let [down, across] =
            [(rows, tile.rows), (columns, tile.columns)].map(|(n, size)| u64::from(n).div_ceil(size as u64));
        (down * across).saturating_mul(products)
    };
    match columns {
        ..=NARROW if tiles(&TALL) >= FEW => &TALL,
        _ if tiles(&LARGE) >= ENOUGH => &LARGE,
        _ if tiles(&MEDIUM) >= ENOUGH => &MEDIUM,
        _ if tiles(&SMALL) >= FEW => &SMALL,
        _ => &TINY,
    }
}

/// Columns of the tall tile.
const NARROW: u32 = 16;
/// Tiles that keep a large GPU busy: it has about a hundred places, each for several workgroups.
const ENOUGH: u64 = 256;
/// Tiles that use it at all.
const FEW: u64 = 64;
