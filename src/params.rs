//! The place of each parameter in the flat array of all, and its initial value. Order: W0, b0, W1, b1, …; weights are
//! [inputs, outputs] by rows. Gradients and optimiser state have the same layout.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use serde::{Deserialize, Serialize};

use crate::data::article_parameters;
use crate::error::{Error, Result, named, set};
use crate::limits;
use crate::spec::MlpSpec;

/// One parameter tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTensor {
    /// `layers.{i}.weight` or `layers.{i}.bias`.
    pub name: String,
    /// Elements in the flat array.
    pub range: Range<usize>,
    /// Rows: the layer's inputs, or 1 for a bias.
    pub rows: usize,
    /// Columns: the layer's outputs.
    pub columns: usize,
}

/// The places of all parameters of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Weight and bias of each layer in turn.
    pub tensors: Vec<ParameterTensor>,
}

impl Layout {
    /// The layout of `spec`'s parameters.
    pub fn new(spec: &MlpSpec) -> Self {
        let mut tensors = Vec::with_capacity(2 * spec.layers().len());
        let mut start = 0;
        for (i, layer) in spec.layers().iter().enumerate() {
            for (kind, rows) in [("weight", layer.inputs), ("bias", 1)] {
                let range = start..start + rows * layer.outputs;
                start = range.end;
                tensors.push(ParameterTensor {
                    name: format!("layers.{i}.{kind}"),
                    range,
                    rows,
                    columns: layer.outputs,
                });
            }
        }
        Self { tensors }
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    /// Whether there are no parameters; never true for a checked spec.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses another number of values than parameters.
    pub fn check(&self, values: &[f32]) -> Result<()> {
        if values.len() == self.len() {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the list of parameters".into(),
            found: values.len(),
            expected: self.len().to_string(),
        })
    }

    /// How many networks these are the parameters of, one behind the other.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of values than parameters of one network or of several.
    pub fn networks(&self, values: &[f32]) -> Result<usize> {
        if self.is_empty() || values.is_empty() || !values.len().is_multiple_of(self.len()) {
            return self.check(values).map(|()| 1);
        }
        Ok(values.len() / self.len())
    }

    /// The weight of a layer.
    pub fn weight(&self, layer: usize) -> &ParameterTensor {
        &self.tensors[2 * layer]
    }

    /// The bias of a layer.
    pub fn bias(&self, layer: usize) -> &ParameterTensor {
        &self.tensors[2 * layer + 1]
    }
}

/// Initialisation of the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Init {
    /// Weights N(0, 0.01), biases a multiple of 0.01 from 0.01 to 0.09, drawn as numpy's `RandomState` does.
    Article,
    /// Weights N(0, 2 / inputs), biases 0 (He et al. 2015); for relu.
    #[default]
    He,
    /// Weights uniform in ±sqrt(6 / (inputs + outputs)), biases 0 (Glorot and Bengio 2010).
    Xavier,
    /// Weights N(0, 1 / inputs), biases N(0, 1), and all of the last layer 0: what RealMLP's N(0, 1) is where weights are trained as they
    /// are and not in the neural tangent parametrisation (Holzmüller, Grinsztajn and Steinwart 2024, its variant TD-S).
    Ntp,
}

impl FromStr for Init {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("init", name, Self::ALL, Self::name)
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Init {
    /// Every initialisation.
    pub const ALL: &[Self] = &[Self::Article, Self::He, Self::Xavier, Self::Ntp];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::He => "he",
            Self::Xavier => "xavier",
            Self::Ntp => "ntp",
        }
    }

    /// Initial values of all parameters of `spec`, in the order of [`Layout`]. The same seed gives the same values on
    /// every machine. `Article` takes seeds below 2^32.
    pub fn draw(self, spec: &MlpSpec, seed: u64) -> Result<Vec<f32>> {
        let layout = Layout::new(spec);
        if self == Self::Article {
            let seed = u32::try_from(seed).map_err(|_| Error::Setting {
                what: "seed",
                found: seed.to_string(),
                expected: format!("a number below 4294967296 with {}", set("init", "article")),
            })?;
            let shapes: Vec<_> = spec.layers().iter().map(|layer| (layer.inputs, layer.outputs)).collect();
            return Ok(article_parameters(&shapes, seed).into_iter().map(|value| value as f32).collect());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut values = limits::filled("the network's parameters", 0.0, layout.len())?;
        for (i, layer) in spec.layers().iter().enumerate() {
            let (weight, bias) = (layout.weight(i).range.clone(), layout.bias(i).range.clone());
            let (fan_in, fan_out) = (layer.inputs as f32, layer.outputs as f32);
            let mut normal = |range: Range<usize>, deviation: f32| {
                values[range]
                    .fill_with(|| deviation * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut rng));
            };
            match self {
                Self::He => normal(weight, (2.0 / fan_in).sqrt()),
                Self::Ntp if i + 1 == spec.layers().len() => {}
                Self::Ntp => {
                    normal(weight, fan_in.sqrt().recip());
                    normal(bias, 1.0);
                }
                Self::Article | Self::Xavier => {
                    let bound = (6.0 / (fan_in + fan_out)).sqrt();
                    let uniform = Uniform::new_inclusive(-bound, bound).map_err(|error| Error::Setting {
                        what: "init xavier",
                        found: error.to_string(),
                        expected: "a finite bound".into(),
                    })?;
                    values[weight].fill_with(|| uniform.sample(&mut rng));
                }
            }
        }
        Ok(values)
    }
}
