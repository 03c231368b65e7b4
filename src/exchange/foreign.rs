//! A network of another program: layers and parameters, and what of its surroundings is known.

use std::path::PathBuf;

use crate::data::{Encoder, Feature, FeatureKind, Target, TargetKind};
use crate::error::{Error, Result, set};
use crate::math::{Activation, Loss, TargetDomain};
use crate::model::Model;
use crate::params::Layout;
use crate::spec::{Layer, MlpSpec};

/// A column's mean and what its difference from it is divided by, in the column's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// What is subtracted.
    pub mean: f64,
    /// What the difference is divided by, above 0.
    pub scale: f64,
}

impl Scale {
    /// Leaves raw numbers.
    pub const NONE: Self = Self { mean: 0.0, scale: 1.0 };
}

/// A network that was read from a file of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// The network.
    pub spec: MlpSpec,
    /// Its parameters, as [`Layout`] lays them out.
    pub parameters: Vec<f32>,
    /// How the file scales each input before the first layer, if it does.
    pub inputs: Option<Vec<Scale>>,
    /// How it scales the only output back.
    pub output: Scale,
    /// What it keeps that output within, behind the scale.
    pub range: Option<[f64; 2]>,
    /// The columns' names, if the file says them.
    pub features: Option<Vec<String>>,
    /// The target's name, if the file says it.
    pub target: Option<String>,
    /// The labels of classes in the order of their numbers, if the file says them.
    pub classes: Option<Vec<String>>,
    /// What was assumed of the file, or is not kept of it: a sentence each.
    pub notes: Vec<String>,
    /// In which order its layers were taken, where their names do not say it: the end of a message.
    pub(super) order: String,
    pub(super) path: PathBuf,
}

impl Foreign {
    /// The model, with an encoder if the file says what the columns are called.
    ///
    /// # Errors
    /// [`Error::ForeignModel`] where the file scales its inputs and does not say their names: an encoder keeps both.
    pub fn into_model(self) -> Result<Model> {
        match (&self.features, &self.target) {
            (Some(features), Some(target)) if self.spec.target_columns() == 1 => {
                let (features, target) = (features.clone(), target.clone());
                self.with_columns(features, target)
            }
            (Some(_), None) if self.needs_encoder() => Err(self.refused(format!(
                "it scales its inputs or its output, or clips it, and does not name its target: name its column by {}",
                set("target", "COLUMN")
            ))),
            _ if self.needs_encoder() => Err(self.refused(format!(
                "it scales its inputs or its output, or clips it, and does not name its columns: give a table that has \
                them, by TABLE {}",
                set("target", "COLUMN")
            ))),
            _ => Ok(Model { spec: self.spec, parameters: self.parameters, encoder: None, training: None }),
        }
    }

    /// The model, with an encoder of columns with these names. Classes have the labels of the file, or else their numbers.
    ///
    /// # Errors
    /// [`Error::ForeignModel`] for names that are not as many as the inputs, for names or scales that no encoder takes,
    /// and for a network with several targets.
    pub fn with_columns(self, features: Vec<String>, target: String) -> Result<Model> {
        let (inputs, outputs, loss) = (self.spec.inputs(), self.spec.outputs(), self.spec.loss());
        if features.len() != inputs {
            let (count, order) = (features.len(), &self.order);
            let problem = format!("it has {inputs} inputs, and the table has {count} columns for them{order}");
            return Err(self.refused(problem));
        }
        if self.spec.target_columns() != 1 {
            let problem = format!("its {outputs} outputs under {loss} are {outputs} targets: expected one");
            return Err(self.refused(problem));
        }
        let labels = || match &self.classes {
            Some(classes) => classes.clone(),
            None => (0..outputs.max(2)).map(|class| class.to_string()).collect(),
        };
        let kind = match loss.domain() {
            TargetDomain::Probability => {
                let labels = labels();
                let count = labels.len();
                let classes = labels.try_into().map_err(|_| self.refused(format!("{count} classes for one output")))?;
                TargetKind::Binary { classes }
            }
            TargetDomain::Class => TargetKind::Multiclass { classes: labels() },
            TargetDomain::Real | TargetDomain::NonNegative => {
                TargetKind::Regression { mean: self.output.mean, scale: self.output.scale, range: self.range }
            }
        };
        let scales = self.inputs.clone().unwrap_or_else(|| vec![Scale::NONE; inputs]);
        let features = features.into_iter().zip(scales).map(|(name, Scale { mean, scale })| Feature {
            name,
            kind: FeatureKind::Number { mean, scale, fill: None, clip: None, edges: Vec::new() },
            indicator: false,
        });
        let encoder = Encoder::new(features.collect(), Target { name: target, kind });
        let problem = encoder.validate().err().or_else(|| {
            (encoder.outputs() != outputs).then(|| format!("{} classes for {outputs} outputs", encoder.outputs()))
        });
        match problem {
            Some(problem) => Err(self.refused(problem)),
            None => {
                let Self { spec, parameters, .. } = self;
                Ok(Model { spec, parameters, encoder: Some(encoder), training: None })
            }
        }
    }

    /// Whether it does what an encoder alone keeps.
    fn needs_encoder(&self) -> bool {
        self.inputs.is_some() || self.output != Scale::NONE || self.range.is_some()
    }

    pub(super) fn refused(&self, problem: String) -> Error {
        Error::ForeignModel { path: self.path.clone(), problem: super::one_line(&problem) }
    }
}

/// A network with two outputs under a softmax as one with a single output under a sigmoid, their difference: the
/// probabilities are the same, and two classes are one yes or no here.
pub fn of_two_classes(mut layers: Vec<Layer>, parameters: &[f32]) -> Result<(MlpSpec, Vec<f32>)> {
    let layout = Layout::new(&MlpSpec::from_layers(layers.clone(), Loss::SoftmaxCrossEntropy)?);
    let last = layers.len() - 1;
    let start = layout.weight(last).range.start;
    let (kept, pairs) = parameters.split_at(start);
    let differences = pairs.as_chunks().0.iter().map(|&[no, yes]: &[f32; 2]| yes - no);
    let parameters = kept.iter().copied().chain(differences).collect();
    layers[last].outputs = 1;
    Ok((MlpSpec::from_layers(layers, Loss::BinaryCrossEntropy)?, parameters))
}

/// Whether [`of_two_classes`] is for this network.
pub fn has_two_classes(layers: &[Layer], loss: Loss) -> bool {
    let two = |last: &Layer| last.outputs == 2 && last.activation == Activation::Identity;
    loss == Loss::SoftmaxCrossEntropy && layers.last().is_some_and(two)
}
