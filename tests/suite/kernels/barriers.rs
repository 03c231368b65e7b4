//! Every barrier matters on a device: each is deleted, one at a time, and the comparison of `parity` has to notice, or the barrier stands in a
//! list of those whose loss software Vulkan does not show. It runs a workgroup on one thread, a few invocations at a time from barrier to
//! barrier, in order; so what happens without one is always the same. On hardware it is not, so nothing is said of that. `races.rs` judges
//! the same texts without a device.
//!
//! Each text is compiled anew: software Vulkan waits at a barrier even in a branch or loop that no invocation takes, so that no text can have
//! all faults.

use std::collections::BTreeSet;

use wgpu_mlp::backend::GpuDevice;
use wgpu_mlp::kernels::{KERNELS, Kernel, MATMUL, Network, Part, PartKind};
use wgpu_mlp::math::{Activation, Bounded, Loss, Rule};
use wgpu_mlp::spec::MlpSpec;

use crate::kernels::mutation::{cases, code};
use crate::support::{Case, folded_devices};

/// A barrier in a text: the function in which it stands, and its number there.
pub struct Barrier {
    pub name: String,
    start: usize,
    end: usize,
}

impl Barrier {
    pub fn deleted_from(&self, text: &str) -> String {
        [&text[..self.start], &text[self.end..]].concat()
    }
}

/// The barriers of a text, in order.
pub fn barriers(text: &str) -> Vec<Barrier> {
    let places = |call: &'static str| text.match_indices(call).map(|(at, found)| (at, at + found.len()));
    let mut places: Vec<_> = ["workgroupBarrier();", "storageBarrier();"].into_iter().flat_map(places).collect();
    places.sort_unstable();
    let mut found: Vec<Barrier> = Vec::new();
    for (start, end) in places {
        let function = text[..start].rfind("\nfn ").map_or("", |at| text[at + 4..].split('(').next().unwrap());
        let before = found.iter().filter(|barrier| barrier.name.starts_with(&format!("{function} "))).count();
        found.push(Barrier { name: format!("{function} {before}"), start, end });
    }
    found
}

/// The reader is no earlier invocation than the writer.
const IN_ORDER: &str = "what is read has been written by an invocation before";
/// What another value takes the place of.
const IN_TIME: &str = "what is overwritten happens to have been read";
/// See `races.rs`.
const SPARE: &str = "another barrier does the work";

/// Barriers whose loss does not show, and why.
const UNNOTICED: &[(&str, &str)] = &[
    ("dense_softmax_loss: softmax_of_blocks 1", IN_ORDER),
    ("dense_softmax_loss: softmax_of_blocks 3", IN_ORDER),
    ("dense_softmax_loss: softmax_of_blocks 4", IN_TIME),
    ("softmax_loss: softmax_of_blocks 1", IN_ORDER),
    ("softmax_loss: softmax_of_blocks 3", IN_ORDER),
    ("softmax_loss: softmax_of_blocks 4", IN_TIME),
    ("update: update 1", IN_ORDER),
];

/// The same in kernels of whole networks.
const UNNOTICED_OF_NETWORKS: &[(&str, &str)] = &[
    ("fused_gradient: add_up 0", SPARE),
    ("fused_gradient: add_up 1", IN_TIME),
    ("fused_gradient: add_up 2", IN_ORDER),
    ("fused_gradient: hold 0", SPARE),
    ("fused_gradient: load 0", IN_ORDER),
    ("fused_gradient: load 1", IN_ORDER),
    ("fused_gradient: through_last 0", "the last layer of this network has no activation"),
    ("fused_gradient: through_network 0", SPARE),
    ("fused_gradient: through_network 1", IN_ORDER),
    ("fused_gradient: through_network 2", IN_TIME),
    ("resident_steps: resident_steps 0", IN_ORDER),
    ("resident_steps: resident_steps 1", SPARE),
    ("resident_steps: resident_steps 2", IN_ORDER),
];

/// Whether the barriers of a function are judged.
type IsJudged = fn(&str) -> bool;

/// What is compiled of a kernel, and which of its functions: texts that kernels share are looked at once.
fn judged(kernel: &Kernel) -> Option<(Part, IsJudged)> {
    let network = || {
        let spec = MlpSpec::new(&[3, 34, 5, 2], Activation::Relu, Loss::MeanSquaredError).unwrap();
        Network::new(spec, vec![0; 3]).unwrap().in_blocks(8, false).unwrap().into()
    };
    match kernel.part {
        PartKind::Tile if kernel.name == MATMUL.name => Some((kernel.part.parts().remove(0), |_| true)),
        PartKind::GatherDense => Some((kernel.part.parts().remove(0), |function| function == "find_samples")),
        PartKind::Tile | PartKind::Dense | PartKind::DensePair | PartKind::Forward => None,
        PartKind::Network => Some((Part::Network(network()), |_| true)),
        PartKind::Training => Some((Part::Training(network(), Rule::Sgd), |function| function == "resident_steps")),
        _ => Some((kernel.part.parts().remove(0), |_| true)),
    }
}

/// Whether a kernel of another text gives anything else than the cases expect.
fn differs(gpu: &GpuDevice, cases: &[(Vec<Vec<Bounded>>, Case)], text: String) -> bool {
    // Pipelines are known by a row's address, so it gets one of its own.
    let wgsl = vec![&*text.leak()].leak();
    let row: &Kernel =
        Box::leak(Box::new(Kernel { wgsl, part: PartKind::None, fits: |_, _| Ok(()), ..*cases[0].1.kernel }));
    cases.iter().any(|(expected, case)| {
        let mut plan = case.plan();
        let dispatch = &mut plan.passes[0].dispatches[0];
        (dispatch.kernel, dispatch.part) = (row, Part::None);
        case.check_gpu(gpu, plan, expected).is_err()
    })
}

/// Deletes each barrier of the kernels, and compares those whose loss does not show with the list of them.
fn judge(kernels: impl Iterator<Item = &'static Kernel>, known: &[(&str, &str)]) {
    let kernels: Vec<_> = kernels.collect();
    let known: BTreeSet<_> = known.iter().map(|(name, _)| name.to_string()).collect();
    for gpu in folded_devices().iter().filter(|gpu| gpu.name().starts_with("llvmpipe")) {
        let mut unnoticed = BTreeSet::new();
        for &kernel in &kernels {
            let Some((part, is_judged)) = judged(kernel) else { continue };
            let text = code(&part, kernel);
            let variants = if is_network(kernel) || kernel.part == PartKind::Tile { 1 } else { kernel.variants.len() };
            let mut all = barriers(&text);
            all.retain(|barrier| is_judged(barrier.name.split(' ').next().unwrap()));
            if all.is_empty() {
                continue;
            }
            let mut cases: Vec<_> = (0..variants).flat_map(|variant| cases(kernel, &part, variant)).collect();
            if let Part::Tiling(tiling) = &part {
                // More than two panels.
                cases.iter_mut().for_each(|case| case.dims[2] += 2 * tiling.tile.depth() as u32);
            }
            let cases: Vec<_> = cases.into_iter().map(|case| (case.expected(), case)).collect();
            assert!(!differs(gpu, &cases, text.clone()), "{}: with all its barriers", kernel.name);
            let survivors = all.iter().filter(|barrier| !differs(gpu, &cases, barrier.deleted_from(&text)));
            unnoticed.extend(survivors.map(|barrier| format!("{}: {}", kernel.name, barrier.name)));
        }
        // Where fewer invocations run at a time, more is noticed.
        if gpu.name().contains("256 bits") {
            assert_eq!(unnoticed, known, "{}: whose loss does not show, and those known", gpu.name());
        } else {
            assert!(unnoticed.is_subset(&known), "{}: {unnoticed:?}", gpu.name());
        }
    }
}

#[test]
fn every_lost_barrier_is_noticed_or_known() {
    judge(KERNELS.iter().copied().filter(|kernel| !is_network(kernel)), UNNOTICED);
}

#[test]
#[ignore = "compiles for two minutes; what races.rs says of the same barriers is stricter"]
fn every_lost_barrier_of_networks_is_noticed_or_known() {
    judge(KERNELS.iter().copied().filter(|kernel| is_network(kernel)), UNNOTICED_OF_NETWORKS);
}

fn is_network(kernel: &Kernel) -> bool {
    matches!(kernel.part, PartKind::Forward | PartKind::Network | PartKind::Training)
}
