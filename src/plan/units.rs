//! Products by matrix units.

use super::passes::{Dispatch, Plan};
use super::product::Products;
use crate::kernels::{LARGE, MEDIUM, MatrixUnits, Part, Tile, Tiling};

impl Plan {
    /// The plan with its large products made by matrix units, in tiles that suit them and fit a workgroup's memory; the others stay f32.
    pub fn with_units(mut self, units: MatrixUnits, workgroup_bytes: usize) -> Self {
        for dispatch in self.passes.iter_mut().flat_map(|pass| &mut pass.dispatches) {
            let Part::Tiling(tiling @ Tiling { units: None, .. }) = &mut dispatch.part else { continue };
            let products = Products::of(dispatch.kernel, &dispatch.dims, self.replicas);
            let fits = |tile: &Tile| units.workgroup_bytes(tile) <= workgroup_bytes;
            let Some(tile) = tile_for(&products, fits) else { continue };
            let [.., tile_rows, tile_columns] = &mut dispatch.dims[..] else { continue };
            (*tile_rows, *tile_columns) = (tile.rows() as u32, tile.columns() as u32);
            (tiling.tile, tiling.units) = (tile, Some(units));
        }
        self
    }

    /// Matrix units that a product is made by and that are not `own`.
    pub fn other_units(&self, own: Option<MatrixUnits>) -> Option<MatrixUnits> {
        let units = |dispatch: &Dispatch| if let Part::Tiling(tiling) = &dispatch.part { tiling.units } else { None };
        self.passes.iter().flat_map(|pass| &pass.dispatches).filter_map(units).find(|&units| Some(units) != own)
    }
}

/// The tile for products; none where f32 is faster, as it is for narrow products and few tiles, or where none fits. On an H200 a product of
/// 2048x128 with a sum of 256 took 15 us in 64 tiles of 64x64, and 10 us in f32; one of 2048x256 with a sum of 784 39 us in 128, and 43 us;
/// one of 16384x256 with the same sum 124 us in 256 tiles of 128x128, and 281 us.
fn tile_for(products: &Products, fits: impl Fn(&Tile) -> bool) -> Option<&'static Tile> {
    let wanted = [(&LARGE, MANY), (&MEDIUM, ENOUGH)];
    wanted.into_iter().find(|(tile, least)| products.fill(*least, tile) && fits(tile)).map(|(tile, _)| tile)
}

/// Tiles of the middle size and of the largest that keep a large GPU busy.
const ENOUGH: u64 = 128;
const MANY: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Loss, Precision, Rule};
    use crate::plan::{PlanKind, Recipe, Target, TrainShape, choose};
    use crate::spec::MlpSpec;

    /// Large products are made by matrix units, in tiles whose dimensions the plan has; the others, and those that no memory holds, as before.
    #[test]
    fn large_products_are_made_by_units() {
        let spec = MlpSpec::new(&[784, 256, 10], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
        let target = Target::Gpu { workgroup_bytes: 48 << 10, cores: 64, sums: 64 };
        let plan =
            choose(Some(PlanKind::Layered), &spec, &Recipe::new(Rule::Sgd), TrainShape::full(4096), target).unwrap();
        let units = MatrixUnits { precision: Precision::F16x3, size: 16, subgroup: 32 };
        let made = plan.clone().with_units(units, 48 << 10);
        let labels = |plan: &Plan| -> Vec<String> {
            plan.passes[0].dispatches.iter().map(|work| work.kernel.label(&work.part, work.variant)).collect()
        };
        let found = labels(&made);
        assert_eq!(found[0], "dense 64x64x4 f16x3 relu");
        assert_eq!(found[1], labels(&plan)[1], "ten columns stay as they were");
        for work in made.passes.iter().flat_map(|pass| &pass.dispatches) {
            work.kernel.check(&work.dims, &work.part).unwrap();
        }
        assert_eq!(made.other_units(None), Some(units));
        assert_eq!(made.other_units(Some(units)), None);
        assert_eq!(labels(&plan.clone().with_units(units, 16 << 10)), labels(&plan));
    }
}
