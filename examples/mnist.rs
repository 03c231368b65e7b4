//! Handwritten digits: 784→256→128→10 on MNIST's IDX files, and a picture of how it learned.
//!
//! ```sh
//! examples/fetch_mnist.sh target/mnist
//! cargo run --release --example mnist -- target/mnist cpu 20 mnist.svg
//! ```
//!
//! FOLDER has MNIST's four files under their own names, gzipped (`….gz`) or not; device, epochs and picture may be left out.
//! The test images are looked at after every epoch, but nothing is decided by them: the last epoch counts.

#![allow(missing_docs)]

use std::error::Error;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use wgpu_mlp::data::read_idx;
use wgpu_mlp::params::Layout;
use wgpu_mlp::train::Epoch;
use wgpu_mlp::{
    Activation, Batch, Dataset, Event, Loss, Metrics, MlpSpec, Optimizer, Predictor, Rule, TrainConfig, Trainer, open,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const TRAIN: RGBColor = RGBColor(202, 81, 22);
const TEST: RGBColor = RGBColor(38, 101, 176);

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize, default: &str| words.get(at).map_or_else(|| default.to_string(), String::clone);
    let Some(folder) = words.first() else {
        return Err("which folder? mnist FOLDER [DEVICE [EPOCHS [PICTURE]]]; examples/fetch_mnist.sh makes one".into());
    };
    let epochs = word(2, "20").parse().map_err(|_| format!("`{}` is no number of epochs", words[2]))?;
    let picture = word(3, "mnist.svg");
    run(Path::new(folder), &word(1, "auto"), epochs, Path::new(&picture)).map(|_| ())
}

/// The figures of the test images at the end.
pub fn run(folder: &Path, device: &str, epochs: u64, picture: &Path) -> Result<Metrics, Box<dyn Error>> {
    let (train, test) = (images(folder, "train")?, images(folder, "t10k")?);
    let spec = MlpSpec::new(&[train.inputs(), 256, 128, 10], Activation::Relu, Loss::SoftmaxCrossEntropy)?;
    let choice = open(device)?;
    println!("{spec}; {} parameters\non {choice}", Layout::new(&spec).len());

    let config = TrainConfig::new(epochs, Batch::Rows(128), Optimizer::new(Rule::Adam, 1e-3))
        .seed(1)
        .schedule("cosine".parse()?)
        .dropout(&[0.2]);
    let mut trainer = Trainer::with_validation(&choice.device, &spec, &config, &train, Some(&test))?;
    println!("epoch      rate   loss  test loss  test accuracy");
    let mut curve = Vec::new();
    let outcome = trainer.fit_with(|event| {
        if let Event::Epoch(epoch) = event {
            let (loss, accuracy) = on_test(&epoch);
            println!("{:5}  {:.2e}  {:.3}  {loss:9.3}  {accuracy:13.4}", epoch.epoch, epoch.learning_rate, epoch.loss);
            curve.push(epoch);
        }
        ControlFlow::Continue(())
    })?;
    println!("{} epochs in {:.1} s", outcome.epochs, outcome.seconds);

    let parameters = trainer.parameters()?;
    let predictor = Predictor::new(&choice.device, &spec, &parameters, test.rows())?;
    let metrics = Metrics::new(&spec, &predictor.outputs(test.features())?, &test, None)?;
    let accuracy = metrics.accuracy().ok_or("the outputs are not finite")?;
    println!("{} test images: loss {:.4}, accuracy {accuracy:.4}", metrics.rows, metrics.loss);
    draw(picture, &curve)?;
    println!("{}", picture.display());
    Ok(metrics)
}

/// The images of a part, each 784 values in [0, 1], with their digits.
fn images(folder: &Path, part: &str) -> wgpu_mlp::Result<Dataset> {
    let read = |what: &str| {
        let (plain, gzipped) =
            (folder.join(format!("{part}-{what}-ubyte")), folder.join(format!("{part}-{what}-ubyte.gz")));
        read_idx(if gzipped.exists() { gzipped } else { plain })
    };
    Dataset::from_idx(&read("images-idx3")?, &read("labels-idx1")?)
}

fn on_test(epoch: &Epoch) -> (f64, f64) {
    let accuracy = epoch.validation.and_then(|score| score.accuracy);
    (epoch.validation.map_or(f64::NAN, |score| score.loss), accuracy.unwrap_or(f64::NAN))
}

/// Losses on the left, the share of wrong digits on the right.
fn draw(path: &Path, curve: &[Epoch]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1000, 340)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(500);
    let train: Vec<f64> = curve.iter().map(|epoch| epoch.loss).collect();
    let (losses, accuracies): (Vec<f64>, Vec<f64>) = curve.iter().map(on_test).unzip();
    let errors: Vec<f64> = accuracies.iter().map(|accuracy| 100.0 * (1.0 - accuracy)).collect();
    draw_lines(&left, "mean loss", &[("training, with dropout", TRAIN, &train), ("test", TEST, &losses)])?;
    draw_lines(&right, "wrong digits, %", &[("test", TEST, &errors)])?;
    root.present()?;
    Ok(())
}

/// Lines over the epochs from 1 on, from 0 up.
fn draw_lines(area: &Area<'_>, caption: &str, lines: &[(&str, RGBColor, &[f64])]) -> Result<(), Box<dyn Error>> {
    let epochs = lines.iter().map(|(_, _, values)| values.len()).max().unwrap_or(0) as f64;
    let most = lines.iter().flat_map(|(_, _, values)| values.iter()).fold(f64::MIN_POSITIVE, |a, &b| a.max(b));
    let x: Range<f64> = 0.0..epochs + 0.5;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(24)
        .caption(caption, ("sans-serif", 17))
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(x, 0.0..1.05 * most)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .x_desc("epoch")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .draw()?;
    for &(name, color, values) in lines {
        let points: Vec<_> = values.iter().enumerate().map(|(at, &value)| (at as f64 + 1.0, value)).collect();
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, color.filled())))?;
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperRight).label_font(("sans-serif", 14)).draw()?;
    Ok(())
}
