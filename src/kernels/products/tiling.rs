//! A tile as a part of a kernel: the loop of the product in front of it, and loads and stores of one or of four elements at a time.

use std::fmt;

use super::MatrixUnits;
use super::panels::Panel;
use super::tile::{SMALL, TILES, TINY, Tile};
use crate::kernels::{Access, Binding, MATRIX_UNITS_WGSL, PRODUCT_WGSL};
use crate::math::Activation;

/// A tile as a part of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tiling {
    /// The tile.
    pub tile: &'static Tile,
    /// Whether matrices are read and written four elements at a time, which [`Tiling::can_be_wide`] allows.
    pub wide: bool,
    /// The matrix units that make it, where they do.
    pub units: Option<MatrixUnits>,
    /// The activation, in kernels that have one.
    pub activation: Activation,
}

impl Tiling {
    /// Every tile, read one element and four elements at a time.
    pub(in crate::kernels) fn each() -> impl Iterator<Item = Self> + Clone {
        let tiling = |tile: &'static Tile, wide| Self { tile, wide, units: None, activation: Activation::Identity };
        TILES.iter().copied().flat_map(move |tile| [false, true].map(|wide| tiling(tile, wide)))
    }

    /// Every tile and every activation, but not each with each other.
    pub(in crate::kernels) fn each_with_activation() -> impl Iterator<Item = Self> {
        let count = Activation::ALL.len().max(2 * TILES.len());
        Self::each()
            .cycle()
            .zip(Activation::ALL.iter().cycle())
            .take(count)
            .map(|(tiling, &activation)| Self { activation, ..tiling })
    }

    /// Whether the matrices of a kernel with dimensions of such `names` can be read four elements at a time: all lines, their beginnings and the distances of
    /// replicas, which `places` are, are multiples of four.
    pub fn can_be_wide(names: &[&str], dims: &[u32], places: &[usize]) -> bool {
        // Rows only count lines, and a tile is what it is; of m, n and k, which matmul has, any may be a line's length.
        let lines = |name: &str| !["rows", "groups", "tile_rows", "tile_columns"].contains(&name);
        let mut lengths = names.iter().zip(dims).filter(|(name, _)| lines(name)).map(|(_, &dim)| dim);
        lengths.all(|length| length.is_multiple_of(4)) && places.iter().all(|place| place.is_multiple_of(4))
    }

    /// Whether its tile is one for little work.
    pub fn is_small(&self) -> bool {
        [&TINY, &SMALL].contains(&self.tile)
    }

    /// Invocations of a workgroup.
    pub fn threads(&self) -> usize {
        self.units.map_or(self.tile.threads(), |units| units.threads(self.tile))
    }

    /// The loop of a product with its sizes, and the activation.
    pub(in crate::kernels) fn wgsl(&self) -> String {
        if let Some(units) = &self.units {
            return units.wgsl(self.tile) + MATRIX_UNITS_WGSL + self.activation.wgsl();
        }
        let (rows, columns, depth) = (self.tile.rows(), self.tile.columns(), self.tile.depth());
        let panel = |name, operand, side: usize| {
            Panel { name, operand, quads: side / 4, depth, threads: self.tile.threads(), wide: self.wide }.wgsl()
        };
        // Single elements have so many places that their registers would not do for the sums beside them.
        let ahead = format!("const AHEAD = {};\n", self.wide);
        let panels = panel("a", "left", rows) + &panel("b", "right", columns);
        [&self.tile.wgsl(), &ahead, &panels, PRODUCT_WGSL, self.activation.wgsl()].concat()
    }

    /// A kernel's bindings, with functions that read and write four neighbouring elements, of which `count` exist. The first
    /// two are the product's operands, whatever their names: of them [`Panel`] reads four elements at a time, or one, and matrix units take four.
    /// Where a kernel makes a `pair` of products, the other one's operands, which are read by depth, are the third and the first.
    pub(in crate::kernels) fn bindings(&self, bindings: &[Binding], pair: bool) -> String {
        let (element, operands) = (if self.wide { "vec4<f32>" } else { "f32" }, if pair { 3 } else { 2 });
        let mut text = String::new();
        for (index, binding) in bindings.iter().enumerate() {
            let (name, place) = (binding.name, index + 2);
            let (access, read, written) = match binding.access {
                Access::In => ("read", true, false),
                Access::Out => ("read_write", false, true),
                Access::InOut | Access::Scratch => ("read_write", true, true),
            };
            text += &format!("@group(0) @binding({place}) var<storage, {access}> {name}: array<{element}>;\n");
            if read && index >= operands {
                text += &format!("fn load_{name}(at: u32, count: u32) -> vec4<f32> {{\n{}}}\n", self.load(name));
            }
            if written {
                text +=
                    &format!("fn store_{name}(at: u32, count: u32, values: vec4<f32>) {{\n{}}}\n", self.store(name));
            }
        }
        for (operand, panel, own, other) in [("left", "A", 0, 2), ("right", "B", 1, 0)] {
            let name = bindings[own].name;
            if self.units.is_some() {
                text += &format!("fn load_{operand}(at: u32, count: u32) -> vec4<f32> {{\n{}}}\n", self.load(name));
                continue;
            }
            let (count, at) = if self.wide { ("four", "at / 4u") } else { ("one", "at") };
            let by_depth = match pair {
                true => {
                    format!("    if ({panel}_BY_DEPTH) {{\n        return {}[{at}];\n    }}\n", bindings[other].name)
                }
                false => String::new(),
            };
            text += &format!("fn {count}_{operand}(at: u32) -> {element} {{\n{by_depth}    return {name}[{at}];\n}}\n");
        }
        text
    }

    fn load(&self, name: &str) -> String {
        if self.wide {
            return format!("    return {name}[at / 4u];\n");
        }
        // Past the end the last one again, and 0 for it: no branch.
        format!(
            "    let last = count - 1u;\n    let values = vec4<f32>({name}[at], {name}[at + min(1u, last)], {name}[at + min(2u, last)],\n        \
             {name}[at + min(3u, last)]);\n    \
             return select(vec4<f32>(), values, vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(last));\n"
        )
    }

    fn store(&self, name: &str) -> String {
        if self.wide {
            return format!("    {name}[at / 4u] = values;\n");
        }
        let mut text = format!("    {name}[at] = values.x;\n");
        for (i, lane) in [(1, "y"), (2, "z"), (3, "w")] {
            text += &format!("    if (count > {i}u) {{ {name}[at + {i}u] = values.{lane}; }}\n");
        }
        text
    }

    /// Value of a dimension that the tile fixes.
    pub(in crate::kernels) fn dim(&self, name: &str) -> Option<usize> {
        match name {
            "tile_rows" => Some(self.tile.rows()),
            "tile_columns" => Some(self.tile.columns()),
            _ => None,
        }
    }
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tile.name)?;
        f.write_str(if self.wide { "x4" } else { "" })?;
        self.units.iter().try_for_each(|units| write!(f, " {}", units.precision))?;
        if self.activation == Activation::Identity { Ok(()) } else { write!(f, " {}", self.activation.name()) }
    }
}
