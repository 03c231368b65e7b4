//! Whether a plan stays inside its buffers. Shaders are compiled without bounds checks of their own and rely on it.

use super::buffers::places;
use super::passes::{Dispatch, Pass, Plan};
use crate::error::{Error, Result};
use crate::kernels::{Access, MAX_BINDINGS, Part, Tiling};

impl Plan {
    /// Refuses a plan that would reach outside a buffer or read what the same dispatch writes, and a dispatch whose part or
    /// dimensions its kernel does not take ([`Kernel::check`](crate::kernels::Kernel::check)). Backends call it before
    /// anything else: shaders mask their edges by the dimensions and are not checked again.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the kernel and what is wrong.
    pub fn check(&self) -> Result<()> {
        let refused = |problem: String, expected: &str| Error::Setting {
            what: "plan",
            found: format!("inconsistent: {problem}"),
            expected: expected.into(),
        };
        if self.replicas == 0 || self.slots == 0 {
            return Err(refused("no replica or no slot".into(), "at least one of each"));
        }
        if self.output.is_some_and(|output| output >= self.buffers.len()) {
            return Err(refused("no buffer for the output".into(), "one of the plan's buffers"));
        }
        for pass in &self.passes {
            if u32::try_from(pass.rows).is_err() {
                return Err(refused(format!("a pass of {} rows", pass.rows), "at most 4294967295 rows"));
            }
            for dispatch in &pass.dispatches {
                self.check_dispatch(pass, dispatch).map_err(|problem| {
                    refused(
                        format!("{}: {problem}", dispatch.kernel.name),
                        "dimensions that the kernel takes and views that lie inside their buffers",
                    )
                })?;
            }
        }
        Ok(())
    }

    fn check_dispatch(&self, pass: &Pass, dispatch: &Dispatch) -> Result<(), String> {
        let Dispatch { kernel, part, variant, dims, views } = dispatch;
        if views.len() != kernel.bindings.len() || views.len() > MAX_BINDINGS || *variant >= kernel.variants.len() {
            return Err("views or variant do not fit the kernel".into());
        }
        kernel.check(dims, part)?;
        if let Part::Tiling(Tiling { wide: true, .. }) = part
            && !kernel.can_be_wide(dims, &places(views))
        {
            return Err("matrices that cannot be read four elements at a time".into());
        }
        // A kernel that takes a run of steps has its rows from their records, which have them from the pass.
        let samples = kernel.dim("samples", dims).map_or(u64::MAX, u64::from);
        if kernel.most_steps > 1 && !(1..=samples).contains(&(pass.rows as u64)) {
            return Err(format!("{} rows of {samples} samples", pass.rows));
        }
        for (index, (view, binding)) in views.iter().zip(kernel.bindings).enumerate() {
            let Some(buffer) = self.buffers.get(view.buffer) else {
                return Err(format!("no buffer {}", view.buffer));
            };
            let last = |count: usize, stride: usize| (count as u64 - 1).saturating_mul(stride as u64);
            let elements = kernel.elements(index, dims);
            let end = (view.offset as u64)
                .saturating_add(last(self.replicas, view.replica_stride))
                .saturating_add(last(self.slots, view.slot_stride))
                .saturating_add(elements);
            if end > buffer.len as u64 {
                return Err(format!("{} ends at {end} of {}", binding.name, buffer.len));
            }
            let shared = views.iter().filter(|other| other.buffer == view.buffer).count() > 1;
            let overlaps = self.replicas > 1 && (view.replica_stride as u64) < elements;
            if binding.access != Access::In && (shared || overlaps) {
                return Err(format!("{} is written and used otherwise too", binding.name));
            }
        }
        Ok(())
    }
}
