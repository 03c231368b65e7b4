//! The flags of the loss.

use clap::{Arg, ArgMatches, Command, FromArgMatches, value_parser};

use crate::cli::flags::{LOSS_FLAGS, LossFlag};
use crate::cli::help;
use crate::error::Result;
use crate::math::Loss;
use crate::pipeline::Estimator;
use crate::spec::MlpSpec;

#[derive(Debug, clap::Args)]
pub struct LossArgs {
    #[arg(long, value_name = "NAME",
          help = help::losses_by_task("Loss function") + " [default: by the task]")]
    loss: Option<Loss>,
    #[command(flatten)]
    parameters: LossParameterArgs,
}

/// The parameters of losses that are other than their defaults, by their names. Each has a flag, for the losses that have it.
#[derive(Debug)]
pub struct LossParameterArgs {
    given: Vec<(&'static str, f64)>,
}

impl LossArgs {
    /// The estimator with what the flags say.
    pub fn apply(&self, estimator: Estimator) -> Estimator {
        let estimator = self.loss.into_iter().fold(estimator, Estimator::loss);
        let LossParameterArgs { given } = &self.parameters;
        given.iter().fold(estimator, |estimator, &(name, value)| estimator.loss_parameter(name, value))
    }
}

impl LossParameterArgs {
    /// The network with its loss's parameter; a flag that the loss does not have is refused.
    pub fn tune(&self, spec: MlpSpec) -> Result<MlpSpec> {
        spec.with_named_parameters(&self.given)
    }
}

impl clap::Args for LossParameterArgs {
    fn augment_args(command: Command) -> Command {
        LOSS_FLAGS.iter().fold(command, |command, LossFlag { parameter, flag, default }| {
            let arg = Arg::new(parameter.name).long(flag.trim_start_matches('-')).value_name("F");
            command.arg(arg.value_parser(value_parser!(f64)).default_value(default.as_str()).help(parameter.about))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LossParameterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = LOSS_FLAGS.iter().filter_map(|LossFlag { parameter, .. }| {
            let value = *matches.get_one(parameter.name)?;
            (value != parameter.default).then_some((parameter.name, value))
        });
        Ok(Self { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
