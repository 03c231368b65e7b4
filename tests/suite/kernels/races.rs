//! No two invocations of a workgroup touch the same word between two barriers, where one of them writes it: followed through the text of
//! each kernel, without a device. Then each barrier is deleted, one at a time, and that has to show; software Vulkan shows it too where it
//! can (`barriers.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wgpu_mlp::kernels::{KERNELS, Kernel, Network, Part, PartKind};
use wgpu_mlp::math::{Activation, Loss, Rule};
use wgpu_mlp::spec::{Layer, MlpSpec};

use crate::kernels::barriers::barriers;
use crate::kernels::lanes::{follow, line, read};
use crate::kernels::mutation::cases;
use crate::support::Case;

/// An invocation that touched a word, and where in the text.
type By = Option<(u32, usize)>;

/// Two lines of which two invocations touch the same word between the same barriers, at least one of them writing. `source` is a
/// text of the case's kernel.
fn race(source: &str, case: &Case) -> Option<[String; 2]> {
    let module = read(source, case.kernel, case.variant);
    let record = |name: &str| if name == "rows" { case.rows() } else { 0 };
    let uniform = |name: &str| case.kernel.dim(name, &case.dims).unwrap_or_else(|| record(name));
    // Of a word between two barriers: the first that wrote it and the first that read it, and where.
    let mut words: HashMap<(usize, u32, u32), [By; 2]> = HashMap::new();
    for lane in 0..case.kernel.threads(&case.part) {
        for touch in follow(&module, lane, &uniform) {
            for word in touch.byte / 4..(touch.byte + touch.bytes) / 4 {
                let of_word = words.entry((touch.variable, touch.barriers, word)).or_default();
                let [wrote, read] = *of_word;
                let other = |by: By| by.filter(|(by, _)| *by != lane);
                if let Some((_, site)) = other(wrote).or(other(read).filter(|_| touch.writes)) {
                    return Some([site, touch.when.0].map(|site| line(source, site).to_string()));
                }
                of_word[usize::from(!touch.writes)].get_or_insert((lane, touch.when.0));
            }
        }
    }
    None
}

/// Parts with a text of their own: of tiles one, of networks all, and one more: with an activation in the last layer, and held.
fn parts(kernel: &Kernel) -> Vec<Part> {
    let layer = |inputs, outputs, activation| Layer { inputs, outputs, activation };
    let layers = vec![layer(5, 34, Activation::Relu), layer(34, 3, Activation::Tanh)];
    let spec = MlpSpec::from_layers(layers, Loss::MeanSquaredError).unwrap();
    let network = Network::new(spec, vec![0; 2]).unwrap().in_blocks(8, true).unwrap();
    let mut parts = kernel.part.parts();
    match kernel.part {
        PartKind::Network => parts.push(Part::Network(network.into())),
        PartKind::Training => parts.push(Part::Training(network.into(), Rule::Sgd)),
        _ => {}
    }
    parts
}

/// Cases of every variant.
fn all_cases(kernel: &'static Kernel, part: &Part) -> Vec<Case> {
    let mut all: Vec<_> = (0..kernel.variants.len()).flat_map(|variant| cases(kernel, part, variant)).collect();
    if let Part::Tiling(tiling) = part
        && tiling.tile.panels() > 1
    {
        // More panels than there are places for: each is written anew.
        all.iter_mut().for_each(|case| case.dims[2] += 2 * tiling.tile.depth() as u32);
    }
    all
}

#[test]
fn invocations_never_race() {
    for &kernel in KERNELS {
        for part in parts(kernel) {
            let text = kernel.source(&part);
            for case in all_cases(kernel, &part) {
                assert_eq!(race(&text, &case), None, "{case}");
            }
        }
    }
}

/// Barriers of which another does the work too, so that none is missed where one of them is lost.
const SPARE: &[(&str, &str)] = &[
    ("fused_forward: hold 0", "the features' way in ends with a barrier"),
    ("fused_gradient: add_up 0", "a workgroup adds up once"),
    ("fused_gradient: hold 0", "through_network begins with a barrier"),
    ("fused_gradient: through_network 0", "hold ends with a barrier, and so does the way back before its last layer"),
    ("resident_steps: hold 0", "through_network begins with a barrier"),
    ("resident_steps: resident_steps 1", "through_network begins with a barrier"),
    (
        "resident_steps: through_network 0",
        "hold and a step end with a barrier, and so does the way back before its last layer",
    ),
];

#[test]
fn a_lost_barrier_lets_invocations_race() {
    let mut spare = BTreeSet::new();
    for &kernel in KERNELS {
        let mut lost: BTreeMap<String, Option<[String; 2]>> = BTreeMap::new();
        for part in parts(kernel) {
            let text = kernel.source(&part);
            for barrier in barriers(&text) {
                let found = lost.entry(barrier.name.clone()).or_default();
                if found.is_none() {
                    *found = all_cases(kernel, &part).iter().find_map(|case| race(&barrier.deleted_from(&text), case));
                }
            }
        }
        spare.extend(
            lost.into_iter().filter(|(_, found)| found.is_none()).map(|(name, _)| format!("{}: {name}", kernel.name)),
        );
    }
    let known: BTreeSet<String> = SPARE.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(spare, known);
}
