//! From what was typed to trials: `--vary` as a space, and the flags of each trial as `mlp train` would read them.

use clap::{Command, FromArgMatches};

use super::flags::{has_commas, is_handed_on, names, train_command, varied};
use crate::cli::config::GivenArgs;
use crate::cli::train;
use crate::error::{Error, Result, shorten};
use crate::pipeline::Preset;
use crate::sweep::{Axis, Space, Trial};

/// The flag of `mlp train` that has another default in a sweep.
const PRESET: &str = "preset";

/// What all trials have in common, as flags of `mlp train`.
#[derive(Debug)]
pub struct Common {
    command: Command,
    data: String,
    flags: Vec<(String, String)>,
}

/// The space of the flags `--vary`.
pub fn space(vary: &[String]) -> Result<Space> {
    let command = train_command();
    let axis = |text: &String| {
        let refused = |found: String, expected: String| Error::Setting { what: "vary", found, expected };
        let Some((name, values)) = text.split_once('=') else {
            let found = format!("`{}`", shorten(text));
            return Err(refused(found, "NAME=VALUES, as in lr=1e-4..1e-1:log or hidden=32,32;64,64".into()));
        };
        let name = name.trim().trim_start_matches('-').replace('_', "-");
        match varied(&command).find(|arg| names(arg).contains(&name.as_str())) {
            Some(arg) => Axis::parse(arg.get_long().unwrap_or(&name), values, has_commas(arg)),
            None => Err(refused(format!("`{}`", shorten(&name)), expected_instead(&command, &name))),
        }
    };
    Space::new(vary.iter().map(axis).collect::<Result<_>>()?)
}

/// What to say of a name that cannot vary.
fn expected_instead(command: &Command, name: &str) -> String {
    if name == "seed" {
        return "another flag: --seeds N trains each trial with N seeds".into();
    }
    if command.get_arguments().any(|arg| names(arg).contains(&name)) {
        return "a flag of the network or of training (lr, hidden, dropout, …): this one is the same for all trials"
            .into();
    }
    let known = varied(command).flat_map(names);
    let closeness = |known: &&str| strsim::jaro_winkler(name, known);
    let closest = known.max_by(|a, b| closeness(a).total_cmp(&closeness(b))).unwrap_or_default();
    format!("a flag of `mlp train`: did you mean `{closest}`?")
}

impl Common {
    /// What was said of the flags of `mlp train`. A flag that is varied cannot be said.
    pub fn new(said: &GivenArgs, data: &str, space: &Space) -> Result<Self> {
        let flags = said.explicit().filter(|(flag, _)| is_handed_on(flag));
        let mut flags: Vec<_> = flags.map(|(flag, word)| (flag.to_string(), word.to_string())).collect();
        // Many trials of a large network take long: whoever wants that says so.
        if !flags.iter().any(|(flag, _)| flag == PRESET) {
            flags.push((PRESET.into(), Preset::Plain.to_string()));
        }
        let varied = |flag: &str| space.axes().iter().any(|axis| axis.name == flag);
        if let Some((flag, _)) = flags.iter().find(|(flag, _)| varied(flag)) {
            let found = format!("`{flag}` beside --{flag}");
            return Err(Error::Setting { what: "vary", found, expected: "one of both".into() });
        }
        Ok(Self { command: train_command(), data: data.into(), flags })
    }

    /// The flags, by name.
    pub fn flags(&self) -> &[(String, String)] {
        &self.flags
    }

    /// Whether a flag was said.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(said, _)| said == flag)
    }

    /// The flags of `mlp train` for these settings on top; `without` are left out.
    pub fn with(&self, settings: &[(String, String)], without: &[&str]) -> Result<train::Args, String> {
        let flags = self.flags.iter().filter(|(flag, _)| !without.contains(&flag.as_str())).chain(settings);
        let words = flags.map(|(flag, word)| format!("--{flag}={word}"));
        let words = ["train".to_string()].into_iter().chain(words).chain(["--".into(), self.data.clone()]);
        let matches = self.command.clone().try_get_matches_from(words);
        matches.and_then(|matches| train::Args::from_arg_matches(&matches)).map_err(|error| {
            let text = error.render().to_string();
            let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
            let problem = lines.collect::<Vec<_>>().join(" ");
            problem.strip_prefix("error: ").unwrap_or(&problem).to_string()
        })
    }

    /// A trial's flags, with `more` that nobody typed.
    pub fn trial(&self, trial: &Trial, more: &[(String, String)]) -> Result<train::Args> {
        let settings = [more, &trial.settings].concat();
        self.with(&settings, &[]).map_err(|problem| of_trial(trial, "vary", problem))
    }
}

/// An error of a trial's settings.
fn of_trial(trial: &Trial, what: &'static str, problem: String) -> Error {
    let name = trial.settings.first().map_or("", |(name, _)| name);
    let found = format!("`{name}` and others with {}", described(trial));
    Error::Setting { what, found, expected: format!("values that `mlp train` takes: {problem}") }
}

/// An error about settings, with the trial that has them.
pub fn blamed(error: Error, trial: &Trial) -> Error {
    match error {
        Error::Setting { what, found, expected } => {
            Error::Setting { what, found: format!("{found} in the trial {}", described(trial)), expected }
        }
        other => other,
    }
}

/// `lr 0.1, hidden 64,64`
pub fn described(trial: &Trial) -> String {
    let words: Vec<_> = trial.settings.iter().map(|(name, value)| format!("{name}={}", shorten(value))).collect();
    words.join(" ")
}
