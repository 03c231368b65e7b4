//! What the library's settings are called on the command line.

use std::sync::LazyLock;

use crate::math::{Loss, Parameter};

/// Settings as the library names them, and the flags that set them.
const FLAGS: &[(&str, &str)] = &[
    ("activation", "--activation"),
    ("batch", "--batch"),
    ("beta_1", "--beta1"),
    ("beta_2", "--beta2"),
    ("budget", "--budget"),
    ("calibrate", "--calibrate"),
    ("categorical", "--categorical"),
    ("checkpoint_every", "--checkpoint-every"),
    ("class_weight", "--class-weight"),
    ("clip_norm", "--clip-norm"),
    ("clip_outputs", "--clip-outputs"),
    ("clip_value", "--clip-value"),
    ("decimal", "--decimal"),
    ("device", "--device"),
    ("dropout", "--dropout"),
    ("effort", "--effort"),
    ("encoding", "--encoding"),
    ("ensemble", "--ensemble"),
    ("epochs", "--epochs"),
    ("epsilon", "--epsilon"),
    ("features", "--features"),
    ("fold_column", "--fold-column"),
    ("folds", "--folds"),
    ("group", "--group"),
    ("halving", "--halving"),
    ("header=false", "--no-header"),
    ("header=true", "--header"),
    ("hidden", "--hidden"),
    ("ignore", "--ignore"),
    ("init", "--init"),
    ("init_from", "--init-from"),
    ("interval", "--interval"),
    ("keep", "--keep"),
    ("l1", "--l1"),
    ("l2", "--l2"),
    ("learning_rate", "--lr"),
    ("loss", "--loss"),
    ("metric", "--metric"),
    ("min_delta", "--min-delta"),
    ("monitor", "--monitor"),
    ("noise", "--noise"),
    ("not_missing", "--not-missing"),
    ("numbers", "--numbers"),
    ("optimizer", "--optimizer"),
    ("out", "--out"),
    ("parametrization", "--parametrization"),
    ("patience", "--patience"),
    ("plan", "--plan"),
    ("portfolio", "--portfolio"),
    ("precision", "--precision"),
    ("preset", "--preset"),
    ("resume", "--resume"),
    ("rung", "--rung"),
    ("samples", "--samples"),
    ("scaling", "--scaling"),
    ("schedule", "--schedule"),
    ("seed", "--seed"),
    ("seeds", "--seeds"),
    ("shards", "--shards"),
    ("share_weights", "--share-weights"),
    ("sharing", "--share-weights"),
    ("target", "--target"),
    ("target_encoding", "--target-encoding"),
    ("task", "--task"),
    ("test_fraction", "--test-fraction"),
    ("trials", "--trials"),
    ("unseen", "--unseen"),
    ("validation_fraction", "--validation-fraction"),
    ("vary", "--vary"),
    ("weight_column", "--weight-column"),
    ("weight_decay", "--weight-decay"),
];

/// The flag of a loss's parameter.
pub struct LossFlag {
    pub parameter: Parameter,
    pub flag: String,
    /// The parameter's default as a word.
    pub default: String,
}

/// The flags of all parameters that losses have.
pub static LOSS_FLAGS: LazyLock<Vec<LossFlag>> = LazyLock::new(|| {
    let flag = |parameter: Parameter| {
        let (flag, default) = (format!("--{}", parameter.name.replace('_', "-")), parameter.default.to_string());
        LossFlag { parameter, flag, default }
    };
    Loss::parameters().into_iter().map(flag).collect()
});

/// The flag that sets what the library calls `setting`.
pub fn of(setting: &str) -> Option<&'static str> {
    let parameters = LOSS_FLAGS.iter().map(|known| (known.parameter.name, known.flag.as_str()));
    FLAGS.iter().copied().chain(parameters).find(|(known, _)| *known == setting).map(|(_, flag)| flag)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_is_a_flag_of_some_command() {
        let command = Cli::command();
        let flags = command.get_subcommands().flat_map(clap::Command::get_arguments);
        let known: BTreeSet<_> = flags.filter_map(|flag| flag.get_long()).map(|long| format!("--{long}")).collect();
        for (setting, flag) in FLAGS {
            assert!(known.contains(*flag), "{setting}: no command has {flag}");
        }
        assert!(FLAGS.is_sorted());
    }
}
