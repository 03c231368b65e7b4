//! The WGSL of a small network: its sizes, its layers as a table, its activations and its loss.

use std::fmt::Write;

use super::network::Network;
use crate::kernels::{LOSSES_WGSL, POINTWISE_WGSL, SOFTMAX_WGSL};
use crate::math::Activation;
use crate::spec::Layer;

/// Items of the widest layer, 4 rows by 4 units, from which on an invocation makes such an item; below, it makes 4 rows of one unit,
/// so that more of a workgroup's invocations have work.
const FOURS: usize = 48;

impl Network {
    /// The constants and functions that shaders/shared/block.wgsl builds on; activations are called by their number, 0
    /// being the identity.
    pub fn wgsl(&self) -> String {
        let quads = self.block / 4;
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        let mut text = format!(
            "const BLOCK = {}u;\nconst INPUTS = {}u;\nconst OUTPUTS = {}u;\nconst LAYERS = {}u;\nconst KEPT = {}u;\n\
             const HELD = {}u;\nconst HOLDS = {};\nconst FOURS = {};\n",
            self.block,
            self.spec.inputs(),
            self.spec.outputs(),
            self.spec.layers().len(),
            self.kept_units(),
            self.held_vectors(self.holds),
            self.holds,
            quads * widest.div_ceil(4) >= FOURS,
        );
        let activations = self.activations();
        text += &self.layers(&activations);
        text += &by_number(&activations, ["activation", "activation"], &["z"], "z");
        for activation in &activations {
            text += &activation.wgsl().replace("fn activation", &format!("fn {}_activation", activation.name()));
        }
        if self.trains { text + &self.wgsl_of_the_way_back(&activations) } else { text }
    }

    /// What shaders/shared/way_back.wgsl builds on besides.
    fn wgsl_of_the_way_back(&self, activations: &[Activation]) -> String {
        let loss = self.spec.loss().wgsl();
        let text = format!(
            "const UNITS = {}u;\nconst PARAMETERS = {}u;\nconst KEEPS = {};\nconst DROPOUT = {};\n",
            self.units(),
            self.parameters(),
            self.keeps_any(),
            self.thresholds.iter().any(|&threshold| threshold > 0),
        );
        text + &by_number(activations, ["slope", "activation_derivative"], &["z", "a"], "vec4<f32>(1.0)")
            + LOSSES_WGSL
            + loss.unwrap_or_default()
            + if loss.is_some() { POINTWISE_WGSL } else { SOFTMAX_WGSL }
    }

    /// The table of layers.
    fn layers(&self, activations: &[Activation]) -> String {
        let (mut weight, mut held, mut unit) = (0, 0, 0);
        // One return: drivers nest what stands behind an early one, and end with a stack overflow in a deep network.
        let mut text = String::new();
        for (i, (layer, threshold)) in self.spec.layers().iter().zip(&self.thresholds).enumerate() {
            let Layer { inputs, outputs, activation } = *layer;
            let kind = activations.iter().position(|&other| other == activation).map_or(0, |at| at + 1);
            let (groups, number, keeps, [input, output]) = (outputs.div_ceil(4), i + 1, self.keeps(i), self.places(i));
            // A String takes whatever is written to it.
            let _ = write!(
                text,
                "    if (index == {i}u) {{\n        layer = Layer({inputs}u, {outputs}u, {groups}u, {weight}u, {held}u, {unit}u, \
                 {input}u, {output}u, {kind}u, {number}u, {threshold}u, {keeps});\n    }}\n"
            );
            weight += (inputs + 1) * outputs;
            held += (inputs + 1) * (groups | 1);
            unit += outputs;
        }
        format!("fn layer_at(index: u32) -> Layer {{\n    var layer = Layer();\n{text}    return layer;\n}}\n")
    }

    /// Whether a GPU keeps any layer's z in scratch memory for the way back.
    pub fn keeps_any(&self) -> bool {
        (0..self.spec.layers().len()).any(|layer| self.keeps(layer))
    }

    /// Whether a layer's z is kept for the way back: where the slope of its activation needs it, where dropout hides the activation, and in
    /// the last layer, whose outputs the gradient replaces.
    fn keeps(&self, layer: usize) -> bool {
        let activation = self.spec.layers()[layer].activation;
        let is_last = layer + 1 == self.spec.layers().len();
        activation.needs_z() || (activation != Activation::Identity && (is_last || self.thresholds[layer] > 0))
    }

    /// The activations that occur, each once, without the identity.
    fn activations(&self) -> Vec<Activation> {
        let mut found: Vec<Activation> = Vec::new();
        for layer in self.spec.layers() {
            if layer.activation != Activation::Identity && !found.contains(&layer.activation) {
                found.push(layer.activation);
            }
        }
        found
    }
}

/// A function of WGSL, `name`, that takes four of each of its arguments through a `function` of an activation's text, by the activation's
/// number.
fn by_number(activations: &[Activation], [name, function]: [&str; 2], arguments: &[&str], otherwise: &str) -> String {
    let head: Vec<_> = arguments.iter().map(|argument| format!("{argument}: vec4<f32>")).collect();
    let mut text = format!("fn {name}(number: u32, {}) -> vec4<f32> {{\n", head.join(", "));
    for (number, activation) in (1..).zip(activations) {
        let of = |lane: &str| {
            let lanes: Vec<_> = arguments.iter().map(|name| format!("{name}.{lane}")).collect();
            format!("{}_{function}({})", activation.name(), lanes.join(", "))
        };
        let four = ["x", "y", "z", "w"].map(of).join(", ");
        text += &format!("    if (number == {number}u) {{\n        return vec4<f32>({four});\n    }}\n");
    }
    text + &format!("    return {otherwise};\n}}\n")
}
