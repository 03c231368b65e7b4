//! Networks that share weights: what a plan has besides, at the beginning of each pass and before an update.

use super::buffers::{Role, View};
use super::builder::Builder;
use super::passes::{Dispatch, dispatch};
use super::rates::input_factors;
use super::request::Recipe;
use crate::error::Result;
use crate::kernels::{Part, SCALED_WEIGHTS, TIED_GRADIENTS};
use crate::params::ParameterTensor;

impl Builder<'_> {
    /// Makes room for what networks that share weights have besides.
    pub(super) fn share(&mut self, recipe: &Recipe) {
        self.sharing = recipe.sharing;
        if self.sharing > 1 {
            let (parameters, trained) = ([self.replicas, self.layout.len()], [self.replicas, self.trained()]);
            self.widen(Role::Parameters, &trained);
            self.add(Role::Weights, &parameters);
            self.add(Role::TiedGradients, &trained);
        }
    }

    /// What a network trains: its parameters and, where it shares weights, a factor for each input behind them.
    pub(super) fn trained(&self) -> usize {
        self.layout.len() + input_factors(self.spec, self.sharing)
    }

    /// All weights that networks compute with.
    pub(super) fn weights(&self) -> View {
        let role = if self.sharing > 1 { Role::Weights } else { Role::Parameters };
        self.each(role, self.layout.len())
    }

    /// Of a tensor, what networks compute with.
    pub(super) fn weight(&self, tensor: &ParameterTensor) -> View {
        View { offset: tensor.range.start, ..self.weights() }
    }

    /// Begins a pass: the weights that networks compute with, where they share some.
    pub(super) fn begin(&self) -> Result<Vec<Dispatch>> {
        if self.sharing == 1 {
            return Ok(Vec::new());
        }
        let (first, views) = (self.spec.layers()[0], [self.each(Role::Parameters, self.trained()), self.weights()]);
        let dims = [self.layout.len(), self.trained(), first.inputs, first.outputs];
        Ok(vec![dispatch(&SCALED_WEIGHTS, Part::None, 0, &dims, &views)?])
    }

    /// The gradient by what networks train, from that by the weights that they compute with.
    pub(super) fn tie(&self, dispatches: &mut Vec<Dispatch>) -> Result<View> {
        let (parameters, trained) = (self.layout.len(), self.trained());
        if self.sharing == 1 {
            return Ok(self.each(Role::Gradients, parameters));
        }
        let (first, last) = (self.spec.layers()[0], self.spec.layers().len() - 1);
        let (tied, own) = (self.layout.weight(last).range.start, self.each(Role::TiedGradients, trained));
        let views = [self.shared(Role::Gradients), self.shared(Role::Parameters), own];
        let dims = [parameters, trained, first.inputs, first.outputs, tied, self.sharing, self.replicas];
        dispatches.push(dispatch(&TIED_GRADIENTS, Part::None, 0, &dims, &views)?);
        Ok(own)
    }
}
