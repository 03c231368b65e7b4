//! A dispatch as a CPU function sees it, and the functions of a kernel.

use super::binding::MAX_BINDINGS;
use super::fused::Network;
use super::part::Part;
use super::products::MatrixUnits;
use super::step::Step;
use crate::math::{Activation, Bounded, Loss, Real, Rule};

/// One replica's share of a dispatch, as a CPU function sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Values of [`Kernel::dims`](super::Kernel::dims).
    pub dims: &'a [u32],
    /// The part.
    pub part: &'a Part,
    /// Index into [`Kernel::variants`](super::Kernel::variants).
    pub variant: usize,
    /// The replica's record of the step.
    pub step: Step,
    /// The replica's number.
    pub replica: usize,
}

/// The part as the kernel's kind. `Plan::check` has refused every other one; a function that is called past it must not leave its
/// outputs as they were, as if it had done its work.
impl<'a> Call<'a> {
    pub(super) fn activation(&self) -> Activation {
        match self.part {
            Part::Activation(activation) => *activation,
            Part::Tiling(tiling) => tiling.activation,
            other => refused(other),
        }
    }

    /// The matrix units that a product is made by.
    pub(super) fn units(&self) -> Option<&'a MatrixUnits> {
        if let Part::Tiling(tiling) = self.part { tiling.units.as_ref() } else { None }
    }

    pub(super) fn loss(&self) -> Loss {
        if let Part::Loss(loss) = self.part { *loss } else { refused(self.part) }
    }

    pub(super) fn rule(&self) -> Rule {
        match self.part {
            Part::Rule(rule) | Part::Training(_, rule) => *rule,
            other => refused(other),
        }
    }

    pub(super) fn network(&self) -> &'a Network {
        self.part.network().unwrap_or_else(|| refused(self.part))
    }
}

#[allow(clippy::panic)] // see above
#[cold]
fn refused(part: &Part) -> ! {
    panic!("a kernel's CPU function was called with a part that it does not take: {part:?}");
}

/// The bindings of one replica: `inputs` are those that are read only, `outputs` the others, both in the
/// order of [`Kernel::bindings`](super::Kernel::bindings), each exactly as long as its shape says.
#[derive(Debug)]
pub struct Io<'a, T> {
    /// Bindings with [`Access::In`](super::Access::In).
    pub inputs: [&'a [T]; MAX_BINDINGS],
    /// Bindings with [`Access::Out`](super::Access::Out) and [`Access::InOut`](super::Access::InOut).
    pub outputs: [&'a mut [T]; MAX_BINDINGS],
}

/// A kernel's CPU function for one number type.
pub type CpuFn<T> = fn(&Call<'_>, Io<'_, T>);

/// A kernel's CPU function for every number type.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// The fast path.
    pub f32: CpuFn<f32>,
    /// The oracle.
    pub f64: CpuFn<f64>,
    /// The oracle with the limit that a device's result must keep.
    pub bounded: CpuFn<Bounded>,
}

/// A number type that every kernel has a CPU function for.
pub trait Element: Real {
    /// The type's function of a kernel.
    fn function(cpu: &Cpu) -> CpuFn<Self>;
}

macro_rules! element {
    ($type:ty, $field:ident) => {
        impl Element for $type {
            fn function(cpu: &Cpu) -> CpuFn<Self> {
                cpu.$field
            }
        }
    };
}
element!(f32, f32);
element!(f64, f64);
element!(Bounded, bounded);

/// Makes the [`Cpu`] entry of a generic function.
macro_rules! cpu {
    ($function:ident) => {
        $crate::kernels::Cpu {
            f32: $function::<f32>,
            f64: $function::<f64>,
            bounded: $function::<$crate::math::Bounded>,
        }
    };
}
pub(crate) use cpu;
