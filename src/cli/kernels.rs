//! `mlp kernels`: the table of kernels, and the text that runs.

use super::help;
use super::network::NetworkArgs;
use super::output::print;
use crate::error::{Error, Result};
use crate::kernels::{Access, KERNELS, Kernel, Part, PartKind};
use crate::math::Optimizer;
use crate::plan::{Plan, PlanKind, Recipe, Target, TrainShape, choose, forward};
use crate::report::Table;

/// List the compute kernels with their shapes, or print the shader of one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the full WGSL of a kernel, once for each part that the plans of the network below use
    #[arg(long, value_name = "NAME")]
    wgsl: Option<String>,
    #[command(flatten)]
    network: NetworkArgs,
    /// Rows of a training step, of 900 rows in all
    #[arg(long, default_value_t = 900, value_name = "N")]
    batch: usize,
    #[arg(long, default_value = "sgd", value_name = "NAME", help = help::optimizers("Optimiser of a training step"))]
    optimizer: String,
    /// Memory of a workgroup in bytes, which limits the blocks of fused kernels; `mlp devices --json` lists that of
    /// each GPU
    #[arg(long, default_value_t = 32 << 10, value_name = "N")]
    workgroup_bytes: usize,
    /// Cores of the GPU, which decide on them too: 64 stands for a discrete one, 16 for an integrated one
    #[arg(long, default_value_t = 64, value_name = "N")]
    cores: usize,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.wgsl {
        Some(name) => print(args.texts(name)?),
        None => print(table()),
    }
}

fn table() -> String {
    let mut table = Table::new(&["kernel", "computes", "reads", "writes", "variants", "parts"]);
    for kernel in KERNELS {
        let bound = |written: bool| {
            let bindings = kernel.bindings.iter().filter(|binding| (binding.access != Access::In) == written);
            bindings
                .map(|binding| format!("{}[{}]", binding.name, binding.shape.join(",")))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let variants = names(kernel.variants.iter().map(|variant| variant.name.into()));
        let parts = names(kernel.part.parts().iter().map(|part| part.name().into_owned()));
        table.row(vec![kernel.name.into(), kernel.formula.into(), bound(false), bound(true), variants, parts]);
    }
    table.to_string()
}

fn names(all: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = all.filter(|name| !name.is_empty()).collect();
    if names.is_empty() { "-".into() } else { names.join(" ") }
}

impl Args {
    /// The shader of a kernel with each part that a plan uses, and above each what it is.
    fn texts(&self, name: &str) -> Result<String> {
        let Some(&kernel) = KERNELS.iter().find(|kernel| kernel.name == name) else {
            let names: Vec<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
            let (what, expected) = ("--wgsl", names.join(", "));
            return Err(Error::Setting { what, found: format!("`{name}`"), expected });
        };
        // A kernel without parts has one text, whatever the network.
        let mut parts = if kernel.part == PartKind::None { vec![Part::None] } else { Vec::new() };
        if parts.is_empty() {
            let plans = self.plans()?;
            let dispatches = plans.iter().flat_map(|plan| &plan.passes).flat_map(|pass| &pass.dispatches);
            for dispatch in dispatches.filter(|dispatch| std::ptr::eq(dispatch.kernel, kernel)) {
                if !parts.contains(&dispatch.part) {
                    parts.push(dispatch.part.clone());
                }
            }
        }
        if parts.is_empty() {
            return Err(Error::Setting {
                what: "--wgsl",
                found: name.into(),
                expected: format!("a kernel that a plan of {} uses, or other flags, as --batch", self.network.spec()?),
            });
        }
        Ok(parts.iter().map(|part| text(kernel, part)).collect::<Vec<_>>().join("\n"))
    }

    /// Every plan that trains the network or runs it on a GPU: the one that is chosen first.
    fn plans(&self) -> Result<Vec<Plan>> {
        let spec = self.network.spec()?;
        let recipe = Recipe::new(Optimizer::named(&self.optimizer, 1.0)?.rule);
        let shape = TrainShape { batch: self.batch, ..TrainShape::full(ROWS.max(self.batch)) };
        let target = Target::Gpu { workgroup_bytes: self.workgroup_bytes, cores: self.cores, sums: 64 };
        let mut plans = vec![choose(None, &spec, &recipe, shape, target)?, forward(&spec, self.batch, 1, target)?];
        // A network may be too large for a way of planning.
        let others = PlanKind::ALL.iter().filter_map(|&kind| choose(Some(kind), &spec, &recipe, shape, target).ok());
        plans.extend(others);
        // With products by matrix units, which stay apart, and as they are loaded without.
        let joined: Vec<_> = plans.iter().cloned().map(|plan| plan.joined(target)).collect();
        plans.extend(joined);
        Ok(plans)
    }
}

/// Rows of the data set.
const ROWS: usize = 900;

fn text(kernel: &Kernel, part: &Part) -> String {
    let mut text = format!("// {}\n", kernel.label(part, 0).trim_end_matches(kernel.variants[0].name).trim_end());
    for variant in kernel.variants.iter().filter(|variant| !variant.constants.is_empty()) {
        let constants: Vec<_> = variant.constants.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let name = if variant.name.is_empty() { "plain" } else { variant.name };
        text += &format!("// variant {name}: {}\n", constants.join(", "));
    }
    text + &format!("// workgroups of {} invocations\n", kernel.threads(part)) + &kernel.source(part)
}
