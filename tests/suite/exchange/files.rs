//! Model files: what is in them, what is refused, and what a reader sees while one is written.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use tempfile::TempDir;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::data::{Encoder, Moons, Scaling};
use wgpu_mlp::exchange::{self, Assumed};
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::{Activation, Loss, Optimizer};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::{Error, Model, TrainingRecord};

use crate::train::gradients::bits;

/// A model with everything that a file can hold.
pub fn model(seed: u64) -> Model {
    let spec = MlpSpec::new(&[2, 7, 3, 1], Activation::Sigmoid, Loss::BinaryCrossEntropy).unwrap();
    let table = Moons { samples: 9, noise: 0.1, seed: 1 }.table().unwrap();
    let encoder = Encoder::fit(&table, "label", &[0, 1, 2, 3, 4, 5], None, Scaling::ALL).unwrap();
    let mut training = TrainingRecord::new("a \"file\".csv", 6, Optimizer::sgd(0.1));
    (training.epochs, training.steps, training.batch, training.seed) = (3, 9, 2, u64::MAX);
    (training.device, training.loss) = ("CPU".into(), Some(0.1 + 0.2));
    training.run = Some("0a1b2c3d-3".into());
    let parameters = Init::Article.draw(&spec, seed).unwrap();
    Model::new(spec, parameters).unwrap().with_encoder(encoder).with_training(training)
}

/// A folder with a path in it.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    (folder, path)
}

fn outputs(model: &Model) -> Vec<u32> {
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let predictor = Predictor::new(&device, &model.spec, &model.parameters, 3).unwrap();
    bits(&predictor.outputs(&[0.5, -1.0, 3.0, 0.25, 0.0, 1e3]).unwrap())
}

/// What `Model::load` makes of these bytes: a model, or the problem that [`Error::ModelFile`] tells of.
fn load(bytes: &[u8]) -> Result<Model, String> {
    let (_folder, path) = place();
    fs::write(&path, bytes).unwrap();
    match Model::load(&path) {
        Ok(model) => Ok(model),
        Err(Error::ModelFile { path: named, problem }) => {
            assert_eq!(named, path);
            Err(problem)
        }
        Err(other) => panic!("another error: {other}"),
    }
}

pub fn saved(model: &Model) -> Vec<u8> {
    let (_folder, path) = place();
    model.save(&path).unwrap();
    fs::read(&path).unwrap()
}

/// A file's parts: for each tensor its type, shape and bytes, and the metadata.
struct Parts {
    tensors: HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
}

type Change = fn(&mut Parts);

impl Parts {
    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) {
        self.tensors.insert(name.into(), (dtype, shape.to_vec(), bytes.to_vec()));
    }

    /// Zeros of type f32.
    fn zeros(&mut self, name: &str, shape: &[usize]) {
        self.put(name, Dtype::F32, shape, &vec![0; 4 * shape.iter().product::<usize>()]);
    }

    fn replace(&mut self, key: &str, from: &str, to: &str) {
        let text = self.metadata[key].replace(from, to);
        assert_ne!(text, self.metadata[key], "{from}");
        self.metadata.insert(key.into(), text);
    }
}

/// A model's bytes after a change of its parts.
fn changed(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let bytes = saved(&model(1));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    let mut parts = Parts { tensors: HashMap::new(), metadata };
    for (name, view) in file.tensors() {
        parts.put(&name, view.dtype(), view.shape(), view.data());
    }
    change(&mut parts);
    let views = parts
        .tensors
        .iter()
        .map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    serialize(views, Some(parts.metadata.clone()).filter(|metadata| !metadata.is_empty())).unwrap()
}

#[test]
fn a_model_comes_back_to_the_byte() {
    let model = model(1);
    let bytes = saved(&model);
    let loaded = load(&bytes).unwrap();
    assert_eq!(loaded, model);
    assert_eq!(bits(&loaded.parameters), bits(&model.parameters));
    assert_eq!(outputs(&loaded), outputs(&model));
    let bare = Model::new(model.spec, model.parameters).unwrap();
    assert_eq!(load(&saved(&bare)).unwrap(), bare);
}

/// PyTorch's convention: weights are [outputs, inputs].
#[test]
fn tensors_are_stored_by_outputs() {
    let model = model(1);
    let bytes = saved(&model);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 6);
    let mut start = 0;
    for (k, layer) in model.spec.layers().iter().enumerate() {
        let floats = |name: &str, shape: &[usize]| -> Vec<f32> {
            let tensor = file.tensor(&format!("layers.{k}.{name}")).unwrap();
            assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, shape));
            let (words, _) = tensor.data().as_chunks();
            words.iter().map(|&word| f32::from_le_bytes(word)).collect()
        };
        let weight = floats("weight", &[layer.outputs, layer.inputs]);
        for (i, o) in (0..layer.inputs).flat_map(|i| (0..layer.outputs).map(move |o| (i, o))) {
            assert_eq!(weight[o * layer.inputs + i], model.parameters[start + i * layer.outputs + o], "layer {k}");
        }
        start += layer.inputs * layer.outputs;
        assert_eq!(floats("bias", &[layer.outputs]), model.parameters[start..start + layer.outputs]);
        start += layer.outputs;
    }
}

#[test]
fn damaged_files_are_refused() {
    let bytes = saved(&model(1));
    for end in (0..bytes.len()).step_by(64).chain([7, 8, 9, bytes.len() - 1]) {
        assert!(load(&bytes[..end]).unwrap_err().contains("truncated"), "the first {end} of {} bytes", bytes.len());
    }
    assert!(load(&[&bytes[..], b"x"].concat()).is_err(), "a byte too many");
    for length in [u64::MAX, 1 << 62, 1 << 40, bytes.len() as u64, 99_000_000] {
        assert!(load(&[&length.to_le_bytes(), &bytes[8..]].concat()).is_err(), "a header of {length} bytes");
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for length in (0..200).chain([5000]) {
        let mut noise = vec![0; length];
        random.fill_bytes(&mut noise);
        assert!(load(&noise).is_err(), "{length} random bytes");
    }
    // Any byte of the header may be wrong. Some are not to be noticed: a mean, a name. None may do worse.
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in (0..header).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] = random.random_range(b' '..b'~');
        refused += u32::from(load(&damaged).is_err());
    }
    assert!(refused > header as u32 / 10, "{refused} of {} refused", header / 3);
}

#[test]
fn foreign_and_inconsistent_files_are_refused() {
    const WEIGHT: &str = "layers.1.weight";
    let wide = r#""outputs":16777216,"activation":"identity"},{"inputs":16777216,"outputs":1,"#;
    let cases: [(&str, Change); 12] = [
        ("is F16 [3, 7]: expected F32 [3, 7]", |file| file.put(WEIGHT, Dtype::F16, &[3, 7], &[0; 42])),
        ("is F32 [7, 3]: expected F32 [3, 7]", |file| file.zeros(WEIGHT, &[7, 3])),
        ("is F32 [21]: expected F32 [3, 7]", |file| file.zeros(WEIGHT, &[21])),
        ("`layers.1.weight` is missing", |file| drop(file.tensors.remove(WEIGHT))),
        ("it has 7 tensors: expected 6", |file| file.zeros("layers.3.bias", &[1])),
        ("holds a value that is not finite", |file| {
            file.put("layers.2.bias", Dtype::F32, &[1], &f32::NAN.to_le_bytes());
        }),
        ("--init-from", |file| drop(file.metadata.remove("mlp.spec"))),
        ("its `mlp.spec`", |file| file.replace("mlp.spec", "}", "")),
        ("width of a layer is 0", |file| file.replace("mlp.spec", "7", "0")),
        ("its `mlp.training`", |file| file.replace("mlp.training", "epochs", "eras")),
        ("scale -", |file| file.replace("mlp.encoder", r#""scale":"#, r#""scale":-"#)),
        ("its encoder does not fit", |file| {
            let mut encoder: serde_json::Value = serde_json::from_str(&file.metadata["mlp.encoder"]).unwrap();
            encoder["features"].as_array_mut().unwrap().pop();
            file.metadata.insert("mlp.encoder".into(), encoder.to_string());
        }),
    ];
    for (words, change) in cases {
        let problem = load(&changed(change)).unwrap_err();
        assert!(problem.contains(words), "expected `{words}`: {problem}");
    }
    // A network of 2^24 · 3 parameters that the file does not have is refused before it is allocated.
    let problem = load(&changed(|file| file.replace("mlp.spec", r#""outputs":1,"#, wide))).unwrap_err();
    assert!(problem.contains("`layers.2.weight` is F32 [1, 3]: expected F32 [16777216, 3]"), "{problem}");
    assert_eq!(load(&changed(|_| {})).unwrap(), model(1), "a file that was only written anew is a model");
}

/// A file of another program has tensors and nothing else: `exchange::load` takes them, the widths from the shapes.
#[test]
fn tensors_of_other_programs_are_taken() {
    let (_folder, path) = place();
    let foreign = |change: Change| {
        let bytes = changed(|file| {
            file.metadata.clear();
            change(file);
        });
        fs::write(&path, bytes).unwrap();
        let (activation, loss) = (Some(Activation::Sigmoid), Some(Loss::BinaryCrossEntropy));
        exchange::load(&path, Assumed { activation, loss })
    };
    let bare = Model::new(model(1).spec, model(1).parameters).unwrap();
    assert_eq!(foreign(|_| {}).unwrap(), bare);
    let cases: [(&str, Change); 4] = [
        ("it has no tensors", |file| file.tensors.clear()),
        ("expected [outputs, inputs]", |file| file.zeros("layers.0.weight", &[14])),
        ("the width of the layer before", |file| file.zeros("layers.1.weight", &[3, 6])),
        ("`layers.1.weight` is missing", |file| drop(file.tensors.remove("layers.1.weight"))),
    ];
    for (words, change) in cases {
        let error = foreign(change).unwrap_err();
        assert!(matches!(error, Error::ForeignModel { .. }) && error.to_string().contains(words), "{error}");
    }

    // A file that says what it is keeps it.
    model(1).save(&path).unwrap();
    assert_eq!(exchange::load(&path, Assumed::default()).unwrap(), model(1));
}

#[test]
fn a_missing_file_is_named() {
    let (_folder, path) = place();
    let error = Model::load(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// A save that fails leaves what was there, and nothing beside it.
#[test]
fn a_failed_save_changes_nothing() {
    let (folder, path) = place();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("kept"), "kept").unwrap();
    let error = model(1).save(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    assert_eq!((names(folder.path()), names(&path)), (vec!["model.safetensors".into()], vec!["kept".into()]));

    assert!(model(1).save(folder.path().join("no folder").join("model")).is_err());
    assert_eq!(names(folder.path()), ["model.safetensors"]);
}

/// In a folder that nobody may write to, the old model stays. Root may write anywhere: then the new one is there,
/// whole.
#[cfg(unix)]
#[test]
fn an_unwritable_folder_keeps_the_old_model() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    model(1).save(&path).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let expected = match model(2).save(&path) {
        Ok(()) => model(2),
        Err(error) => {
            assert!(error.to_string().contains("cannot write the model"), "{error}");
            model(1)
        }
    };
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(Model::load(&path).unwrap(), expected);
    assert_eq!(names(folder.path()), ["model.safetensors"]);
}

/// Whoever reads while a model is replaced sees the old one or the new one, whole. (Windows may refuse to replace
/// a file that is being read.)
#[cfg(unix)]
#[test]
fn readers_see_the_old_model_or_the_new_one() {
    let (folder, path) = place();
    let models = [model(1), model(2)];
    models[0].save(&path).unwrap();
    // The file is replaced until the reader has seen both, and often.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let turns = (1..).take_while(|&turn| turn < 60 || !done.load(Relaxed));
            turns.for_each(|turn| models[turn % 2].save(&path).unwrap());
        });
        let mut seen = [0, 0];
        while !writer.is_finished() {
            let loaded = Model::load(&path).unwrap();
            seen[models.iter().position(|model| *model == loaded).unwrap()] += 1;
            done.store(seen[0] > 0 && seen[1] > 0, Relaxed);
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    });
    assert_eq!(names(folder.path()), ["model.safetensors"]);
}

/// Bytes are a file without a place: the same, and what is wrong with them is told in a line.
#[test]
fn models_come_from_bytes_and_go_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let (path, onnx) = (folder.path().join("m.safetensors"), folder.path().join("m.onnx"));
    let model = model(1);
    model.save(&path).unwrap();
    let bytes = model.to_bytes().unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
    assert_eq!(exchange::load_bytes(&bytes, Assumed::default()).unwrap(), model);
    let error = Model::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
    assert!(error.contains("in memory") && !error.contains('\n'), "{error}");

    exchange::save_onnx(&model, &onnx).unwrap();
    let (bytes, _) = exchange::onnx_bytes(&model).unwrap();
    assert_eq!(bytes, std::fs::read(&onnx).unwrap());
    let back = exchange::import_bytes(&bytes, Assumed::default()).unwrap().into_model().unwrap();
    assert_eq!(back, exchange::load(&onnx, Assumed::default()).unwrap());
    assert_eq!(back.spec, model.spec);
}

/// What no reader would take is not written, and the old file stays.
#[test]
fn what_could_not_be_read_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    model(1).save(&path).unwrap();
    let old = fs::read(&path).unwrap();
    let (mut infinite, mut none, mut other) = (model(1), model(1), model(1));
    *infinite.parameters.last_mut().unwrap() = f32::INFINITY;
    none.parameters[0] = f32::NAN;
    other.spec = MlpSpec::new(&[3, 1], Activation::Sigmoid, Loss::BinaryCrossEntropy).unwrap();
    other.parameters = vec![0.0; 4];
    for (model, problem) in [
        (infinite, "tensor `layers.2.bias` holds a value that is not finite"),
        (none, "tensor `layers.0.weight` holds a value that is not finite"),
        (other, "its encoder does not fit its network"),
    ] {
        let onnx = folder.path().join("m.onnx");
        let refusals =
            [model.save(&path), model.to_bytes().map(|_| ()), exchange::save_onnx(&model, &onnx).map(|_| ())];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains(problem), "{error}");
        }
        assert!(!onnx.exists());
        assert_eq!(fs::read(&path).unwrap(), old);
    }
}
