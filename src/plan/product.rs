//! Which tile serves a product of matrices.

use crate::kernels::{Kernel, LARGE, MEDIUM, Part, SMALL, TALL, TINY, Tile, Tiling};
use crate::math::Activation;

/// The tile as a part, and the dimensions with the tile's; `places` as [`Tiling::can_be_wide`] takes them.
pub(super) fn tiled(
    kernel: &Kernel,
    activation: Activation,
    dims: &[u32],
    replicas: usize,
    places: &[usize],
) -> (Part, Vec<u32>) {
    // As many products of the shape as there are shares, for each replica.
    let partials = kernel.dims.iter().zip(dims).find(|(name, _)| **name == "groups").map_or(1, |(_, &groups)| groups);
    let tile = tile_for(dims[0], dims[1], u64::from(partials).saturating_mul(replicas as u64));
    let dims: Vec<_> = dims.iter().copied().chain([tile.rows() as u32, tile.columns() as u32]).collect();
    let wide = Tiling::can_be_wide(kernel.dims, &dims, places);
    (Part::Tiling(Tiling { tile, wide, units: None, activation }), dims)
}

/// The tile for so many rows and columns of a product, of which there are `products`.
fn tile_for(rows: u32, columns: u32, products: u64) -> &'static Tile {
    let tiles = |tile: &Tile| {
        let [down, across] =
            [(rows, tile.rows()), (columns, tile.columns())].map(|(n, size)| u64::from(n).div_ceil(size as u64));
        (down * across).saturating_mul(products)
    };
    match columns {
        ..=NARROW if tiles(&TALL) >= FEW => &TALL,
        _ if tiles(&LARGE) >= ENOUGH && rows.min(columns) > MEDIUM.columns() as u32 => &LARGE,
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
