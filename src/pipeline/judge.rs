//! What a fit comes to: its model, the networks of an ensemble, and how good they are.

use super::fitting::Fitting;
use super::hint::Hint;
use super::members::{Member, monitors_loss};
use super::prepare::Prepared;
use super::record::record;
use super::splits::Splits;
use super::temperature::{among_others, temperature};
use crate::data::Task;
use crate::error::{Error, Result};
use crate::infer::{Metrics, Predictor};
use crate::model::{Model, TrainingRecord};
use crate::params::Layout;
use crate::train::Replica;

impl Fitting {
    /// [`model`](Self::model) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn model_async(&mut self) -> Result<&Model> {
        let model = self.take_model().await?;
        Ok(self.model.insert(model))
    }

    pub(super) async fn take_model(&mut self) -> Result<Model> {
        if let Some(model) = self.model.take() {
            return Ok(model);
        }
        self.end_phase("train");
        let (parameters, temperatures) = self.result().await?;
        self.choose_networks(&parameters).await?;
        let members = self.members();
        if !members.is_empty() && members.iter().all(|member| !member.is_kept) {
            let (step, epoch) = (self.trainer.steps(), self.trainer.epochs());
            return Err(Error::Diverged { step, epoch, what: "loss of all networks".into() });
        }
        let mut model = self.model_of(parameters, self.trainer.last_epoch().map(|epoch| epoch.loss)).of_kept(&members);
        // Numbers' intervals need it now, and nothing else before the model is judged.
        self.out_of_fold = match self.prepared.encoder.task() {
            Task::Regression => self.prepared.out_of_fold(&self.device, &members, &model.parameters).await?,
            _ => None,
        };
        let intervals = self.intervals(&model).await?;
        if let Some(training) = &mut model.training {
            training.intervals = intervals;
            let is_kept = |number: usize| members.get(number).is_none_or(|member| member.is_kept);
            let kept = temperatures.into_iter().enumerate().filter(|(number, _)| is_kept(*number));
            training.temperatures = kept.map(|(_, temperature)| temperature).collect();
        }
        Ok(model)
    }

    /// The parameters that each network keeps, its best, else its last, and by which temperatures they are calibrated.
    async fn result(&mut self) -> Result<(Vec<f32>, Vec<f64>)> {
        let mut kept = match self.trainer.best_parameters_async().await? {
            Some(best) => best,
            None => self.trainer.parameters_async().await?,
        };
        let temperatures = self.calibrate(&mut kept).await?;
        Ok((kept, temperatures))
    }

    /// Chooses the networks that predict, and says which, where there is a choice.
    async fn choose_networks(&mut self, parameters: &[f32]) -> Result<()> {
        self.selection = None;
        self.selection = self.prepared.select(&self.device, &self.members(), parameters).await?;
        let Prepared { hints, settled, .. } = &mut self.prepared;
        hints.retain(|hint| !matches!(hint, Hint::Portfolio(_)));
        hints.extend(self.selection.iter().map(|selection| selection.hint(settled)));
        Ok(())
    }

    /// The networks of an ensemble, and how they stand; empty of one network.
    pub fn members(&self) -> Vec<Member> {
        let (replicas, each) = (self.prepared.replicas(), self.prepared.settled.ensemble);
        if replicas.len() == 1 {
            return Vec::new();
        }
        let rate = |replica: &Replica| replica.config.optimizer.learning_rate;
        let have_rates = replicas.iter().any(|replica| rate(replica) != rate(&replicas[0]));
        let of = |(number, (replica, outcome))| {
            let mut member = Member::of(number, replica, each, outcome);
            member.record.learning_rate = have_rates.then(|| rate(replica));
            member.record.validation_loss =
                self.losses.get(number).copied().flatten().or(member.record.validation_loss);
            member
        };
        let mut members: Vec<Member> = replicas.iter().zip(self.trainer.outcomes()).enumerate().map(of).collect();
        if let Some(selection) = &self.selection {
            selection.leave_out(&self.prepared.settled, &mut members);
        }
        members
    }

    pub(super) fn model_of(&self, parameters: Vec<f32>, loss: Option<f64>) -> Model {
        let Prepared { encoder, spec, data, settled, .. } = &self.prepared;
        let name = settled.data_name.clone().unwrap_or_default();
        let members = self.members().into_iter().filter(|member| member.is_kept);
        let training = TrainingRecord {
            run: self.name.clone(),
            members: members.map(|member| member.record).collect(),
            ..record(&self.trainer, name, data.train.rows(), self.device.name(), loss)
        };
        Model { spec: spec.clone(), parameters, encoder: Some(encoder.clone()), training: Some(training) }
    }

    /// [`evaluate`](Self::evaluate) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn evaluate_async(&mut self) -> Result<&Splits<Metrics>> {
        let metrics = self.take_metrics().await?;
        Ok(self.metrics.insert(metrics))
    }

    pub(super) async fn take_metrics(&mut self) -> Result<Splits<Metrics>> {
        if let Some(metrics) = self.metrics.take() {
            return Ok(metrics);
        }
        let model = self.take_model().await?;
        let mut metrics = self.prepared.data.metrics(&self.device, &model).await?;
        if metrics.train.scores.is_none() {
            // The last update has no loss of its own to tell that it went wrong.
            let (step, epoch) = (self.trainer.steps(), self.trainer.epochs());
            if self.trainer.replicas() == 1 {
                self.trainer.roll_back_async().await?;
            }
            return Err(Error::Diverged { step, epoch, what: "loss after it".into() });
        }
        if !self.prepared.folds.is_empty() {
            if self.out_of_fold.is_none() {
                let members = self.members();
                self.out_of_fold = self.prepared.out_of_fold(&self.device, &members, &model.parameters).await?;
            }
            metrics.validation = self.out_of_fold.as_ref().map(|out_of_fold| out_of_fold.metrics.clone());
        }
        self.model = Some(model);
        self.end_phase("evaluate");
        Ok(metrics)
    }
}

impl Fitting {
    /// Divides each network's logits, which is to say its last layer, by the temperature that fits the rows it held out; the temperatures.
    /// None where that was neither asked for nor decided. Then the loss on these rows is that of no epoch, and where epochs were judged by
    /// something else, it is that of none that is known: of several networks each has its loss anew.
    async fn calibrate(&mut self, parameters: &mut [f32]) -> Result<Vec<f64>> {
        let (spec, layout) = (&self.prepared.spec, Layout::new(&self.prepared.spec));
        let (last, replicas) = (spec.layers().len() - 1, self.prepared.replicas());
        let (are_several, calibrates) = (replicas.len() > 1, self.prepared.settled.calibrates == Some(true));
        let (mut temperatures, mut losses) = (Vec::new(), Vec::new());
        for (own, replica) in parameters.chunks_exact_mut(layout.len()).zip(&replicas) {
            let is_judged = are_several && (calibrates || !monitors_loss(replica));
            let rows = self.prepared.held_out(replica.fold.as_ref()).filter(|_| calibrates || is_judged);
            let Some(rows) = rows else {
                if calibrates {
                    return Err(Error::CheckFailed("a calibrated network has no rows that it did not learn".into()));
                }
                losses.push(None);
                continue;
            };
            let predictor = Predictor::new_async(&self.device, spec, own, rows.rows()).await?;
            let mut outputs = predictor.outputs_async(rows.features()).await?;
            if calibrates {
                let temperature = temperature(&outputs, rows.targets(), spec.outputs());
                let temperature = if are_several { among_others(temperature) } else { temperature };
                let divide = |value: &mut f32| *value = (f64::from(*value) / temperature) as f32;
                for tensor in [layout.weight(last), layout.bias(last)] {
                    own[tensor.range.clone()].iter_mut().for_each(divide);
                }
                outputs.iter_mut().for_each(divide);
                temperatures.push(temperature);
            }
            let loss = || Metrics::new(spec, &outputs, &rows, Some(&self.prepared.encoder)).map(|own| own.loss);
            // One that diverged may have none.
            losses.push(is_judged.then(loss).transpose()?.filter(|loss| loss.is_finite()));
        }
        self.losses = losses;
        Ok(temperatures)
    }
}
