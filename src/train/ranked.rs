//! The area under the ROC curve of each network on the rows that it does not learn. In: these rows, and parameters at the end of an epoch.
//!
//! Losses and accuracies are sums over rows, which the device makes; a ranking is none. The rows' outputs are made by a [`Predictor`] on the same
//! device and ranked by the host.

use std::ops::Range;

use super::Monitor;
use super::replica::Replica;
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::infer::{Metrics, Predictor};
use crate::spec::MlpSpec;

/// The rows held out of each replica that is judged by its ranking.
#[derive(Debug)]
pub(super) struct Ranked {
    /// Of each fold, or those that all replicas share.
    parts: Vec<Part>,
    /// Which part each replica is judged by; none if by something else.
    of_replica: Vec<Option<usize>>,
    /// Of each replica the area at the end of the last epoch; none if it is judged by something else, had ended, if a class has no row or all,
    /// or if outputs are not finite.
    pub areas: Vec<Option<f64>>,
}

#[derive(Debug)]
struct Part {
    rows: Dataset,
    /// Made by the first epoch.
    predictor: Option<Predictor>,
}

impl Ranked {
    /// The rows that replicas need, copied from the training rows' folds or those for validation; none where no replica needs any.
    ///
    /// # Errors
    /// [`Error::Setting`] where none are held out.
    pub fn new(replicas: &[Replica], data: &Dataset, validation: Option<&Dataset>) -> Result<Option<Self>> {
        let is_ranked =
            |replica: &Replica| replica.config.early_stopping.is_some_and(|rule| rule.monitor == Monitor::RocAuc);
        let mut folds: Vec<_> = replicas.iter().filter(|&one| is_ranked(one)).map(|one| one.fold.clone()).collect();
        folds.dedup();
        if folds.is_empty() {
            return Ok(None);
        }
        let part = |fold: &Option<Range<usize>>| {
            let rows = match (fold, validation) {
                (Some(fold), _) => data.select(&fold.clone().collect::<Vec<_>>()).without_weights(),
                (None, Some(rows)) if rows.rows() > 0 => rows.clone().without_weights(),
                _ => {
                    let expected = "rows that are held out, for validation or in folds".into();
                    let found = format!("{} without such rows", Monitor::RocAuc);
                    return Err(Error::Setting { what: "monitor", found, expected });
                }
            };
            Ok(Part { rows, predictor: None })
        };
        let of = |replica: &Replica| {
            is_ranked(replica).then(|| folds.iter().position(|fold| *fold == replica.fold)).flatten()
        };
        let (of_replica, areas) = (replicas.iter().map(of).collect(), vec![None; replicas.len()]);
        Ok(Some(Self { parts: folds.iter().map(part).collect::<Result<_>>()?, of_replica, areas }))
    }

    /// Ranks the rows of the replicas that run; `parameters` are those of all, one's behind the other's.
    pub async fn rank(&mut self, device: &Device, spec: &MlpSpec, runs: &[bool], parameters: &[f32]) -> Result<()> {
        self.areas.fill(None);
        let each = parameters.len() / runs.len();
        for (replica, parameters) in parameters.chunks_exact(each).enumerate().filter(|(replica, _)| runs[*replica]) {
            self.areas[replica] = self.area(device, spec, replica, parameters).await?;
        }
        Ok(())
    }

    async fn area(
        &mut self,
        device: &Device,
        spec: &MlpSpec,
        replica: usize,
        parameters: &[f32],
    ) -> Result<Option<f64>> {
        let Some(part) = self.of_replica[replica] else { return Ok(None) };
        let Part { rows, predictor } = &mut self.parts[part];
        let predictor = match predictor {
            Some(predictor) => {
                predictor.set_parameters(parameters)?;
                predictor
            }
            None => predictor.insert(Predictor::new_async(device, spec, parameters, rows.rows()).await?),
        };
        let outputs = predictor.outputs_async(rows.features()).await?;
        Ok(Metrics::new(spec, &outputs, rows, None)?.classification().and_then(|scores| scores.roc_auc))
    }
}
