//! What stands in front of a kernel's WGSL: a piece of maths, a network, a tile.

use std::borrow::Cow;
use std::sync::Arc;

use super::products::Operands;
use super::{Network, Tiling};
use crate::math::{Activation, Loss, Rule};

/// The kind of part a kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The kernel is whole.
    None,
    /// An activation with its derivative.
    Activation,
    /// A pointwise loss.
    Loss,
    /// An optimiser's rule.
    Rule,
    /// A small network on its way forward.
    Forward,
    /// A small network on its way forward and back.
    Network,
    /// A tile of a product.
    Tile,
    /// The same with an activation.
    Dense,
    /// A small tile of two products with an activation, without matrix units.
    DensePair,
    /// A small tile with an activation, without matrix units, whose first operand's rows the kernel finds.
    GatherDense,
    /// A small network and an optimiser's rule.
    Training,
}

/// A piece of maths put in front of a shared kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The kernel is whole.
    None,
    /// An activation with its derivative.
    Activation(Activation),
    /// A pointwise loss.
    Loss(Loss),
    /// An optimiser's rule.
    Rule(Rule),
    /// A small network.
    Network(Arc<Network>),
    /// A tile of a product, with an activation in kernels that have one.
    Tiling(Tiling),
    /// A small network and an optimiser's rule.
    Training(Arc<Network>, Rule),
}

impl PartKind {
    /// Whether `part` is of the kind.
    pub fn takes(self, part: &Part) -> bool {
        match (self, part) {
            (Self::None, Part::None)
            | (Self::Activation, Part::Activation(_))
            | (Self::Rule, Part::Rule(_))
            | (Self::Dense, Part::Tiling(_)) => true,
            (Self::Forward, Part::Network(network)) => !network.trains(),
            (Self::Network, Part::Network(network)) | (Self::Training, Part::Training(network, _)) => network.trains(),
            (Self::Loss, Part::Loss(loss)) => loss.wgsl().is_some(),
            (Self::Tile, Part::Tiling(tiling)) => tiling.activation == Activation::Identity,
            (Self::DensePair | Self::GatherDense, Part::Tiling(tiling)) => tiling.is_small() && tiling.units.is_none(),
            _ => false,
        }
    }

    /// Where its products have their operands.
    pub(super) fn operands(self) -> Operands {
        match self {
            Self::DensePair => Operands::OfPair,
            Self::GatherDense => Operands::Found,
            _ => Operands::First,
        }
    }

    /// Every part of the kind; of networks, which are without number, some with every activation and loss among them, and
    /// of those with a rule fewer; of tiles with activations, every tile and every activation.
    pub fn parts(self) -> Vec<Part> {
        match self {
            Self::None => vec![Part::None],
            Self::Activation => Activation::ALL.iter().copied().map(Part::Activation).collect(),
            Self::Loss => {
                let pointwise = Loss::ALL.iter().copied().filter(|loss| loss.wgsl().is_some());
                pointwise.map(Part::Loss).collect()
            }
            Self::Rule => Rule::ALL.iter().copied().map(Part::Rule).collect(),
            Self::Forward => {
                Network::forward_samples().into_iter().map(|network| Part::Network(network.into())).collect()
            }
            Self::Network => Network::samples().into_iter().map(|network| Part::Network(network.into())).collect(),
            Self::Tile => Tiling::each().map(Part::Tiling).collect(),
            Self::Dense => Tiling::each_with_activation().map(Part::Tiling).collect(),
            Self::DensePair => Tiling::each_with_activation().filter(Tiling::is_small).map(Part::Tiling).collect(),
            // The other activations are as in layers that find no rows.
            Self::GatherDense => {
                let small = Tiling::each().filter(Tiling::is_small);
                small.map(|tiling| Part::Tiling(Tiling { activation: Activation::Relu, ..tiling })).collect()
            }
            Self::Training => {
                // A rule for each number of values that it keeps: the rest of a network and of a rule is as in other kernels.
                let rules = [Rule::Adam, Rule::Momentum, Rule::Sgd];
                let pairs = Network::samples().into_iter().zip(rules);
                pairs.map(|(network, rule)| Part::Training(network.into(), rule)).collect()
            }
        }
    }
}

impl Part {
    /// The part's WGSL.
    pub fn wgsl(&self) -> Cow<'static, str> {
        match self {
            Self::None => "".into(),
            Self::Activation(activation) => activation.wgsl().into(),
            Self::Loss(loss) => loss.wgsl().unwrap_or_default().into(),
            Self::Rule(rule) => rule.wgsl().into(),
            Self::Network(network) => network.wgsl().into(),
            Self::Tiling(tiling) => tiling.wgsl().into(),
            Self::Training(network, rule) => (network.wgsl() + rule.wgsl()).into(),
        }
    }

    /// The extensions of WGSL that the part takes, which stand before everything else.
    pub fn enables(&self) -> &'static str {
        match self {
            Self::Tiling(Tiling { units: Some(_), .. }) => "enable f16;\nenable wgpu_cooperative_matrix;\n",
            _ => "",
        }
    }

    /// The part's name, empty for none.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::None => "".into(),
            Self::Activation(activation) => activation.name().into(),
            Self::Loss(loss) => loss.name().into(),
            Self::Rule(rule) => rule.name().into(),
            Self::Network(network) => network.to_string().into(),
            Self::Tiling(tiling) => tiling.to_string().into(),
            Self::Training(network, rule) => format!("{network} {rule}").into(),
        }
    }

    /// The value of a dimension that the part fixes; see `Part::allows`.
    pub fn dim(&self, name: &str) -> Option<usize> {
        match self {
            Self::Tiling(tiling) => tiling.dim(name),
            _ => self.network()?.dim(name),
        }
    }

    /// Whether a dimension that the part fixes may be `dim`: targets may have the row's weights behind them.
    pub(super) fn allows(&self, name: &str, fixed: usize, dim: usize) -> bool {
        dim == fixed || (name == "columns" && dim > fixed)
    }

    /// The network, if there is one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) | Self::Training(network, _) => Some(network),
            _ => None,
        }
    }
}
