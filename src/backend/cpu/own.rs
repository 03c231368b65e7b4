//! The buffers of a plan as a dispatch of one replica sees them: whole, or what the replica has to itself.

use std::ops::Range;

use crate::kernels::{Access, Call, Element, Io, MAX_BINDINGS, Step, TIED_GRADIENTS};
use crate::plan::{Buffer, Dispatch, Plan, Role, View};

/// A buffer, or a part of one.
enum Part<'a, T> {
    /// Read by all replicas.
    Shared(&'a [T]),
    /// One replica's, or the whole of a buffer that replicas use in turn.
    Own(&'a mut [T]),
}

/// All buffers of a plan in the order of [`Plan::buffers`].
pub(super) struct Parts<'a, T> {
    parts: Vec<Part<'a, T>>,
    /// How many replicas a slot of the ring is for.
    replicas_of_slot: usize,
    /// The replica whose parts they are; 0 where they are all replicas'.
    replica: usize,
}

/// Whether replicas read what others have made.
pub(super) fn reads_others(work: &Dispatch) -> bool {
    std::ptr::eq(work.kernel, &TIED_GRADIENTS)
}

/// What a replica has of each buffer to itself, but for work that [reads others'](reads_others), 0 where it has nothing; none for a plan of one replica,
/// or whose buffers do not fall apart into equal parts.
pub(super) fn own_parts(plan: &Plan) -> Option<Vec<usize>> {
    let replicas = plan.replicas;
    if replicas == 1 {
        return None;
    }
    let work = || plan.passes.iter().flat_map(|pass| &pass.dispatches).filter(|work| !reads_others(work));
    let bindings =
        || work().flat_map(|work| work.views.iter().enumerate().map(move |(index, view)| (work, index, view)));
    let part = |(id, buffer): (usize, &Buffer)| {
        let views = || bindings().filter(move |(_, _, view)| view.buffer == id);
        let is_read = |work: &Dispatch, index: usize| work.kernel.bindings[index].access == Access::In;
        if views().next().is_some()
            && views().all(|(work, index, view)| view.replica_stride == 0 && is_read(work, index))
        {
            return Some(0);
        }
        let each = buffer.len / replicas;
        let lies_apart = |(work, index, view): (&Dispatch, usize, &View)| {
            let elements = work.kernel.elements(index, &work.dims) as usize;
            let slot = view.slot_stride / replicas;
            let has_slots = view.slot_stride > 0;
            // The ring alone is handed out slot by slot.
            let apart = match buffer.role {
                Role::LossRing => view.slot_stride == view.replica_stride * replicas,
                _ => !has_slots && view.replica_stride == each,
            };
            apart && view.offset + if has_slots { (plan.slots - 1) * slot } else { 0 } + elements <= each
        };
        (buffer.len.is_multiple_of(replicas) && views().all(lies_apart)).then_some(each)
    };
    plan.buffers.iter().enumerate().map(part).collect()
}

impl<'a, T: Element> Parts<'a, T> {
    /// The buffers whole.
    pub fn whole(buffers: &'a mut [Vec<T>]) -> Self {
        let parts = buffers.iter_mut().map(|buffer| Part::Own(buffer)).collect();
        Self { parts, replicas_of_slot: 1, replica: 0 }
    }

    /// What each of the first replicas has, by [`own_parts`].
    pub fn of_each(buffers: &'a mut [Vec<T>], own: &[usize], replicas: usize) -> Vec<Self> {
        let new = |replica| Self { parts: Vec::with_capacity(own.len()), replicas_of_slot: 0, replica };
        let mut all: Vec<Self> = (0..replicas).map(new).collect();
        for (buffer, &each) in buffers.iter_mut().zip(own) {
            if each == 0 {
                let shared: &'a [T] = buffer;
                all.iter_mut().for_each(|replica| replica.parts.push(Part::Shared(shared)));
                continue;
            }
            let of_all = buffer.len() / each;
            for (replica, part) in all.iter_mut().zip(buffer.chunks_exact_mut(each)) {
                replica.parts.push(Part::Own(part));
                replica.replicas_of_slot = of_all;
            }
        }
        all
    }

    /// Where a view begins; `replica` is 0 where the parts are a replica's.
    fn start(&self, view: View, replica: usize, slot: u32) -> usize {
        view.offset + replica * view.replica_stride + slot as usize * (view.slot_stride / self.replicas_of_slot)
    }
}

/// Runs one dispatch of one replica. The buffers that it writes are taken out of their places meanwhile, so that the others can be
/// borrowed beside them.
pub(super) fn run<T: Element>(dispatch: &Dispatch, buffers: &mut Parts<'_, T>, replica: usize, step: Step) {
    let kernel = dispatch.kernel;
    let bindings = || kernel.bindings.iter().zip(&dispatch.views).enumerate();
    let mut taken: [&mut [T]; MAX_BINDINGS] = Default::default();
    let mut places: [Range<usize>; MAX_BINDINGS] = Default::default();
    let mut writes = 0;
    for (index, (binding, &view)) in bindings() {
        let (start, len) = (buffers.start(view, replica, step.slot), kernel.elements(index, &dispatch.dims) as usize);
        places[index] = start..start + len;
        if let (true, Part::Own(part)) = (binding.access != Access::In, &mut buffers.parts[view.buffer]) {
            taken[writes] = std::mem::take(part);
            writes += 1;
        }
    }
    let (mut inputs, mut reads) = ([&[][..]; MAX_BINDINGS], 0);
    let mut outputs: [&mut [T]; MAX_BINDINGS] = Default::default();
    let mut rest = taken.iter_mut();
    let mut writes = 0;
    for (index, (binding, view)) in bindings() {
        if binding.access == Access::In {
            inputs[reads] = match &buffers.parts[view.buffer] {
                Part::Shared(part) => &part[places[index].clone()],
                Part::Own(part) => &part[places[index].clone()],
            };
            reads += 1;
        } else if let Some(part) = rest.next() {
            outputs[writes] = &mut part[places[index].clone()];
            writes += 1;
        }
    }
    let replica = replica + buffers.replica;
    let call = Call { dims: &dispatch.dims, part: &dispatch.part, variant: dispatch.variant, step, replica };
    T::function(&kernel.cpu)(&call, Io { inputs, outputs });
    let written = bindings().filter(|(_, (binding, _))| binding.access != Access::In);
    for ((_, (_, view)), part) in written.zip(taken) {
        buffers.parts[view.buffer] = Part::Own(part);
    }
}
