//! A small network as a part: what a fused kernel computes whole.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::error::{Error, Result};
use crate::kernels::elementwise::DROP_ALL;
use crate::math::{Activation, Loss};
use crate::spec::{Layer, MlpSpec};

/// A network, and how a workgroup takes rows through all of its layers. Its parameters lie in the order of
/// [`Layout`](crate::params::Layout).
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(super) spec: MlpSpec,
    pub(super) thresholds: Vec<u32>,
    pub(super) block: usize,
    pub(super) holds: bool,
    pub(super) trains: bool,
}

// A spec's parameter is a number, never a NaN.
impl Eq for Network {}

impl Hash for Network {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.spec.layers(), &self.thresholds, self.block, self.holds, self.trains).hash(state);
    }
}

/// Invocations of a workgroup.
pub(super) const THREADS: usize = 128;

/// Most layers of a network that a GPU takes whole. A kernel's text grows with them, and so does what a driver's compiler holds at a time;
/// Mesa's takes 150, and no other is known to.
pub const MOST_LAYERS: usize = 64;

impl Network {
    /// The network on the way forward alone, in blocks of 4 rows, its parameters read through the cache.
    pub fn forward(spec: MlpSpec) -> Self {
        let thresholds = vec![0; spec.layers().len()];
        Self { spec, thresholds, block: 4, holds: false, trains: false }
    }

    /// The network on its way forward and back, in blocks of 4 rows, its parameters read through the cache. `thresholds` are those of its layers' dropout, 0 for
    /// none; see [`crate::kernels::dropout_threshold`].
    ///
    /// # Errors
    /// [`Error::Setting`] for more or fewer thresholds than layers, and for one of a rate that is not below 1.
    pub fn new(spec: MlpSpec, thresholds: Vec<u32>) -> Result<Self> {
        let layers = spec.layers().len();
        let setting = |what, found: String, expected| Err(Error::Setting { what, found, expected });
        if thresholds.len() != layers {
            return setting("thresholds of dropout", thresholds.len().to_string(), format!("{layers}, one a layer"));
        }
        match thresholds.iter().find(|&&threshold| threshold >= DROP_ALL) {
            Some(found) => setting("threshold of dropout", found.to_string(), format!("less than {DROP_ALL}")),
            None => Ok(Self { spec, thresholds, block: 4, holds: false, trains: true }),
        }
    }

    /// The same in blocks of so many rows, where a workgroup `holds` the parameters in its memory or not. A GPU takes multiples of 4, of whose rows an
    /// invocation takes 4.
    ///
    /// # Errors
    /// [`Error::Setting`] for a block of no row or of more than 128, the invocations of a workgroup.
    pub fn in_blocks(self, block: usize, holds: bool) -> Result<Self> {
        if !(1..=THREADS).contains(&block) {
            let expected = format!("1 to {THREADS}");
            return Err(Error::Setting { what: "rows of a network's block", found: block.to_string(), expected });
        }
        Ok(Self { block, holds, ..self })
    }

    /// The network itself.
    pub fn spec(&self) -> &MlpSpec {
        &self.spec
    }

    /// Rows of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// Whether a workgroup holds the parameters in its memory.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// Whether it goes back, too, and keeps what every layer has made for that.
    pub fn trains(&self) -> bool {
        self.trains
    }

    /// Outputs of all layers.
    pub fn units(&self) -> usize {
        self.spec.layers().iter().map(|layer| layer.outputs).sum()
    }

    /// Weights and biases of all layers, as many as [`Layout`](crate::params::Layout) has; it is asked for in every step, and a layout takes memory.
    pub fn parameters(&self) -> usize {
        self.spec.layers().iter().map(|layer| (layer.inputs + 1) * layer.outputs).sum()
    }

    /// Bytes of workgroup memory that the network takes with blocks of `block` rows: their activations, for the way back a place for
    /// each row and each invocation, and the parameters where it `holds` them.
    pub fn workgroup_bytes(&self, block: usize, holds: bool) -> usize {
        // An odd number of vectors of 4 rows each.
        let pitch = (block / 4) | 1;
        let activations = self.kept_units().saturating_mul(16 * pitch);
        let others = if self.trains { 4 * block + 8 * THREADS } else { 0 };
        activations.saturating_add(others).saturating_add(self.held_vectors(holds).saturating_mul(16))
    }

    /// Units that a workgroup has places for, the features among them: all of them for the way back; on the way forward alone what a layer
    /// is handed and what it makes, which change places from layer to layer.
    pub(super) fn kept_units(&self) -> usize {
        if self.trains {
            return self.spec.inputs() + self.units();
        }
        let [even, odd] = self.widest_in_turn();
        even + odd
    }

    /// The most inputs of a layer with an even number and of one with an odd number, counted from 0.
    fn widest_in_turn(&self) -> [usize; 2] {
        let widest =
            |turn| self.spec.layers().iter().skip(turn).step_by(2).map(|layer| layer.inputs).max().unwrap_or(0);
        [0, 1].map(widest)
    }

    /// Where the units stand that a layer is handed, and those that it makes.
    pub(super) fn places(&self, layer: usize) -> [usize; 2] {
        let before: usize = self.spec.layers()[..layer].iter().map(|layer| layer.inputs).sum();
        match (self.trains, layer % 2) {
            (true, _) => [before, before + self.spec.layers()[layer].inputs],
            (false, 0) => [0, self.widest_in_turn()[0]],
            (false, _) => [self.widest_in_turn()[0], 0],
        }
    }

    /// Vectors of 4 elements that the held parameters take: an odd number for each row of a weight and for the bias. At least one, since
    /// there is no array of none.
    pub(super) fn held_vectors(&self, holds: bool) -> usize {
        let vectors =
            self.spec.layers().iter().map(|layer| (layer.inputs + 1).saturating_mul(layer.outputs.div_ceil(4) | 1));
        if holds { vectors.fold(0, usize::saturating_add) } else { 1 }
    }

    /// Value of a dimension that the network fixes; `columns` may be more, for the rows' weights.
    pub fn dim(&self, name: &str) -> Option<usize> {
        Some(match name {
            "inputs" => self.spec.inputs(),
            "outputs" => self.spec.outputs(),
            "units" => self.units(),
            "parameters" => self.parameters(),
            "block" => self.block,
            "columns" => self.spec.target_columns(),
            _ => return None,
        })
    }

    /// The same on the way forward alone.
    pub(in crate::kernels) fn forward_samples() -> Vec<Self> {
        let sample = |network: Self| Self::forward(network.spec).in_blocks(network.block, network.holds).ok();
        Self::samples().into_iter().filter_map(sample).collect()
    }

    /// Networks that tests and benches take: every activation and every loss, with widths around a tile of 4, with
    /// dropout and without.
    pub(in crate::kernels) fn samples() -> Vec<Self> {
        let sample = |(turn, &loss): (usize, &Loss)| {
            let widths = [3 + turn, 5, 4, 33, if turn % 2 == 0 { 1 } else { 3 }];
            let activation = |layer: usize| match layer {
                3 => Activation::Identity,
                _ => Activation::ALL[(2 * turn + layer) % Activation::ALL.len()],
            };
            let layer = |i: usize| Layer { inputs: widths[i], outputs: widths[i + 1], activation: activation(i) };
            let mut layers: Vec<Layer> = (turn.min(2)..4).map(layer).collect();
            if loss.terms(2) == 1 {
                layers.iter_mut().last().into_iter().for_each(|last| last.outputs = 5); // classes
            }
            let thresholds = (0..layers.len()).map(|i| if i == 0 && turn % 3 == 1 { 1 << 22 } else { 0 }).collect();
            let spec = MlpSpec::from_layers(layers, loss).ok()?;
            Self::new(spec, thresholds).ok()?.in_blocks([8, 32, 12][turn % 3], turn % 4 > 1).ok()
        };
        Loss::ALL.iter().enumerate().filter_map(sample).collect()
    }
}

impl fmt::Display for Network {
    /// Widths and the loss, as in `3-5-4 huber`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.spec.inputs())?;
        self.spec.layers().iter().try_for_each(|layer| write!(f, "-{}", layer.outputs))?;
        write!(f, " {}", self.spec.loss())
    }
}
