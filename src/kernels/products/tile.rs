//! How the kernels that multiply matrices cut their product into tiles, and the WGSL that depends on it: sizes, the sums
//! in registers with their unrolled inner loop, and loads and stores of one or of four elements at a time.

use std::fmt::{self, Write};

use super::MatrixUnits;
use crate::kernels::{Access, Binding, MATRIX_UNITS_WGSL, PRODUCT_WGSL};
use crate::math::Activation;

/// The tile of a product that a workgroup makes. There are only those of [`TILES`]: shaders rely on their sizes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Rows and columns in words.
    name: &'static str,
    /// Rows of c; a multiple of 4 `blocks[0]`.
    rows: usize,
    /// Columns of c; a multiple of 4 `blocks[1]`, at most four for each invocation.
    columns: usize,
    /// Columns of a and rows of b that are in workgroup memory at a time; a multiple of 4 and of `slices`.
    depth: usize,
    /// Blocks of 4 x 4 elements of c that an invocation makes, down and across.
    blocks: [usize; 2],
    /// Groups of invocations that share the depth: more of them where there are few tiles.
    slices: usize,
}

/// For little work. Panels are deep, since nothing else hides the time that the next one takes to come.
pub static TINY: Tile = Tile { name: "16x16", rows: 16, columns: 16, depth: 64, blocks: [1, 1], slices: 4 };
/// For more of it.
pub static SMALL: Tile = Tile { name: "32x32", rows: 32, columns: 32, depth: 32, blocks: [1, 1], slices: 2 };
/// For products with tiles enough.
pub static MEDIUM: Tile = Tile { name: "64x64", rows: 64, columns: 64, depth: 16, blocks: [2, 2], slices: 1 };
/// For the largest.
pub static LARGE: Tile = Tile { name: "128x128", rows: 128, columns: 128, depth: 8, blocks: [2, 2], slices: 1 };
/// For few columns.
pub static TALL: Tile = Tile { name: "128x16", rows: 128, columns: 16, depth: 8, blocks: [1, 1], slices: 1 };

/// Every tile.
pub const TILES: &[&Tile] = &[&TINY, &SMALL, &MEDIUM, &LARGE, &TALL];

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

impl Tile {
    /// Rows of c.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of c.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Columns of a and rows of b that are in workgroup memory at a time.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Invocations of a workgroup.
    pub fn threads(&self) -> usize {
        self.rows * self.columns / (16 * self.blocks[0] * self.blocks[1]) * self.slices
    }

    /// Sizes, sums and the inner loop.
    fn wgsl(&self) -> String {
        let [down, across] = self.blocks;
        let slice = self.threads() / self.slices;
        let mut text = format!(
            "const ROWS = {}u;\nconst COLUMNS = {}u;\nconst DEPTH = {}u;\nconst SLICES = {}u;\nconst SLICE_THREADS = {slice}u;\n\
             const ROW_THREADS = {}u;\nconst COLUMN_THREADS = {}u;\nconst BLOCKS = {down}u;\nconst BLOCK_QUADS = {across}u;\n",
            self.rows,
            self.columns,
            self.depth,
            self.slices,
            self.rows / (4 * down),
            self.columns / (4 * across),
        );
        let sums: Vec<_> = (0..4 * down).flat_map(|row| (0..across).map(move |quad| (row, quad))).collect();
        let lines = |line: &dyn Fn(usize, usize) -> String| sums.iter().map(|&(row, quad)| line(row, quad)).collect();
        let mut put = |head: &str, body: String| {
            // A String takes whatever is written to it.
            let _ = write!(text, "{head} {{\n{body}}}\n");
        };
        let mut body = String::new();
        for (panel, pitch, step, count) in
            [("a", "A_PITCH", "ROW_THREADS", down), ("b", "B_PITCH", "COLUMN_THREADS", across)]
        {
            for i in 0..count {
                body += &format!("    let {panel}{i} = {panel}_panel[{panel}_at + depth * {pitch} + {i}u * {step}];\n");
            }
        }
        for &(row, quad) in &sums {
            let (block, lane) = (row / 4, ["x", "y", "z", "w"][row % 4]);
            body += &format!("    sum_{row}_{quad} = fma(vec4<f32>(a{block}.{lane}), b{quad}, sum_{row}_{quad});\n");
        }
        put("fn accumulate(a_at: u32, b_at: u32, depth: u32)", body);
        let starts = (0..across).map(|quad| {
            let rows = (0..4 * down).map(|row| format!("    sum_{row}_{quad} = start_{quad};\n")).collect::<String>();
            format!("    let start_{quad} = start(replica, column + {quad}u * 4u * COLUMN_THREADS);\n{rows}")
        });
        put("fn begin(replica: u32, column: u32)", starts.collect());
        let mut cases: String =
            lines(&|row, quad| format!("        case {}u: {{ return sum_{row}_{quad}; }}\n", row * across + quad));
        cases = format!("    switch (index) {{\n{cases}        default: {{ return vec4<f32>(); }}\n    }}\n");
        put("fn sum_at(index: u32) -> vec4<f32>", cases);
        let place = |row, quad| format!("handed[place + {}u * SLICE_THREADS]", row * across + quad);
        let several = self.slices > 1;
        put(
            "fn hand_over(place: u32)",
            match several {
                true => lines(&|row, quad| format!("    {} = sum_{row}_{quad};\n", place(row, quad))),
                false => String::new(),
            },
        );
        put(
            "fn take_over(place: u32)",
            match several {
                true => lines(&|row, quad| format!("    sum_{row}_{quad} += {};\n", place(row, quad))),
                false => String::new(),
            },
        );
        if several {
            text += "var<workgroup> handed: array<vec4<f32>, ROWS * COLUMNS / 4u * (SLICES - 1u)>;\n";
        }
        text + &sums
            .iter()
            .map(|(row, quad)| format!("var<private> sum_{row}_{quad}: vec4<f32>;\n"))
            .collect::<String>()
    }
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

    /// Invocations of a workgroup.
    pub fn threads(&self) -> usize {
        self.units.map_or(self.tile.threads(), |units| units.threads(self.tile))
    }

    /// The loop of a product with its sizes, and the activation.
    pub(in crate::kernels) fn wgsl(&self) -> String {
        let product = match &self.units {
            Some(units) => units.wgsl(self.tile) + MATRIX_UNITS_WGSL,
            None => self.tile.wgsl() + PRODUCT_WGSL,
        };
        product + self.activation.wgsl()
    }

    /// A kernel's bindings, with functions that read and write four neighbouring elements, of which `count` exist. The first
    /// two are the product's operands, whatever their names.
    pub(in crate::kernels) fn bindings(&self, bindings: &[Binding]) -> String {
        let element = if self.wide { "vec4<f32>" } else { "f32" };
        let mut text = format!("const WIDE = {};\n", self.wide);
        for (index, binding) in bindings.iter().enumerate() {
            let (name, place) = (binding.name, index + 2);
            let (access, read, written) = match binding.access {
                Access::In => ("read", true, false),
                Access::Out => ("read_write", false, true),
                Access::InOut | Access::Scratch => ("read_write", true, true),
            };
            text += &format!("@group(0) @binding({place}) var<storage, {access}> {name}: array<{element}>;\n");
            if read {
                let called = ["left", "right"].get(index).unwrap_or(&name);
                text += &format!("fn load_{called}(at: u32, count: u32) -> vec4<f32> {{\n{}}}\n", self.load(name));
                if index < 2 {
                    let one = if self.wide { "[at / 4u][at % 4u]" } else { "[at]" };
                    text += &format!("fn one_{called}(at: u32) -> f32 {{\n    return {name}{one};\n}}\n");
                }
            }
            if written {
                text +=
                    &format!("fn store_{name}(at: u32, count: u32, values: vec4<f32>) {{\n{}}}\n", self.store(name));
            }
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
            "tile_rows" => Some(self.tile.rows),
            "tile_columns" => Some(self.tile.columns),
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
