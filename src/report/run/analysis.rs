//! From a fitted model to what the pictures and tables of its report are made of.

use std::ops::Range;
use std::path::Path;

use super::findings::{Bar, Cell, Confusion, Findings, LEVELS, Surface, evenly};
use crate::backend::Device;
use crate::data::{Dataset, Encoder, Feature, Task};
use crate::error::Result;
use crate::infer::{Importance, Predictor};
use crate::math::predicted_class;
use crate::metrics::{Intervals, calibration, roc_curve};
use crate::model::IN_MEMORY;
use crate::pipeline::{Fitted, encoder_of};
use crate::report::value;

/// Most points of a picture.
const POINTS: usize = 1000;
/// Bins of the calibration.
const BINS: usize = 10;
/// Shuffles of each column, and the most rows that are shuffled.
const SHUFFLES: usize = 5;
const SHUFFLED: usize = 2000;
/// Products that all shuffles together may take: about a second on two cores. Below so many rows they say nothing.
const WORK: f64 = 2e10;
const LEAST: usize = 100;
/// Cells across the surface.
const SIDE: usize = 64;

/// The inputs that stand for each column.
fn columns(encoder: &Encoder) -> Vec<(&str, Range<usize>)> {
    let mut end = 0;
    let mut inputs = |width| {
        end += width;
        end - width..end
    };
    encoder.features().iter().map(|feature| (feature.name.as_str(), inputs(feature.width()))).collect()
}

/// A fitted model with what it says of the rows by which it is evaluated: those for testing, else for validation, else all that it was
/// trained on.
pub struct Evaluated<'a> {
    pub fitted: &'a Fitted,
    pub encoder: &'a Encoder,
    pub rows: &'a Dataset,
    /// [rows, outputs].
    pub outputs: Vec<f32>,
    predictor: Predictor,
}

impl<'a> Evaluated<'a> {
    /// Runs the model over these rows.
    pub async fn new(device: &Device, fitted: &'a Fitted) -> Result<Self> {
        let (model, (part, rows)) = (&fitted.model, fitted.data.evaluated());
        let encoder = encoder_of(model, Path::new(IN_MEMORY))?;
        let predictor = Predictor::new_async(device, &model.spec, &model.parameters, rows.rows()).await?;
        let outputs = match &fitted.out_of_fold {
            Some(out_of_fold) if part == "train" => out_of_fold.outputs.clone(),
            _ => predictor.outputs_async(rows.features()).await?,
        };
        Ok(Self { fitted, encoder, rows, outputs, predictor })
    }

    /// What pictures are drawn from.
    pub async fn findings(&self) -> Result<Findings> {
        let Self { fitted, encoder, rows, outputs, .. } = self;
        let (part, metrics) = fitted.metrics.evaluated();
        let classes = encoder.classes().unwrap_or_default();
        let mut findings = Findings {
            target: encoder.target().name.clone(),
            part: match part {
                "train" => "training",
                "validation" if fitted.out_of_fold.is_some() => "out-of-fold",
                part => part,
            }
            .into(),
            rows: rows.rows(),
            ..Findings::default()
        };
        if metrics.scores.is_none() {
            return Ok(findings); // outputs that are no numbers are nothing to draw
        }
        if let Some(figures) = metrics.classification() {
            let rows = figures.confusion.clone();
            findings.confusion = rows.map(|rows| Confusion { classes: classes.to_vec(), rows });
            findings.roc_auc = figures.roc_auc.filter(|_| classes.len() == 2);
        }
        match encoder.task() {
            Task::Binary => {
                let yes = || {
                    let p = outputs.iter().map(|&z| fitted.model.spec.loss().prediction(z.into()));
                    p.zip(rows.targets().iter().map(|&y| y > 0.5))
                };
                findings.positive = classes.get(1).cloned();
                findings.roc = roc_curve(yes()).map(|curve| {
                    let some = evenly(curve.len(), POINTS).map(|at| curve[at]);
                    some.chain(curve.last().copied()).collect()
                });
                findings.calibration = Some(calibration(yes(), BINS));
            }
            Task::Multiclass => {}
            Task::Regression => {
                let point = |row: usize| [fitted.truth[row], self.number(outputs[row])];
                findings.residuals = Some(evenly(rows.rows(), POINTS).map(point).collect());
                findings.coverage = self.coverage()?;
            }
        }
        self.rank(&mut findings).await?;
        if let [Some(x), Some(y)] = encoder.features().iter().map(Feature::scaling).collect::<Vec<_>>()[..] {
            findings.surface = Some(self.surface([x, y]).await?);
        }
        Ok(findings)
    }

    /// The usual coverage [%], if the model has intervals of it and the rows are for testing: others made the intervals.
    pub fn interval(&self) -> Option<u8> {
        let is_test = self.fitted.metrics.evaluated().0 == "test";
        (is_test && self.fitted.model.intervals(Intervals::USUAL).is_ok()).then_some(Intervals::USUAL)
    }

    /// The share of the rows whose truth is in their interval.
    fn coverage(&self) -> Result<Option<f64>> {
        let Some(percent) = self.interval() else { return Ok(None) };
        let is_inside = |(&z, &truth): (&f32, &f64)| {
            let [lower, upper] = self.fitted.model.interval(self.number(z), percent)?;
            Ok((lower..=upper).contains(&truth))
        };
        let inside = self.outputs.iter().zip(&self.fitted.truth).map(is_inside).collect::<Result<Vec<bool>>>()?;
        Ok(Some(inside.iter().filter(|yes| **yes).count() as f64 / inside.len() as f64))
    }

    /// A regression's output as a number of the target.
    pub fn number(&self, z: f32) -> f64 {
        self.encoder.decode_regression(self.fitted.model.spec.loss().prediction(z.into()))
    }

    /// The importance of columns, unless it takes too long or errors become infinite.
    async fn rank(&self, findings: &mut Findings) -> Result<()> {
        let columns = columns(self.encoder);
        let each = (self.fitted.model.parameters.len() * columns.len() * SHUFFLES) as f64;
        let most = ((WORK / each) as usize).min(SHUFFLED);
        if most < LEAST {
            return Ok(());
        }
        let sample = self.rows.select(&evenly(self.rows.rows(), most).collect::<Vec<_>>());
        let (names, inputs): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let found = self.predictor.importance_async(&sample, &inputs, SHUFFLES, 0, Some(self.encoder)).await?;
        let bar = |(column, found): (&str, Importance)| Bar {
            column: column.into(),
            mean: found.mean,
            deviation: found.deviation,
        };
        let mut bars: Vec<_> = names.into_iter().zip(found).map(bar).collect();
        bars.sort_by(|a, b| b.mean.total_cmp(&a.mean));
        findings.importance = bars.iter().all(|bar| bar.mean.is_finite() && bar.deviation.is_finite()).then_some(bars);
        findings.importance_rows = sample.rows();
        Ok(())
    }

    /// The predictions over the two features, as far as the data go.
    /// `scaling` as [`Feature::scaling`] has it.
    async fn surface(&self, scaling: [(f64, f64); 2]) -> Result<Surface> {
        let rows = self.rows;
        let features = self.encoder.features();
        let spans = [0, 1].map(|at| {
            let values = self.fitted.data.named().flat_map(|(_, data)| data.features().iter().skip(at).step_by(2));
            let (least, most) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &z| (a.min(z), b.max(z)));
            let room = if most > least { 0.05 * (most - least) } else { 1.0 };
            [least - room, most + room]
        });
        let place = |at: usize, z: f32| f64::from(z) * scaling[at].1 + scaling[at].0;
        let middle = |[from, to]: [f32; 2], cell: usize| from + (to - from) * (cell as f32 + 0.5) / SIDE as f32;
        let grid = (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| [middle(spans[0], x), middle(spans[1], y)]));
        let outputs = self.predictor.outputs_async(&grid.collect::<Vec<_>>()).await?;

        let level = |share: f64| (share.clamp(0.0, 1.0) * f64::from(LEVELS)).round() as u8;
        let width = self.encoder.outputs();
        let class = |z: &[f32]| -> Cell {
            let p = self.fitted.model.spec.loss().predictions_of(z);
            let likeliest = predicted_class(&p);
            if let [p] = p[..] {
                return (likeliest, level((2.0 * p - 1.0).abs()));
            }
            let guess = 1.0 / width as f64;
            (likeliest, level((p[likeliest] - guess) / (1.0 - guess)))
        };
        let values: Vec<f64> = outputs.iter().map(|&z| self.number(z)).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shade = |value: f64| -> Cell { (0, level((value - least) / (most - least).max(f64::MIN_POSITIVE))) };
        let labels = self.encoder.classes();
        let truth = |row: usize| match labels {
            Some(_) => (rows.targets()[row] as usize, LEVELS),
            None => shade(self.fitted.truth[row]),
        };
        let point = |row: usize| {
            let z = &rows.features()[2 * row..];
            ([place(0, z[0]), place(1, z[1])], truth(row))
        };
        Ok(Surface {
            features: [0, 1].map(|at| features[at].name.clone()),
            spans: [0, 1].map(|at| spans[at].map(|z| place(at, z))),
            side: SIDE,
            cells: match labels {
                Some(_) => outputs.chunks_exact(width).map(class).collect(),
                None => values.iter().map(|&value| shade(value)).collect(),
            },
            points: evenly(rows.rows(), POINTS / 2).map(point).collect(),
            legend: labels.map_or_else(|| vec![value(least), value(most)], <[String]>::to_vec),
        })
    }
}
