//! What the examples show is so. They are compiled in here, each as it stands.

use std::fs;
use std::path::Path;

use wgpu_mlp::Checkpoint;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::Loss;
use wgpu_mlp::params::Init;

use crate::support::{devices, limited, wait};

#[allow(dead_code)] // each has a `main`
#[path = "../../examples/anatomy.rs"]
mod anatomy;
#[allow(dead_code)]
#[path = "../../examples/checkpoint.rs"]
mod checkpoint;
#[allow(dead_code)]
#[path = "../../examples/custom_loop.rs"]
mod custom_loop;
#[allow(dead_code)]
#[path = "../../examples/frame.rs"]
mod frame;
#[allow(dead_code)]
#[path = "../../examples/gradients.rs"]
mod gradients;
#[allow(dead_code)]
#[path = "../../examples/mnist.rs"]
mod mnist;
#[allow(dead_code)]
#[path = "../../examples/regression.rs"]
mod regression;
#[allow(dead_code)]
#[path = "../../examples/xor.rs"]
mod xor;

/// The names of all devices: adapters have their numbers.
fn names() -> impl Iterator<Item = String> {
    ["cpu".to_string()].into_iter().chain((0..devices().len()).map(|index| index.to_string()))
}

/// A step down the gradient lowers the cost by about the learning rate times the gradient's squared norm.
#[test]
fn the_stack_makes_a_step_downhill() {
    for device in names() {
        let [fallen, expected] = anatomy::run(&device).unwrap();
        assert!(fallen > 0.9 * expected && fallen < 1.1 * expected && expected > 0.0, "{device}: {fallen}, {expected}");
    }
}

#[test]
fn xor_is_learned() {
    for device in names() {
        let found = xor::run(&device).unwrap();
        let right = found.iter().zip([false, true, true, false]).all(|(&p, one)| if one { p > 0.9 } else { p < 0.1 });
        assert!(right && found.len() == 4, "{device}: {found:?}");
    }
}

#[test]
fn a_stream_is_learned_before_its_end() {
    let parts = custom_loop::run("cpu").unwrap();
    assert!((4..40).contains(&parts), "{parts} parts");
}

/// The pixels that are drawn from the network's output buffer are what the CPU computes, and near the field that was learnt.
#[test]
fn a_frame_shows_what_the_network_computes() {
    for gpu in devices().iter().map(|gpu| limited(gpu, |_| {})) {
        let (device, queue) = (gpu.device().clone(), gpu.queue().clone());
        let (scene, pixels) = wait(frame::run(device, queue, 60)).unwrap();
        assert!(frame::apart(&pixels) < 0.1, "{} from the field", frame::apart(&pixels));
        // A predictor on the CPU with parameters that the scene gets too.
        let (spec, points) = (frame::spec().unwrap(), frame::points());
        let parameters = Init::Xavier.draw(&spec, 5).unwrap();
        scene.net.set_parameters(&parameters).unwrap();
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        scene.draw(&mut encoder);
        gpu.queue().submit([encoder.finish()]);
        let cpu = Device::Cpu(CpuDevice::new(1).unwrap());
        let predictor = Predictor::new(&cpu, &spec, &parameters, points.len() / 2).unwrap();
        let outputs = predictor.outputs(&points).unwrap();
        let pixels = scene.pixels();
        for (pixel, colour) in pixels.chunks_exact(4).zip(outputs.chunks_exact(3)) {
            for (&found, &output) in pixel.iter().zip(colour) {
                let expected = 255.0 * output.clamp(0.0, 1.0);
                assert!((f32::from(found) - expected).abs() <= 0.51, "{found}, expected {expected}");
            }
            assert_eq!(pixel[3], 255);
        }
        assert!(pixels.iter().any(|&byte| byte > 0 && byte < 255), "a picture of one colour shows nothing");
    }
}

/// Losses in f32 give slopes to about 1e-5, the smallest tensor's gradient has a norm of 8e-4.
#[test]
fn gradients_are_slopes_of_the_loss() {
    for device in names() {
        let apart = gradients::run(&device).unwrap();
        assert!(apart < 0.05, "{device}: {apart:e} of a tensor's norm apart");
    }
}

/// The squared error is led astray by wrong targets, the others end within about the noise of the true curve.
#[test]
fn robust_losses_pass_over_wrong_targets() {
    let errors = regression::run("cpu").unwrap();
    let error = |loss| errors.iter().find(|(other, _)| *other == loss).unwrap().1;
    assert!(error(Loss::MeanSquaredError) > 0.2, "{errors:?}");
    for loss in [Loss::MeanAbsoluteError, Loss::Huber] {
        assert!(error(loss) < 0.1, "{errors:?}");
    }
}

#[test]
fn a_resumed_run_ends_like_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    for device in names() {
        let end = checkpoint::run(&device, &path).unwrap();
        // The file is of the middle of the run: the check in the example compares two different ways there.
        let middle = Checkpoint::load(&path).unwrap().model.parameters;
        assert!(end.len() == middle.len() && end != middle, "{device}");
    }
}

/// MNIST's four files with images that are easy to tell apart: digit d lights two columns of its own, among noise.
fn write_digits(folder: &Path) {
    let pixel = |row: usize, at: usize| {
        let noise = (row * 7919 + at * 104_729) % 97;
        if at % 28 / 2 == row % 10 { 255 - noise as u8 } else { noise as u8 }
    };
    for (part, rows) in [("train", 300_usize), ("t10k", 50)] {
        let count = (rows as u32).to_be_bytes();
        let mut images = [&[0, 0, 8, 3], &count[..], &28_u32.to_be_bytes(), &28_u32.to_be_bytes()].concat();
        images.extend((0..rows).flat_map(|row| (0..28 * 28).map(move |at| pixel(row, at))));
        let mut labels = [&[0, 0, 8, 1], &count[..]].concat();
        labels.extend((0..rows).map(|row| (row % 10) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

#[test]
fn digits_are_learned_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("mnist.svg");
    let run = |epochs| mnist::run(folder.path(), "cpu", epochs, &picture);
    let error = run(1).unwrap_err().to_string();
    assert!(error.contains("train-images-idx3-ubyte"), "{error}");
    write_digits(folder.path());
    let metrics = run(10).unwrap();
    assert_eq!((metrics.rows, metrics.accuracy()), (50, Some(1.0)), "{metrics:?}");
    let svg = fs::read_to_string(&picture).unwrap();
    // Ten epochs: a point for each of training and test, and for each error.
    assert!(svg.contains("wrong digits") && svg.matches("<circle").count() == 30, "{svg}");
    // One of the files gzipped, as MNIST is distributed.
    let (plain, gzipped) =
        (folder.path().join("t10k-images-idx3-ubyte"), folder.path().join("t10k-images-idx3-ubyte.gz"));
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(gzipped).unwrap(), flate2::Compression::fast());
    std::io::copy(&mut fs::File::open(&plain).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap();
    fs::remove_file(plain).unwrap();
    assert_eq!(run(10).unwrap(), metrics);
}
