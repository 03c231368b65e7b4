//! A portfolio of learning rates over the networks of each fold, and which of them predict. In: what each network says of the fold that it
//! held out. Out: the rates whose networks stay.
//!
//! It is forward selection of ensembles (Caruana, Niculescu-Mizil, Crew and Ksikes 2004) without replacement: the rate whose networks have
//! the least out-of-fold loss comes first, then the one that lowers the loss of all that are chosen most, until none lowers it. All folds keep the
//! same rates, so every row is judged by networks of each.

use super::estimator::Estimator;
use super::hint::Hint;
use super::members::Member;
use super::prepare::Prepared;
use crate::backend::Device;
use crate::error::{Error, Result};
use crate::params::Layout;

/// The rates that stay, and the out-of-fold losses that decided it.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// Numbers of the factors in the order in which they were chosen.
    chosen: Vec<usize>,
    /// Of the networks of these factors.
    loss: f64,
    /// Of those of the first of them.
    alone: f64,
    /// Of all networks.
    of_all: f64,
}

impl Estimator {
    /// Factors on the learning rate that the networks of each fold take in turn; as many networks as factors unless
    /// [`ensemble`](Self::ensemble) says their number. With folds the model has the networks of those factors alone that together have the
    /// least out-of-fold loss, as a greedy choice finds it (Caruana and others 2004).
    pub fn portfolio(self, factors: &[f64]) -> Self {
        let ensemble = if self.ensemble_is_open { factors.len().max(1) } else { self.ensemble };
        Self { portfolio: factors.to_vec(), ensemble, ..self }
    }

    /// The factors in force.
    fn factors(&self) -> &[f64] {
        if self.portfolio.is_empty() { &[1.0] } else { &self.portfolio }
    }

    /// The number of the factor that a network takes.
    fn factor_of(&self, network: usize) -> usize {
        network % self.ensemble % self.factors().len()
    }

    /// The factor on a network's learning rate.
    pub(super) fn rate_factor(&self, network: usize) -> f64 {
        self.factors()[self.factor_of(network)]
    }

    /// Leaves out the networks of other factors.
    fn keep(&self, chosen: &[usize], members: &mut [Member]) {
        for (number, member) in members.iter_mut().enumerate() {
            member.is_kept &= chosen.contains(&self.factor_of(number));
        }
    }

    /// Refuses factors that cannot train, or that there are no networks for.
    pub(super) fn check_portfolio(&self) -> Result<()> {
        let refused =
            |found, expected: &str| Err(Error::Setting { what: "portfolio", found, expected: expected.into() });
        let factors = self.factors();
        if let Some(factor) = factors.iter().find(|factor| !(factor.is_finite() && **factor > 0.0)) {
            return refused(factor.to_string(), "positive numbers, factors on the learning rate");
        }
        if factors.len() > self.ensemble {
            let found = format!("{} factors for {} networks", factors.len(), self.ensemble);
            return refused(found, "no more factors than networks, or than networks of a fold");
        }
        Ok(())
    }
}

impl Selection {
    /// Leaves out the networks that do not predict.
    pub fn leave_out(&self, settled: &Estimator, members: &mut [Member]) {
        settled.keep(&self.chosen, members);
    }

    /// What it came to, in words.
    pub fn hint(&self, settled: &Estimator) -> Hint {
        let factors = settled.factors();
        let words =
            |numbers: &[usize]| numbers.iter().map(|&at| format!("×{}", factors[at])).collect::<Vec<_>>().join(", ");
        let all: Vec<usize> = (0..factors.len()).collect();
        let less =
            |loss: f64, than: &str| format!("{:.1} % less than that of {than}", 100.0 * (1.0 - self.loss / loss));
        let first = format!("{} alone", words(&self.chosen[..1]));
        let compared =
            [(self.of_all > self.loss, less(self.of_all, "all")), (self.chosen.len() > 1, less(self.alone, &first))];
        let compared: Vec<_> = compared.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text).collect();
        let mut text =
            format!("of the networks with learning rates {} those with {} predict", words(&all), words(&self.chosen));
        if !compared.is_empty() {
            text += &format!("; their out-of-fold loss is {}", compared.join(" and "));
        }
        Hint::Portfolio(text)
    }
}

impl Prepared {
    /// Chooses among the factors by what `parameters`, those of all networks, say of the folds; none where nothing is to be chosen.
    pub(super) async fn select(
        &self,
        device: &Device,
        members: &[Member],
        parameters: &[f32],
    ) -> Result<Option<Selection>> {
        let factors = self.settled.factors().len();
        if self.folds.is_empty() || factors < 2 {
            return Ok(None);
        }
        let all: Vec<usize> = (0..factors).collect();
        let of_all = self.loss_of(device, members, parameters, &all).await?;
        let mut selection = None::<Selection>;
        loop {
            let so_far = selection.as_ref().map_or(&[][..], |so_far| &so_far.chosen);
            let mut best = (Vec::new(), f64::INFINITY);
            for &factor in all.iter().filter(|factor| !so_far.contains(factor)) {
                let chosen = [so_far, &[factor]].concat();
                let loss = self.loss_of(device, members, parameters, &chosen).await?;
                if loss < best.1 {
                    best = (chosen, loss);
                }
            }
            let (chosen, loss) = best;
            if loss >= selection.as_ref().map_or(f64::INFINITY, |so_far| so_far.loss) {
                return Ok(selection);
            }
            let alone = selection.as_ref().map_or(loss, |first| first.alone);
            selection = Some(Selection { chosen, loss, alone, of_all });
        }
    }

    /// The out-of-fold loss of the networks of these factors; not finite where a fold has none of them.
    async fn loss_of(&self, device: &Device, members: &[Member], parameters: &[f32], chosen: &[usize]) -> Result<f64> {
        let mut members = members.to_vec();
        self.settled.keep(chosen, &mut members);
        let each = parameters.chunks_exact(Layout::new(&self.spec).len()).zip(&members);
        let kept: Vec<f32> = each.filter(|(_, member)| member.is_kept).flat_map(|(own, _)| own).copied().collect();
        let said = self.out_of_fold(device, &members, &kept).await?;
        Ok(said.map_or(f64::INFINITY, |said| said.metrics.loss))
    }
}
