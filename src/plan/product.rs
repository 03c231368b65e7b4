//! Dispatches of the kernels that multiply matrices: which tile serves a shape.

use super::builder::dispatch;
use super::{Dispatch, View};
use crate::error::Result;
use crate::kernels::{Kernel, Part, TILES, Tile, Tiling};
use crate::math::Activation;

/// A dispatch of a kernel whose part is a tile; `dims` are its dimensions without the tile's, the product's rows and columns
/// first.
pub(super) fn product(
    kernel: &'static Kernel,
    variant: usize,
    activation: Activation,
    dims: &[usize],
    views: &[View],
) -> Result<Dispatch> {
    let mut dispatch = dispatch(kernel, Part::None, variant, dims, views)?;
    (dispatch.part, dispatch.dims) = tiled(kernel, activation, &dispatch.dims, &places(views));
    Ok(dispatch)
}

/// The tile as a part, and the dimensions with the tile's; `places` as [`Tiling::can_be_wide`] takes them.
pub(super) fn tiled(kernel: &Kernel, activation: Activation, dims: &[u32], places: &[usize]) -> (Part, Vec<u32>) {
    let tile = tile_for(dims[0], dims[1]);
    let dims: Vec<_> = dims.iter().copied().chain([tile.rows as u32, tile.columns as u32]).collect();
    let wide = Tiling::can_be_wide(kernel, &dims, places);
    (Part::Tiling(Tiling { tile, wide, activation }), dims)
}

/// Where views begin, and the distances of their replicas.
pub(super) fn places(views: &[View]) -> Vec<usize> {
    views.iter().flat_map(|view| [view.offset, view.replica_stride]).collect()
}

/// The tile for so many rows and columns of a product.
fn tile_for(rows: u32, columns: u32) -> &'static Tile {
    let named = |name| TILES.iter().find(|tile| tile.name == name).unwrap_or(&TILES[0]);
    let tiles = |size: u32| u64::from(rows.div_ceil(size)) * u64::from(columns.div_ceil(size));
    named(match columns {
        ..=NARROW if rows > NARROW => "128x16",
        _ if tiles(128) >= ENOUGH => "128x128",
        _ if tiles(64) >= ENOUGH => "64x64",
        _ if tiles(32) >= FEW => "32x32",
        _ => "16x16",
    })
}

/// Columns that the tall tile has.
const NARROW: u32 = 16;
/// Tiles that keep a large GPU busy: it has about a hundred places, each for several workgroups.
const ENOUGH: u64 = 256;
/// Tiles that use it at all.
const FEW: u64 = 64;
