//! A row of the table of kernels.

use super::binding::{Binding, HYPER, is_length};
use super::call::Cpu;
use super::part::{Part, PartKind};
use super::shared::STEP_WGSL;
use super::step::MAX_RECORDS;
use crate::math::Hyper;

/// Most steps of a dispatch of a kernel that takes a run of them.
pub const MAX_RUN: usize = 256;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// File, entry point, module, label and bench id.
    pub name: &'static str,
    /// What it computes, in one line.
    pub formula: &'static str,
    /// The shader, without its part: the texts that it shares with others, then its own.
    pub wgsl: &'static [&'static str],
    /// The kind of part that goes in front of the shader.
    pub part: PartKind,
    /// Most steps of a dispatch, whose records it reads: 0 for a kernel that reads none, [`MAX_RUN`] for one that goes on by itself.
    pub most_steps: usize,
    /// Names of the dimensions, in the order of the uniform.
    pub dims: &'static [&'static str],
    /// Storage bindings in order.
    pub bindings: &'static [Binding],
    /// Compile-time choices; the first is the plain one.
    pub variants: &'static [Variant],
    /// Invocations of a workgroup.
    pub workgroup_size: WorkgroupSize,
    /// Number of workgroups for a replica, from the dimensions.
    pub workgroups: fn(&[u32]) -> u64,
    /// What the shader and the CPU function rely on beyond the shapes, the kind of part and what a part fixes; see
    /// [`Kernel::check`]. It is called with as many dimensions as there are, none of them 0.
    pub fits: fn(&[u32], &Part) -> Result<(), &'static str>,
    /// The same work on the CPU.
    pub cpu: Cpu,
}

/// A named set of WGSL override constants.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Name in labels and reports; empty for a kernel without variants.
    pub name: &'static str,
    /// Values of the override constants.
    pub constants: &'static [(&'static str, f64)],
}

/// Invocations of a workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkgroupSize {
    /// So many, whatever the part.
    Fixed(u32),
    /// As many as the tile has that is the part; see [`Kernel::threads`].
    OfTile,
}

/// The rule of a kernel whose shapes and part say all.
pub(crate) fn any(_: &[u32], _: &Part) -> Result<(), &'static str> {
    Ok(())
}

/// Ends with the first of the conditions that does not hold.
pub(crate) fn all<const N: usize>(conditions: [(bool, &'static str); N]) -> Result<(), &'static str> {
    conditions.into_iter().try_for_each(|(holds, problem)| if holds { Ok(()) } else { Err(problem) })
}

/// Most workgroups that share a sum: shaders count invocations of all of them in u32.
pub(crate) const MOST_GROUPS: usize = 65_535;

/// Declares a kernel's dimensions: their names in the order of the uniform, and their values by name.
macro_rules! dims {
    ($($name:ident),* $(,)?) => {
        /// The kernel's dimensions.
        #[derive(Clone, Copy)]
        #[allow(dead_code)] // a dimension may matter to the shapes alone
        struct Dims {
            $($name: usize,)*
        }

        impl Dims {
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            fn of(dims: &[u32]) -> Self {
                let mut values = dims.iter().map(|&dim| dim as usize);
                Self { $($name: values.next().unwrap_or_default(),)* }
            }
        }
    };
}
pub(crate) use dims;

/// The only variant of a kernel without compile-time choices.
pub const PLAIN: &[Variant] = &[Variant { name: "", constants: &[] }];

impl Kernel {
    /// The whole shader with `part` in front.
    pub fn source(&self, part: &Part) -> String {
        let step = if self.most_steps > 0 { records_wgsl() } else { String::new() };
        let hyper =
            if self.bindings.iter().any(|binding| binding.name == HYPER.name) { hyper_wgsl() } else { String::new() };
        let bindings = if let Part::Tiling(tiling) = part {
            tiling.bindings(self.bindings, self.part.operands())
        } else {
            String::new()
        };
        [part.enables(), &step, &hyper, &part.wgsl(), &bindings, &self.wgsl.concat()].concat()
    }

    /// Invocations of a workgroup; 0 where a tile has them and `part` is none.
    pub fn threads(&self, part: &Part) -> u32 {
        match (self.workgroup_size, part) {
            (WorkgroupSize::Fixed(threads), _) => threads,
            (WorkgroupSize::OfTile, Part::Tiling(tiling)) => tiling.threads() as u32,
            (WorkgroupSize::OfTile, _) => 0,
        }
    }

    /// Whether its matrices can be read four elements at a time: all their lines, beginnings and distances of replicas, which `places` are for each
    /// binding, are multiples of four.
    pub fn can_be_wide(&self, dims: &[u32], places: &[[usize; 2]]) -> bool {
        let mut lengths = self.dims.iter().zip(dims).filter(|(name, _)| is_length(name)).map(|(_, &dim)| dim);
        let mut places = self.bindings.iter().zip(places).filter(|(binding, _)| binding.has_lengths());
        lengths.all(|length| length.is_multiple_of(4))
            && places.all(|(_, place)| place.iter().all(|place| place.is_multiple_of(4)))
    }

    /// The value of a dimension, if it has one of the name.
    pub fn dim(&self, name: &str, dims: &[u32]) -> Option<u32> {
        self.dims.iter().zip(dims).find(|(known, _)| **known == name).map(|(_, &dim)| dim)
    }

    /// Refuses dimensions and a part that the kernel does not take: another number of dimensions, one of 0, a part of another kind,
    /// a dimension that the part fixes otherwise, and what [`Kernel::fits`] says. What it lets pass stays inside bindings of
    /// their shapes, on the CPU and in shaders, into which naga puts no bounds checks.
    ///
    /// # Errors
    /// What is wrong, without the kernel's name.
    pub fn check(&self, dims: &[u32], part: &Part) -> Result<(), String> {
        if dims.len() != self.dims.len() {
            return Err(format!("{} dimensions, expected {}", dims.len(), self.dims.len()));
        }
        if let Some((name, _)) = self.dims.iter().zip(dims).find(|(_, dim)| **dim == 0) {
            return Err(format!("{name} is 0"));
        }
        if !self.part.takes(part) {
            return Err(format!("takes a part of the kind {:?}, found {part:?}", self.part));
        }
        for (name, &dim) in self.dims.iter().zip(dims) {
            if let Some(fixed) = part.dim(name).filter(|&fixed| !part.allows(name, fixed, dim as usize)) {
                return Err(format!("{name} is {dim}, and {fixed} in the part"));
            }
        }
        (self.fits)(dims, part).map_err(String::from)
    }

    /// Elements of a binding for one replica; `dims` as in [`Kernel::dims`].
    pub fn elements(&self, binding: usize, dims: &[u32]) -> u64 {
        let extent = |name: &&str| match self.dims.iter().position(|dim| dim == name) {
            Some(dim) => u64::from(dims[dim]),
            None => name.parse().unwrap_or(u64::MAX),
        };
        self.bindings[binding].shape.iter().map(extent).fold(1, u64::saturating_mul)
    }

    /// A name for labels: kernel, part and variant.
    pub fn label(&self, part: &Part, variant: usize) -> String {
        [self.name, &part.name(), self.variants[variant].name]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The records of the steps, which every kernel that reads one has: those of a step stand side by side, one for each replica, those of
/// the next step of a run behind them.
fn records_wgsl() -> String {
    format!(
        "{STEP_WGSL}const RECORDS = {MAX_RECORDS}u;\n@group(0) @binding(1) var<uniform> records: array<Step, RECORDS>;\n\
         var<private> step: Step;\n"
    )
}

/// Where each of a replica's settings stands in `hyper`, and how many they are, as WGSL constants.
fn hyper_wgsl() -> String {
    let line = |(place, name): (usize, &&str)| format!("const HYPER_{} = {place}u;\n", name.to_uppercase());
    let lines: String = Hyper::<f32>::NAMES.iter().enumerate().map(line).collect();
    format!("{lines}const HYPER_VALUES = {}u;\n", Hyper::<f32>::LEN)
}

/// Elements that a CPU function takes at a time; fewer are not worth a second thread.
pub(crate) const CHUNK: usize = 1 << 14;

/// Tiles of a matrix.
pub(crate) fn tiles(shape: [usize; 2], tile: [usize; 2]) -> u64 {
    (shape[0].div_ceil(tile[0]) as u64).saturating_mul(shape[1].div_ceil(tile[1]) as u64)
}

/// Workgroups of `size` invocations for one invocation an element.
pub(crate) fn per_element(count: usize, size: usize) -> u64 {
    count.div_ceil(size) as u64
}
