//! Products by matrix units: their text on every platform's terms, and their results on every adapter that has such units. Software Vulkan has
//! them from Mesa 26 on.

use naga::back::pipeline_constants::process_overrides;
use naga::back::spv;
use naga::front::wgsl::{Frontend, Options};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, ShaderStage};
use wgpu_mlp::backend::{GpuDevice, Opening, gpu};
use wgpu_mlp::kernels::{KERNELS, Kernel, MatrixUnits, Part, PartKind, TILES, Tile, Tiling};
use wgpu_mlp::math::{Activation, Precision};

use super::parity::{around, fit};
use crate::support::Case;

const PRECISIONS: [Precision; 2] = [Precision::F16x3, Precision::F16];

fn products() -> impl Iterator<Item = &'static Kernel> {
    KERNELS.iter().copied().filter(|kernel| matches!(kernel.part, PartKind::Tile | PartKind::Dense))
}

/// In kernels that have an activation, one without a kink, since near it a bound says nothing; with f16's error none at all.
fn part(kernel: &Kernel, tile: &'static Tile, wide: bool, units: MatrixUnits) -> Part {
    let curved = kernel.part == PartKind::Dense && units.precision == Precision::F16x3;
    let activation = if curved { Activation::Softsign } else { Activation::Identity };
    Part::Tiling(Tiling { tile, wide, units: Some(units), activation })
}

/// Every kernel with every tile, for matrices of both sizes: naga takes and translates it, and it takes as much of a workgroup as is said.
#[test]
fn every_text_is_valid_and_as_large_as_it_says() {
    for kernel in products() {
        for (tile, precision) in TILES.iter().flat_map(|&tile| PRECISIONS.map(|precision| (tile, precision))) {
            for (size, subgroup) in [(8, 8), (8, 32), (16, 32), (16, 64)] {
                let units = MatrixUnits { precision, size, subgroup };
                let part = part(kernel, tile, size == 16, units);
                let label = format!("{} {units:?}", kernel.label(&part, 0));
                let source = kernel.source(&part);
                let mut options = Options::new();
                options.capabilities = Capabilities::all();
                let module = Frontend::new_with_options(options)
                    .parse(&source)
                    .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(&source)));
                let info = Validator::new(ValidationFlags::all(), Capabilities::all())
                    .validate(&module)
                    .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(&source)));
                for variant in kernel.variants {
                    let constants = variant.constants.iter().map(|&(name, value)| (name.to_string(), value)).collect();
                    let entry = Some((ShaderStage::Compute, kernel.name));
                    let (module, info) = process_overrides(&module, &info, entry, &constants).unwrap();
                    spv::write_vec(&module, &info, &spv::Options::default(), None)
                        .unwrap_or_else(|error| panic!("{label} {}: {error}", variant.name));
                    assert_eq!(module.entry_points[0].workgroup_size, [kernel.threads(&part), 1, 1], "{label}");
                    let mut layouter = naga::proc::Layouter::default();
                    layouter.update(module.to_ctx()).unwrap();
                    let shared =
                        module.global_variables.iter().filter(|(_, found)| found.space == AddressSpace::WorkGroup);
                    let bytes: u32 = shared.map(|(_, variable)| layouter[variable.ty].size).sum();
                    assert_eq!(bytes as usize, units.workgroup_bytes(tile), "{label}");
                }
            }
        }
    }
}

/// The adapters with matrix units, opened for a precision.
fn devices(precision: Precision) -> Vec<(GpuDevice, MatrixUnits)> {
    let adapters = gpu::adapters().unwrap();
    let found: Vec<_> = (0..adapters.len())
        .filter(|&index| adapters[index].matrix_units.is_some())
        .map(|index| {
            let gpu = GpuDevice::open_with(index, Opening { precision, ..Opening::default() }).unwrap();
            let units = gpu.matrix_units().unwrap();
            (gpu, units)
        })
        .collect();
    if found.is_empty() {
        eprintln!("SKIPPED: no adapter has matrix units, so {precision} has not been run");
    }
    found
}

/// The cases of a kernel that fit a device's workgroups, with the precision's own limit.
fn each_case(precision: Precision, mut check: impl FnMut(&GpuDevice, &Case)) {
    for (gpu, units) in devices(precision) {
        let mut seed = 0;
        for kernel in products() {
            for (tile, wide) in TILES.iter().flat_map(|&tile| [false, true].map(|wide| (tile, wide))) {
                // Software takes ten seconds to compile a large one, whose text is the same.
                let small = tile.rows() * tile.columns() <= 32 * 32 && wide == (tile.rows() == 16);
                if !units.make(tile)
                    || units.workgroup_bytes(tile) > gpu.summary().workgroup_bytes as usize
                    || !(small || gpu.summary().is_hardware())
                {
                    continue;
                }
                for variant in 0..kernel.variants.len() {
                    let part = part(kernel, tile, wide, units);
                    for mut dims in around(kernel, tile) {
                        fit(kernel, &part, &mut dims);
                        let (replicas, large) = (1 + 2 * (seed % 2) as usize, seed % 3 == 1);
                        check(
                            &gpu,
                            &Case { kernel, part: part.clone(), variant, dims, replicas, shared: false, large, seed },
                        );
                        seed += 1;
                    }
                }
            }
        }
    }
}

#[test]
fn products_agree_within_the_limit_of_their_precision() {
    for precision in PRECISIONS {
        let (mut count, mut problems) = (0, Vec::new());
        each_case(precision, |gpu, case| {
            problems.extend(case.check_gpu(gpu, case.plan(), &case.expected()).err());
            count += 1;
        });
        let shown = problems.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(problems.is_empty(), "{precision}: {} of {count} cases fail:\n{shown}", problems.len());
    }
}

/// The limit of f16x3 is one that f16 does not keep: what its second parts add is in the results.
#[test]
fn f16_breaks_the_limit_of_f16x3() {
    let (mut beyond, mut count) = (0, 0);
    each_case(Precision::F16, |gpu, case| {
        let Part::Tiling(tiling) = &case.part else { return };
        if case.kernel.part != PartKind::Tile || case.dims[2] < 15 || tiling.wide {
            return;
        }
        let units = tiling.units.map(|units| MatrixUnits { precision: Precision::F16x3, ..units });
        let stricter = Case { part: Part::Tiling(Tiling { units, ..tiling.clone() }), ..case.clone() };
        beyond += usize::from(case.check_gpu(gpu, case.plan(), &stricter.expected()).is_err());
        count += 1;
    });
    assert!(beyond * 10 >= count * 9, "{beyond} of {count}");
}
