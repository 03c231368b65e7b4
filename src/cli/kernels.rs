//! `mlp kernels`: the table of kernels.

use super::output::print;
use crate::error::Result;
use crate::kernels::{Access, KERNELS, Kernel};
use crate::report::Table;

/// List the compute kernels with their shapes
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> Result<()> {
    let mut table = Table::new(&["kernel", "computes", "reads", "writes", "variants and parts"]);
    for kernel in KERNELS {
        let bound = |written: bool| {
            let bindings = kernel.bindings.iter().filter(|binding| (binding.access != Access::In) == written);
            bindings
                .map(|binding| format!("{}[{}]", binding.name, binding.shape.join(",")))
                .collect::<Vec<_>>()
                .join(" ")
        };
        table.row(vec![kernel.name.into(), kernel.formula.into(), bound(false), bound(true), choices(kernel)]);
    }
    print(table.to_string())
}

fn choices(kernel: &Kernel) -> String {
    let variants = kernel.variants.iter().map(|variant| variant.name.into());
    let parts = kernel.part.parts().into_iter().map(|part| part.name());
    let names: Vec<_> = variants.chain(parts).filter(|name| !name.is_empty()).collect();
    if names.is_empty() { "-".into() } else { names.join(" ") }
}
