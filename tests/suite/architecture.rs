//! The one way through the code: a module of `src/` uses only modules that stand before it, only the GPU backend
//! knows wgpu, and files stay short.

use std::collections::{BTreeMap, BTreeSet};

use wgpu_mlp::{Loss, Rule};

use crate::kernels::shaders::files;

/// The modules in order; each may name only those before it.
const ORDER: [&str; 28] = [
    "wgsl",
    "error",
    "limits",
    "parallel",
    "ranks",
    "files",
    "folder",
    "data",
    "math",
    "metrics",
    "spec",
    "params",
    "model",
    "exchange",
    "kernels",
    "plan",
    "backend",
    "infer",
    "gradcheck",
    "explain",
    "train",
    "bench",
    "checkpoint",
    "pipeline",
    "sweep",
    "report",
    "cli",
    "main",
];
/// Most lines of a file of code.
const LINES: usize = 450;

/// Names at the crate's root that the text uses. `root_file`: it lies at the root itself, so that its `super` is
/// the crate.
fn used(text: &str, root_file: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "wgpu_mlp::"] {
        let mut rest = text;
        while let Some(at) = rest.find(root) {
            let whole = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || "_$:".contains(c));
            rest = &rest[at + root.len()..];
            if whole {
                found.extend(heads(rest));
            }
        }
    }
    // Indented, it stands in a module inside the file.
    for line in text.lines().filter(|_| root_file) {
        if let Some(rest) = ["use super::", "pub use super::"].iter().find_map(|start| line.strip_prefix(start)) {
            found.extend(heads(rest));
        }
    }
    found
}

/// First segments of a path, or of each path of a group.
fn heads(path: &str) -> Vec<String> {
    let segment =
        |path: &str| path.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(String::from);
    let Some(group) = path.strip_prefix('{') else { return segment(path).into_iter().collect() };
    let (mut depth, mut start, mut all) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || (depth == 1 && c == ',') {
            all.extend(segment(&group[start..at]).filter(|name| !name.is_empty()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    all
}

/// Text without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_string() + "\n").collect()
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let sources = files("src", "rs");
    let place = |module: &str| ORDER.iter().position(|&known| known == module);
    // What the root re-exports stands for the module that it comes from.
    let (_, root) = sources.iter().find(|(path, _)| path.to_str() == Some("lib.rs")).unwrap();
    let mut reexports = BTreeMap::new();
    for line in root.lines() {
        if let Some((module, names)) = line.strip_prefix("pub use ").and_then(|rest| rest.split_once("::")) {
            let names =
                if names.starts_with('{') { heads(names) } else { vec![names.trim_end_matches(';').to_string()] };
            reexports.extend(names.into_iter().map(|name| (name, module.to_string())));
        }
    }
    let (mut edges, mut problems) = (BTreeSet::new(), Vec::new());
    for (path, text) in sources.iter().filter(|(path, _)| path.to_str() != Some("lib.rs")) {
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        let module = parts[0].trim_end_matches(".rs");
        let Some(here) = place(module) else {
            problems.push(format!("{}: `{module}` has no place in the order", path.display()));
            continue;
        };
        let root_file = parts.len() == 1 || parts[1..] == ["mod.rs"];
        for name in used(&code(text), root_file) {
            let target = reexports.get(&name).unwrap_or(&name);
            match place(target) {
                Some(there) if there <= here => {}
                Some(_) => problems.push(format!("{}: `{module}` uses `{target}`, which comes later", path.display())),
                None => problems.push(format!("{}: `{name}` is no module in the order", path.display())),
            }
            edges.insert((module.to_string(), target.clone()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // The search itself finds what is known to be there.
    for (module, target) in [("backend", "plan"), ("plan", "kernels"), ("kernels", "math"), ("data", "error")] {
        assert!(edges.contains(&(module.into(), target.into())), "{module} uses {target}: not found in {edges:?}");
    }
}

#[test]
fn only_the_gpu_backend_names_wgpu() {
    let mut inside = 0;
    for (path, text) in files("src", "rs") {
        let names = code(&text).contains("wgpu::");
        let gpu = path.starts_with("backend/gpu");
        assert!(gpu || !names, "{} names wgpu", path.display());
        inside += usize::from(gpu && names);
    }
    assert!(inside > 0);
}

/// What a browser runs reads the time by `web_time`, since std's clocks panic there.
#[test]
fn clocks_are_those_that_a_browser_has() {
    let elsewhere = ["cli", "report", "sweep"];
    for (path, text) in
        files("src", "rs").iter().filter(|(path, _)| !elsewhere.iter().any(|part| path.starts_with(part)))
    {
        let clock =
            |line: &str| line.contains("std::time") && (line.contains("Instant") || line.contains("SystemTime"));
        assert!(!code(text).lines().any(clock), "{} has a clock of std: use web_time's", path.display());
    }
}

/// std's macros panic where stderr or stdout takes nothing, and let the texts of a file steer a terminal; the command has its own under
/// the name of one of them.
#[test]
fn nothing_is_printed_by_the_macros_of_std() {
    let (_, command) = files("src", "rs").into_iter().find(|(path, _)| path.ends_with("cli/mod.rs")).unwrap();
    let own = command.find("macro_rules! eprintln").unwrap();
    assert!(command.find("\nmod ").is_some_and(|first| own < first), "what stands above the macro has that of std");
    for (path, text) in files("src", "rs") {
        // Tests inside a file may print.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let text = if path.starts_with("cli") { text.replace("eprintln!", "") } else { text.into() };
        let found = ["print!(", "println!(", "dbg!("].into_iter().find(|name| code(&text).contains(name));
        assert_eq!(found, None, "{}", path.display());
    }
}

/// A new loss or optimiser touches neither the command nor a report, which go by the tables: they name but the defaults.
#[test]
fn the_command_goes_by_the_tables_of_losses_and_optimisers() {
    let losses = Loss::ALL.iter().map(|loss| format!("Loss::{loss:?}"));
    let names = losses.chain(Rule::ALL.iter().map(|rule| format!("Rule::{rule:?}")));
    let flags = Loss::ALL.iter().filter_map(|loss| loss.parameter()).map(|parameter| parameter.name.replace('_', "-"));
    let defaults = ["Loss::BinaryCrossEntropy", "Loss::MeanSquaredError", "Rule::Sgd", "Rule::Adam"];
    let names: Vec<_> = names.chain(flags).collect();
    assert!(defaults.iter().all(|default| names.iter().any(|name| name == default)));
    for (path, text) in
        files("src", "rs").iter().filter(|(path, _)| path.starts_with("cli") || path.starts_with("report"))
    {
        let text = code(text);
        for name in names.iter().filter(|name| !defaults.contains(&name.as_str())) {
            assert!(!text.contains(name.as_str()), "{} names {name}", path.display());
        }
    }
}

#[test]
fn files_are_short() {
    let sources = [("src", "rs"), ("shaders", "wgsl"), ("benches", "rs")];
    for (path, text) in sources.into_iter().flat_map(|(folder, ending)| files(folder, ending)) {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{}: {lines} lines; at most {LINES}", path.display());
    }
}

#[test]
fn paths_are_found_in_every_form() {
    let names = |text, root_file| used(&code(text), root_file).into_iter().collect::<Vec<_>>();
    assert_eq!(names("use crate::plan::Plan; // crate::cli\n crate::math::f();", false), ["math", "plan"]);
    assert_eq!(names("use crate::{data::{A, B}, spec,\n train::C};", false), ["data", "spec", "train"]);
    assert_eq!(names("fn main() { wgpu_mlp::cli::main() }", true), ["cli"]);
    assert_eq!(names("use super::infer::P;\n    use super::*;", true), ["infer"]);
    assert_eq!(names("use super::infer::P;", false), [] as [&str; 0]);
    assert_eq!(names("$crate::kernels::Cpu; not_crate::x", false), [] as [&str; 0]);
}
