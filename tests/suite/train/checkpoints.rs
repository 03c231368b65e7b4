//! Checkpoints as files: what is read is what was written, and whatever is damaged is refused.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wgpu_mlp::Checkpoint;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, EarlyStopping, TrainConfig, Trainer};

/// A checkpoint with everything that one can have.
fn checkpoint() -> Checkpoint {
    let spec = MlpSpec::new(&[2, 3, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    let (data, validation) = (random_data(&spec, 12, 1).unwrap(), random_data(&spec, 5, 2).unwrap());
    let config = TrainConfig::new(3, Batch::Rows(5), Optimizer::new(Rule::Adam, 0.01))
        .dropout(&[0.2])
        .schedule("plateau".parse().unwrap())
        .early_stopping(EarlyStopping::new(2));
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let mut trainer = Trainer::with_validation(&device, &spec, &config, &data, Some(&validation)).unwrap();
    trainer.set_parameters(&Init::He.draw(&spec, 0).unwrap()).unwrap();
    for _ in 0..7 {
        trainer.step().unwrap();
    }
    let state = trainer.state().unwrap();
    let mut checkpoint = Checkpoint::new(spec, state).unwrap();
    checkpoint.settings = Some("lr = 0.01\n".into());
    (checkpoint.score, checkpoint.test) = (Some(0.7), Some(5));
    checkpoint
}

/// A file's fate: no panic, and either a refusal that names the file or what was written.
fn read(path: &Path, bytes: &[u8], written: &Checkpoint) -> bool {
    fs::write(path, bytes).unwrap();
    match Checkpoint::load(path) {
        Ok(found) => {
            assert_eq!(&found, written);
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("some.safetensors") && text.lines().count() == 1, "{text}");
            false
        }
    }
}

#[test]
fn what_is_damaged_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("some.safetensors");
    let written = checkpoint();
    written.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(read(&path, &bytes, &written));
    for length in 0..bytes.len() {
        assert!(!read(&path, &bytes[..length], &written), "the first {length} of {} bytes", bytes.len());
    }
    assert!(!read(&path, &[&bytes[..], b"\0"].concat(), &written), "a byte too many");
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for place in 0..bytes.len() {
        for mask in [0x01, 0x04, 0x80] {
            let mut bytes = bytes.clone();
            bytes[place] ^= mask;
            let taken = read(&path, &bytes, &written);
            // In the header only what says nothing, as the padding, can change unseen.
            assert!(!taken || (8..header).contains(&place), "byte {place} of {}", bytes.len());
        }
    }
}

#[test]
fn a_checkpoint_comes_from_its_bytes() {
    let checkpoint = checkpoint();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint.save(&path).unwrap();
    let mut bytes = checkpoint.to_bytes().unwrap();
    assert_eq!(bytes, fs::read(&path).unwrap());
    assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
    *bytes.last_mut().unwrap() ^= 1;
    let error = Checkpoint::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("it is damaged"), "{error}");
}
