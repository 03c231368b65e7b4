//! Conflicts of the banks of workgroup memory: every access of every tile and of the fused kernels, at the places that the shader's own
//! text computes. 32 banks of 4 bytes serve one word each at a time, and 32 invocations that ask side by side: all at once where each asks
//! for 4 bytes, half of them for 8, a quarter for 16. Words that several ask for are read once.

use std::collections::{BTreeMap, HashMap};

use wgpu_mlp::kernels::{DENSE_GRADIENT, Kernel, MATMUL, Part, TILES, Tiling};
use wgpu_mlp::math::{Activation, Loss, Rule};
use wgpu_mlp::plan::{Dispatch, PlanKind, Recipe, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;

use crate::kernels::lanes::{Touch, follow, line, read};

/// Invocations that ask side by side.
const WARP: u32 = 32;
const BANKS: u32 = 32;
/// Bytes that an invocation asks for at once, at most: some compilers cut a vector of 16 bytes in two.
const WIDTHS: [u32; 2] = [16, 8];

/// Turns that the banks take, as a multiple of the fewest that they could, for accesses of each of [`WIDTHS`]: the most that a line of a
/// shader may have. The first entry counts of which both texts are in the kernel's label and in the line. Where neighbours read
/// neighbouring vectors of 16 bytes, 8 at a time, half of the banks are idle: 2.
const LIMITS: &[(&str, &str, [f64; 2])] = &[
    // The inner loops of products.
    ("", "a_panel[a_at", [1.0, 1.0]),
    ("", "b_panel[b_at", [1.0, 2.0]),
    // A panel's way in.
    ("", "_panel[at", [1.0, 2.0]),
    // The inner loops of networks: forward, to the gradient by parameters, and back.
    ("", "activations[place(layer.input + k", [1.0, 1.0]),
    ("", "activations[place(row.", [1.25, 1.7]),
    ("", "activations[place(unit.", [1.36, 1.92]),
    ("", "activations[place(layer.output + unit, quad)], vec4<f32>(weight", [1.0, 1.0]),
    // What is done once for 4 rows of a unit.
    ("", "activations[", [2.0, 2.0]),
    // Parameters that are held: their rows are an odd number of vectors apart, so that what is between them stays free.
    ("", "held[held_place(", [1.72, 2.31]),
    ("", "", [1.0, 2.0]),
];

/// Turns that the banks take, and the fewest that they could.
#[derive(Clone, Copy, Default)]
struct Turns {
    taken: u32,
    least: u32,
}

impl Turns {
    fn ratio(self) -> f64 {
        f64::from(self.taken) / f64::from(self.least)
    }
}

/// The accesses that invocations make side by side, each with its number among them, at most `width` bytes in one instruction.
fn turns(side_by_side: &[(u32, Touch)], width: u32) -> Turns {
    let mut all = Turns::default();
    let bytes = side_by_side[0].1.bytes;
    let width = width.min(bytes);
    let at_once = WARP * 4 / width;
    for (part, group) in (0..bytes / width).flat_map(|part| (0..WARP / at_once).map(move |group| (part, group))) {
        let mut words: Vec<u32> = Vec::new();
        for (_, touch) in side_by_side.iter().filter(|(lane, _)| lane / at_once == group) {
            words.extend((0..width / 4).map(|word| (touch.byte + part * width) / 4 + word));
        }
        words.sort_unstable();
        words.dedup();
        let mut of_bank = [0; BANKS as usize];
        words.iter().for_each(|word| of_bank[(word % BANKS) as usize] += 1);
        all.taken += of_bank.iter().max().unwrap();
        all.least += u32::from(!words.is_empty());
    }
    all
}

/// Turns of the banks for each line of a shader that touches workgroup memory, for each of [`WIDTHS`]; `uniform` as [`follow`] takes it.
fn count(
    source: &str,
    kernel: &Kernel,
    variant: usize,
    threads: u32,
    uniform: &dyn Fn(&str) -> u32,
) -> BTreeMap<String, [Turns; 2]> {
    let module = read(source, kernel, variant);
    let mut lines: BTreeMap<String, [Turns; 2]> = BTreeMap::new();
    for warp in 0..threads.div_ceil(WARP) {
        let mut side_by_side: HashMap<(usize, u64), Vec<(u32, Touch)>> = HashMap::new();
        for lane in 0..WARP.min(threads - warp * WARP) {
            let touches = follow(&module, warp * WARP + lane, uniform);
            for touch in touches.into_iter().filter(|touch| touch.in_workgroup) {
                side_by_side.entry(touch.when).or_default().push((lane, touch));
            }
        }
        for ((site, _), touches) in side_by_side {
            let of_line = lines.entry(line(source, site).to_string()).or_default();
            for (turns_of, width) in of_line.iter_mut().zip(WIDTHS) {
                let more = turns(&touches, width);
                turns_of.taken += more.taken;
                turns_of.least += more.least;
            }
        }
    }
    lines
}

/// Every tile, read one element and four at a time, in each product that reads its operands in a way of its own: the label, and the turns
/// of each line of the text that `change` makes of the shader.
fn tiles(change: fn(&str) -> String) -> Vec<(String, BTreeMap<String, [Turns; 2]>)> {
    let products = [(&MATMUL, 0), (&MATMUL, 1), (&MATMUL, 2), (&DENSE_GRADIENT, 0)];
    let tilings = TILES.iter().flat_map(|&tile| [false, true].map(|wide| (tile, wide)));
    let each = tilings.flat_map(|tiling| products.map(|product| (tiling, product)));
    let counted = each.map(|((tile, wide), (kernel, variant))| {
        let part = Part::Tiling(Tiling { tile, wide, units: None, activation: Activation::Identity });
        // A tile in the middle of larger matrices, one panel deep.
        let size = |name: &str| match name {
            "groups" => 1,
            "k" => tile.depth() as u32,
            "rows" if kernel.name == DENSE_GRADIENT.name => tile.depth() as u32,
            _ => 2 * tile.rows() as u32,
        };
        let lines = count(&change(&kernel.source(&part)), kernel, variant, kernel.threads(&part), &size);
        (kernel.label(&part, variant), lines)
    });
    counted.collect()
}

/// What a workgroup does of whole networks, in as much memory as WebGPU guarantees and as devices have, with few and with many cores.
fn networks(change: fn(&str) -> String) -> Vec<(String, BTreeMap<String, [Turns; 2]>)> {
    let mut counted = Vec::new();
    let mut add = |dispatch: &Dispatch| {
        let (kernel, part, network) = (dispatch.kernel, &dispatch.part, dispatch.part.network().unwrap());
        let label = format!(
            "{} in blocks of {}, held: {}",
            kernel.label(part, dispatch.variant),
            network.block(),
            network.holds()
        );
        if counted.iter().all(|(known, _)| *known != label) {
            let size =
                |name: &str| kernel.dim(name, &dispatch.dims).unwrap_or(if name == "rows" { ROWS as u32 } else { 0 });
            counted.push((
                label,
                count(&change(&kernel.source(part)), kernel, dispatch.variant, kernel.threads(part), &size),
            ));
        }
    };
    for (widths, loss) in [
        (&[2, 25, 50, 50, 25, 1][..], Loss::BinaryCrossEntropy),
        (&[8, 16, 16, 3], Loss::SoftmaxCrossEntropy),
        (&[64, 64, 64, 10], Loss::MeanSquaredError),
    ] {
        let spec = MlpSpec::new(widths, Activation::Relu, loss).unwrap();
        let shape = TrainShape { validation: ROWS, ..TrainShape::full(ROWS) };
        for (kind, kib, cores) in
            [(PlanKind::Fused, 16, 1), (PlanKind::Fused, 48, 1), (PlanKind::Fused, 48, 64), (PlanKind::Resident, 48, 1)]
        {
            let target = Target::Gpu { workgroup_bytes: kib << 10, cores, sums: 64 };
            let Ok(plan) = choose(Some(kind), &spec, &Recipe::new(Rule::Sgd), shape, target) else {
                continue;
            };
            let dispatches = plan.passes.iter().flat_map(|pass| &pass.dispatches);
            dispatches.filter(|dispatch| dispatch.part.network().is_some()).for_each(&mut add);
        }
    }
    counted
}

/// Rows of a step: one block.
const ROWS: usize = 32;

/// Lines that exceed their limit.
fn problems(counted: &[(String, BTreeMap<String, [Turns; 2]>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (label, lines) in counted {
        for (line, turns) in lines {
            let limits = LIMITS.iter().find(|(of, word, _)| label.contains(of) && line.contains(word)).unwrap().2;
            for ((turns, limit), width) in turns.iter().zip(limits).zip(WIDTHS) {
                if turns.ratio() > limit {
                    found.push(format!("{label}: {width} bytes: {:.2} > {limit}: {line}", turns.ratio()));
                }
            }
        }
    }
    found
}

#[test]
fn tiles_and_networks_have_few_bank_conflicts() {
    let counted = [tiles(str::to_string), networks(str::to_string)].concat();
    // Each has lines that read and lines that write.
    assert!(counted.len() > 45 && counted.iter().all(|(_, lines)| lines.len() > 2));
    let problems = problems(&counted);
    assert!(problems.is_empty(), "{} of {} kernels:\n{}", problems.len(), counted.len(), problems.join("\n"));
}

/// The text without padding.
fn unpadded(source: &str) -> String {
    let tight = [("LINES_PITCH = DEPTH + 1u", "LINES_PITCH = DEPTH"), ("PITCH = QUADS | 1u", "PITCH = QUADS")];
    let text = tight.iter().fold(source.to_string(), |text, (padded, tight)| text.replace(padded, tight));
    assert_ne!(text, source, "nothing to change");
    text
}

/// The limits notice it: the padding of panels whose lines are c's rows or columns, and that of a network's activations.
#[test]
fn without_padding_there_are_many() {
    let counted = [tiles(unpadded), networks(unpadded)].concat();
    let problems = problems(&counted);
    for line in ["a_panel[a_at", "b_panel[b_at", "activations[place(unit.", "activations[place(row."] {
        assert!(
            problems.iter().any(|problem| problem.contains(line)),
            "{line}: not noticed in\n{}",
            problems.join("\n")
        );
    }
}

const EXAMPLE: Touch =
    Touch { when: (0, 0), barriers: 0, variable: 0, in_workgroup: true, writes: false, byte: 0, bytes: 4 };

#[test]
fn turns_of_banks_are_counted() {
    let count = |bytes: u32, distance: u32, width: u32| {
        let touch = |lane: u32| Touch { byte: lane * distance, bytes, ..EXAMPLE };
        let Turns { taken, least } = turns(&(0..WARP).map(|lane| (lane, touch(lane))).collect::<Vec<_>>(), width);
        (taken, least)
    };
    // Neighbouring words, the same word, every other one, and words of one bank.
    assert_eq!([4, 0, 8, 128].map(|distance| count(4, distance, 16)), [(1, 1), (1, 1), (2, 1), (32, 1)]);
    // Vectors: neighbours, neighbours in halves, an odd number apart, and in one bank.
    assert_eq!(count(16, 16, 16), (4, 4));
    assert_eq!(count(16, 16, 8), (8, 4));
    assert_eq!(count(16, 16 * 9, 16), (4, 4));
    assert_eq!(count(16, 128, 16), (32, 4));
}
