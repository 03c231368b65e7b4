//! The shaders against the table of kernels, without a GPU: naga reads each with every part, and its structs,
//! bindings and sizes must be those that the host uploads; every platform's translation of it must succeed; no
//! limit of WebGPU may be exceeded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv, wgsl};
use naga::proc::Layouter;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, StorageAccess, StructMember, TypeInner};
use wgpu_mlp::kernels::{
    Access, BLOCK_WGSL, GATHERED_WGSL, GRADIENT_SHARE_WGSL, KERNELS, Kernel, LAYER_EPILOGUE_WGSL,
    LAYER_KEEP_EPILOGUE_WGSL, LAYER_WGSL, LOSS_ELEMENTS_WGSL, LOSS_SUMS_WGSL, LOSSES_WGSL, MASK_WGSL,
    MATRIX_UNITS_TILE_WGSL, MATRIX_UNITS_WGSL, MAX_BINDINGS, MAX_RECORDS, NARROW_LAYER_WGSL, ORDER_WGSL, PARTIALS_WGSL,
    POINTWISE_WGSL, PRODUCT_WGSL, Part, PartKind, RULES_WGSL, SLOPED_WGSL, SOFTMAX_BLOCKS_WGSL, SOFTMAX_WGSL,
    STEP_WGSL, Step, StepRecord, Tiling, WAY_BACK_WGSL,
};

/// Bytes of workgroup memory that WebGPU guarantees.
const WORKGROUP_BYTES: u32 = 16 << 10;
/// Invocations of a workgroup that WebGPU guarantees.
const INVOCATIONS: u32 = 256;

/// Every kernel with every part, parsed and validated with no optional capability.
fn each_shader(check: impl Fn(&'static Kernel, &Part, &str, &Module, &ModuleInfo)) {
    for &kernel in KERNELS {
        for part in kernel.part.parts() {
            let label = kernel.label(&part, 0);
            let source = kernel.source(&part);
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(&source)));
            let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|error| panic!("{label}: {}", error.emit_to_string(&source)));
            check(kernel, &part, &label, &module, &info);
        }
    }
}

/// Members and size of a struct that a uniform has as its type, or an array of it, and how many there are.
fn uniform<'a>(module: &'a Module, name: &str) -> (&'a [StructMember], u32, usize) {
    let variable = module.global_variables.iter().find(|(_, variable)| variable.name.as_deref() == Some(name));
    let (_, variable) = variable.unwrap_or_else(|| panic!("no variable {name}"));
    assert_eq!(variable.space, AddressSpace::Uniform, "{name}");
    let (ty, count) = match module.types[variable.ty].inner {
        TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. } => (base, count.get() as usize),
        _ => (variable.ty, 1),
    };
    match &module.types[ty].inner {
        TypeInner::Struct { members, span } => (members, *span, count),
        other => panic!("{name} is {other:?}"),
    }
}

/// Name, offset and type of each member, the type as WGSL writes it.
fn fields(module: &Module, members: &[StructMember]) -> Vec<(String, u32, &'static str)> {
    let field = |member: &StructMember| {
        let inner = &module.types[member.ty].inner;
        let word = match *inner {
            TypeInner::Scalar(naga::Scalar::U32) => "u32",
            TypeInner::Scalar(naga::Scalar::F32) => "f32",
            TypeInner::Vector { size: naga::VectorSize::Quad, scalar: naga::Scalar::U32 } => "vec4<u32>",
            _ => panic!("{:?} is {inner:?}", member.name),
        };
        (member.name.clone().unwrap(), member.offset, word)
    };
    members.iter().map(field).collect()
}

/// A view for each binding, then the dimensions, as the host uploads them.
#[test]
fn params_are_what_the_host_uploads() {
    each_shader(|kernel, _, label, module, _| {
        let views = kernel.bindings.iter().zip(0..).map(|(binding, i)| (binding.name.to_string(), 16 * i, "vec4<u32>"));
        let end = 16 * kernel.bindings.len() as u32;
        let dims = kernel.dims.iter().zip(0..).map(|(dim, i)| (dim.to_string(), end + 4 * i, "u32"));
        let (members, span, _) = uniform(module, "params");
        assert_eq!(fields(module, members), views.chain(dims).collect::<Vec<_>>(), "{label}");
        assert_eq!(span, (end + 4 * kernel.dims.len() as u32).next_multiple_of(16), "{label}");
    });
}

/// Each field of the host's record stands where the shader reads it.
#[test]
fn step_record_is_what_shaders_read() {
    let bias_corrections = [5.0, 6.0];
    let record = StepRecord::from(Step {
        slot: 1,
        rows: 8,
        first_row: 2,
        key: 3,
        mask_key: 7,
        lr_factor: 4.0,
        bias_corrections,
        fold: [9, 10],
        dropout: 11.0,
        weighting: 12,
    });
    let words: &[u32] = bytemuck::cast_slice(bytemuck::bytes_of(&record));
    each_shader(|kernel, _, label, module, _| {
        if kernel.most_steps > 0 {
            let (members, span, count) = uniform(module, "records");
            assert_eq!((span as usize, count), (size_of::<StepRecord>(), MAX_RECORDS), "{label}");
            let found: Vec<_> = fields(module, members)
                .into_iter()
                .map(|(name, at, word)| (name, word, words[at as usize / 4]))
                .collect();
            let expected = [
                ("slot", "u32", 1),
                ("first_row", "u32", 2),
                ("key", "u32", 3),
                ("mask_key", "u32", 7),
                ("lr_factor", "f32", 4f32.to_bits()),
                ("correction_1", "f32", 5f32.to_bits()),
                ("correction_2", "f32", 6f32.to_bits()),
                ("rows", "u32", 8),
                ("fold_first", "u32", 9),
                ("fold_rows", "u32", 10),
                ("dropout", "f32", 11f32.to_bits()),
                ("weighting", "u32", 12),
            ];
            assert_eq!(found, expected.map(|(name, word, value)| (name.to_string(), word, value)), "{label}");
        }
    });
}

/// Binding numbers, address spaces and access are the row's, and there are no others.
#[test]
fn bindings_are_those_of_the_row() {
    each_shader(|kernel, part, label, module, _| {
        let mut expected = vec![("params", 0, AddressSpace::Uniform)];
        expected.extend((kernel.most_steps > 0).then_some(("records", 1, AddressSpace::Uniform)));
        expected.extend(kernel.bindings.iter().zip(2..).map(|(binding, index)| {
            let write = if binding.access == Access::In { StorageAccess::empty() } else { StorageAccess::STORE };
            (binding.name, index, AddressSpace::Storage { access: StorageAccess::LOAD | write })
        }));
        let mut found = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            if let Some(at) = &variable.binding {
                assert_eq!(at.group, 0, "{label}");
                found.push((variable.name.as_deref().unwrap(), at.binding, variable.space));
                if matches!(variable.space, AddressSpace::Storage { .. }) {
                    let TypeInner::Array { base, size, stride } = module.types[variable.ty].inner else {
                        panic!("{label}: {:?} is no array", variable.name)
                    };
                    assert_eq!(size, naga::ArraySize::Dynamic, "{label}");
                    let scalar = naga::Scalar::F32;
                    let name = variable.name.as_deref().unwrap_or_default();
                    // A row's targets are few.
                    let wide = matches!(part, Part::Tiling(Tiling { wide: true, .. }))
                        && !["y", "batch_y"].contains(&name)
                        || name == "scratch";
                    let (element, bytes) = match wide {
                        true => (TypeInner::Vector { size: naga::VectorSize::Quad, scalar }, 16),
                        false => (TypeInner::Scalar(scalar), 4),
                    };
                    assert_eq!((&module.types[base].inner, stride), (&element, bytes), "{label}");
                }
            } else {
                let own = [AddressSpace::WorkGroup, AddressSpace::Private].contains(&variable.space);
                assert!(own, "{label}: {:?}", variable.name);
            }
        }
        found.sort_by_key(|&(_, binding, _)| binding);
        assert_eq!(found, expected, "{label}");
        assert!(kernel.bindings.len() <= MAX_BINDINGS, "{label}");
    });
}

/// One entry point, named as the row, with its workgroup size; each variant resolved within WebGPU's limits and
/// translated for every platform.
#[test]
fn every_variant_fits_webgpu_and_translates() {
    each_shader(|kernel, part, label, module, info| {
        assert_eq!(module.entry_points.len(), 1, "{label}");
        assert_eq!(module.entry_points[0].name, kernel.name, "{label}");
        assert_eq!(module.entry_points[0].stage, ShaderStage::Compute, "{label}");
        for variant in kernel.variants {
            let label = format!("{label} {}", variant.name);
            let constants = variant.constants.iter().map(|&(name, value)| (name.to_string(), value)).collect();
            for (name, _) in variant.constants {
                let known = module.overrides.iter().any(|(_, found)| found.name.as_deref() == Some(name));
                assert!(known, "{label}: no override {name}");
            }
            let entry = Some((ShaderStage::Compute, kernel.name));
            let (module, info) = process_overrides(module, info, entry, &constants).unwrap();
            let size: u32 = module.entry_points[0].workgroup_size.iter().product();
            assert_eq!(size, kernel.threads(part), "{label}");
            assert!(size <= INVOCATIONS, "{label}: {size} invocations");
            let mut layouter = Layouter::default();
            layouter.update(module.to_ctx()).unwrap();
            let workgroup = module.global_variables.iter().filter(|(_, found)| found.space == AddressSpace::WorkGroup);
            let bytes: u32 = workgroup.map(|(_, variable)| layouter[variable.ty].size).sum();
            if let Part::Tiling(Tiling { tile, .. }) = part {
                let samples = if kernel.part == PartKind::GatherDense { 4 * tile.rows() } else { 0 };
                assert_eq!(bytes as usize, tile.workgroup_bytes() + samples, "{label}");
            }
            assert!(bytes <= WORKGROUP_BYTES, "{label}: {bytes} bytes of workgroup memory");
            translate(&module, &info).unwrap_or_else(|problem| panic!("{label}: {problem}"));
        }
    });
}

fn translate(module: &Module, info: &ModuleInfo) -> Result<(), String> {
    let words = spv::write_vec(module, info, &spv::Options::default(), None).map_err(|e| format!("SPIR-V: {e}"))?;
    let (metal, _) = msl::write_string(module, info, &msl::Options::default(), &msl::PipelineOptions::default())
        .map_err(|e| format!("MSL: {e}"))?;
    let mut direct = String::new();
    hlsl::Writer::new(&mut direct, &hlsl::Options::default(), &hlsl::PipelineOptions::default())
        .write(module, info, None)
        .map_err(|e| format!("HLSL: {e}"))?;
    let web = wgsl::write_string(module, info, wgsl::WriterFlags::empty()).map_err(|e| format!("WGSL: {e}"))?;
    let empty = words.is_empty() || [metal, direct, web].iter().any(String::is_empty);
    if empty { Err("an empty translation".into()) } else { Ok(()) }
}

/// Files with the ending, at any depth, by their path below `folder`.
pub fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // The peers in Rust are built among their sources.
            if path.is_dir() {
                folders.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    found
}

/// A kernel's shader, its module, its entry point and its row have one name, and shader and module stand in a folder of one
/// name; a part's file has the part's. No file is an orphan, no row borrows another's file.
#[test]
fn every_file_is_one_row_or_one_part() {
    let name = |path: &Path| path.with_extension("").to_str().unwrap().replace('\\', "/");
    let found: BTreeSet<(String, String)> =
        files("shaders", "wgsl").into_iter().map(|(path, text)| (name(&path), text)).collect();
    let shared = [
        ("step", STEP_WGSL),
        ("losses", LOSSES_WGSL),
        ("order", ORDER_WGSL),
        ("rules", RULES_WGSL),
        ("matrix_units", MATRIX_UNITS_WGSL),
        ("matrix_units_tile", MATRIX_UNITS_TILE_WGSL),
        ("product", PRODUCT_WGSL),
        ("mask", MASK_WGSL),
        ("partials", PARTIALS_WGSL),
        ("block", BLOCK_WGSL),
        ("way_back", WAY_BACK_WGSL),
        ("layer", LAYER_WGSL),
        ("layer_epilogue", LAYER_EPILOGUE_WGSL),
        ("layer_keep_epilogue", LAYER_KEEP_EPILOGUE_WGSL),
        ("gathered", GATHERED_WGSL),
        ("sloped", SLOPED_WGSL),
        ("gradient_share", GRADIENT_SHARE_WGSL),
        ("pointwise", POINTWISE_WGSL),
        ("softmax", SOFTMAX_WGSL),
        ("loss_sums", LOSS_SUMS_WGSL),
        ("loss_elements", LOSS_ELEMENTS_WGSL),
        ("softmax_blocks", SOFTMAX_BLOCKS_WGSL),
        ("narrow_layer", NARROW_LAYER_WGSL),
    ];
    let mut expected = BTreeSet::from(shared.map(|(name, text)| (format!("shared/{name}"), text.to_string())));
    let modules: Vec<String> = files("src/kernels", "rs").iter().map(|(path, _)| name(path)).collect();
    for kernel in KERNELS {
        let (own, others) = kernel.wgsl.split_last().unwrap();
        for text in others {
            assert!(shared.iter().any(|(_, shared)| shared == text), "{}: a text of no file in shared/", kernel.name);
        }
        let file = modules.iter().find(|file| file.split('/').nth(1) == Some(kernel.name));
        let file = file.unwrap_or_else(|| panic!("{}: no module of its name in a family", kernel.name));
        expected.insert((file.clone(), own.to_string()));
        for part in kernel.part.parts() {
            let folder = match part {
                // Their text is made from other parts.
                Part::None | Part::Network(_) | Part::Training(..) | Part::Tiling(_) => continue,
                Part::Activation(_) => "activation",
                Part::Loss(_) => "loss",
                Part::Rule(_) => "optimizer",
            };
            expected.insert((format!("functions/{folder}/{}", part.name()), part.wgsl().to_string()));
        }
    }
    let names = |set: &BTreeSet<(String, String)>| set.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    assert!(found == expected, "a row or part includes another file's text");
}

/// Every extent of a shape is one of the row's dimensions or a number, and names do not repeat.
#[test]
fn shapes_are_made_of_the_dimensions() {
    for kernel in KERNELS {
        let sizes = vec![2; kernel.dims.len()];
        for (index, binding) in kernel.bindings.iter().enumerate() {
            assert!(kernel.elements(index, &sizes) < u64::from(u32::MAX), "{}: {}", kernel.name, binding.name);
        }
        let names: Vec<_> =
            kernel.bindings.iter().map(|binding| binding.name).chain(kernel.dims.iter().copied()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", kernel.name);
        assert!((kernel.workgroups)(&sizes) > 0, "{}", kernel.name);
    }
    let names: BTreeSet<_> = KERNELS.iter().map(|kernel| kernel.name).collect();
    assert_eq!(names.len(), KERNELS.len());
}
