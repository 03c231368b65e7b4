//! What a run's folder keeps besides the model: `predictions.csv`, `report.json` with what pictures are drawn from, and
//! `report.html`. The model is written before any of it.

use std::path::Path;

use serde::Serialize;

use super::analysis::Evaluated;
use super::findings::Findings;
use super::page::{Page, page};
use super::summary::Summary;
use super::{Run, tables};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::{Error, Result, shorten};
use crate::files::AtomicFile;
use crate::folder::{FINDINGS, OUT_OF_FOLD, PAGE, PREDICTIONS};
use crate::metrics::Intervals;
use crate::pipeline::{Fitted, OutOfFold, write_csv};
use crate::report::{count, figure, main_figures};

/// What made a run.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// What was typed.
    pub typed: &'a str,
    /// The configuration in force.
    pub config: &'a str,
}

/// Shows that the report can be written, before anything is computed for it.
pub fn report_is_writable(folder: &Path) -> Result<()> {
    let check = |name| AtomicFile::create("write the report", &folder.join(name)).map(drop);
    [PREDICTIONS, OUT_OF_FOLD, FINDINGS, PAGE].into_iter().try_for_each(check)
}

#[derive(Serialize)]
struct Kept<'a> {
    run: &'a Summary<'a>,
    #[serde(flatten)]
    findings: &'a Findings,
}

/// Writes it all; the summary learns of the page. What it takes to the drawing of the page is a phase that the page has.
pub async fn write_report(
    folder: &Path,
    device: &Device,
    fitted: &Fitted,
    summary: &mut Summary<'_>,
    command: Command<'_>,
) -> Result<()> {
    let evaluated = Evaluated::new(device, fitted).await?;
    let put = |name: &str, bytes: &[u8]| AtomicFile::create("write the report", &folder.join(name))?.replace(bytes);
    let Evaluated { rows, outputs, .. } = &evaluated;
    let (_, places) = fitted.splits.evaluated();
    put(PREDICTIONS, &predictions(&evaluated, rows, outputs, &fitted.truth, places, evaluated.interval())?)?;
    if let Some(OutOfFold { outputs, truth, .. }) = &fitted.out_of_fold {
        let (rows, places) = (&fitted.data.train, &fitted.splits.train);
        put(OUT_OF_FOLD, &predictions(&evaluated, rows, outputs, truth, places, None)?)?;
    }

    let findings = evaluated.findings().await?;
    summary.phases.end("report");
    let kept = serde_json::to_vec(&Kept { run: summary, findings: &findings });
    put(FINDINGS, &kept.map_err(|error| Error::io("write the report", folder)(error.into()))?)?;
    // The very data that `mlp plot` finds.
    let run = Run::load(folder)?;
    put(PAGE, page(&content(&evaluated, &findings, summary, command), &run)?.as_bytes())?;
    summary.phases.end("report");
    summary.report = Some(folder.join(PAGE));
    Ok(())
}

/// `row` (from 1, the header not counted), `truth`, and what `mlp predict` says, with an interval of this coverage [%].
fn predictions(
    evaluated: &Evaluated<'_>,
    rows: &Dataset,
    outputs: &[f32],
    numbers: &[f64],
    places: &[usize],
    interval: Option<u8>,
) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Truth<'a> {
        Class(&'a str),
        Number(f64),
    }
    let Evaluated { fitted, encoder, .. } = evaluated;
    let classes = encoder.classes().unwrap_or_default();
    let front = |row: usize| {
        let truth = match numbers.get(row) {
            Some(&number) => Truth::Number(number),
            None => Truth::Class(&classes[rows.targets()[row] as usize]),
        };
        (places[row] + 1, truth)
    };
    let mut csv = Vec::new();
    let written = write_csv(&mut csv, &fitted.model, encoder, outputs, interval, &["row", "truth"], front);
    written.map_err(|error| Error::io("write the report", PREDICTIONS)(error.into()))?;
    Ok(csv)
}

fn content<'a>(
    evaluated: &Evaluated<'_>,
    findings: &Findings,
    summary: &'a Summary<'_>,
    command: Command<'a>,
) -> Page<'a> {
    let Evaluated { fitted, encoder, .. } = evaluated;
    let (model, (_, judgement)) = (&fitted.model, fitted.metrics.evaluated());
    let training = model.training.as_ref();
    let figures = main_figures(judgement).into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    let part = &findings.part;
    let tile = |name: String, figure| (format!("{name}, {part}"), figure);
    let mut tiles: Vec<_> = figures.map(|(name, figure)| tile(name, figure)).collect();
    if let Some(coverage) = findings.coverage {
        let name = format!("inside of {} % intervals", Intervals::USUAL);
        tiles.push(tile(name, format!("{:.1} %", 100.0 * coverage)));
    }
    tiles.push(tile("loss".into(), figure(judgement.loss)));
    tiles.push((format!("{part} rows"), count(findings.rows as u64)));
    let mut note = match part.as_str() {
        "test" => String::new(),
        "out-of-fold" => {
            "Each row is judged by the networks that held it out; they stopped by these rows' loss, so the metrics are slightly optimistic.".into()
        }
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
        tables: tables::all(evaluated),
        phases: summary.phases.all(),
        facts: summary.facts(),
        command: command.typed,
        config: command.config,
    }
}
