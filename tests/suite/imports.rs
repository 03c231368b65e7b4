//! No file of `src/` imports from one that, by whatever way, imports from it. A name counts for the file that defines it,
//! wherever it is re-exported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use crate::kernels::shaders::files;

/// A module: what it defines, what it names from elsewhere, and where.
#[derive(Default)]
struct Module {
    defined: BTreeSet<String>,
    /// Imported names, and the paths that they stand for.
    imported: BTreeMap<String, Vec<String>>,
    /// Paths whose whole content is imported.
    globs: Vec<Vec<String>>,
    /// Paths in its code.
    named: Vec<Vec<String>>,
}

type Tree = BTreeMap<Vec<String>, Module>;
type Edges = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl Module {
    fn import(&mut self, tree: &UseTree, mut front: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                front.push(path.ident.to_string());
                self.import(&path.tree, front);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, front.clone())),
            UseTree::Glob(_) => self.globs.push(front),
            UseTree::Name(name) if name.ident == "self" => {
                let last = front.last().cloned().unwrap_or_default();
                self.imported.insert(last, front);
            }
            UseTree::Name(name) => {
                front.push(name.ident.to_string());
                self.imported.insert(name.ident.to_string(), front);
            }
            UseTree::Rename(name) => {
                front.push(name.ident.to_string());
                self.imported.insert(name.rename.to_string(), front);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = match item {
            Item::Const(item) => (Some(&item.ident), &item.attrs),
            Item::Enum(item) => (Some(&item.ident), &item.attrs),
            Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            Item::Static(item) => (Some(&item.ident), &item.attrs),
            Item::Struct(item) => (Some(&item.ident), &item.attrs),
            Item::Trait(item) => (Some(&item.ident), &item.attrs),
            Item::Type(item) => (Some(&item.ident), &item.attrs),
            Item::Impl(item) => (None, &item.attrs),
            Item::Mod(item) => (None, &item.attrs),
            Item::Use(item) => {
                self.import(&item.tree, Vec::new());
                return;
            }
            _ => return,
        };
        if !is_test(attributes) {
            self.defined.extend(name.map(ToString::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.named.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

/// The path of a file's module below the crate.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> = file.with_extension("").iter().map(|part| part.to_str().unwrap().to_string()).collect();
    path.retain(|part| part != "mod" && part != "lib");
    path
}

fn tree(sources: impl IntoIterator<Item = (Vec<String>, String)>) -> Tree {
    let module = |text: &str| {
        let mut module = Module::default();
        module.visit_file(&syn::parse_file(text).unwrap());
        module
    };
    sources.into_iter().map(|(path, text)| (path, module(&text))).collect()
}

/// The module that defines what `path` means in the module `here`; None for what is of no file here.
fn definer(tree: &Tree, here: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    if depth > 16 {
        return None;
    }
    let at: Vec<String> = match first.as_str() {
        "crate" | "wgpu_mlp" => return definer_in(tree, Vec::new(), rest, depth),
        "self" => return definer_in(tree, here.to_vec(), rest, depth),
        "super" => here[..here.len().checked_sub(1)?].to_vec(),
        _ => return definer_in(tree, here.to_vec(), path, depth),
    };
    if rest.first().is_some_and(|next| next == "super") {
        return definer(tree, &at, rest, depth + 1);
    }
    definer_in(tree, at, rest, depth)
}

fn definer_in(tree: &Tree, mut at: Vec<String>, path: &[String], depth: usize) -> Option<Vec<String>> {
    for (index, name) in path.iter().enumerate() {
        let module = tree.get(&at)?;
        let child = [&at[..], std::slice::from_ref(name)].concat();
        if tree.contains_key(&child) {
            at = child;
        } else if module.defined.contains(name) {
            return Some(at);
        } else if let Some(imported) = module.imported.get(name) {
            let whole = [&imported[..], &path[index + 1..]].concat();
            return (whole != path).then(|| definer(tree, &at, &whole, depth + 1)).flatten();
        } else {
            let found = module.globs.iter().find_map(|glob| {
                let whole = [&glob[..], std::slice::from_ref(name)].concat();
                definer(tree, &at, &whole, depth + 1).filter(|found| tree[found].defined.contains(name))
            });
            return found;
        }
    }
    None // a module as a whole: the names that are taken from it are found by themselves
}

/// The files that each file takes names from.
fn edges(tree: &Tree) -> Edges {
    let of = |(here, module): (&Vec<String>, &Module)| {
        let paths = module.imported.values().chain(&module.named);
        let to = paths.filter_map(|path| definer(tree, here, path, 0));
        // A folder's own file may define what its files share, and name them.
        let to = to.filter(|to| !to.starts_with(here) && !here.starts_with(to));
        (here.clone(), to.collect())
    };
    tree.iter().map(of).collect()
}

/// The imports that lead back to where they begin, by whatever way.
fn circular(edges: &Edges) -> Vec<String> {
    let leads = |from: &Vec<String>, to: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(&edges[at]);
            }
        }
        false
    };
    let all = edges.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    all.filter(|(from, to)| leads(to, from))
        .map(|(from, to)| format!("{} -> {}", from.join("/"), to.join("/")))
        .collect()
}

#[test]
fn files_import_in_one_direction() {
    let sources = files("src", "rs").into_iter().filter(|(path, _)| path != Path::new("main.rs"));
    let tree = tree(sources.map(|(path, text)| (module_path(&path), text)));
    let edges = edges(&tree);
    // The search finds what is known to be there, and re-exports lead to the file that defines a name.
    let has = |from: &str, to: &str| {
        let [from_path, to_path] = [from, to].map(|path| path.split('/').map(String::from).collect::<Vec<_>>());
        assert!(edges[&from_path].contains(&to_path), "{from} uses {to}: not found");
    };
    has("plan/plain", "kernels/products/matmul");
    has("kernels/products/dense_keep", "kernels/products/dense");
    has("backend/gpu/exec", "kernels/step");
    let found = circular(&edges);
    assert!(found.is_empty(), "files import from each other:\n{}", found.join("\n"));
}

#[test]
fn a_circle_of_imports_is_found() {
    let of = |files: &[(&str, &str)]| {
        let path = |file: &str| module_path(Path::new(file));
        circular(&edges(&tree(files.iter().map(|&(file, text)| (path(file), text.to_string())))))
    };
    let top = "mod a; mod b; pub use b::B;";
    // Through a re-export; by a path in the code; by a glob.
    for b in
        ["use super::a::A; pub struct B;", "pub struct B; fn f() { super::a::A; }", "use super::a::*; pub struct B(A);"]
    {
        let found = of(&[("m/mod.rs", top), ("m/a.rs", "use super::B; pub struct A;"), ("m/b.rs", b)]);
        assert_eq!(found, ["m/a -> m/b", "m/b -> m/a"], "{b}");
    }
    // One direction is none, nor is what tests import.
    let b = "pub struct B; #[cfg(test)] mod tests { use super::super::a::A; }";
    assert_eq!(of(&[("m/mod.rs", top), ("m/a.rs", "use super::B; pub struct A;"), ("m/b.rs", b)]), [""; 0]);
}
