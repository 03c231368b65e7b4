//! Trains the article's network on two moons through the library and draws what it learned:
//! `cargo run --release --example moons -- moons.svg`
#![allow(missing_docs)]

use std::error::Error;
use std::ops::ControlFlow;

use plotters::coord::Shift;
use plotters::prelude::*;
use wgpu_mlp::data::{Moons, Scaling, train_test_split};
use wgpu_mlp::{
    Activation, Batch, Dataset, Encoder, Event, Init, Loss, Metrics, MlpSpec, Optimizer, Predictor, TrainConfig,
    Trainer, open,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const CLASSES: [RGBColor; 2] = [RGBColor(202, 81, 22), RGBColor(38, 101, 176)];
const X: std::ops::Range<f64> = -1.8..2.8;
const Y: std::ops::Range<f64> = -1.3..1.8;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "moons.svg".into());
    run(&path)
}

fn run(path: &str) -> Result<(), Box<dyn Error>> {
    // Data: a table, its split, and the encoder that makes features and targets of its columns.
    let table = Moons { samples: 1000, noise: 0.2, seed: 100 }.table()?;
    let split = train_test_split(table.rows(), 0.1, 42)?;
    let encoder = Encoder::fit(&table, "label", &split.train, None, Scaling::NONE)?;
    let data = encoder.encode(&table)?;
    let (train, test) = (data.select(&split.train), data.select(&split.test));

    // Network, device, training.
    let spec = MlpSpec::new(&[2, 25, 50, 50, 25, 1], Activation::Relu, Loss::BinaryCrossEntropy)?;
    let choice = open("auto")?;
    println!("{spec}\non {choice}");
    let config = TrainConfig::new(10_000, Batch::Full, Optimizer::sgd(0.01)).init(Init::Article).seed(1105);
    let mut trainer = Trainer::new(&choice.device, &spec, &config, &train)?;
    let mut losses = Vec::new();
    let note = |event| {
        if let Event::Epoch(epoch) = event {
            losses.push(epoch.loss);
        }
        ControlFlow::Continue(())
    };
    let outcome = trainer.fit_with(note)?;
    println!("{} epochs in {:.2} s", outcome.epochs, outcome.seconds);

    // Results: figures on the test part, and the probability of class 1 all over the plane.
    let parameters = trainer.parameters()?;
    let predictor = Predictor::new(&choice.device, &spec, &parameters, 4096)?;
    let outputs = predictor.outputs(test.features())?;
    let metrics = Metrics::new(&spec, &outputs, &test, Some(&encoder))?;
    println!("test loss {:.4}, test accuracy {:.4}", metrics.loss, metrics.accuracy().unwrap_or(f64::NAN));
    let logits = predictor.outputs(&grid())?;
    let surface: Vec<f64> = logits.iter().map(|&z| spec.loss().prediction(z.into())).collect();
    draw(path, &surface, &train, &test, &losses)?;
    println!("{path}");
    Ok(())
}

/// Cells of the surface, along x and along y.
const CELLS: (usize, usize) = (92, 62);

fn cell(column: usize, row: usize) -> (f64, f64) {
    let at = |range: &std::ops::Range<f64>, share| range.start + (range.end - range.start) * share;
    (at(&X, column as f64 / CELLS.0 as f64), at(&Y, row as f64 / CELLS.1 as f64))
}

/// The middles of all cells, row by row.
fn grid() -> Vec<f32> {
    let middle = |row, column| {
        let ((left, bottom), (right, top)) = (cell(column, row), cell(column + 1, row + 1));
        [(left + right) as f32 / 2.0, (bottom + top) as f32 / 2.0]
    };
    (0..CELLS.1).flat_map(|row| (0..CELLS.0).flat_map(move |column| middle(row, column))).collect()
}

fn draw(path: &str, surface: &[f64], train: &Dataset, test: &Dataset, losses: &[f64]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1000, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(560);
    draw_surface(&left, surface, train, test)?;
    draw_losses(&right, losses)?;
    root.present()?;
    Ok(())
}

fn draw_surface(area: &Area<'_>, surface: &[f64], train: &Dataset, test: &Dataset) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption("probability of class 1; test rows are filled", ("sans-serif", 17))
        .x_label_area_size(28)
        .y_label_area_size(36)
        .build_cartesian_2d(X, Y)?;
    // Ten shades; neighbours of one shade are one rectangle.
    let shade = |p: f64| (p * 10.0).floor().clamp(0.0, 9.0) / 9.0;
    for row in 0..CELLS.1 {
        let mut column = 0;
        while column < CELLS.0 {
            let tone = shade(surface[row * CELLS.0 + column]);
            let same = (column..CELLS.0).take_while(|c| shade(surface[row * CELLS.0 + c]) == tone).count();
            let corners = [cell(column, row), cell(column + same, row + 1)];
            chart.draw_series([Rectangle::new(corners, mix(tone).filled())])?;
            column += same;
        }
    }
    chart.configure_mesh().disable_mesh().label_style(("sans-serif", 13)).draw()?;
    for (data, filled) in [(train, false), (test, true)] {
        let points = data.features().chunks_exact(2).zip(data.targets()).map(|(x, &y)| {
            let style = ShapeStyle { color: CLASSES[usize::from(y > 0.5)].into(), filled, stroke_width: 1 };
            Circle::new((x[0].into(), x[1].into()), if filled { 4 } else { 2 }, style)
        });
        chart.draw_series(points)?;
    }
    Ok(())
}

/// From the pale colour of class 0 over white to that of class 1.
fn mix(p: f64) -> RGBColor {
    let RGBColor(r, g, b) = CLASSES[usize::from(p > 0.5)];
    let strength = (p - 0.5).abs() * 0.8;
    let pale = |channel: u8| (255.0 - (255.0 - f64::from(channel)) * strength) as u8;
    RGBColor(pale(r), pale(g), pale(b))
}

fn draw_losses(area: &Area<'_>, losses: &[f64]) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(28)
        .caption("training loss over epochs", ("sans-serif", 17))
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d(0..losses.len(), (0.05..1.0).log_scale())?;
    let mut mesh = chart.configure_mesh();
    mesh.x_labels(5).y_label_formatter(&|loss| format!("{loss:.1}"));
    mesh.light_line_style(TRANSPARENT).label_style(("sans-serif", 13)).draw()?;
    let every = (losses.len() / 500).max(1);
    let points = losses.iter().copied().enumerate().step_by(every);
    chart.draw_series(LineSeries::new(points, CLASSES[1].stroke_width(2)))?;
    Ok(())
}
