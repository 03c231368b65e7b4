//! Products by matrix units.

use super::passes::{Dispatch, Plan};
use crate::kernels::{LARGE, MEDIUM, MatrixUnits, Part, SMALL, TALL, Tile, Tiling};

impl Plan {
    /// The plan with its products made by matrix units, in tiles that suit them and fit a workgroup's memory.
    pub fn with_units(mut self, units: MatrixUnits, workgroup_bytes: usize) -> Self {
        let replicas = self.replicas as u64;
        for dispatch in self.passes.iter_mut().flat_map(|pass| &mut pass.dispatches) {
            let Part::Tiling(tiling @ Tiling { units: None, .. }) = &mut dispatch.part else { continue };
            let partials = dispatch.kernel.dim("groups", &dispatch.dims).unwrap_or(1);
            let products = u64::from(partials).saturating_mul(replicas);
            let fits = |tile: &Tile| units.workgroup_bytes(tile) <= workgroup_bytes;
            let Some(tile) = tile_for(dispatch.dims[0], dispatch.dims[1], products, fits) else { continue };
            let [.., tile_rows, tile_columns] = &mut dispatch.dims[..] else { continue };
            (*tile_rows, *tile_columns) = (tile.rows() as u32, tile.columns() as u32);
            (tiling.tile, tiling.units) = (tile, Some(units));
        }
        self
    }

    /// Matrix units that a product is made by and that are not `own`.
    pub(crate) fn other_units(&self, own: Option<MatrixUnits>) -> Option<MatrixUnits> {
        let units = |dispatch: &Dispatch| if let Part::Tiling(tiling) = &dispatch.part { tiling.units } else { None };
        self.passes.iter().flat_map(|pass| &pass.dispatches).filter_map(units).find(|&units| Some(units) != own)
    }
}

/// The tile for so many rows and columns of a product, of which there are `products`; none where none fits. On an H200 a product of 256x256x768
/// took 19 us in 32 tiles of 64x32 and 24 us in 16 of 64x64, one of 2048x256x768 25 us in 256 and 24 us in 128, one of 16384x256x768
/// 122 us in 1,024 of 64x64 and 96 us in 256 of 128x128.
fn tile_for(rows: u32, columns: u32, products: u64, fits: impl Fn(&Tile) -> bool) -> Option<&'static Tile> {
    let tiles = |tile: &Tile| {
        let [down, across] =
            [(rows, tile.rows()), (columns, tile.columns())].map(|(n, size)| u64::from(n).div_ceil(size as u64));
        (down * across).saturating_mul(products)
    };
    let wanted = match columns {
        ..=NARROW => [&TALL, &SMALL],
        _ if tiles(&LARGE) >= MANY && rows.min(columns) > MEDIUM.columns() as u32 => [&LARGE, &MEDIUM],
        _ if tiles(&MEDIUM) >= ENOUGH => [&MEDIUM, &SMALL],
        _ => [&SMALL, &SMALL],
    };
    wanted.into_iter().find(|tile| fits(tile))
}

/// Columns of the tall tile.
const NARROW: u32 = 16;
/// Tiles of the middle size and of the largest that keep a large GPU busy.
const ENOUGH: u64 = 64;
const MANY: u64 = 256;
