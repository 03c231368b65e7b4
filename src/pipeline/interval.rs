//! Intervals around predicted numbers. In: a fit of numbers. Out: intervals from the rows that its networks did not learn, and the interval of
//! a prediction.

use super::fitting::Fitting;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::infer::Predictor;
use crate::math::TargetDomain;
use crate::metrics::Intervals;
use crate::model::Model;

impl Fitting {
    /// The intervals around a model's numbers: from the rows of the folds, each judged by the networks that held it out, or from the rows
    /// for validation. None of classes, and without such rows.
    pub(super) async fn intervals(&self, model: &Model) -> Result<Option<Intervals>> {
        let (encoder, data) = (&self.prepared.encoder, &self.prepared.data);
        if encoder.task() != Task::Regression {
            return Ok(None);
        }
        let (rows, outputs) = match (&self.out_of_fold, &data.validation) {
            (Some(out_of_fold), _) => (&data.train, out_of_fold.outputs.clone()),
            (None, Some(rows)) => {
                let predictor = Predictor::new_async(&self.device, &model.spec, &model.parameters, rows.rows()).await?;
                (rows, predictor.outputs_async(rows.features()).await?)
            }
            (None, None) => return Ok(None),
        };
        let loss = model.spec.loss();
        let predictions: Vec<f64> =
            outputs.iter().map(|&z| encoder.decode_regression(loss.prediction(z.into()))).collect();
        let truth: Vec<f64> = rows.targets().iter().map(|&y| encoder.decode_target(y.into())).collect();
        Ok(Intervals::new(&predictions, &truth))
    }
}

impl Model {
    /// The intervals around its numbers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model that has none, or not with this coverage [%].
    pub(crate) fn intervals(&self, percent: u8) -> Result<&Intervals> {
        let intervals = self.training.as_ref().and_then(|training| training.intervals.as_ref());
        let intervals = intervals.ok_or_else(|| Error::Setting {
            what: "interval",
            found: "a model without intervals".into(),
            expected: "a model of numbers that was trained with rows held out, for validation or in folds".into(),
        })?;
        intervals.check(percent)?;
        Ok(intervals)
    }

    /// The interval around a number that it predicts, which covers the truth of so many of a hundred new rows at the least, if they are drawn
    /// as those that it did not learn: the lower and the upper end, in the target's unit. Each end is rounded outwards to a thousandth of half the
    /// width. Networks that predict together err less than those by which the interval was made, so it covers somewhat more.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model that has no intervals, as one of classes or without rows held out, and for a percentage beyond
    /// [50](Intervals::LEAST) to [99](Intervals::MOST) or beyond what its rows can promise.
    pub fn interval(&self, number: f64, percent: u8) -> Result<[f64; 2]> {
        let half = self.intervals(percent)?.half_width(number, percent);
        let unit = 10f64.powf(3.0 - half.log10().floor());
        let ends = [((number - half) * unit).floor() / unit, ((number + half) * unit).ceil() / unit];
        let [lower, upper] = if ends.iter().all(|end| end.is_finite()) { ends } else { [number - half, number + half] };
        let is_bounded = self.spec.loss().domain() == TargetDomain::NonNegative;
        Ok([if is_bounded { lower.max(0.0) } else { lower }, upper])
    }
}
