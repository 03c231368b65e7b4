//! What every build of the library has, whatever its features: training, predictions and files on the CPU. `./check` runs it without
//! any feature, too.
#![allow(clippy::unwrap_used)]

use wgpu_mlp::backend::CpuDevice;
use wgpu_mlp::data::{Cells, Column, Moons, Table};
use wgpu_mlp::{
    Activation, Batch, Dataset, Device, Error, Estimator, Loss, MlpSpec, Model, Optimizer, Predictor, Rule,
    TrainConfig, Trainer, open,
};

fn xor() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[2, 8, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    (spec, Dataset::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0., 1., 1., 0.], 2, 1).unwrap())
}

fn trained(device: &Device) -> Vec<f32> {
    let (spec, data) = xor();
    let config = TrainConfig::new(500, Batch::Full, Optimizer::new(Rule::Adam, 0.05));
    let mut trainer = Trainer::new(device, &spec, &config, &data).unwrap();
    trainer.fit().unwrap();
    trainer.parameters().unwrap()
}

#[test]
fn a_network_trains_and_its_file_predicts() {
    let (spec, data) = xor();
    let device = open("cpu").unwrap().device;
    let parameters = trained(&device);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xor.safetensors");
    Model::new(spec.clone(), parameters.clone()).unwrap().save(&path).unwrap();
    let model = Model::load(&path).unwrap();
    assert_eq!((&model.spec, &model.parameters), (&spec, &parameters));
    let predicted =
        Predictor::new(&device, &model.spec, &model.parameters, 4).unwrap().predict(data.features()).unwrap();
    let classes: Vec<bool> = predicted.iter().map(|&p| p > 0.5).collect();
    assert_eq!(classes, [false, true, true, false], "{predicted:?}");
}

#[test]
fn a_table_in_memory_is_learned() {
    let device = open("cpu").unwrap().device;
    let moons = Moons { samples: 200, noise: 0.1, seed: 1 }.table().unwrap();
    let fitted = Estimator::new("label").epochs(200).fit(moons, &device).unwrap();
    // The top of the upper half circle, and the bottom of the lower one.
    let columns = [("x0", vec![0.0, 1.0]), ("x1", vec![1.0, -0.5])];
    let columns = columns.map(|(name, values)| Column::new(name, Cells::Number(values))).into();
    let (predictions, _) = fitted.model.predict(&Table::of_rows("two points", columns).unwrap(), &device).unwrap();
    let labels: Vec<_> = predictions.iter().map(|prediction| prediction.label()).collect();
    assert_eq!(labels, [Some("0"), Some("1")], "{predictions:?}");
}

/// What a build is without is refused in one line that says which feature brings it.
#[test]
fn what_is_missing_is_named() {
    let named = |error: Error, feature: &str| {
        let text = error.to_string();
        assert!(matches!(error, Error::MissingFeature { .. }), "{text}");
        assert!(text.contains(&format!("the feature `{feature}`")) && !text.contains('\n'), "{text}");
    };
    if cfg!(not(feature = "gpu")) {
        named(open("gpu").unwrap_err(), "gpu");
        named(open("0").unwrap_err(), "gpu");
        let choice = open("auto").unwrap();
        assert!(matches!(choice.device, Device::Cpu(_)) && choice.reason.contains("the feature `gpu`"), "{choice}");
    }
    if cfg!(not(feature = "threads")) {
        named(CpuDevice::new(2).unwrap_err(), "threads");
        assert_eq!(CpuDevice::new(0).unwrap().name(), "CPU, 1 thread");
    }
    assert_eq!(trained(&Device::Cpu(CpuDevice::new(1).unwrap())), trained(&Device::Cpu(CpuDevice::new(0).unwrap())));
}

/// Text in UTF-8 is a table without the feature `tables`; what that would read is refused in one line that says what to do.
#[cfg(all(feature = "text", not(feature = "tables")))]
#[test]
fn text_is_read_without_other_formats() {
    use wgpu_mlp::data::{ReadAs, Reading};

    let text = "\u{feff}größe,y\n1.5,a\n2.5,b\n";
    let table = Table::from_bytes("t.csv", text.as_bytes()).unwrap();
    assert_eq!((table.rows(), table.columns()[0].name.as_str()), (2, "größe"));
    let latin1 = b"gr\xf6\xdfe,y\n1.5,a\n";
    for (bytes, told) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0"[..], "it is compressed by gzip: unpack it, or add the feature `tables`"),
        (b"PK\x03\x04\x14\0", "it is a zip archive: unpack it, or add the feature `tables`"),
        (b"\x93NUMPY\x01\0", "it is an array of numpy: save it as CSV, or add the feature `tables`"),
        (b"\0\0\x08\x01\0\0\0\x02\x07\x09", "it is an IDX file: save it as CSV, or add the feature `tables`"),
        (b"PAR1\x15\x04", "it is a Parquet file: save it as CSV, or add the feature `parquet`"),
        (b"\xff\xfea\0,\0y\0\n\0", "no text but UTF-8: this build is without the feature `tables`"),
        (latin1, "bytes that are not UTF-8 text: save it as UTF-8"),
    ] {
        let error = Table::from_bytes("t", bytes).unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains('\n'), "{error}");
    }
    let of = |encoding: &str| {
        let mut reading = Reading::default();
        reading.encoding = Some(encoding.into());
        Table::from_bytes_with("t", text.as_bytes(), &reading, |names| Ok(vec![ReadAs::Infer; names.len()]))
    };
    for name in ["UTF-8", "utf8", "utf_8", "utf-8-sig"] {
        assert!(of(name).is_ok(), "{name}");
    }
    assert!(matches!(of("latin1"), Err(Error::MissingFeature { feature: "tables", .. })));
}
