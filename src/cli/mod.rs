//! The command line: flags become checked settings once, a file for each subcommand carries them out.

/// Takes the place of std's macro in all that follows, so that no text of a file reaches a terminal as it is.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cli::output::tell(&format!($($words)*)) };
}

mod bench;
mod columns;
mod config;
mod data;
mod device;
mod devices;
mod eval;
mod exit;
mod explain;
mod export;
mod flags;
mod gradcheck;
mod help;
mod import;
mod inspect;
mod interrupt;
mod job;
mod kernels;
mod list;
mod network;
mod notes;
mod output;
mod plot;
mod predict;
mod reading;
mod source;
mod sweep;
mod train;

use std::borrow::Cow;
use std::error::Error as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::{Error, Result, call_settings_by, escape};
use config::MergedArgs;

/// Train and run multilayer perceptrons on any GPU.
#[derive(Debug, Parser)]
#[command(name = "mlp", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train::Args>),
    Sweep(Box<sweep::Args>),
    Eval(eval::Args),
    Predict(predict::Args),
    Data(data::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Import(import::Args),
    Plot(plot::Args),
    Explain(explain::Args),
    Gradcheck(gradcheck::Args),
    Bench(bench::Args),
    Devices(devices::Args),
    Kernels(kernels::Args),
}

/// Runs the command line of this process. Exit codes: 0 done, 1 a check or a run failed, 2 wrong usage or
/// unreadable input, 128 and its number where a signal ended a run.
pub fn main() -> ExitCode {
    call_settings_by(flags::of);
    let words = match MergedArgs::new(std::env::args_os().collect()) {
        Ok(words) => words,
        Err(error) => return failed(&error),
    };
    let Cli { command } = Cli::try_parse_from(&words.all).unwrap_or_else(|error| refused(&error));
    if cfg!(debug_assertions) {
        eprintln!("note: this is a debug build; one made with --release is faster");
    }
    match run(command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&words.blame(error)),
    }
}

/// For `map_err`: an error about a setting of the library, under the name of the flag that sets it, where it names none itself.
fn flag(name: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Setting { what, found, expected } if !what.starts_with("--") && flags::of(what).is_none() => {
            Error::Setting { what: name, found, expected }
        }
        other => other,
    }
}

/// Tells what clap has to say and ends. Its messages repeat words as they are, and a name that a shell has found in a folder may hold
/// anything.
fn refused(error: &clap::Error) -> ! {
    // What names the flag itself stands alone: clap would name it again.
    let own = error.source().and_then(|source| source.downcast_ref::<Error>()).map(Error::to_string);
    if let Some(own) = own.filter(|own| own.starts_with("--")) {
        eprintln!("error: {own}");
        std::process::exit(error.exit_code());
    }
    let text = error.render().to_string();
    if error.use_stderr() && text.lines().any(|line| matches!(escape(line), Cow::Owned(_))) {
        output::tell(text.trim_end());
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(exit::code(error))
}

/// The exit code.
fn run(command: Command) -> Result<u8> {
    pollster::block_on(async {
        match command {
            Command::Train(args) => return train::run(*args).await,
            Command::Sweep(args) => return sweep::run(*args).await,
            Command::Eval(args) => eval::run(args).await,
            Command::Predict(args) => predict::run(args).await,
            Command::Data(args) => data::run(&args),
            Command::Inspect(args) => inspect::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Import(args) => import::run(args),
            Command::Plot(args) => plot::run(&args),
            Command::Explain(args) => explain::run(args).await,
            Command::Gradcheck(args) => gradcheck::run(args).await,
            Command::Bench(args) => bench::run(args).await,
            Command::Devices(args) => devices::run(&args).await,
            Command::Kernels(args) => kernels::run(&args),
        }
        .map(|()| 0)
    })
}
