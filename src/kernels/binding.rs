//! What a kernel reads and writes.

/// Most storage bindings of a kernel: WebGPU guarantees 8.
pub const MAX_BINDINGS: usize = 8;

/// A storage binding.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Name in the shader.
    pub name: &'static str,
    /// How the kernel uses it.
    pub access: Access,
    /// Extents for one replica, each the name of a dimension or a number.
    pub shape: &'static [&'static str],
}

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    In,
    /// Written whole, never read.
    Out,
    /// Read and written in place.
    InOut,
    /// Memory to work in, four elements at a time: what is in it means nothing before or after.
    Scratch,
}

impl Binding {
    /// Whether its last extent is a length that a product reads by four; see [`is_length`].
    pub(super) fn has_lengths(&self) -> bool {
        self.shape.last().is_some_and(|name| is_length(name))
    }
}

/// Whether a dimension may be the length of a line that a product reads by four. Rows and samples only count lines, a row's targets are few, and
/// a tile is what it is; of m, n and k, which matmul has, any may be.
pub(super) fn is_length(dim: &str) -> bool {
    !["rows", "groups", "samples", "columns", "tile_rows", "tile_columns"].contains(&dim)
}

/// A replica's settings, [`Optimizer::HYPER`](crate::math::Optimizer::HYPER) values in the order of [`Hyper`](crate::math::Hyper).
pub const HYPER: Binding = input("hyper", &["12"]);
const _: () = assert!(crate::math::Optimizer::HYPER == 12);
/// The same and, where learning rates differ, the rate of each parameter behind them, 0 for what is frozen.
pub const HYPER_AND_RATES: Binding = input("hyper", &["settings"]);

/// A read binding.
pub const fn input(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::In, shape }
}

/// A written binding.
pub const fn output(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::Out, shape }
}

/// A binding changed in place.
pub const fn in_place(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::InOut, shape }
}

/// A binding to work in.
pub const fn scratch(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::Scratch, shape }
}
