//! Proof that parity bites: kernels are broken, one way at a time, and the comparison of `parity` has to notice.
//! The changes are made to the text of the shader by the conventions that all kernels keep, so a new kernel is
//! broken too. A change has to be noticed with one of the kernel's variants and parts, since a part may hide it:
//! the identity's derivative changes nothing, so a lost row does not show.

use std::collections::BTreeMap;

use wgpu_mlp::backend::GpuDevice;
use wgpu_mlp::kernels::{Access, Binding, Cpu, KERNELS, Kernel, Part, PartKind, STEP_WGSL};

use crate::parity::fit;
use crate::support::{Case, FOLDED, folded_devices};

/// A shader, its part included, with one thing wrong.
struct Mutant {
    name: String,
    wgsl: String,
    variant: usize,
}

#[test]
fn every_broken_kernel_is_noticed() {
    for gpu in folded_devices() {
        // Whether any case noticed the change.
        let mut noticed = BTreeMap::new();
        for &kernel in KERNELS {
            for variant in 0..kernel.variants.len() {
                // Two networks have a pointwise loss and softmax, dropout and none; compiling one takes its time. A tile is
                // read one element at a time and four; the third one's activation has a derivative by a, the fifth one's by z.
                let most = match kernel.part {
                    PartKind::Network | PartKind::Training | PartKind::Tile => 2,
                    PartKind::Dense => 5,
                    _ => usize::MAX,
                };
                for part in kernel.part.parts().into_iter().take(most) {
                    let references: Vec<_> =
                        cases(kernel, &part, variant).into_iter().map(|case| (case.expected(), case)).collect();
                    for mutant in mutants(kernel, &part, variant) {
                        let noticed = noticed.entry(format!("{}: {}", kernel.name, mutant.name)).or_insert(false);
                        if !*noticed {
                            let broken = broken(kernel, &mutant);
                            *noticed = references.iter().any(|(expected, case)| {
                                let mut plan = case.plan();
                                let dispatch = &mut plan.passes[0].dispatches[0];
                                (dispatch.kernel, dispatch.part, dispatch.variant) =
                                    (broken, Part::None, mutant.variant);
                                case.check_gpu(gpu, plan, expected).is_err()
                            });
                        }
                    }
                }
            }
        }
        report(gpu, &noticed);
    }
}

fn report(gpu: &GpuDevice, noticed: &BTreeMap<String, bool>) {
    assert!(noticed.len() > 10 * KERNELS.len(), "only {} ways to break a kernel", noticed.len());
    let survivors: Vec<_> = noticed.iter().filter(|(_, noticed)| !**noticed).map(|(name, _)| name.as_str()).collect();
    let count = noticed.len();
    assert!(survivors.is_empty(), "{}: {} of {count} survive:\n{}", gpu.name(), survivors.len(), survivors.join("\n"));
}

/// Small sizes and one that folds the grid, no two dimensions alike.
fn cases(kernel: &'static Kernel, part: &Part, variant: usize) -> Vec<Case> {
    let sizes: &[&[u32]] = match kernel.dims {
        ["samples", ..] => &[&[27, 1, 1, 1, 1, 1, 1], &[50, 1, 2, 1, 1, 1, 1]],
        ["rows", "samples", ..] if kernel.dims.len() > 4 => &[&[17, 33, 1, 1, 1, 1, 1, 2], &[97, 65, 1, 2, 1, 1, 1, 7]],
        ["inputs", "outputs", "rows", ..] => &[&[1, 3, 97, 3, 1, 1, 1, 1], &[3, 1, 65, 2, 9, 1, 1, 1]],
        [.., "tile_rows", "tile_columns"] => &[&[1, 2, 16, 1, 1], &[3, 1, 19, 1, 1]],
        ["count", "groups", ..] => &[&[17, 3, 5], &[1281, 7, 9]],
        // The third case has one step: two would hide a sign that a kernel in place has wrong.
        ["count", ..] => &[&[17, 33, 16, 5], &[1281, 5, 19, 9], &[65, 7, 33, 3]],
        [_, _] => &[&[17, 33], &[5, 257]],
        _ => &[&[17, 33, 16, 15], &[97, 65, 19, 2]],
    };
    let case = |(seed, dims): (u64, &&[u32])| {
        let mut dims = dims[..kernel.dims.len()].to_vec();
        if let Part::Tiling(tiling) = part {
            // So many tiles and one row and column more.
            dims[0] = dims[0] * tiling.tile.rows as u32 + 1;
            dims[1] = dims[1] * tiling.tile.columns as u32 + 1;
        }
        fit(kernel, part, &mut dims);
        Case { kernel, part: part.clone(), variant, dims, replicas: 3, shared: false, large: false, seed }
    };
    let cases: Vec<_> = (0..).zip(sizes).map(case).collect();
    let folds = cases.iter().any(|case| (kernel.workgroups)(&case.dims) > u64::from(FOLDED));
    assert!(folds || kernel.most_steps() > 1, "{} folds", kernel.name);
    cases
}

/// A row for the broken shader. Pipelines are known by a row's address, so it gets one of its own.
fn broken(kernel: &Kernel, mutant: &Mutant) -> &'static Kernel {
    let Kernel { name, formula, part, reads_step, dims, bindings, variants, workgroup_size, workgroups, .. } = *kernel;
    let cpu = Cpu { f32: kernel.cpu.f32, f64: kernel.cpu.f64, bounded: kernel.cpu.bounded };
    let wgsl = mutant.wgsl.clone().leak();
    let row =
        Kernel { name, formula, wgsl, part, reads_step, dims, bindings, variants, workgroup_size, workgroups, cpu };
    Box::leak(Box::new(row))
}

fn mutants(kernel: &Kernel, part: &Part, variant: usize) -> Vec<Mutant> {
    let whole = code(part, kernel);
    // A run of steps has whole texts of other kernels, which are broken with those: compiling it takes seconds.
    let own = if kernel.most_steps() > 1 { &whole[whole.rfind("override").unwrap()..] } else { &whole };
    let mut all = Vec::new();
    let mut add = |name: String, wgsl: String| {
        assert_ne!(wgsl, whole, "{}: {name}: nothing to change", kernel.name);
        all.push(Mutant { name, wgsl, variant });
    };

    let entry = whole.find(&format!("fn {}(", kernel.name)).unwrap();
    let body = entry + whole[entry..].find(") {").unwrap() + 3;
    let leave = format!("if (params.{} > 0u) {{ return; }}", kernel.dims.last().unwrap());
    add("nothing written".into(), [&whole[..body], &leave, &whole[body..]].concat());
    let first = format!("params.{}", kernel.dims[0]);
    if own.contains(&first) {
        add(format!("last of {first} lost"), replace(&whole, &first, &format!("({first} - 1u)")));
    }

    let nan = format!("bitcast<f32>(0x7fc00000u | params.{}.w)", kernel.bindings[0].name);
    let nan = if whole.contains("array<vec4<f32>>;") { format!("vec4<f32>({nan})") } else { nan };
    let written =
        |binding: &&Binding| binding.access != Access::In && rewrite(own, binding.name, &|_, _| String::new()) != own;
    for binding in kernel.bindings.iter().filter(written) {
        let name = binding.name;
        let write = |change: &dyn Fn(&str, &str) -> String| rewrite(&whole, name, change);
        add(format!("{name} negated"), write(&|at, value| format!("{name}[{at}] = -({value})")));
        add(format!("{name} NaN"), write(&|at, _| format!("{name}[{at}] = {nan}")));
        add(format!("{name} beside its place"), write(&|at, value| format!("{name}[({at}) ^ 1u] = {value}")));
    }

    // Everything that a dispatch or a step says has to matter.
    let views =
        kernel.bindings.iter().flat_map(|binding| ["x", "y"].map(|word| format!("params.{}.{word}", binding.name)));
    let words = views.chain(["group.y", "group.z", "groups.x"].map(String::from));
    let is_own = |word: &String| kernel.most_steps() <= 1 || replace(own, word, "") != own;
    for word in words.filter(is_own) {
        let wgsl = replace(&whole, &word, "0u");
        add(format!("{word} ignored"), wgsl);
    }
    let slots = kernel.bindings.iter().map(|binding| (format!("params.{}.z", binding.name), "0u"));
    let fields = STEP_WGSL.lines().filter_map(|line| {
        let (field, rest) = line.trim().split_once(": ")?;
        Some((format!("step.{field}"), if rest.starts_with("f32") { "0.0" } else { "0u" }))
    });
    let mut said = 0;
    for (word, zero) in slots.chain(fields).filter(|(word, _)| replace(own, word, "") != own) {
        said += usize::from(word.starts_with("step."));
        add(format!("{word} ignored"), replace(&whole, &word, zero));
    }
    assert_eq!(said > 0, kernel.reads_step, "{} reads the step's record", kernel.name);

    // What a network's text has from other parts is broken with their own kernels; a tile's returns nothing.
    let of_network: &[&str] = if kernel.most_steps() > 1 { &[] } else { &["activation", "slope", "loss_of_block"] };
    let own = |name: &&str| match part {
        Part::Network(_) | Part::Training(..) => of_network.contains(name),
        Part::Tiling(_) => name.starts_with("activation"),
        _ => true,
    };
    for name in functions(&part.wgsl()).filter(own) {
        // A part's function that the kernel does not call cannot matter to it.
        if whole.matches(&format!("{name}(")).count() > 1 {
            add(format!("{}'s {name} negated", part.name()), negate(&whole, name));
        }
    }
    // A network of another shape would be another kernel, another tile the same.
    let own = |part: &Part| part.network().is_none() && !matches!(part, Part::Tiling(_));
    let others = kernel.part.parts().into_iter().filter(|other| other != part && own(other));
    for other in others {
        add(format!("{} for {}", other.name(), part.name()), code(&other, kernel));
    }
    for (other, constants) in kernel.variants.iter().enumerate().filter(|&(other, _)| other != variant) {
        all.push(Mutant {
            name: format!("{} for {}", constants.name, kernel.variants[variant].name),
            wgsl: whole.clone(),
            variant: other,
        });
    }
    all
}

/// A kernel with its part, without comments and without the step's record.
fn code(part: &Part, kernel: &Kernel) -> String {
    let whole = kernel.source(part);
    let lines = whole.strip_prefix(STEP_WGSL).unwrap_or(&whole).lines();
    lines
        .filter(|line| !line.ends_with("var<uniform> step: Step;"))
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

/// Negates what a function returns: a number or a truth value.
fn negate(text: &str, name: &str) -> String {
    let start = text.find(&format!("fn {name}(")).unwrap();
    let end = start + text[start..].find("\n}").unwrap();
    let function = &text[start..end];
    let sign = if function.contains("-> bool") { "!" } else { "-" };
    let mut pieces = function.split("return ");
    let mut negated = pieces.next().unwrap().to_string();
    for piece in pieces {
        let (value, rest) = piece.split_once(';').unwrap();
        negated += &format!("return {sign}({value});{rest}");
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
    assert_eq!(negate("fn f() -> bool {\n return a;\n}\nfn g()", "f"), "fn f() -> bool {\n return !(a);\n}\nfn g()");
}
