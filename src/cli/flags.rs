//! What the library's settings are called on the command line.

/// Settings as the library names them, and the flags that set them.
const FLAGS: &[(&str, &str)] = &[
    ("activation", "--activation"),
    ("batch", "--batch"),
    ("beta_1", "--beta1"),
    ("beta_2", "--beta2"),
    ("categorical", "--categorical"),
    ("checkpoint_every", "--checkpoint-every"),
    ("clip_norm", "--clip-norm"),
    ("clip_value", "--clip-value"),
    ("device", "--device"),
    ("dropout", "--dropout"),
    ("encoding", "--encoding"),
    ("epochs", "--epochs"),
    ("epsilon", "--epsilon"),
    ("features", "--features"),
    ("group", "--group"),
    ("header=false", "--no-header"),
    ("header=true", "--header"),
    ("ignore", "--ignore"),
    ("init", "--init"),
    ("init_from", "--init-from"),
    ("keep", "--keep"),
    ("l1", "--l1"),
    ("l2", "--l2"),
    ("learning_rate", "--lr"),
    ("loss", "--loss"),
    ("min_delta", "--min-delta"),
    ("monitor", "--monitor"),
    ("noise", "--noise"),
    ("not_missing", "--not-missing"),
    ("out", "--out"),
    ("patience", "--patience"),
    ("plan", "--plan"),
    ("resume", "--resume"),
    ("samples", "--samples"),
    ("schedule", "--schedule"),
    ("seed", "--seed"),
    ("target", "--target"),
    ("task", "--task"),
    ("test_fraction", "--test-fraction"),
    ("unseen", "--unseen"),
    ("validation_fraction", "--validation-fraction"),
    ("weight_decay", "--weight-decay"),
];

/// The flag that sets what the library calls `setting`.
pub fn of(setting: &str) -> Option<&'static str> {
    FLAGS.iter().find(|(known, _)| *known == setting).map(|(_, flag)| *flag)
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
