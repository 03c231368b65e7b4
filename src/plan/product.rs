//! Which tile serves a product of matrices.

use super::buffers::places;
use super::passes::{Dispatch, Plan};
use super::request::Target;
use crate::kernels::{AB, Kernel, LARGE, MATMUL, MEDIUM, Part, SMALL, TALL, TINY, Tile, Tiling};
use crate::math::Activation;

impl Plan {
    /// One product c = a b of matrices [m, k] and [k, n], which are the buffers 2, 0 and 1, in tiles for a CPU or software.
    pub fn product([m, n, k]: [u32; 3], slots: usize) -> Self {
        let (part, dims) = tiled(&MATMUL, Activation::Identity, &[m, n, k], 1, &[], Target::Cpu);
        Self::single(&MATMUL, part, AB, dims, slots)
    }

    /// The same work, its products in the tiles that serve them best on a target.
    #[must_use]
    pub fn in_tiles_for(mut self, target: Target) -> Self {
        let replicas = self.replicas;
        for work in self.passes.iter_mut().flat_map(|pass| &mut pass.dispatches) {
            if let Part::Tiling(Tiling { activation, .. }) = work.part {
                work.dims.truncate(work.kernel.dims.len() - OF_TILE);
                in_tiles(work, activation, replicas, target);
            }
        }
        self
    }
}

/// Puts a dispatch whose dimensions are without a tile's into the tiles that serve it best.
pub(super) fn in_tiles(work: &mut Dispatch, activation: Activation, replicas: usize, target: Target) {
    (work.part, work.dims) = tiled(work.kernel, activation, &work.dims, replicas, &places(&work.views), target);
}

/// The tile as a part, and the dimensions with the tile's; `places` as [`Kernel::can_be_wide`] takes them.
fn tiled(
    kernel: &Kernel,
    activation: Activation,
    dims: &[u32],
    replicas: usize,
    places: &[[usize; 2]],
    target: Target,
) -> (Part, Vec<u32>) {
    let tile = Products::of(kernel, dims, replicas).tile_for(target);
    let dims: Vec<_> = dims.iter().copied().chain([tile.rows() as u32, tile.columns() as u32]).collect();
    let wide = kernel.can_be_wide(&dims, places);
    (Part::Tiling(Tiling { tile, wide, units: None, activation }), dims)
}

/// Products of one shape that a dispatch makes.
pub(super) struct Products {
    rows: u32,
    columns: u32,
    count: u64,
}

impl Products {
    /// As many of the shape as there are shares, for each replica.
    pub fn of(kernel: &Kernel, dims: &[u32], replicas: usize) -> Self {
        let partials = kernel.dim("groups", dims).unwrap_or(1);
        Self { rows: dims[0], columns: dims[1], count: u64::from(partials).saturating_mul(replicas as u64) }
    }

    /// Whether there are so many of a tile, and most of it does not lie outside.
    pub fn fill(&self, least: u64, tile: &Tile) -> bool {
        self.tiles(tile) >= least && self.rows.min(self.columns) as usize > tile.columns() / 2
    }

    fn tiles(&self, tile: &Tile) -> u64 {
        let [down, across] = [(self.rows, tile.rows()), (self.columns, tile.columns())]
            .map(|(n, size)| u64::from(n).div_ceil(size as u64));
        (down * across).saturating_mul(self.count)
    }

    /// The tile for them.
    fn tile_for(&self, target: Target) -> &'static Tile {
        let [few, enough, many] = busy(target);
        match self.columns {
            ..=NARROW if self.tiles(&TALL) >= few => &TALL,
            _ if holds(target, &LARGE) && self.fill(enough, &LARGE) => &LARGE,
            _ if self.fill(many, &MEDIUM) => &MEDIUM,
            _ if self.fill(few, &SMALL) => &SMALL,
            _ => &TINY,
        }
    }
}

/// Whether a target's invocations have registers for a tile's sums.
pub(super) fn holds(target: Target, tile: &Tile) -> bool {
    if let Target::Gpu { sums, .. } = target { sums >= tile.sums() } else { true }
}

/// The fewest tiles that the small and the tall one, the large one and the middle one are worth.
fn busy(target: Target) -> [u64; 3] {
    match target {
        // Fewer tiles take as long as one: the panels of one after the other, each as long as it takes to come. An H200 multiplies
        // 256x784 by 784x256 in 64 tiles of 32x32 in 15 us and in 256 of 16x16 in 11 us, 2048x784 by 784x256 in 512 of 32x32 in 43 us and
        // in 128 of 64x64 in 79 us (docs/benchmarks.md). It has twice the cores that are assumed of a discrete GPU.
        Target::Gpu { cores, .. } if cores > 1 => TILES_A_CORE.map(|tiles| tiles * cores as u64),
        // The workgroups of a GPU in software wait for each other: what counts is how often an element is read. A processor takes no tiles.
        _ => [64, 256, 256],
    }
}

/// Dimensions that a tile adds to a product's.
const OF_TILE: usize = 2;
/// Columns of the tall tile.
const NARROW: u32 = 16;
/// Tiles for each core that is assumed, in the order of [`busy`]. An H200 takes the middle one only for what fills it many times over.
const TILES_A_CORE: [u64; 3] = [2, 4, 8];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Loss, Rule};
    use crate::plan::{Recipe, TrainShape, choose};
    use crate::spec::MlpSpec;

    const SOFTWARE: Target = Target::Gpu { workgroup_bytes: 32 << 10, cores: 1, sums: 64 };
    const INTEGRATED: Target = Target::Gpu { workgroup_bytes: 32 << 10, cores: 16, sums: 64 };
    const DISCRETE: Target = Target::Gpu { workgroup_bytes: 48 << 10, cores: 64, sums: 64 };

    /// Rows, columns and products, and the tiles on a discrete GPU, an integrated one and one in software.
    #[test]
    fn tiles_follow_the_cores_that_are_assumed() {
        for (size, tiles) in [
            ((32, 256, 1), [&TINY, &TINY, &TINY]),
            ((256, 256, 1), [&TINY, &SMALL, &SMALL]),
            ((784, 256, 1), [&SMALL, &SMALL, &SMALL]),
            ((2048, 128, 1), [&SMALL, &SMALL, &SMALL]),
            ((2048, 256, 1), [&SMALL, &MEDIUM, &SMALL]),
            ((16_384, 12, 1), [&TALL, &TALL, &TALL]),
            ((65_536, 12, 1), [&TALL, &TALL, &TALL]),
            ((16_384, 64, 1), [&SMALL, &MEDIUM, &MEDIUM]),
            ((16_384, 128, 1), [&MEDIUM, &LARGE, &MEDIUM]),
            ((16_384, 256, 1), [&LARGE, &LARGE, &LARGE]),
            ((1024, 1024, 1), [&SMALL, &LARGE, &MEDIUM]),
            ((4096, 4096, 1), [&LARGE, &LARGE, &LARGE]),
            ((50, 50, 64), [&SMALL, &SMALL, &SMALL]),
        ] {
            let (rows, columns, count) = size;
            let products = Products { rows, columns, count };
            let found = [DISCRETE, INTEGRATED, SOFTWARE].map(|target| products.tile_for(target));
            assert_eq!(found, tiles, "{size:?}");
        }
        assert_eq!(Products { rows: 256, columns: 256, count: 1 }.tile_for(Target::Cpu), &SMALL);
    }

    /// Where 64 sums of an invocation would not stay in registers, the middle tile is the largest.
    #[test]
    fn tiles_follow_the_registers() {
        let intel = Target::Gpu { workgroup_bytes: 64 << 10, cores: 64, sums: 32 };
        let products = Products { rows: 4096, columns: 4096, count: 1 };
        assert_eq!([DISCRETE, intel].map(|target| products.tile_for(target)), [&LARGE, &MEDIUM]);
    }

    /// A plan's products follow its target, and nothing else of it does.
    #[test]
    fn plans_have_the_tiles_of_their_target() {
        let spec = MlpSpec::new(&[64, 256, 10], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
        let tiles = |target| {
            let layered = Some(crate::plan::PlanKind::Layered);
            let plan = choose(layered, &spec, &Recipe::new(Rule::Sgd), TrainShape::full(256), target).unwrap();
            let works = plan.passes.iter().flat_map(|pass| &pass.dispatches);
            works
                .filter_map(|work| if let Part::Tiling(own) = &work.part { Some(own.tile) } else { None })
                .collect::<Vec<_>>()
        };
        assert_eq!(tiles(SOFTWARE), tiles(Target::Cpu));
        assert_eq!(tiles(SOFTWARE)[..2], [&SMALL, &TINY]);
        assert!(tiles(DISCRETE).iter().all(|tile| **tile == TINY));
    }
}
