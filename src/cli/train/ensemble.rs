//! Several networks in place of one: the flags.

use crate::pipeline::Estimator;

#[derive(Debug, clap::Args)]
pub struct EnsembleArgs {
    /// Train N networks side by side, which differ by their seeds and predict together: the mean of their probabilities or numbers.
    /// With --folds N for each fold [default: 1, or what fits --budget]
    #[arg(long, value_name = "N")]
    ensemble: Option<usize>,
    /// Cut the training rows into K folds and train a network for each, which holds its fold out and is judged by it. They predict
    /// together; what they say of the folds that they held out is an honest score from all rows
    #[arg(long, value_name = "K", conflicts_with_all = ["validation", "validation_fraction"])]
    folds: Option<usize>,
    /// Factors on the learning rate that the networks of each fold take in turn. The networks of those factors predict that together
    /// have the least out-of-fold loss, as a greedy choice finds it; without folds all do [default: the same rate for all]
    #[arg(long, value_name = "F,F,…", value_delimiter = ',')]
    portfolio: Option<Vec<f64>>,
}

impl EnsembleArgs {
    /// The estimator with what is said.
    pub fn apply(&self, estimator: Estimator) -> Estimator {
        let estimator = self.portfolio.iter().fold(estimator, |estimator, factors| estimator.portfolio(factors));
        let estimator = self.ensemble.into_iter().fold(estimator, Estimator::ensemble);
        self.folds.into_iter().fold(estimator, Estimator::folds)
    }
}
