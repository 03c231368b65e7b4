//! A small network as a part: what a fused kernel computes whole.

use std::fmt;

use super::loss::LOSSES_WGSL;
use crate::math::{Activation, Loss};
use crate::spec::Layer;

/// WGSL of the loss of a block of rows, pointwise and of softmax.
pub const POINTWISE_WGSL: &str = include_str!("../../shaders/network/pointwise.wgsl");
/// See [`POINTWISE_WGSL`].
pub const SOFTMAX_WGSL: &str = include_str!("../../shaders/network/softmax.wgsl");

/// A network's layers and loss, and how many rows a workgroup takes through all of them at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The layers; the parameters lie in the order of [`crate::params::Layout`].
    pub layers: Vec<Layer>,
    /// Of each layer, the threshold of its dropout, or 0; see [`super::dropout_threshold`].
    pub thresholds: Vec<u32>,
    /// The loss.
    pub loss: Loss,
    /// Rows of a block: a multiple of 4, at most the invocations of a workgroup.
    pub block: usize,
}

impl Network {
    /// Width of the features.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Outputs of all layers.
    pub fn units(&self) -> usize {
        self.layers.iter().map(|layer| layer.outputs).sum()
    }

    /// Weights and biases of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| (layer.inputs + 1) * layer.outputs).sum()
    }

    /// Bytes of workgroup memory that a fused kernel takes for `block` rows: their features and units, and a place for each
    /// row and each invocation.
    pub fn workgroup_bytes(&self, block: usize) -> usize {
        let tape = (self.inputs() + self.units()).saturating_mul(4 * block);
        tape.saturating_add(4 * block + 8 * super::fused_gradient::THREADS)
    }

    /// Value of a dimension that the network fixes.
    pub fn dim(&self, name: &str) -> Option<usize> {
        Some(match name {
            "inputs" => self.inputs(),
            "units" => self.units(),
            "parameters" => self.parameters(),
            "block" => self.block,
            "columns" => self.loss.terms(self.outputs()),
            _ => return None,
        })
    }

    /// Networks that tests and benches take: every activation and every loss, with widths around a tile of 4, with
    /// dropout and without.
    pub(super) fn samples() -> Vec<Self> {
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
            Self { layers, thresholds, loss, block: [8, 16][turn % 2] }
        };
        Loss::ALL.iter().enumerate().map(sample).collect()
    }

    /// The activations that occur, each once, without the identity.
    fn activations(&self) -> Vec<Activation> {
        let mut found: Vec<Activation> = Vec::new();
        for layer in &self.layers {
            if layer.activation != Activation::Identity && !found.contains(&layer.activation) {
                found.push(layer.activation);
            }
        }
        found
    }

    /// The constants and functions that shaders/fused_gradient.wgsl builds on; activations are called by their number, 0
    /// being the identity.
    pub fn wgsl(&self) -> String {
        let activations = self.activations();
        let (mut weight, mut unit) = (0, 0);
        let mut layers = String::new();
        for (i, (layer, threshold)) in self.layers.iter().zip(&self.thresholds).enumerate() {
            let Layer { inputs, outputs, activation } = *layer;
            let kind = activations.iter().position(|&other| other == activation).map_or(0, |at| at + 1);
            let number = i + 1;
            layers += &format!(
                "    if (index == {i}u) {{\n        return Layer({inputs}u, {outputs}u, {weight}u, {unit}u, {kind}u, \
                 {number}u, {threshold}u);\n    }}\n"
            );
            weight += (inputs + 1) * outputs;
            unit += outputs;
        }
        let mut text = format!(
            "const BLOCK = {}u;\nconst INPUTS = {}u;\nconst OUTPUTS = {}u;\nconst LAYERS = {}u;\nconst UNITS = {unit}u;\n\
             const DROPOUT = {};\n\
             fn layer_at(index: u32) -> Layer {{\n{layers}    return Layer();\n}}\n",
            self.block,
            self.inputs(),
            self.outputs(),
            self.layers.len(),
            self.thresholds.iter().any(|&threshold| threshold > 0),
        );
        for (function, otherwise) in [("activation", "z"), ("slope", "vec4<f32>(1.0)")] {
            text += &format!("fn {function}(number: u32, z: vec4<f32>) -> vec4<f32> {{\n");
            for (number, activation) in (1..).zip(&activations) {
                let name = activation.name();
                let of = |z: &str| match function {
                    "activation" => format!("{name}_activation({z})"),
                    _ => format!("{name}_activation_derivative({z}, {name}_activation({z}))"),
                };
                let four = ["z.x", "z.y", "z.z", "z.w"].map(of).join(", ");
                text += &format!("    if (number == {number}u) {{\n        return vec4<f32>({four});\n    }}\n");
            }
            text += &format!("    return {otherwise};\n}}\n");
        }
        for activation in &activations {
            text += &activation.wgsl().replace("fn activation", &format!("fn {}_activation", activation.name()));
        }
        let loss = self.loss.wgsl();
        text + LOSSES_WGSL + loss.unwrap_or_default() + if loss.is_some() { POINTWISE_WGSL } else { SOFTMAX_WGSL }
    }
}

impl fmt::Display for Network {
    /// Widths and the loss, as in `3-5-4 huber`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inputs())?;
        self.layers.iter().try_for_each(|layer| write!(f, "-{}", layer.outputs))?;
        write!(f, " {}", self.loss)
    }
}
