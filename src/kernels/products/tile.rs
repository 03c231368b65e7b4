//! How the kernels that multiply matrices cut their product into tiles, and the WGSL that depends on it: sizes, and the sums
//! in registers with their unrolled inner loop.

use std::fmt::Write;

/// The tile of a product that a workgroup makes. There are only those of [`TILES`]: shaders rely on their sizes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Rows and columns in words.
    pub(super) name: &'static str,
    /// Rows of c; a multiple of 4 `blocks[0]`.
    rows: usize,
    /// Columns of c; a multiple of 4 `blocks[1]`, at most four for each invocation.
    columns: usize,
    /// Columns of a and rows of b that are in workgroup memory at a time; a multiple of four times `slices`.
    depth: usize,
    /// Blocks of 4 x 4 elements of c that an invocation makes, down and across.
    blocks: [usize; 2],
    /// Groups of invocations that share the depth: more of them where there are few tiles.
    slices: usize,
    /// Panels of each matrix in workgroup memory: of two, one is written while the other is read.
    panels: usize,
}

/// For little work. Panels are deep, since nothing else hides the time that the next one takes to come.
pub static TINY: Tile = Tile { name: "16x16", rows: 16, columns: 16, depth: 64, blocks: [1, 1], slices: 4, panels: 1 };
/// For more of it.
pub static SMALL: Tile = Tile { name: "32x32", rows: 32, columns: 32, depth: 32, blocks: [1, 1], slices: 2, panels: 1 };
/// For products with tiles enough, and the largest where an invocation has 128 registers.
pub static MEDIUM: Tile = Tile { name: "64x64", rows: 64, columns: 64, depth: 8, blocks: [2, 1], slices: 1, panels: 1 };
/// For the largest.
pub static LARGE: Tile =
    Tile { name: "128x128", rows: 128, columns: 128, depth: 8, blocks: [2, 2], slices: 1, panels: 1 };
/// For few columns.
pub static TALL: Tile = Tile { name: "128x16", rows: 128, columns: 16, depth: 8, blocks: [1, 1], slices: 1, panels: 2 };

/// Every tile.
pub const TILES: &[&Tile] = &[&TINY, &SMALL, &MEDIUM, &LARGE, &TALL];

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

    /// Panels of each matrix that are in workgroup memory at a time.
    pub fn panels(&self) -> usize {
        self.panels
    }

    /// Invocations of a workgroup.
    pub fn threads(&self) -> usize {
        self.rows * self.columns / self.sums() * self.slices
    }

    /// Elements of c that an invocation makes.
    pub fn sums(&self) -> usize {
        16 * self.blocks[0] * self.blocks[1]
    }

    /// Bytes of workgroup memory.
    pub fn workgroup_bytes(&self) -> usize {
        // Padded, as shaders/shared/product.wgsl has it.
        let panels = self.panels * (self.rows / 4 + self.columns / 4) * (self.depth + 1);
        16 * (panels + self.rows * self.columns / 4 * (self.slices - 1))
    }

    /// Sizes, sums and the inner loop.
    pub(super) fn wgsl(&self) -> String {
        let [down, across] = self.blocks;
        let slice = self.threads() / self.slices;
        let mut text = format!(
            "const ROWS = {}u;\nconst COLUMNS = {}u;\nconst DEPTH = {}u;\nconst SLICES = {}u;\nconst PANELS = {}u;\nconst SLICE_THREADS = {slice}u;\n\
             const ROW_THREADS = {}u;\nconst COLUMN_THREADS = {}u;\nconst BLOCKS = {down}u;\nconst BLOCK_QUADS = {across}u;\n",
            self.rows,
            self.columns,
            self.depth,
            self.slices,
            self.panels,
            self.rows / (4 * down),
            self.columns / (4 * across),
        );
        let sums: Vec<_> = (0..4 * down).flat_map(|row| (0..across).map(move |quad| (row, quad))).collect();
        let lines = |line: &dyn Fn(usize, usize) -> String| sums.iter().map(|&(row, quad)| line(row, quad)).collect();
        let mut put = |head: &str, body: String| {
            // A String takes whatever is written to it.
            let _ = write!(text, "{head} {{\n{body}}}\n");
        };
        put("fn accumulate(a_at: u32, b_at: u32, four: u32)", self.four_depths());
        let starts = (0..across).map(|quad| {
            let rows = (0..4 * down).map(|row| format!("    sum_{row}_{quad} = start_{quad};\n")).collect::<String>();
            format!("    let start_{quad} = start(replica, column + {quad}u * 4u * PATCH_COLUMNS);\n{rows}")
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

    /// Four depths of the sums. Of lines of a, each meets all four depths of b, and the next one is on its way while one is used.
    fn four_depths(&self) -> String {
        let [down, across] = self.blocks;
        let sums = |row: usize, depth: usize, a: &str| -> String {
            let sum = |quad| format!("sum_{row}_{quad} = fma(vec4<f32>({a}), b{quad}_{depth}, sum_{row}_{quad});\n");
            (0..across).map(sum).collect()
        };
        let (mut text, mut b_lines) = (String::new(), String::new());
        for quad in 0..across {
            for i in 0..4 {
                text += &format!("var b{quad}_{i}: vec4<f32>;\n");
                let at = format!("b_at + {quad}u * PATCH_COLUMNS * LINES_PITCH + {i}u * DEPTH_QUADS + four");
                b_lines += &format!("let line{quad}_{i} = b_panel[{at}];\n");
            }
            for (i, lane) in LANES.iter().enumerate() {
                let lines: Vec<_> = (0..4).map(|line| format!("line{quad}_{line}.{lane}")).collect();
                b_lines += &format!("b{quad}_{i} = vec4<f32>({});\n", lines.join(", "));
            }
        }
        let b_depth = |depth: usize| -> String {
            let at = format!("b_at + (4u * four + {depth}u) * B_QUADS");
            (0..across).map(|quad| format!("b{quad}_{depth} = b_panel[{at} + {quad}u * PATCH_COLUMNS];\n")).collect()
        };
        let mut a_depths = String::new();
        for depth in 0..4 {
            a_depths += &block("if (B_BY_DEPTH)", &b_depth(depth));
            for i in 0..down {
                let at = format!("a_at + (4u * four + {depth}u) * A_QUADS + {i}u * PATCH_ROWS");
                a_depths += &format!("let a{i}_{depth} = a_panel[{at}];\n");
            }
            for row in 0..4 * down {
                a_depths += &sums(row, depth, &format!("a{}_{depth}.{}", row / 4, LANES[row % 4]));
            }
        }
        let a_line = |row: usize| {
            let (i, line) = (row / 4, row % 4);
            format!("let a{row} = a_panel[a_at + {i}u * PATCH_ROWS * LINES_PITCH + {line}u * DEPTH_QUADS + four];\n")
        };
        let mut a_lines = a_line(0) + &block("if (B_BY_DEPTH)", &(0..4).map(b_depth).collect::<String>());
        for row in 0..4 * down {
            if row + 1 < 4 * down {
                a_lines += &a_line(row + 1);
            }
            for (depth, lane) in LANES.iter().enumerate() {
                a_lines += &sums(row, depth, &format!("a{row}.{lane}"));
            }
        }
        text += &block("if (!B_BY_DEPTH)", &b_lines);
        text + &block("if (A_BY_DEPTH)", &a_depths) + &block("else", &a_lines)
    }
}

fn block(head: &str, body: &str) -> String {
    format!("{head} {{\n{body}}}\n")
}

const LANES: [&str; 4] = ["x", "y", "z", "w"];
