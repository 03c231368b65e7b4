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
    /// Whether matrices are read and written four elements at a time, which [`Kernel::can_be_wide`](crate::kernels::Kernel::can_be_wide) allows.
    pub wide: bool,
    /// The matrix units that make it, where they do.
    pub units: Option<MatrixUnits>,
    /// The activation, in kernels that have one.
    pub activation: Activation,
}

/// Where a product's operands are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) enum Operands {
    /// The first two bindings, whatever their names.
    First,
    /// The same, and those of another product, which are read by depth: the third and the first.
    OfPair,
    /// The first two. Line l of the first one is its line `samples[l - top_row]` in memory, and its panels are copied.
    Found,
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
        // Single elements have so many places that their registers would not do for the sums beside them.
        let ahead = format!("const AHEAD = {};\n", self.wide);
        let panels = self.panel("a", "left").wgsl() + &self.panel("b", "right").wgsl();
        [&self.tile.wgsl(), &ahead, &panels, PRODUCT_WGSL, self.activation.wgsl()].concat()
    }

    fn panel(&self, name: &'static str, operand: &'static str) -> Panel {
        let side = if name == "a" { self.tile.rows() } else { self.tile.columns() };
        let (depth, threads) = (self.tile.depth(), self.tile.threads());
        Panel { name, operand, quads: side / 4, depth, threads, wide: self.wide }
    }

    /// A kernel's bindings, with functions that read and write four neighbouring elements, of which `count` exist. The product's operands
    /// have functions by other names: of them [`Panel`] reads four elements at a time, or one, and matrix units take four. Short lines are the
    /// kernel's own affair.
    pub(in crate::kernels) fn bindings(&self, bindings: &[Binding], operands: Operands) -> String {
        let pair = operands == Operands::OfPair;
        let count = if pair { 3 } else { 2 };
        let mut text = String::new();
        for (index, binding) in bindings.iter().enumerate() {
            let (name, place, wide) = (binding.name, index + 2, self.wide && binding.has_lengths());
            let (access, read, written) = match binding.access {
                Access::In => ("read", true, false),
                Access::Out => ("read_write", false, true),
                Access::InOut | Access::Scratch => ("read_write", true, true),
            };
            text += &format!("@group(0) @binding({place}) var<storage, {access}> {name}: array<{}>;\n", element(wide));
            if !binding.has_lengths() {
                continue;
            }
            if read && index >= count {
                text += &format!("fn load_{name}(at: u32, count: u32) -> vec4<f32> {{\n{}}}\n", load(name, wide));
            }
            if written {
                let store = store(name, wide);
                text += &format!("fn store_{name}(at: u32, count: u32, values: vec4<f32>) {{\n{store}}}\n");
            }
        }
        if self.units.is_none() {
            text += &match operands {
                Operands::Found => self.panel("a", "left").copied(),
                _ => "fn copy_a(thread: u32, side: u32, depth: u32) {}\n".into(),
            };
        }
        for (operand, panel, own, other) in [("left", "A", 0, 2), ("right", "B", 1, 0)] {
            let name = bindings[own].name;
            if self.units.is_some() {
                let load = load(name, self.wide);
                text += &format!("fn load_{operand}(at: u32, count: u32) -> vec4<f32> {{\n{load}}}\n");
                continue;
            }
            let line = if operands == Operands::Found && own == 0 { "samples[line - top_row]" } else { "line" };
            text += &format!("fn line_of_{operand}(line: u32) -> u32 {{\n    return {line};\n}}\n");
            let (count, at) = if self.wide { ("four", "at / 4u") } else { ("one", "at") };
            let by_depth = match pair {
                true => {
                    format!("    if ({panel}_BY_DEPTH) {{\n        return {}[{at}];\n    }}\n", bindings[other].name)
                }
                false => String::new(),
            };
            let element = element(self.wide);
            text += &format!("fn {count}_{operand}(at: u32) -> {element} {{\n{by_depth}    return {name}[{at}];\n}}\n");
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

fn element(wide: bool) -> &'static str {
    if wide { "vec4<f32>" } else { "f32" }
}

fn load(name: &str, wide: bool) -> String {
    if wide {
        return format!("    return {name}[at / 4u];\n");
    }
    // Past the end the last one again, and 0 for it: no branch.
    format!(
        "    let last = count - 1u;\n    let values = vec4<f32>({name}[at], {name}[at + min(1u, last)], {name}[at + min(2u, last)],\n        \
         {name}[at + min(3u, last)]);\n    \
         return select(vec4<f32>(), values, vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(last));\n"
    )
}

fn store(name: &str, wide: bool) -> String {
    if wide {
        return format!("    {name}[at / 4u] = values;\n");
    }
    let mut text = format!("    {name}[at] = values.x;\n");
    for (i, lane) in [(1, "y"), (2, "z"), (3, "w")] {
        text += &format!("    if (count > {i}u) {{ {name}[at + {i}u] = values.{lane}; }}\n");
    }
    text
}

impl fmt::Display for Tiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tile.name)?;
        f.write_str(if self.wide { "x4" } else { "" })?;
        self.units.iter().try_for_each(|units| write!(f, " {}", units.precision))?;
        if self.activation == Activation::Identity { Ok(()) } else { write!(f, " {}", self.activation.name()) }
    }
}
