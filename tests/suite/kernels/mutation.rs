//! Proof that parity bites: kernels are broken, one way at a time, and the comparison of `parity` has to notice.
//! The faults are put into the text of the shader by the conventions that all kernels keep, so a new kernel is
//! broken too. A fault has to be noticed with one of the kernel's variants and parts, since a part may hide it:
//! the identity's derivative changes nothing, so a lost row does not show.
//!
//! Compiling takes most of the time, so a text has all faults at once, and a dimension more says which of them it has.

use std::collections::BTreeMap;

use wgpu_mlp::backend::GpuDevice;
use wgpu_mlp::kernels::{Access, Binding, KERNELS, Kernel, Part, PartKind, STEP_WGSL};
use wgpu_mlp::math::Bounded;

use crate::kernels::parity::fit;
use crate::support::{Case, FOLDED, folded_devices};

/// The dimension that says which fault a shader has, and its value for none; the faults come behind it.
const FAULT: &str = "fault";
const SOUND: u32 = 1;

/// A kernel with its part, and every fault that it can have.
struct Broken {
    part: Part,
    row: &'static Kernel,
    faults: Vec<String>,
}

#[test]
fn every_broken_kernel_is_noticed() {
    for gpu in folded_devices() {
        // Whether any case noticed the fault.
        let mut noticed = BTreeMap::new();
        for &kernel in KERNELS {
            // Two networks have a pointwise loss and softmax, dropout and none; compiling one takes its time. A tile is
            // read one element at a time and four; the third one's activation has a derivative by a, the fifth one's by z.
            let most = match kernel.part {
                PartKind::Forward | PartKind::Network | PartKind::Training | PartKind::Tile | PartKind::GatherDense => {
                    2
                }
                PartKind::Dense | PartKind::DensePair => 5,
                _ => usize::MAX,
            };
            let parts = kernel.part.parts().into_iter().take(most);
            let all: Vec<_> = parts.map(|part| Broken::new(kernel, part)).collect();
            for (variant, own) in
                (0..kernel.variants.len()).flat_map(|variant| all.iter().map(move |own| (variant, own)))
            {
                let references: Vec<_> =
                    cases(kernel, &own.part, variant).into_iter().map(|case| (case.expected(), case)).collect();
                let differs = |of: &Broken, variant, fault| {
                    references.iter().any(|reference| differs(gpu, reference, of.row, variant, fault))
                };
                assert!(
                    !differs(own, variant, SOUND),
                    "{}: {}: no fault",
                    gpu.name(),
                    kernel.label(&own.part, variant)
                );
                let mut look = |name: String, of: &Broken, variant, fault| {
                    let noticed = noticed.entry(format!("{}: {name}", kernel.name)).or_insert(false);
                    *noticed = *noticed || differs(of, variant, fault);
                };
                for (fault, name) in (SOUND + 1..).zip(&own.faults) {
                    look(name.clone(), own, variant, fault);
                }
                // A network of another shape would be another kernel, another tile the same.
                for other in all.iter().filter(|other| other.part != own.part && is_choice(&other.part)) {
                    look(format!("{} for {}", other.part.name(), own.part.name()), other, variant, SOUND);
                }
                for (other, constants) in kernel.variants.iter().enumerate().filter(|&(other, _)| other != variant) {
                    look(format!("{} for {}", constants.name, kernel.variants[variant].name), own, other, SOUND);
                }
            }
        }
        report(gpu, &noticed);
    }
}

fn is_choice(part: &Part) -> bool {
    part.network().is_none() && !matches!(part, Part::Tiling(_))
}

/// Whether a case shows that a shader with a fault took the place of its kernel.
fn differs(
    gpu: &GpuDevice,
    (expected, case): &(Vec<Vec<Bounded>>, Case),
    row: &'static Kernel,
    variant: usize,
    fault: u32,
) -> bool {
    let mut plan = case.plan();
    let dispatch = &mut plan.passes[0].dispatches[0];
    (dispatch.kernel, dispatch.part, dispatch.variant) = (row, Part::None, variant);
    dispatch.dims.push(fault);
    case.check_gpu(gpu, plan, expected).is_err()
}

fn report(gpu: &GpuDevice, noticed: &BTreeMap<String, bool>) {
    assert!(noticed.len() > 10 * KERNELS.len(), "only {} ways to break a kernel", noticed.len());
    let survivors: Vec<_> = noticed.iter().filter(|(_, noticed)| !**noticed).map(|(name, _)| name.as_str()).collect();
    let count = noticed.len();
    assert!(survivors.is_empty(), "{}: {} of {count} survive:\n{}", gpu.name(), survivors.len(), survivors.join("\n"));
}

/// Small sizes and one that folds the grid, no two dimensions alike; rows without weights and with two.
pub fn cases(kernel: &'static Kernel, part: &Part, variant: usize) -> Vec<Case> {
    let sizes: &[&[u32]] = match kernel.dims {
        ["samples", ..] => &[&[27, 1, 1, 1, 1, 1, 1, 1], &[50, 1, 2, 1, 1, 1, 1, 2]],
        ["rows", "samples", ..] if kernel.dims.len() > 4 => &[&[17, 33, 1, 1, 1, 1, 1, 2], &[97, 65, 1, 2, 1, 1, 1, 7]],
        ["rows", "samples", "inputs", "columns"] => &[&[17, 33, 16, 15], &[97, 65, 65, 2]],
        ["rows", "outputs", "inputs", "columns", "groups"] => &[&[17, 3, 70, 1, 2], &[97, 16, 5, 2, 7]],
        ["rows", "inputs", "outputs", "parameters", ..] => &[&[17, 1, 1, 1, 1, 2], &[97, 1, 1, 1, 1, 7]],
        ["inputs", "outputs", "rows", ..] if kernel.part == PartKind::DensePair => {
            &[&[1, 3, 19, 2, 1, 1, 1, 1], &[2, 1, 33, 2, 9, 1, 1, 1]]
        }
        ["inputs", "outputs", "rows", ..] => &[&[1, 3, 97, 3, 1, 1, 1, 1], &[3, 1, 65, 2, 9, 1, 1, 1]],
        ["rows", "outputs", "inputs", "samples", ..] => &[&[1, 2, 70, 33, 1, 1, 1], &[3, 1, 19, 65, 9, 1, 1]],
        [.., "tile_rows", "tile_columns"] => &[&[1, 2, 16, 1, 1], &[3, 1, 19, 1, 1]],
        ["parameters", "trained", ..] => &[&[17, 1, 5, 9, 3, 2, 1], &[1281, 1, 33, 7, 20, 3, 2]],
        ["count", "groups", "stride"] => &[&[17, 3, 5], &[641, 7, 9]],
        ["count", "slots", "groups", "stride", "settings"] => {
            &[&[17, 33, 16, 5, 1], &[641, 5, 19, 9, 2], &[65, 7, 33, 3, 1]]
        }
        ["count", "groups", ..] => &[&[17, 3, 5], &[1281, 7, 9]],
        // The third case has one step: two would hide a sign that a kernel in place has wrong.
        ["count", ..] => &[&[17, 33, 16, 1], &[1281, 5, 19, 2], &[65, 7, 33, 1]],
        [_, _] => &[&[17, 33], &[5, 257]],
        _ => &[&[17, 33, 18, 15], &[97, 65, 20, 2]],
    };
    let case = |(seed, dims): (u64, &&[u32])| {
        let mut dims = dims[..kernel.dims.len()].to_vec();
        if let Part::Tiling(tiling) = part {
            // So many tiles and one row and column more.
            dims[0] = dims[0] * tiling.tile.rows() as u32 + 1;
            dims[1] = dims[1] * tiling.tile.columns() as u32 + 1;
        }
        fit(kernel, part, &mut dims);
        // Some activations differ only where values are large.
        let large = seed == 1 && matches!(part, Part::Activation(_));
        Case { kernel, part: part.clone(), variant, dims, replicas: 3, shared: false, large, seed }
    };
    let cases: Vec<_> = (0..).zip(sizes).map(case).collect();
    let folds = cases.iter().any(|case| (kernel.workgroups)(&case.dims) > u64::from(FOLDED));
    assert!(folds || kernel.most_steps > 1, "{} folds", kernel.name);
    cases
}

impl Broken {
    fn new(kernel: &Kernel, part: Part) -> Self {
        let (wgsl, faults) = with_faults(kernel, &part);
        let dims = [kernel.dims, &[FAULT]].concat().leak();
        // Pipelines are known by a row's address, so it gets one of its own.
        let wgsl = vec![&*wgsl.leak()].leak();
        let row = Box::leak(Box::new(Kernel { wgsl, dims, part: PartKind::None, fits: |_, _| Ok(()), ..*kernel }));
        Self { part, row, faults }
    }
}

/// A kernel's text with all faults that it can have, and their names in order.
fn with_faults(kernel: &Kernel, part: &Part) -> (String, Vec<String>) {
    let whole = code(part, kernel);
    // A run of steps has whole texts of other kernels, which are broken with those.
    let own = if kernel.most_steps > 1 { &whole[whole.rfind("override").unwrap()..] } else { &whole };
    let mut text = whole.clone();
    let mut faults = Vec::new();
    // Puts a fault into the text: `change` is told how the text says that it has it.
    let mut add = |name: String, change: &dyn Fn(&str, &str) -> String| {
        let is_there = format!("params.{FAULT} == {}u", SOUND as usize + 1 + faults.len());
        let changed = change(&text, &is_there);
        assert_ne!(changed, text, "{}: {name}: nothing to change", kernel.name);
        text = changed;
        faults.push(name);
    };

    // What is written first: what else is changed stands in it.
    let one_nan = format!("bitcast<f32>(0x7fc00000u | params.{}.w)", kernel.bindings[0].name);
    let written =
        |binding: &&Binding| binding.access != Access::In && rewrite(own, binding.name, &|_, _| String::new()) != own;
    for binding in kernel.bindings.iter().filter(written) {
        let name = binding.name;
        let wide = whole.contains(&format!(" {name}: array<vec4<f32>>;"));
        let nan = if wide { format!("vec4<f32>({one_nan})") } else { one_nan.clone() };
        add(format!("{name} negated"), &|text, fault| {
            rewrite(text, name, &|at, value| format!("{name}[{at}] = ({value}) * select(1.0, -1.0, {fault})"))
        });
        add(format!("{name} NaN"), &|text, fault| {
            rewrite(text, name, &|at, value| format!("{name}[{at}] = select({value}, {nan}, {fault})"))
        });
        add(format!("{name} beside its place"), &|text, fault| {
            rewrite(text, name, &|at, value| format!("{name}[({at}) ^ select(0u, 1u, {fault})] = {value}"))
        });
    }

    add("nothing written".into(), &|text, fault| {
        let entry = text.find(&format!("fn {}(", kernel.name)).unwrap();
        let body = entry + text[entry..].find(") {").unwrap() + 3;
        [&text[..body], &format!(" if ({fault}) {{ return; }}"), &text[body..]].concat()
    });
    let first = format!("params.{}", kernel.dims[0]);
    if own.contains(&first) {
        add(format!("last of {first} lost"), &|text, fault| {
            replace(text, &first, &format!("({first} - select(0u, 1u, {fault}))"))
        });
    }

    // Everything that a dispatch or a step says has to matter.
    let views =
        kernel.bindings.iter().flat_map(|binding| ["x", "y"].map(|word| format!("params.{}.{word}", binding.name)));
    let words = views.chain(["group.y", "group.z", "groups.x"].map(String::from));
    let is_own = |word: &String| kernel.most_steps <= 1 || replace(own, word, "") != own;
    let slots = kernel.bindings.iter().map(|binding| (format!("params.{}.z", binding.name), "0u"));
    let fields = STEP_WGSL.lines().filter_map(|line| {
        let (field, rest) = line.trim().split_once(": ")?;
        Some((format!("step.{field}"), if rest.starts_with("f32") { "0.0" } else { "0u" }))
    });
    let said: Vec<_> = slots.chain(fields).filter(|(word, _)| replace(own, word, "") != own).collect();
    let of_step = said.iter().any(|(word, _)| word.starts_with("step."));
    assert_eq!(of_step, kernel.most_steps > 0, "{} reads the step's record", kernel.name);
    for (word, zero) in words.filter(is_own).map(|word| (word, "0u")).chain(said) {
        add(format!("{word} ignored"), &|text, fault| {
            replace(text, &word, &format!("select({word}, {zero}, {fault})"))
        });
    }

    // What a network's text has from other parts is broken with their own kernels; a tile's returns nothing.
    let of_network: &[&str] = if kernel.most_steps > 1 { &[] } else { &["activation", "slope", "loss_of_block"] };
    let is_own = |name: &&str| match part {
        Part::Network(_) | Part::Training(..) => of_network.contains(name),
        Part::Tiling(_) => name.starts_with("activation"),
        _ => true,
    };
    for name in functions(&part.wgsl()).filter(is_own) {
        // A part's function that the kernel does not call cannot matter to it.
        if whole.matches(&format!("{name}(")).count() > 1 {
            add(format!("{}'s {name} negated", part.name()), &|text, fault| negate(text, name, fault));
        }
    }
    let last = kernel.dims.last().unwrap();
    let member = format!("    {last}: u32,\n}}");
    assert_eq!(text.matches(&member).count(), 1, "{}: {last} is not the last of the dimensions", kernel.name);
    (text.replace(&member, &format!("    {last}: u32,\n    {FAULT}: u32,\n}}")), faults)
}

/// A kernel with its part, without comments and without the step's record.
pub fn code(part: &Part, kernel: &Kernel) -> String {
    let whole = kernel.source(part);
    let lines = whole.strip_prefix(STEP_WGSL).unwrap_or(&whole).lines();
    lines
        .filter(|line| {
            !line.contains("Step") && !["const HYPER_", "const RECORDS"].iter().any(|of| line.starts_with(of))
        })
        .map(|line| line.split("//").next().unwrap().to_string() + "\n")
        .collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Replaces `from` where it stands as a whole path.
fn replace(text: &str, from: &str, to: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let whole = !before.ends_with(|c| is_word(c) || c == '.') && !after.starts_with(|c| is_word(c) || c == '.');
        out += before;
        out += if whole { to } else { from };
        rest = after;
    }
    out + rest
}

/// Replaces every `name[place] = value` by what `change(place, value)` makes of it.
fn rewrite(text: &str, name: &str, change: &dyn Fn(&str, &str) -> String) -> String {
    let (mut out, mut rest) = (String::new(), text);
    let open = format!("{name}[");
    while let Some(at) = rest.find(&open) {
        let (before, after) = (&rest[..at], &rest[at + open.len()..]);
        let mut depth = 1;
        let close = after.find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            depth == 0
        });
        let (place, tail) = after.split_at(close.unwrap());
        out += before;
        match tail.strip_prefix("] = ").and_then(|tail| tail.split_once(';')) {
            Some((value, tail)) if !before.ends_with(|c| is_word(c) || c == '.') => {
                out += &(change(place, value) + ";");
                rest = tail;
            }
            _ => {
                out += &open;
                rest = after;
            }
        }
    }
    out + rest
}

/// Names of the functions in a part.
fn functions(part: &str) -> impl Iterator<Item = &str> {
    part.lines().filter_map(|line| line.strip_prefix("fn ")?.split_once('(')).map(|(name, _)| name)
}

/// Negates what a function returns, a number or a truth value, where there is a fault.
fn negate(text: &str, name: &str, fault: &str) -> String {
    let start = text.find(&format!("fn {name}(")).unwrap();
    let end = start + text[start..].find("\n}").unwrap();
    let function = &text[start..end];
    let negated_by =
        if function.contains("-> bool") { format!("!= ({fault})") } else { format!("* select(1.0, -1.0, {fault})") };
    let mut pieces = function.split("return ");
    let mut negated = pieces.next().unwrap().to_string();
    for piece in pieces {
        let (value, rest) = piece.split_once(';').unwrap();
        negated += &format!("return ({value}) {negated_by};{rest}");
    }
    [&text[..start], &negated, &text[end..]].concat()
}

#[test]
fn texts_change_where_they_should() {
    assert_eq!(
        replace("group.z + groups.z + group.zz + a.group.z", "group.z", "0u"),
        "0u + groups.z + group.zz + a.group.z"
    );
    let write = |text| rewrite(text, "c", &|at, value| format!("c[{at}^] = -({value})"));
    assert_eq!(write("abc[1] = 2; c[a[i]] = c[1] + 2;"), "abc[1] = 2; c[a[i]^] = -(c[1] + 2);");
    assert_eq!(write("let x = c[1] == 2;"), "let x = c[1] == 2;");
    let text = "fn f() -> bool {\n return a;\n}\nfn g()";
    assert_eq!(negate(text, "f", "bad"), "fn f() -> bool {\n return (a) != (bad);\n}\nfn g()");
}
