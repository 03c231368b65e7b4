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
    /// Have the networks of the ensemble, or those of each fold, share all weights but those of the last layer and a factor on each
    /// input [default: with --preset tabular, unless a patience, a portfolio or --init-from speaks against it]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    share_weights: Option<bool>,
}

impl EnsembleArgs {
    /// The estimator with what is said.
    pub fn apply(&self, estimator: Estimator) -> Estimator {
        let estimator = self.portfolio.iter().fold(estimator, |estimator, factors| estimator.portfolio(factors));
        let estimator = self.ensemble.into_iter().fold(estimator, Estimator::ensemble);
        let estimator = self.share_weights.into_iter().fold(estimator, Estimator::share_weights);
        self.folds.into_iter().fold(estimator, Estimator::folds)
    }
}
