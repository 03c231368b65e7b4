//! `--config FILE` of `mlp train` and `mlp sweep`: a TOML file as command-line words. There is one way in, the flags: a key is a
//! flag's name, so every flag can stand in a file without being listed here.

mod command;
mod toml_value;
mod vary;

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::fs::read_to_string;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::de::{DeTable, DeValue};

use super::Cli;
use super::list::List;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result, record, setting};
use crate::pipeline::ClassWeight;
use toml_value::{texts, toml};

/// What messages call the one argument that is no flag.
const DATA: &str = "DATA";
/// The word for what the data decide.
pub const AUTO: &str = "auto";
/// The subcommands that read files.
pub const TRAIN: &str = "train";
pub const SWEEP: &str = "sweep";
/// The file in the folder of a sweep that repeats it.
pub const SWEEP_FILE: &str = "sweep.toml";
/// Flags that are none of a file's keys.
const OWN: [&str; 6] = ["config", "dump-config", "resume", "lr-find", "budget", "effort"];
/// Flags that may stand beside `--resume`; any other would be of another run.
const BESIDE_RESUME: [&str; 12] = [
    "data",
    "validation",
    "test",
    "epochs",
    "device",
    "precision",
    "out",
    "checkpoint-every",
    "keep",
    "json",
    "quiet",
    "dump-config",
];
/// The same for a sweep.
const BESIDE_RESUMED_SWEEP: [&str; 4] = ["refit", "device", "json", "quiet"];

/// The words of a process, those of its configuration file among them.
#[derive(Debug)]
pub struct MergedArgs {
    /// As if all had been typed.
    pub all: Vec<OsString>,
    /// What the file said and no flag took the place of.
    entries: Vec<ConfigEntry>,
}

/// A key of a file with its value.
#[derive(Debug)]
struct ConfigEntry {
    /// The flag, as [`name`] has it.
    flag: String,
    /// The same as a word of the command line; none for a switch that is off.
    word: Option<String>,
    /// How messages call it: `--lr`, DATA.
    what: String,
    /// Where it stands.
    place: Place,
}

/// A place in a file.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    /// Both counted from 1.
    line: usize,
    column: usize,
}

impl MergedArgs {
    /// Puts the file that `typed` names, or the settings of the run that it resumes, in front of the flags. A
    /// flag takes the place of its own key and of keys that it cannot stand with.
    pub fn new(typed: Vec<OsString>) -> Result<Self> {
        let plain = |all| Ok(Self { all, entries: Vec::new() });
        // What is wrong with the flags is told when all words are parsed.
        let Ok(matches) = Cli::command().ignore_errors(true).try_get_matches_from(&typed) else { return plain(typed) };
        let Some((name, matches)) = matches.subcommand() else { return plain(typed) };
        let Some(name) = [TRAIN, SWEEP].into_iter().find(|known| *known == name) else { return plain(typed) };
        let (command, path) = (subcommand(name), |flag| matches.get_one::<PathBuf>(flag));
        if path("resume").is_some() {
            check_beside_resume(matches, &command)?;
        }
        let read = |path: &Path| read_to_string(path).map_err(Error::io("read the configuration", path));
        let (path, text) = match (path("resume"), path("config")) {
            (Some(folder), _) if name == SWEEP => {
                let path = folder.join(SWEEP_FILE);
                let text = read(&path)?;
                (path, text)
            }
            (Some(path), _) => (path.clone(), settings(path)?),
            (None, Some(path)) => (path.clone(), read(path)?),
            (None, None) => return plain(typed),
        };
        let mut entries = parse(&path, &text, &command)?;
        check(&entries, &command)?;
        let typed_flags: Vec<&Arg> = command.get_arguments().filter(|arg| is_explicit(matches, arg)).collect();
        entries.retain(|entry| {
            let Some(arg) = find(&command, &entry.flag) else { return true };
            !typed_flags.iter().any(|typed| typed.get_id() == arg.get_id() || contradict(&command, typed, arg))
        });
        // The program's name and the subcommand stand in front.
        let (front, back) = typed.split_at(2);
        let (flags, data) = words(&entries);
        let flags = flags.into_iter().map(OsString::from);
        let data = data.into_iter().flat_map(|data| ["--", data]).map(OsString::from);
        let all = front.iter().cloned().chain(flags).chain(back.iter().cloned()).chain(data).collect();
        Ok(Self { all, entries })
    }

    /// An error about a setting, with the place in the file that it comes from.
    pub fn blame(&self, error: Error) -> Error {
        let Error::Setting { what, found, .. } = &error else { return error };
        let is_of = |entry: &&ConfigEntry| {
            entry.what == setting(what) && (entry.flag != vary::KEY || vary::is_of(entry, found))
        };
        match self.entries.iter().find(is_of) {
            Some(entry) => entry.place.error(error.to_string()),
            None => error,
        }
    }
}

impl Place {
    fn new(path: &Path, text: &str, span: Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let (line, column) = (before.matches('\n').count() + 1, line.chars().count() + 1);
        Self { path: path.into(), line, column }
    }

    fn error(&self, problem: String) -> Error {
        let Self { path, line, column } = self.clone();
        Error::Config { path, line, column, problem }
    }
}

/// A subcommand of `mlp`.
fn subcommand(name: &str) -> Command {
    let command = Cli::command();
    command.find_subcommand(name).cloned().unwrap_or(command)
}

/// A flag's name in a file: its long name, for DATA `data`.
fn name(arg: &Arg) -> &str {
    arg.get_long().unwrap_or(arg.get_id().as_str())
}

/// What a file may say.
fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !OWN.contains(&name(arg)))
}

/// The flag of a name or an alias.
fn find<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let aliases = |arg: &Arg| arg.get_visible_aliases().unwrap_or_default().contains(&key);
    flags(command).find(|arg| name(arg) == key || aliases(arg))
}

fn is_explicit(matches: &ArgMatches, arg: &Arg) -> bool {
    matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

fn contradict(command: &Command, a: &Arg, b: &Arg) -> bool {
    let names = |a, b: &Arg| command.get_arg_conflicts_with(a).iter().any(|other| other.get_id() == b.get_id());
    names(a, b) || names(b, a)
}

fn has_type<T: 'static>(parser: &ValueParser) -> bool {
    parser.type_id() == TypeId::of::<T>()
}

/// A switch takes a value too, so that a flag can undo what a file says: `--quiet=false`.
pub fn switch(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_name("BOOL")
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => arg,
    }
}

/// Refuses flags that would be ignored.
fn check_beside_resume(matches: &ArgMatches, command: &Command) -> Result<()> {
    let others: &[&str] = if command.get_name() == SWEEP { &BESIDE_RESUMED_SWEEP } else { &BESIDE_RESUME };
    let typed = command.get_arguments().filter(|arg| is_explicit(matches, arg));
    match typed.map(name).find(|flag| *flag != "resume" && !others.contains(flag)) {
        None => Ok(()),
        Some(flag) => Err(Error::Setting {
            what: "--resume",
            found: format!("together with --{flag}"),
            expected: format!("no other flags than {}", others.join(", ")),
        }),
    }
}

/// The settings of the run that a checkpoint belongs to.
fn settings(path: &Path) -> Result<String> {
    Checkpoint::load(path)?.settings.ok_or_else(|| Error::Setting {
        what: "--resume",
        found: format!("{}, a checkpoint without the command's settings", path.display()),
        expected: "one that `mlp train --checkpoint-every` has written".into(),
    })
}

/// What a file says, in its order.
fn parse(path: &Path, text: &str, command: &Command) -> Result<Vec<ConfigEntry>> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        Place::new(path, text, span).error(error.message().replace('\n', " "))
    })?;
    let mut pairs: Vec<_> = table.into_inner().into_iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    let mut entries = Vec::<ConfigEntry>::with_capacity(pairs.len());
    for (key, value) in pairs {
        let place = Place::new(path, text, key.span());
        let (key, value) = (key.get_ref().as_ref(), value.get_ref());
        if key == vary::KEY && command.get_name() == SWEEP {
            entries.extend(vary::entries(value, path, text, &place)?);
            continue;
        }
        let arg = find(command, &key.replace('_', "-"));
        let (arg, word) = match (arg, word(value, arg.is_some_and(takes_records))) {
            (_, None) => {
                let expected = "a string, a number, true or false, or an array of these; keys are not in a TOML table";
                return Err(place.error(format!("`{key}` is {}: expected {expected}", kind(value))));
            }
            (None, _) => return Err(place.error(unknown(command, key))),
            (Some(arg), Some(word)) => (arg, word),
        };
        let flag = name(arg).to_string();
        if let Some(other) = entries.iter().find(|entry| entry.flag == flag) {
            return Err(
                place.error(format!("`{key}` sets `{flag}`, which line {} also sets: remove one", other.place.line))
            );
        }
        let (word, what) = match arg.get_long() {
            None => (Some(word), DATA.into()),
            Some(_) if arg.get_default_values() == ["false"] && word == "false" => (None, format!("--{flag}")),
            Some(_) => (Some(format!("--{flag}={word}")), format!("--{flag}")),
        };
        entries.push(ConfigEntry { flag, word, what, place });
    }
    Ok(entries)
}

/// The words of flags, and DATA.
fn words<'a>(entries: &'a [ConfigEntry]) -> (Vec<&'a str>, Option<&'a str>) {
    let (data, flags): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.what == DATA);
    let word = |entry: &&'a ConfigEntry| entry.word.as_deref();
    (flags.iter().filter_map(word).collect(), data.first().and_then(word))
}

/// Whether a flag takes records of CSV, whose texts may have commas.
fn takes_records(arg: &Arg) -> bool {
    has_type::<List>(arg.get_value_parser()) || has_type::<ClassWeight>(arg.get_value_parser())
}

/// A value as it would be typed; none for what cannot be. `quoted`: texts of an array that have commas are quoted.
fn word(value: &DeValue, quoted: bool) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Array(values) => {
            let scalar = |value: &DeValue| (!value.is_array()).then(|| word(value, false)).flatten();
            let words: Option<Vec<_>> = values.iter().map(|value| scalar(value.get_ref())).collect();
            words.map(|words| if quoted { record(&words) } else { words.join(",") })
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// What [`word`] refuses.
fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::Table(_) => "a table",
        DeValue::Datetime(_) => "a date or time",
        _ => "an array of arrays, tables or dates",
    }
}

fn unknown(command: &Command, key: &str) -> String {
    let words = key.replace('_', "-");
    if OWN.contains(&words.as_str()) {
        return format!("`{key}` is only for the command line: remove it");
    }
    let names =
        flags(command).flat_map(|arg| [vec![name(arg)], arg.get_visible_aliases().unwrap_or_default()].concat());
    let closeness = |name: &&str| strsim::jaro_winkler(&words, name);
    let closest = names.max_by(|a, b| closeness(a).total_cmp(&closeness(b))).unwrap_or_default();
    let command = command.get_name();
    format!("unknown key `{key}`: the closest known one is `{closest}`; `mlp {command} --help` lists them as flags")
}

/// Refuses values that clap would, each at its place and in one line.
fn check(entries: &[ConfigEntry], command: &Command) -> Result<()> {
    for (end, entry) in entries.iter().enumerate() {
        let entries = &entries[..=end];
        let (flags, data) = words(entries);
        let words = [command.get_name()].into_iter().chain(flags).chain(["--", data.unwrap_or("moons")]);
        match command.clone().try_get_matches_from(words) {
            // What is required may stand among the flags.
            Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => {
                let text = error.render().to_string();
                let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
                let problem = lines.collect::<Vec<_>>().join(" ");
                let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
                return Err(entry.place.error(format!("`{}`: {problem}", entry.flag)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What was said of the flags of `mlp train`, or of another command that reads files. It takes no word of its own; as the first field
/// of the arguments it sees them before any is taken.
#[derive(Clone, Debug)]
pub struct GivenArgs {
    /// The subcommand.
    of: &'static str,
    all: Vec<GivenArg>,
}

#[derive(Clone, Debug)]
struct GivenArg {
    /// As [`name`] has it.
    flag: String,
    word: String,
    /// Whether it was typed or stood in a file, and is no fixed default.
    explicit: bool,
}

impl clap::Args for GivenArgs {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for GivenArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::new(TRAIN, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl GivenArgs {
    /// What was said of a subcommand's flags.
    pub fn new(of: &'static str, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut all = Vec::new();
        for arg in flags(&subcommand(of)) {
            let flag = name(arg).to_string();
            let words = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
            let words: Option<Vec<&str>> = words.map(OsStr::to_str).collect();
            let Some(words) = words else {
                let problem = format!("{flag} is not UTF-8, which a configuration needs: expected another name\n");
                return Err(clap::Error::raw(ErrorKind::InvalidUtf8, problem));
            };
            if !words.is_empty() {
                let word = if takes_records(arg) { record(&texts(&words)) } else { words.join(",") };
                all.push(GivenArg { flag, word, explicit: is_explicit(matches, arg) });
            }
        }
        Ok(Self { of, all })
    }

    /// The flags that were said, each with its word; DATA is `data`.
    pub fn explicit(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().filter(|said| said.explicit).map(|said| (said.flag.as_str(), said.word.as_str()))
    }

    /// The flags that were said as a configuration, but for these.
    pub fn explicit_toml(&self, without: &[&str]) -> String {
        let command = subcommand(self.of);
        let said = self.explicit().filter(|(flag, _)| !without.contains(flag));
        let line = |(flag, word)| Some(format!("{flag} = {}\n", toml(find(&command, flag)?, word)));
        said.filter_map(line).collect()
    }

    /// The configuration in force. `resolved`: words of the flags without a fixed default, for where nothing was said.
    pub fn toml(&self, resolved: &[(&str, String)]) -> String {
        let command = subcommand(self.of);
        let explicit = self.all.iter().filter(|said| said.explicit);
        let explicit: Vec<&Arg> = explicit.filter_map(|said| find(&command, &said.flag)).collect();
        let decided: Vec<&Arg> = resolved.iter().filter_map(|(flag, _)| find(&command, flag)).collect();
        let line = |arg: &Arg| {
            let flag = name(arg);
            let said = self.all.iter().find(|said| said.flag == flag);
            let found = resolved.iter().find(|(of, _)| *of == flag).map(|(_, word)| word);
            // Neither `auto` nor a fixed default is what is in force once something has decided.
            let is_open = said.is_none_or(|said| said.word == AUTO || !said.explicit);
            let said = said.map(|said| &said.word);
            let word = if is_open { found.or(said) } else { said.or(found) }?;
            // A default that cannot stand with what was said or decided is not in force.
            let is_default = is_open && found.is_none();
            let others = explicit.iter().chain(decided.iter().filter(|_| is_default));
            let stands = !others.into_iter().any(|other| contradict(&command, other, arg));
            stands.then(|| format!("{flag} = {}\n", toml(arg, word)))
        };
        flags(&command).filter_map(line).collect()
    }
}
