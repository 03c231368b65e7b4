//! Products on a GPU's matrix units: the WGSL of a tile whose sums are cooperative matrices, with operands of f16 and sums of f32.

use std::fmt::Write;

use super::tile::Tile;
use crate::kernels::MATRIX_UNITS_TILE_WGSL;
use crate::math::{Precision, Real};

/// What a device's matrix units take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatrixUnits {
    /// How operands are made of f16; not f32.
    pub precision: Precision,
    /// Rows, columns and depth of a cooperative matrix: 8 or 16.
    pub size: usize,
    /// Invocations of a subgroup, which makes a matrix together.
    pub subgroup: usize,
}

/// Columns of a and rows of b that are in workgroup memory at a time.
const DEPTH: usize = 32;
/// Halves behind each line of a panel, against bank conflicts.
const PADDING: usize = 8;
/// What a panel's greatest number is scaled to lies in 2^14 .. 2^15, so that f16 holds it. What is smaller by up to 2^28 keeps all bits of f16.
const SCALED_TO: u32 = 14;

/// Bytes of the greatest numbers of panels.
const GREATEST: usize = 16;

/// Quads of a panel with so many rows of a or columns of b, whichever way it lies, but for the padding behind its last line.
fn panel(side: usize) -> usize {
    ((side * (DEPTH + PADDING)).max(DEPTH * (side + PADDING)) - PADDING) / 4
}

impl MatrixUnits {
    /// Whether they make tiles of this size. A workgroup of one subgroup is not for them: NVIDIA's compiler (driver 580) leaves its barriers out and
    /// reads what a matrix has left in workgroup memory too early.
    pub fn make(&self, tile: &Tile) -> bool {
        self.subgroups(tile) > 1
    }

    /// Down and across, the matrices of c that a subgroup makes: as many as keep the units busy, a side of 16 each.
    fn matrices(&self, tile: &Tile) -> [usize; 2] {
        let times = 16 / self.size;
        match (tile.rows(), tile.columns()) {
            (128, 128) => [2 * times, 4 * times],
            (64, 64) => [2 * times, 2 * times],
            _ => [times, times],
        }
    }

    fn subgroups(&self, tile: &Tile) -> usize {
        let [down, across] = self.matrices(tile);
        tile.rows() * tile.columns() / (self.size * self.size * down * across)
    }

    /// Invocations of a workgroup.
    pub(super) fn threads(&self, tile: &Tile) -> usize {
        self.subgroups(tile) * self.subgroup
    }

    /// Bytes of workgroup memory that a tile takes.
    pub fn workgroup_bytes(&self, tile: &Tile) -> usize {
        let panels = 8 * (panel(tile.rows()) + panel(tile.columns())) * self.parts().len();
        panels + 4 * self.size * self.size * self.subgroups(tile) + GREATEST
    }

    /// The parts of an operand by name: hi, and lo where there is one.
    fn parts(&self) -> &'static [&'static str] {
        if self.precision == Precision::F16x3 { &["hi", "lo"] } else { &["hi"] }
    }

    /// Sizes, panels and the text that is written out for each register and matrix, for shaders/shared/matrix_units.wgsl.
    pub(super) fn wgsl(&self, tile: &Tile) -> String {
        let ([down, across], size, subgroup) = (self.matrices(tile), self.size, self.subgroup);
        let (subgroups, threads) = (self.subgroups(tile), self.threads(tile));
        let mut text = format!(
            "const ROWS = {}u;\nconst COLUMNS = {}u;\nconst DEPTH = {DEPTH}u;\nconst THREADS = {threads}u;\nconst SUBGROUP = {subgroup}u;\n\
             const SUBGROUPS = {subgroups}u;\nconst SIZE = {size}u;\nconst DOWN = {down}u;\nconst ACROSS = {across}u;\n\
             const A_PANEL = {}u;\nconst B_PANEL = {}u;\nconst PADDING = {}u;\nconst SCALED_TO = {SCALED_TO}u;\n",
            tile.rows(),
            tile.columns(),
            panel(tile.rows()),
            panel(tile.columns()),
            PADDING / 4,
        );
        for (side, panel) in [("a", "A_PANEL"), ("b", "B_PANEL")] {
            for part in self.parts() {
                text += &format!("var<workgroup> {side}_{part}: array<vec4<f16>, {panel}>;\n");
            }
        }
        let turns = |lines: usize| (lines * DEPTH / 4).div_ceil(threads);
        let sides = [("a", "row", "x", tile.rows()), ("b", "column", "y", tile.columns())];
        let (mut aim, mut fetch, mut put, mut columns) = (String::new(), String::new(), String::new(), String::new());
        let mut greatest = [String::new(), String::new()];
        for (index, (side, first, scale, lines)) in sides.into_iter().enumerate() {
            for turn in 0..turns(lines) {
                let name = format!("fetched_{side}{turn}");
                text += &format!("var<private> {name}: vec4<f32>;\nvar<private> aim_{side}{turn}: Aim;\n");
                let (at, quads) = (format!("thread + {}u", turn * threads), lines * DEPTH / 4);
                // The last turn may have fewer quads than invocations.
                let guard = |body: String| match (turn + 1) * threads > quads {
                    true => format!("    if ({at} < {quads}u) {{ {body} }}\n"),
                    false => format!("    {{ {body} }}\n"),
                };
                aim += &guard(format!("aim_{side}{turn} = aim_at_{side}({side}, {at}, {first});"));
                fetch += &guard(format!("{name} = quad_of_{side}({side}, aim_{side}{turn}, depth);"));
                greatest[index] += &format!("    greatest = max(greatest, abs({name}));\n");
                let halves = match self.precision {
                    Precision::F16x3 => format!(
                        "let hi = upper_bits({side}); {side}_hi[at] = vec4<f16>(hi); {side}_lo[at] = vec4<f16>({side} - hi);"
                    ),
                    _ => format!("{side}_hi[at] = vec4<f16>({side});"),
                };
                put += &guard(format!("let at = {side}_place({at}); let {side} = {name} * scales.{scale}; {halves}"));
                if side == "b" {
                    columns += &format!("    column_part += {name};\n");
                }
            }
        }
        let [greatest_a, greatest_b] = greatest;
        let mut function = |head: &str, body: &str| {
            let _ = write!(text, "{head} {{\n{body}}}\n");
        };
        function("fn fetch(thread: u32, a: Matrix, b: Matrix, depth: u32)", &fetch);
        function("fn take_aim(thread: u32, a: Matrix, b: Matrix, row: u32, column: u32)", &aim);
        function("fn put(thread: u32, scales: vec2<f32>)", &put);
        function("fn add_columns()", &columns);
        let largest = "    var greatest = vec4<f32>();\n";
        let one = "    return max(max(greatest.x, greatest.y), max(greatest.z, greatest.w));\n";
        function("fn greatest_of_a() -> f32", &format!("{largest}{greatest_a}{one}"));
        function("fn greatest_of_b() -> f32", &format!("{largest}{greatest_b}{one}"));
        text + &self.tile_wgsl(down, across)
    }

    /// The loop over panels and what stands behind it: matrices cannot be in arrays that are indexed, nor be handed to functions.
    fn tile_wgsl(&self, down: usize, across: usize) -> String {
        let size = self.size;
        let matrix = |role: &str| format!("coop_mat{size}x{size}<{}, {role}>", if role == "C" { "f32" } else { "f16" });
        let mut text = String::from(MATRIX_UNITS_TILE_WGSL);
        let (mut sums, mut panel, mut end) = (String::new(), String::new(), String::new());
        let steps = 0..DEPTH / size;
        let load = |side: &str, part: &str, number: usize, step: usize| {
            // A line of a panel is a row in memory: of a a row or, by depth, a column; of b a column or, by depth, a row.
            let upper = side.to_uppercase();
            let name = format!("{side}_{part}_{number}_{step}");
            let [by_depth, by_line] = if side == "b" { ["coopLoadT", "coopLoad"] } else { ["coopLoad", "coopLoadT"] };
            let at = format!("{side}_matrix(side_{side} + {}u, {}u)", number * size, step * size);
            format!(
                "        let {name}_at = {at};\n        var {name}: {kind};\n        if ({upper}_BY_DEPTH) {{ {name} = {by_depth}<{kind}>(&{side}_{part}[{name}_at], {side}_pitch()); }} \
                 else {{ {name} = {by_line}<{kind}>(&{side}_{part}[{name}_at], {side}_pitch()); }}\n",
                kind = matrix(&upper)
            )
        };
        let loads = |side: &str, number: usize| -> String {
            let each = steps.clone().flat_map(|step| self.parts().iter().map(move |part| (step, part)));
            each.map(|(step, part)| load(side, part, number, step)).collect()
        };
        for i in 0..down {
            for j in 0..across {
                sums += &format!("    var c_{i}_{j} = {}();\n", matrix("C"));
            }
            panel += &loads("a", i);
        }
        for j in 0..across {
            panel += "        {\n";
            panel += &loads("b", j);
            for i in 0..down {
                panel += &format!("        var part_{i} = {}();\n", matrix("C"));
            }
            let terms: &[[&str; 2]] =
                if self.parts().len() > 1 { &[["hi", "lo"], ["lo", "hi"], ["hi", "hi"]] } else { &[["hi", "hi"]] };
            for (step, [left, right]) in steps.clone().flat_map(|step| terms.iter().map(move |term| (step, *term))) {
                for i in 0..down {
                    panel += &format!(
                        "        part_{i} = coopMultiplyAdd(a_{left}_{i}_{step}, b_{right}_{j}_{step}, part_{i});\n"
                    );
                }
            }
            for i in 0..down {
                panel += &format!("        c_{i}_{j} = c_{i}_{j} + back.y * (back.x * part_{i});\n");
            }
            panel += "        }\n";
        }
        for (i, j) in (0..down).flat_map(|i| (0..across).map(move |j| (i, j))) {
            end += &format!(
                "    coopStoreT(c_{i}_{j}, &staged[staged_at], SIZE / 4u);\n    workgroupBarrier();\n    \
                 store_staged(replica, lane, subgroup, row + side_a + {}u, column + side_b + {}u);\n    workgroupBarrier();\n",
                i * size,
                j * size
            );
        }
        for (mark, body) in [("SUMS;\n", sums), ("PANEL;\n", panel), ("END;\n", end)] {
            text = text.replacen(mark, &body, 1);
        }
        text
    }
}

/// What matrix units add to the limit of an error, for numbers that have one: the operands' error; sums that may be truncated where f32 rounds;
/// and what f16 loses of a number that is small beside its panel's greatest.
pub(super) fn widen<T: Real>(units: Option<&MatrixUnits>, depth: usize, a: &[T], b: &[T], c: &mut [T]) {
    let Some(units) = units else { return };
    let greatest = |values: &[T]| values.iter().map(|value| value.to_f64().abs()).fold(0.0, f64::max);
    // A subnormal f16 is off by up to 2^-25, beside a greatest of at least 2^14; so each factor is by 2^-39 of its panel's greatest.
    let lost = 2.0 * (-(25.0 + f64::from(SCALED_TO))).exp2() * greatest(a) * greatest(b) * depth as f64;
    let relative = units.precision.operand_error() + depth as f64 / f64::from(1 << 23);
    c.iter_mut().for_each(|c| *c = c.widened(relative, lost));
}
