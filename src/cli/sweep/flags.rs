//! The flags of `mlp train` as flags of `mlp sweep`: the same definitions, so that a value means the same and is checked by the same
//! code.

use clap::{Arg, ArgMatches, Args as _, Command, FromArgMatches};

use crate::cli::config::{GivenArgs, SWEEP};
use crate::cli::train;

/// Flags of `mlp train` that a sweep does not have: it has its own folder, its own rows to judge single networks by, and one network for
/// each trial.
const WITHOUT: [&str; 22] = [
    "metric",
    "effort",
    "calibrate",
    "budget",
    "data-parallel",
    "shards",
    "ensemble",
    "folds",
    "portfolio",
    "share-weights",
    "config",
    "dump-config",
    "out",
    "checkpoint-every",
    "keep",
    "resume",
    "lr-find",
    "no-baseline",
    "json",
    "quiet",
    "test",
    "validation",
];
/// Flags that other flags cannot stand with: they have to be there, and are refused.
pub const REFUSED: [&str; 1] = ["init-from"];
/// Headings of `mlp train` whose flags may vary.
const VARIED: [&str; 2] = ["Network", "Training"];
/// Other flags that may vary.
const VARIED_TOO: [&str; 4] = ["scaling", "numbers", "no-standardize", "class-weight"];
/// Flags under these headings that may not.
const FIXED: [&str; 2] = ["plan", "seed"];

/// The command `mlp train` alone.
pub fn train_command() -> Command {
    train::Args::augment_args(Command::new("train"))
}

fn long(arg: &Arg) -> &str {
    arg.get_long().unwrap_or(arg.get_id().as_str())
}

/// Whether a flag of this name is one of `mlp train` that a sweep hands on.
pub fn is_handed_on(flag: &str) -> bool {
    flag != "data" && !WITHOUT.contains(&flag) && train_command().get_arguments().any(|arg| long(arg) == flag)
}

/// The flags that may vary.
pub fn varied(command: &Command) -> impl Iterator<Item = &Arg> {
    let may_vary = |arg: &&Arg| {
        let under = arg.get_help_heading().is_some_and(|heading| VARIED.contains(&heading));
        let apart = [&WITHOUT[..], &REFUSED, &FIXED].iter().any(|list| list.contains(&long(arg)));
        (under && !apart) || VARIED_TOO.contains(&long(arg))
    };
    command.get_arguments().filter(may_vary)
}

/// The long names of a flag: its own and its aliases.
pub fn names(arg: &Arg) -> Vec<&str> {
    [vec![long(arg)], arg.get_visible_aliases().unwrap_or_default()].concat()
}

/// Whether a value of the flag may have commas.
pub fn has_commas(arg: &Arg) -> bool {
    arg.get_value_names().unwrap_or_default().iter().any(|name| name.contains('…'))
}

/// What was said of all flags of `mlp sweep`.
#[derive(Debug)]
pub struct SweptArgs(pub GivenArgs);

/// The flags of `mlp train` among them. Their values are read from what was said, by `mlp train`'s own code.
#[derive(Debug)]
pub struct TrainFlags;

impl clap::Args for TrainFlags {
    fn augment_args(command: Command) -> Command {
        let train = train_command();
        let args = train.get_arguments().filter(|arg| !WITHOUT.contains(&long(arg)));
        args.fold(command, |command, arg| {
            let hidden = REFUSED.contains(&long(arg));
            let arg = arg.clone();
            command.arg(match long(&arg) {
                "device" => arg.help(
                    "Devices: one that `mlp train` takes, several with commas between them, or all, every hardware GPU; each \
                     trains a part of the trials",
                ),
                "test-fraction" => {
                    arg.help("Fraction of the rows that is kept out of the sweep, for testing [default: 0]")
                }
                "validation-fraction" => arg.help(
                    "Fraction of the other rows that is held out to judge trials, without --folds [default: 0.2]",
                ),
                _ => arg.hide(hidden),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TrainFlags {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

impl clap::Args for SweptArgs {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for SweptArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        GivenArgs::new(SWEEP, matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
