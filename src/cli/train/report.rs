//! What `--out` keeps of a finished run besides the model: `predictions.csv`, `report.json` with what pictures are drawn
//! from, and `report.html`. The model is written before any of it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::summary::Summary;
use super::tables;
use crate::backend::Device;
use crate::data::{Dataset, Encoder, Feature, Table, Task};
use crate::error::{Error, Result, shorten};
use crate::files::AtomicFile;
use crate::folder::{FINDINGS, PAGE, PREDICTIONS};
use crate::infer::{Metrics, Predictor};
use crate::math::predicted_class;
use crate::metrics::{calibration, roc_curve};
use crate::model::Model;
use crate::pipeline::Splits;
use crate::pipeline::write_csv;
use crate::report::run::{Bar, Cell, Confusion, Findings, LEVELS, Page, Run, Surface, evenly, page};
use crate::report::{count, figure, main_figures, value};

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

/// The rows by which a run is judged: those for testing, else for validation, else all that it was trained on.
#[derive(Debug)]
pub struct Judged {
    /// Their places in the table.
    rows: Vec<usize>,
    /// Of numbers, the true ones as the table has them.
    truth: Vec<f64>,
}

impl Judged {
    /// `rows` are those of `table`.
    pub fn new(rows: Vec<usize>, encoder: &Encoder, table: &Table) -> Result<Self> {
        let truth = match encoder.task() {
            Task::Regression => {
                let all = table.numbers(&encoder.target().name)?;
                rows.iter().map(|&row| all[row]).collect()
            }
            Task::Binary | Task::Multiclass => Vec::new(),
        };
        Ok(Self { rows, truth })
    }
}

/// What a report is made of.
pub struct Material<'a> {
    pub device: &'a Device,
    pub model: &'a Model,
    pub encoder: &'a Encoder,
    pub data: &'a Splits<Dataset>,
    pub judged: &'a Judged,
    pub metrics: &'a Splits<Metrics>,
    /// What was typed, and the configuration in force.
    pub command: &'a str,
    pub config: &'a str,
}

/// Shows that the report can be written, before anything is computed for it.
pub fn writable(folder: &Path) -> Result<()> {
    let check = |name| AtomicFile::create("write the report", &folder.join(name)).map(drop);
    [PREDICTIONS, FINDINGS, PAGE].into_iter().try_for_each(check)
}

#[derive(Serialize)]
struct Kept<'a> {
    run: &'a Summary<'a>,
    #[serde(flatten)]
    findings: &'a Findings,
}

/// Writes it all; returns the page's path. What it takes to the drawing of the page is a phase that the page has.
pub async fn write(folder: &Path, material: &Material<'_>, summary: &mut Summary<'_>) -> Result<PathBuf> {
    let Material { device, model, encoder, data, judged, .. } = material;
    let (_, rows) = data.evaluated();
    let predictor = Predictor::new_async(device, &model.spec, &model.parameters, rows.rows()).await?;
    let outputs = predictor.outputs_async(rows.features()).await?;
    let put = |name: &str, bytes: &[u8]| AtomicFile::create("write the report", &folder.join(name))?.replace(bytes);
    put(PREDICTIONS, &predictions(model, encoder, rows, judged, &outputs)?)?;

    let findings = material.findings(&predictor, &outputs).await?;
    summary.phases.end("report");
    let kept = serde_json::to_vec(&Kept { run: summary, findings: &findings });
    put(FINDINGS, &kept.map_err(|error| Error::io("write the report", folder)(error.into()))?)?;
    // The very data that `mlp plot` finds.
    let run = Run::load(folder)?;
    put(PAGE, page(&material.page(&findings, &outputs, summary), &run)?.as_bytes())?;
    Ok(folder.join(PAGE))
}

/// `row` (from 1, the header not counted), `truth`, and what `mlp predict` says.
fn predictions(model: &Model, encoder: &Encoder, data: &Dataset, judged: &Judged, outputs: &[f32]) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Truth<'a> {
        Class(&'a str),
        Number(f64),
    }
    let classes = encoder.classes().unwrap_or_default();
    let front = |row: usize| {
        let truth = match judged.truth.get(row) {
            Some(&number) => Truth::Number(number),
            None => Truth::Class(&classes[data.targets()[row] as usize]),
        };
        (judged.rows[row] + 1, truth)
    };
    let mut csv = Vec::new();
    let written = write_csv(&mut csv, model, encoder, outputs, &["row", "truth"], front);
    written.map_err(|error| Error::io("write the report", PREDICTIONS)(error.into()))?;
    Ok(csv)
}

/// The inputs that stand for each column.
fn columns(encoder: &Encoder) -> Vec<(&str, Range<usize>)> {
    let mut end = 0;
    let mut inputs = |width| {
        end += width;
        end - width..end
    };
    encoder.features().iter().map(|feature| (feature.name.as_str(), inputs(feature.width()))).collect()
}

impl Material<'_> {
    async fn findings(&self, predictor: &Predictor, outputs: &[f32]) -> Result<Findings> {
        let Self { model, encoder, data, judged, metrics, .. } = self;
        let (part, rows) = data.evaluated();
        let classes = encoder.classes().unwrap_or_default();
        let mut findings = Findings {
            target: encoder.target().name.clone(),
            part: if part == "train" { "training" } else { part }.into(),
            rows: rows.rows(),
            ..Findings::default()
        };
        let metrics = metrics.evaluated().1;
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
                    let p = outputs.iter().map(|&z| model.spec.loss().prediction(z.into()));
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
                let point = |row: usize| [judged.truth[row], self.number(outputs[row])];
                findings.residuals = Some(evenly(rows.rows(), POINTS).map(point).collect());
            }
        }
        self.rank(predictor, &mut findings).await?;
        if let [Some(x), Some(y)] = encoder.features().iter().map(Feature::scaling).collect::<Vec<_>>()[..] {
            findings.surface = Some(self.surface(predictor, [x, y]).await?);
        }
        Ok(findings)
    }

    /// A regression's output as a number of the target.
    fn number(&self, z: f32) -> f64 {
        self.encoder.decode_regression(self.model.spec.loss().prediction(z.into()))
    }

    /// The importance of columns, unless it takes too long or errors become infinite.
    async fn rank(&self, predictor: &Predictor, findings: &mut Findings) -> Result<()> {
        let columns = columns(self.encoder);
        let each = (self.model.parameters.len() * columns.len() * SHUFFLES) as f64;
        let (_, rows) = self.data.evaluated();
        let most = ((WORK / each) as usize).min(SHUFFLED);
        if most < LEAST {
            return Ok(());
        }
        let sample = rows.select(&evenly(rows.rows(), most).collect::<Vec<_>>());
        let (names, inputs): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let found = predictor.importance_async(&sample, &inputs, SHUFFLES, 0, Some(self.encoder)).await?;
        let bar = |(column, found): (&str, crate::infer::Importance)| Bar {
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
    async fn surface(&self, predictor: &Predictor, scaling: [(f64, f64); 2]) -> Result<Surface> {
        let (_, rows) = self.data.evaluated();
        let features = self.encoder.features();
        let spans = [0, 1].map(|at| {
            let values = self.data.named().flat_map(|(_, data)| data.features().iter().skip(at).step_by(2));
            let (least, most) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &z| (a.min(z), b.max(z)));
            let room = if most > least { 0.05 * (most - least) } else { 1.0 };
            [least - room, most + room]
        });
        let place = |at: usize, z: f32| f64::from(z) * scaling[at].1 + scaling[at].0;
        let middle = |[from, to]: [f32; 2], cell: usize| from + (to - from) * (cell as f32 + 0.5) / SIDE as f32;
        let grid = (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| [middle(spans[0], x), middle(spans[1], y)]));
        let outputs = predictor.outputs_async(&grid.collect::<Vec<_>>()).await?;

        let level = |share: f64| (share.clamp(0.0, 1.0) * f64::from(LEVELS)).round() as u8;
        let width = self.encoder.outputs();
        let class = |z: &[f32]| -> Cell {
            let p = self.model.spec.loss().predictions_of(z);
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
            None => shade(self.judged.truth[row]),
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

    fn page<'b>(&'b self, findings: &Findings, outputs: &[f32], summary: &'b Summary<'_>) -> Page<'b> {
        let Self { model, encoder, data, judged, metrics, command, config, .. } = self;
        let training = model.training.as_ref();
        let judgement = metrics.evaluated().1;
        let figures = main_figures(judgement).into_iter().filter_map(|(name, figure)| Some((name, figure?)));
        let part = &findings.part;
        let tile = |name: String, figure| (format!("{name}, {part}"), figure);
        let mut tiles: Vec<_> = figures.map(|(name, figure)| tile(name, figure)).collect();
        tiles.push(tile("loss".into(), figure(judgement.loss)));
        tiles.push((format!("{part} rows"), count(findings.rows as u64)));
        let mut note = match part.as_str() {
            "test" => String::new(),
            "validation" => {
                "No rows were kept for testing: metrics on validation rows that chose the epoch are optimistic.".into()
            }
            _ => "No data was held out: metrics on training data are optimistic.".to_string(),
        };
        if findings.importance.is_none() {
            note += " Importance is left out: shuffling would take too long, or errors become infinite.";
        }
        Page {
            title: format!("{} from {}", shorten(&findings.target), training.map_or("data", |training| &training.data)),
            about: format!("{}: {}", encoder.task(), model.spec),
            tiles,
            figures: summary.figures(),
            note,
            tables: tables::all(model, encoder, judgement, data.evaluated().1, &judged.rows, &judged.truth, outputs),
            phases: summary.phases.all(),
            facts: summary.facts(),
            command,
            config,
        }
    }
}
