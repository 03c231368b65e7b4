//! The WGSL that brings a product's panels: from the matrices into registers, which the sums of the panels before do not wait for, and from
//! there into workgroup memory, as they lie in memory. Every invocation brings as many fours of neighbouring elements as any other, each in a
//! register with a name and a place of its own.

use std::fmt::Write;

/// What a workgroup has of one of the matrices at a time.
pub(super) struct Panel {
    /// `a` or `b`.
    pub name: &'static str,
    /// The operand, as its loads are called.
    pub operand: &'static str,
    /// Fours of c's rows, or of its columns.
    pub quads: usize,
    /// Depths.
    pub depth: usize,
    /// Invocations that bring it.
    pub threads: usize,
    /// Whether four elements are read at a time.
    pub wide: bool,
}

impl Panel {
    /// The registers, `fetch_a` that fills them, and `put_a` that takes them to workgroup memory.
    pub fn wgsl(&self) -> String {
        let Self { name, depth, quads, .. } = *self;
        let mut text = self.load();
        for register in 0..(depth * quads).div_ceil(self.threads) {
            text += &format!("var<private> {name}_{register}: vec4<f32>;\n");
        }
        let (upper, [of_depths, of_lines]) = (name.to_uppercase(), [true, false].map(|by_depth| self.texts(by_depth)));
        let either = |depths, lines| format!("    if ({upper}_BY_DEPTH) {{\n{depths}    }} else {{\n{lines}    }}\n");
        let (fetch, put) = (either(of_depths.fetch, of_lines.fetch), either(of_depths.put, of_lines.put));
        // A String takes whatever is written to it.
        let _ = write!(
            text,
            "fn fetch_{name}(thread: u32, {name}: Matrix, side: u32, depth: u32) {{\n{fetch}}}\n\
             fn put_{name}(thread: u32, to: u32, depth: u32, end: u32) {{\n{put}}}\n"
        );
        text
    }

    /// `copy_a`, which hands the panels that `copies_panel` asks for to `copy_four`, from the registers. Of a matrix whose lines are c's rows, with a four
    /// for each invocation at the least.
    pub fn copied(&self) -> String {
        let Self { name, depth, quads, threads, .. } = *self;
        let across = depth / 4;
        let fours = (0..depth * quads / threads).map(|turn| {
            let line = plus(&format!("side + thread / {across}u"), turn * threads / across, "");
            format!("        copy_four({line}, depth + thread % {across}u * 4u, {name}_{turn});\n")
        });
        let fours: String = fours.collect();
        format!(
            "fn copy_{name}(thread: u32, side: u32, depth: u32) {{\n    if (copies_panel(depth)) {{\n{fours}    }}\n}}\n"
        )
    }

    /// The load of four neighbours in a line. What lies outside reads the last that is inside: it is never awaited before it is
    /// needed, as a choice between it and 0 would be, and `put_a` has that choice.
    fn load(&self) -> String {
        let Self { name, operand, wide, .. } = *self;
        let four = if wide {
            format!("    return four_{operand}(first + min(place, {name}.length - 4u));\n")
        } else {
            let one = |i| format!("one_{operand}(first + min({}, last))", plus("place", i, ""));
            format!(
                "    let last = {name}.length - 1u;\n    return vec4<f32>({}, {},\n        {}, {});\n",
                one(0),
                one(1),
                one(2),
                one(3)
            )
        };
        format!(
            "fn four_of_{name}({name}: Matrix, line: u32, place: u32) -> vec4<f32> {{\n    \
             let first = {name}.base + line_of_{operand}(min(line, {name}.lines - 1u)) * {name}.length;\n{four}}}\n"
        )
    }

    /// Of a matrix whose lines are depths, or else c's rows or columns. Neighbouring invocations take neighbouring fours of a line.
    fn texts(&self, by_depth: bool) -> Texts {
        let Self { name, depth, quads, threads, wide, .. } = *self;
        let (upper, across) = (name.to_uppercase(), if by_depth { quads } else { depth / 4 });
        let (count, step) = (depth * quads, threads / across);
        // Where they are fewer than the invocations, some bring the same: a branch would have to wait for its loads.
        let own = if count < threads { format!("thread % {count}u") } else { "thread".into() };
        let (first, beside) = if by_depth { ("depth", "side") } else { ("side", "depth") };
        let mut fetch =
            format!("let line = {first} + {own} / {across}u;\nlet place = {beside} + {own} % {across}u * 4u;\n");
        let mut put = match by_depth {
            true => format!(
                "let line = depth + thread / {across}u;\nlet at = to + thread / {across}u * {upper}_QUADS + thread % {across}u;\n"
            ),
            false => format!(
                "let inside = {};\nlet at = to + thread / {depth}u * LINES_PITCH + thread % {depth}u;\n",
                match wide {
                    true => format!("depth + thread % {across}u * 4u < end"),
                    false => format!(
                        "vec4<u32>(depth + thread % {across}u * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(end)"
                    ),
                }
            ),
        };
        for turn in 0..count.div_ceil(threads) {
            let line = plus("line", turn * step, "");
            fetch += &format!("{name}_{turn} = four_of_{name}({name}, {line}, place);\n");
            let (at, inside) = match by_depth {
                true => (plus("at", turn * step, &format!(" * {upper}_QUADS")), format!("{line} < end")),
                false => (plus("at", turn * step / 4, " * LINES_PITCH"), "inside".into()),
            };
            put += &format!("{name}_panel[{at}] = select(vec4<f32>(), {name}_{turn}, {inside});\n");
        }
        if count < threads {
            put = format!("if (thread < {count}u) {{\n{}}}\n", indented(&put));
        }
        Texts { fetch: indented(&indented(&fetch)), put: indented(&indented(&put)) }
    }
}

struct Texts {
    fetch: String,
    put: String,
}

fn plus(of: &str, count: usize, times: &str) -> String {
    if count == 0 { of.into() } else { format!("{of} + {count}u{times}") }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
