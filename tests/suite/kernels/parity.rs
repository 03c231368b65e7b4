//! Every kernel with every variant and part, on every adapter and on the CPU in f32, against the reference in
//! f64, whose running error bound is the tolerance. Sizes lie around the tiles; offsets, strides and slots are odd;
//! outputs start as NaN, and the padding between replicas must stay as it was.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wgpu_mlp::kernels::{
    ACTIVATION_FORWARD, BIAS_GRAD, COPY, DENSE_LOSS, DENSE_SOFTMAX_LOSS, GATHER, KERNELS, Kernel, Part, PartKind, Tile,
    Tiling,
};
use wgpu_mlp::math::{Activation, Bounded, Loss, Optimizer, Rule};
use wgpu_mlp::plan::{Recipe, TrainShape, layered};
use wgpu_mlp::spec::MlpSpec;

use crate::support::{Case, Gpus, devices, has_slots};

/// 1, t - 1, t, t + 1 and 2 t + 1 for tiles of 16 and 32.
const SIZES: [u32; 8] = [1, 15, 16, 17, 31, 32, 33, 65];
/// The same for the 256 invocations of a workgroup, and a size that folds a small grid.
const LONG: [u32; 5] = [255, 256, 257, 513, 1281];

/// Small sizes of a kernel's dimensions, in which every two dimensions take every pair of sizes (a Latin square
/// for a third), and each dimension in turn long.
fn small(kernel: &Kernel, part: &Part) -> Vec<Vec<u32>> {
    if let Part::Tiling(tiling) = part {
        return around(kernel, tiling.tile);
    }
    let last = kernel.dims.len() - 1;
    let rows = if last == 0 { 1 } else { SIZES.len() };
    let mut all = Vec::new();
    if kernel.part == PartKind::Training {
        // Samples, of which a batch takes two thirds; a weight behind the targets or not.
        return [1, 3, 10, 24, 27, 50, 99].map(|samples| vec![samples, 1, samples, 1, 1, 1, 1, samples]).to_vec();
    }
    if kernel.part == PartKind::Forward {
        let open = [(1, 1), (7, 2), (16, 1), (17, 2), (33, 3), (65, 4), (40, 7), (257, 11)];
        return open.map(|(rows, groups)| vec![rows, 1, 1, 1, 1, groups]).to_vec();
    }
    if kernel.part == PartKind::Network {
        // What the network leaves open: rows, samples beyond them, groups with and without rows.
        let open = [(1, 1, 1), (7, 3, 2), (16, 1, 1), (17, 2, 2), (33, 1, 3), (65, 9, 4), (40, 1, 7), (257, 5, 11)];
        let sized = |(rows, spare, groups)| vec![rows, spare, 1, rows, 1, 1, 1, groups];
        return open.into_iter().map(sized).collect();
    }
    for (i, j) in (0..rows).flat_map(|i| (0..SIZES.len()).map(move |j| (i, j))) {
        all.push((0..=last).map(|dim| SIZES[if dim == last { j } else { i + dim * j } % SIZES.len()]).collect());
    }
    for (long, &size) in (0..=last).flat_map(|long| LONG.iter().map(move |size| (long, size))) {
        let other = if all.len() % 2 == 0 { 1 } else { 3 };
        all.push((0..=last).map(|dim| if dim == long { size } else { other }).collect());
    }
    all
}

/// Rows, columns and depths of a product around its tile: each size of each twice, with others.
pub fn around(kernel: &Kernel, tile: &Tile) -> Vec<Vec<u32>> {
    let sizes = |t: usize| [1, t - 1, t, t + 1, 2 * t + 1].map(|size| size as u32);
    let [rows, columns, depths] = [tile.rows(), tile.columns(), tile.depth()].map(sizes);
    let sized = |[i, j, k]: [usize; 3]| {
        // Shares of the rows, some without any; what lies between two of them.
        let others = kernel.dims[3..].iter().map(|&dim| if dim == "groups" { [1, 3, 40][j % 3] } else { 1 + k as u32 });
        [rows[i % 5], columns[j % 5], depths[k % 5]].into_iter().chain(others).collect()
    };
    (0..5).flat_map(|i| [[i, i, i], [i, 2 * i + 1, 3 * i + 2]]).map(sized).collect()
}

/// Sizes that the CPU shares between threads: each dimension in turn very long, and all of them large.
fn large(kernel: &Kernel, part: &Part) -> Vec<Vec<u32>> {
    let count = kernel.dims.len();
    if matches!(part, Part::Tiling(_)) {
        let sized = |product: [u32; 3]| product.into_iter().chain(kernel.dims[3..].iter().map(|_| 2)).collect();
        // An activation's limit says nothing any more where the sum in it may be off by 1.
        let deep = if kernel.part == PartKind::Dense { 331 } else { 33_001 };
        return [[33_001, 3, 3], [3, 33_001, 3], [3, 3, deep], [191, 187, 131]].map(sized).to_vec();
    }
    if kernel.part == PartKind::Training {
        return vec![vec![601, 1, 1, 1, 1, 1, 1, 1]];
    }
    if kernel.part == PartKind::Forward {
        return vec![vec![2001, 1, 1, 1, 1, 16]];
    }
    if kernel.part == PartKind::Network {
        return vec![vec![2001, 1, 1, 1, 1, 1, 1, 16]];
    }
    let mut all: Vec<Vec<u32>> =
        (0..count).map(|long| (0..count).map(|dim| if dim == long { 33_001 } else { 3 }).collect()).collect();
    all.push(match count {
        1 => vec![70_001],
        _ => [191, 187, 131].iter().copied().cycle().take(count).collect(),
    });
    all
}

/// The cases of every kernel with every variant and part, those of one pipeline together.
fn cases(sizes: fn(&Kernel, &Part) -> Vec<Vec<u32>>) -> Vec<Vec<Case>> {
    let mut all = Vec::new();
    for &kernel in KERNELS {
        // Of the kernel's own, so that another one changes nothing for it.
        let mut seed = 0;
        for (variant, part) in
            (0..kernel.variants.len()).flat_map(|v| kernel.part.parts().into_iter().map(move |p| (v, p)))
        {
            let mut cases = Vec::new();
            for (mut dims, replicas) in
                sizes(kernel, &part).into_iter().flat_map(|dims| [1, 3].map(|replicas| (dims.clone(), replicas)))
            {
                fit(kernel, &part, &mut dims);
                let (shared, large) = (replicas > 1 && seed % 4 == 1, seed % 3 == 1);
                cases.push(Case { kernel, part: part.clone(), variant, dims, replicas, shared, large, seed });
                seed += 1;
            }
            all.push(cases);
        }
    }
    all
}

/// Has each case and its reference checked on all cores, by what every one of them makes for itself; panics with the problems that were returned.
fn each_case<W>(
    sizes: fn(&Kernel, &Part) -> Vec<Vec<u32>>,
    make: impl Fn() -> W + Sync,
    check: impl Fn(&W, &Case, &[Vec<Bounded>]) -> Result<(), String> + Sync,
) {
    let (cases, next) = (cases(sizes), AtomicUsize::new(0));
    let work = || {
        let (own, mut problems) = (make(), Vec::new());
        while let Some(cases) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            problems.extend(cases.iter().filter_map(|case| check(&own, case, &case.expected()).err()));
        }
        problems
    };
    let problems: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let count: usize = cases.iter().map(Vec::len).sum();
    let shown = problems.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} of {count} cases fail:\n{shown}", problems.len());
}

/// A data set has at least as many `samples` as a batch has `rows`; `slots` of state are what a rule keeps; an update
/// adds up at most 256 `groups`; `columns` of targets are
/// those of a loss, with up to two weights behind them; shares stand apart by at least their length; about a quarter of the units are below the `threshold` of dropout; in half of the cases each parameter has a rate
/// of its own behind the settings; networks have a factor for each input and share weights in whole runs.
pub fn fit(kernel: &Kernel, part: &Part, dims: &mut [u32]) {
    let at = |name| kernel.dims.iter().position(|&dim| dim == name);
    if let (Some(slots), Part::Rule(rule) | Part::Training(_, rule)) = (at("slots"), part) {
        dims[slots] = rule.state().max(1) as u32;
    }
    if let (Some(groups), Part::Rule(_)) = (at("groups"), part) {
        dims[groups] = (dims[groups] - 1) % 256 + 1;
    }
    for (place, dim) in kernel.dims.iter().enumerate() {
        if let Some(fixed) = part.dim(dim) {
            // Weights behind the targets or not.
            dims[place] = fixed as u32 + if *dim == "columns" { dims[place] % 3 } else { 0 };
        }
    }
    if let Part::Tiling(Tiling { wide: true, .. }) = part {
        let lines = dims[..3].iter_mut().zip(kernel.dims).filter(|(_, name)| **name != "rows");
        lines.for_each(|(dim, _)| *dim = dim.next_multiple_of(4));
    }
    if let (Some(groups), Some(stride), Some(span)) = (at("groups"), at("stride"), at("span")) {
        let own = (dims[0] + 1) * dims[1];
        dims[stride] = (own + dims[stride]).next_multiple_of(4);
        dims[span] = (dims[groups] - 1) * dims[stride] + own;
    }
    if let (Some(count), Some(stride), None) = (at("count"), at("stride"), at("span")) {
        dims[stride] += dims[count] - 1;
    }
    if let (Some(settings), Some(count)) = (at("settings"), at("count").or(at("parameters"))) {
        dims[settings] = Optimizer::HYPER as u32 + dims[settings] % 2 * dims[count];
    }
    if let (Some(parameters), Some(trained), Some(inputs), Some(outputs)) =
        (at("parameters"), at("trained"), at("inputs"), at("outputs"))
    {
        let first = dims[inputs] * dims[outputs];
        if let (Some(tied), Some(members), Some(networks)) = (at("tied"), at("members"), at("networks")) {
            dims[tied] = first + dims[tied] % (dims[parameters] + 1);
            dims[members] = dims[members] % 4 + 1;
            dims[networks] = dims[members] * (dims[networks] % 3 + 1);
        }
        dims[parameters] += first;
        dims[trained] = dims[parameters] + dims[inputs];
    }
    if let Some(threshold) = at("threshold") {
        dims[threshold] += 1 << 22;
    }
    if [DENSE_LOSS.name, DENSE_SOFTMAX_LOSS.name].contains(&kernel.name) {
        // A loss's limit says nothing any more where the sum in it may be off by 1.
        let [outputs, inputs] = ["outputs", "inputs"].map(|name| at(name).unwrap());
        (dims[outputs], dims[inputs]) = ((dims[outputs] - 1) % 16 + 1, dims[inputs].min(331));
    }
    if let (Some(outputs), Some(columns)) = (at("outputs"), at("columns"))
        && kernel.part != PartKind::GatherDense
    {
        let targets = if kernel.part == PartKind::Loss { dims[outputs] } else { 1 };
        dims[columns] = targets + dims[columns] % 3;
    }
    if let (Some(rows), Some(samples)) = (at("rows"), at("samples")) {
        dims[samples] += dims[rows] - 1;
    }
}

#[test]
fn every_kernel_agrees_on_every_adapter() {
    each_case(small, Gpus::open, |gpus, case, expected| {
        gpus.of(case).try_for_each(|gpu| case.check_gpu(gpu, case.plan(), expected))
    });
}

#[test]
fn every_kernel_agrees_on_the_cpu() {
    for sizes in [small, large] {
        each_case(sizes, || (), |_, case, expected| case.check_cpu(expected));
    }
}

/// More workgroups than a dimension of any real grid holds: 65,535.
#[test]
fn a_grid_beyond_65535_workgroups_agrees() {
    let dims = vec![2, 65_536 * 16 + 3];
    assert!((BIAS_GRAD.workgroups)(&dims) > 65_536);
    let case = Case {
        kernel: &BIAS_GRAD,
        part: Part::None,
        variant: 0,
        dims,
        replicas: 1,
        shared: false,
        large: false,
        seed: 1,
    };
    let expected = case.expected();
    devices().iter().try_for_each(|gpu| case.check_gpu(gpu, case.plan(), &expected)).unwrap();
}

/// Kernels that only move or select values must not change a bit: their limit is 0.
#[test]
fn copies_are_exact() {
    let activation = |activation| (&ACTIVATION_FORWARD, Part::Activation(activation));
    for (kernel, part) in
        [(&GATHER, Part::None), (&COPY, Part::None), activation(Activation::Identity), activation(Activation::Relu)]
    {
        let mut dims: Vec<u32> = kernel.dims.iter().map(|_| 17).collect();
        fit(kernel, &part, &mut dims);
        let case = Case { kernel, part, variant: 0, dims, replicas: 1, shared: false, large: true, seed: 1 };
        assert!(case.expected().iter().flatten().all(|value| value.limit() == 0.0), "{case}");
    }
}

/// A case gives slots only to bindings whose shader reads the slot stride; so must a plan.
#[test]
fn plans_give_slots_only_to_bindings_that_have_them() {
    let spec = MlpSpec::new(&[2, 3, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let shape = TrainShape { samples: 5, validation: 0, folds: None, batch: 2, replicas: 2, slots: 2, weightings: 0 };
    let plan = layered(&spec, &Recipe::new(Rule::Sgd), shape).unwrap();
    let mut slotted = 0;
    for dispatch in plan.passes.iter().flat_map(|pass| &pass.dispatches) {
        for (view, binding) in dispatch.views.iter().zip(dispatch.kernel.bindings) {
            let name = dispatch.kernel.name;
            assert!(view.slot_stride == 0 || has_slots(dispatch.kernel, binding), "{name}: {}", binding.name);
            slotted += usize::from(view.slot_stride > 0);
        }
    }
    assert_eq!(slotted, plan.passes.len(), "one loss for each pass");
}
