//! The WGSL that brings a product's panels: from the matrices into registers, which the sums of the panels before do not wait for, and from
//! there into workgroup memory. Each register has a name and a place of its own.

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
        let by_depth = self.turns(depth * quads);
        let by_line = if self.wide { 4 * self.turns(depth / 4 * quads) } else { by_depth };
        let mut text = self.load();
        for register in 0..by_depth.max(by_line) {
            text += &format!("var<private> {name}_{register}: vec4<f32>;\n");
        }
        let [straight, turned] = [self.straight(), if self.wide { self.in_blocks() } else { self.by_fours() }];
        let either = |[straight, turned]: [&str; 2]| {
            format!("    if ({}_BY_DEPTH) {{\n{straight}    }} else {{\n{turned}    }}\n", name.to_uppercase())
        };
        let fetch = either([&straight.fetch, &turned.fetch]);
        let put = either([&straight.put, &turned.put]);
        // A String takes whatever is written to it.
        let _ = write!(
            text,
            "fn fetch_{name}(thread: u32, {name}: Matrix, side: u32, depth: u32) {{\n{fetch}}}\n\
             fn put_{name}(thread: u32, to: u32, depth: u32, end: u32) {{\n{put}}}\n"
        );
        text
    }

    /// How often all invocations are needed for so many.
    fn turns(&self, count: usize) -> usize {
        count.div_ceil(self.threads)
    }

    /// The load of four neighbours in a line, or of one. What lies outside reads the last that is inside: it is never awaited before it is
    /// needed, as a choice between it and 0 would be, and `put_a` has that choice.
    fn load(&self) -> String {
        let Self { name, operand, .. } = self;
        let (count, made, most) = if self.wide { ("four", "vec4<f32>", "4u") } else { ("one", "f32", "1u") };
        format!(
            "fn {count}_of_{name}({name}: Matrix, line: u32, place: u32) -> {made} {{\n    \
             let at = min(line, {name}.lines - 1u) * {name}.length + min(place, {name}.length - {most});\n    \
             return {count}_{operand}({name}.base + at);\n}}\n"
        )
    }

    /// Of a matrix whose lines are depths: neighbouring invocations take neighbouring fours of one.
    fn straight(&self) -> Texts {
        let Self { name, depth, quads, threads, wide, .. } = *self;
        let (turns, step) = (self.turns(depth * quads), threads / quads);
        let mut fetch = format!("let line = depth + thread / {quads}u;\nlet place = side + thread % {quads}u * 4u;\n");
        let mut put = format!(
            "let line = depth + thread / {quads}u;\nlet line_at = to + thread / {quads}u * {0}_PITCH + thread % {quads}u;\n",
            name.to_uppercase()
        );
        for turn in 0..turns {
            let line = plus("line", turn * step, "");
            fetch += &match wide {
                true => format!("{name}_{turn} = four_of_{name}({name}, {line}, place);\n"),
                false => self.ones(turn, |i| format!("{line}, {}", plus("place", i, ""))),
            };
            let at = plus("line_at", turn * step, &format!(" * {}_PITCH", name.to_uppercase()));
            put += &format!("{name}_panel[{at}] = select(vec4<f32>(), {name}_{turn}, {line} < end);\n");
        }
        self.guarded(depth * quads, fetch, put)
    }

    /// Of a matrix whose lines are c's rows or columns, one element at a time: neighbouring invocations take neighbouring depths, of four lines each.
    fn by_fours(&self) -> Texts {
        let Self { name, depth, quads, threads, .. } = *self;
        let (turns, step) = (self.turns(depth * quads), threads / depth);
        let mut fetch = format!("let place = depth + thread % {depth}u;\nlet line = side + thread / {depth}u * 4u;\n");
        let mut put = format!(
            "let inside = depth + thread % {depth}u < end;\nlet four_at = to + thread % {depth}u * {}_PITCH + thread / {depth}u;\n",
            name.to_uppercase()
        );
        for turn in 0..turns {
            fetch += &self.ones(turn, |i| format!("{}, place", plus("line", 4 * turn * step + i, "")));
            let at = plus("four_at", turn * step, "");
            put += &format!("{name}_panel[{at}] = select(vec4<f32>(), {name}_{turn}, inside);\n");
        }
        self.guarded(depth * quads, fetch, put)
    }

    /// The same four elements at a time: blocks of four depths and four lines, which are turned over.
    fn in_blocks(&self) -> Texts {
        let Self { name, depth, quads, threads, .. } = *self;
        let across = depth / 4;
        let (turns, step) = (self.turns(across * quads), threads / across);
        let pitch = format!(" * {}_PITCH", name.to_uppercase());
        let mut fetch =
            format!("let place = depth + thread % {across}u * 4u;\nlet line = side + thread / {across}u * 4u;\n");
        let mut put = format!(
            "let inside = depth + thread % {across}u * 4u < end;\nlet block_at = to + thread % {across}u * 4u{pitch} + thread / {across}u;\n"
        );
        for turn in 0..turns {
            let block = plus("block_at", turn * step, "");
            for i in 0..4 {
                let line = plus("line", 4 * turn * step + i, "");
                fetch += &format!("{name}_{} = four_of_{name}({name}, {line}, place);\n", 4 * turn + i);
                let lane = ["x", "y", "z", "w"][i];
                let four: Vec<_> = (0..4).map(|line| format!("{name}_{}.{lane}", 4 * turn + line)).collect();
                let (at, four) = (plus(&block, i, &pitch), four.join(", "));
                put += &format!("{name}_panel[{at}] = select(vec4<f32>(), vec4<f32>({four}), inside);\n");
            }
        }
        self.guarded(across * quads, fetch, put)
    }

    /// A register of four elements, each read from the line and place that `of` gives.
    fn ones(&self, register: usize, of: impl Fn(usize) -> String) -> String {
        let name = self.name;
        let ones: Vec<_> = (0..4).map(|i| format!("one_of_{name}({name}, {})", of(i))).collect();
        format!("{name}_{register} = vec4<f32>({}, {},\n    {}, {});\n", ones[0], ones[1], ones[2], ones[3])
    }

    /// Texts for the invocations that have something to bring, where they are fewer than all.
    fn guarded(&self, count: usize, fetch: String, put: String) -> Texts {
        let guard = |text: String| match count < self.threads {
            true => indented(&format!("if (thread < {count}u) {{\n{}}}\n", indented(&text))),
            false => indented(&text),
        };
        Texts { fetch: indented(&guard(fetch)), put: indented(&guard(put)) }
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
