//! The report of a finished run: what a fitted model comes to, as JSON, tables and pictures, and one page with them.
//!
//! In: a [`Fitted`](crate::Fitted), of which [`write_report`] keeps `report.json` ([`Findings`]) in a folder. Out: pictures as SVG from
//! that and `metrics.jsonl`, the same for the page and for `mlp plot`.

mod analysis;
pub(in crate::report) mod canvas;
mod confusion;
mod curves;
mod findings;
mod importance;
pub(in crate::report) mod page;
mod scatter;
mod summary;
mod surface;
mod tables;
mod write;

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::folder::{self, METRICS, RunName};
use crate::report::mean_epochs;
use crate::train::Epoch;
pub use findings::{Bar, Cell, Confusion, Findings, LEVELS, Surface};
pub use page::{Page, page};
pub use summary::Summary;
pub use write::{Command, report_is_writable, write_report};

/// Name of the file of [`Findings`] in a run's folder.
pub const FINDINGS: &str = folder::FINDINGS;

/// A picture of a run.
#[derive(Debug)]
pub struct Picture {
    /// Its file's name, without `.svg`.
    pub name: &'static str,
    /// A whole SVG file.
    pub svg: String,
    /// What one has to know to read it.
    pub caption: String,
}

/// What a run's folder keeps for its pictures.
#[derive(Debug)]
pub struct Run {
    findings: Findings,
    epochs: Vec<Epoch>,
    /// Its name, which each picture tells.
    name: Option<RunName>,
}

/// The part of `report.json` that tells which run it is of.
#[derive(Deserialize)]
struct Named {
    run: Ran,
}

#[derive(Deserialize)]
struct Ran {
    run: Option<String>,
}

impl Run {
    /// Reads it.
    pub fn load(folder: &Path) -> Result<Self> {
        folder::settle(folder)?;
        let path = folder.join(FINDINGS);
        let text = std::fs::read_to_string(&path).map_err(Error::io("read the run's report", &path))?;
        let refused = |path: &Path, problem: String| Error::RunFolder { path: path.into(), problem };
        let findings: Findings = serde_json::from_str(&text).map_err(|error| refused(&path, error.to_string()))?;
        findings.check().map_err(|problem| refused(&path, problem))?;
        let name = serde_json::from_str::<Named>(&text).ok().and_then(|named| named.run.run?.parse().ok());
        let path = folder.join(METRICS);
        let text = std::fs::read_to_string(&path).map_err(Error::io("read the metrics", &path))?;
        let epoch = |(line, text)| {
            serde_json::from_str(text).map_err(|error| refused(&path, format!("line {}: {error}", line + 1)))
        };
        let epochs = text.lines().enumerate().map(epoch).collect::<Result<Vec<_>>>()?;
        Ok(Self { findings, epochs: mean_epochs(&epochs), name })
    }

    /// All pictures that the run has something for, in the page's order.
    pub fn pictures(&self) -> Result<Vec<Picture>> {
        let Self { findings, epochs, name } = self;
        let Findings { confusion, roc, calibration, residuals, importance, surface, .. } = findings;
        let pictures = [
            curves::losses(epochs).transpose(),
            curves::accuracies(epochs).transpose(),
            confusion.as_ref().map(|confusion| confusion::draw(findings, confusion)).and_then(Result::transpose),
            roc.as_ref().map(|curve| scatter::roc(findings, curve)),
            calibration.as_ref().map(|bins| scatter::calibration(findings, bins)),
            residuals.as_ref().map(|points| scatter::predictions(findings, points)),
            residuals.as_ref().map(|points| scatter::residuals(findings, points)),
            surface.as_ref().map(|surface| surface::draw(findings, surface)),
            importance.as_ref().map(|bars| importance::draw(findings, bars)),
        ];
        let pictures: Result<Vec<Picture>> = pictures.into_iter().flatten().collect();
        let named = |mut picture: Picture| {
            let end = picture.svg.rfind("</svg>").unwrap_or(picture.svg.len());
            name.iter().for_each(|name| picture.svg.insert_str(end, &format!("<!-- run {name} -->")));
            picture
        };
        Ok(pictures?.into_iter().map(named).collect())
    }
}
