//! Where the data comes from: a file, stdin or a built-in name.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::cli::help;
use crate::data::{BuiltIn, CsvReader, Encoder, ReadAs, Reading, Table, TableFile};
use crate::error::{Error, Result, list, shell_word, shorten};
use crate::folder::MODEL;

#[derive(Debug, clap::Args)]
pub struct DataArgs {
    #[arg(help = help::data())]
    data: String,
    /// Number of rows of built-in data [default: 1000]
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    #[arg(long, value_name = "F", help = help::noise("Standard deviation of the noise of built-in data"))]
    noise: Option<f64>,
    /// Seed of built-in data [default: 100]
    #[arg(long, value_name = "N")]
    data_seed: Option<u32>,
}

/// Data that has been named and not read yet.
#[derive(Debug)]
pub enum Source {
    /// Built-in data; what no flag says is as the name stands for.
    BuiltIn(Generated),
    /// A table's file, or `-`.
    File(PathBuf),
}

/// Built-in data with its settings.
#[derive(Debug)]
pub struct Generated {
    set: &'static BuiltIn,
    samples: usize,
    noise: f64,
    seed: u32,
}

impl Generated {
    fn table(&self) -> Result<Table> {
        self.set.table(self.samples, self.noise, self.seed)
    }
}

impl DataArgs {
    /// What the flags name.
    pub fn source(&self) -> Result<Source> {
        if let Some(set) = BuiltIn::named(&self.data) {
            let samples = self.samples.unwrap_or(BuiltIn::SAMPLES);
            let (noise, seed) = (self.noise.unwrap_or(set.noise), self.data_seed.unwrap_or(BuiltIn::SEED));
            return Ok(Source::BuiltIn(Generated { set, samples, noise, seed }));
        }
        let flags = [
            ("--samples", self.samples.map(|value| value.to_string())),
            ("--noise", self.noise.map(|value| value.to_string())),
            ("--data-seed", self.data_seed.map(|value| value.to_string())),
        ];
        match flags.into_iter().find_map(|(what, value)| Some((what, value?))) {
            Some((what, found)) => Err(Error::Setting {
                what,
                found,
                expected: format!("built-in data ({}), not a file", help::built_in()),
            }),
            None if self.is_unknown_name() => Err(Error::Setting {
                what: "DATA",
                found: format!("`{}`", shorten(&self.data)),
                expected: format!("a file that exists, `-` for stdin, or built-in data ({})", help::built_in()),
            }),
            None => Ok(Source::File(PathBuf::from(&self.data))),
        }
    }
}

impl DataArgs {
    /// Whether the data is neither a file nor looks like the path of one.
    fn is_unknown_name(&self) -> bool {
        let path = Path::new(&self.data);
        self.data != "-" && !path.exists() && path.extension().is_none() && path.components().count() == 1
    }
}

impl Source {
    /// What is in force of the flags, as words of the command line.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::BuiltIn(Generated { samples, noise, seed, .. }) => {
                vec![("samples", samples.to_string()), ("noise", noise.to_string()), ("data-seed", seed.to_string())]
            }
            Self::File(_) => Vec::new(),
        }
    }

    /// As it is typed for a POSIX shell.
    pub fn typed(&self) -> String {
        let flags: String = self.words().iter().map(|(flag, word)| format!(" --{flag} {word}")).collect();
        match self {
            Self::BuiltIn(Generated { set, .. }) => format!("{}{flags}", set.name),
            Self::File(path) => shell_word(&path.to_string_lossy()).into_owned(),
        }
    }

    /// The target column where none is named.
    pub fn target(&self) -> Option<&'static str> {
        self.is_built_in().then_some(BuiltIn::TARGET)
    }

    /// The file, or a word for what is built in.
    pub fn path(&self) -> &Path {
        match self {
            Self::BuiltIn(Generated { set, .. }) => Path::new(set.name),
            Self::File(path) => path,
        }
    }

    /// Whether it is no file.
    pub fn is_built_in(&self) -> bool {
        matches!(self, Self::BuiltIn(_))
    }

    /// Whether it is the data of docs/article.md, whose run `mlp train` then repeats.
    pub fn is_articles(&self) -> bool {
        matches!(self, Self::BuiltIn(Generated { set, .. }) if set.name == BuiltIn::MOONS.name)
    }

    /// Reads the whole table, each column as `how` says, which is told where it is from and its names.
    pub fn read(
        &self,
        reading: &Reading,
        mut how: impl FnMut(&Path, &[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Table> {
        match self {
            Self::BuiltIn(generated) => read_as(generated.table()?, reading, how),
            Self::File(path) => Table::read_with(path, reading, |names| how(path, names)),
        }
    }

    /// The table part by part, for files that need not fit into memory.
    pub fn parts(
        &self,
        reading: &Reading,
        mut how: impl FnMut(&Path, &[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<TableChunks<'_>> {
        match self {
            Self::BuiltIn(generated) => Ok(TableChunks::Whole(Some(read_as(generated.table()?, reading, how)?))),
            Self::File(path) => Ok(match TableFile::open(path, reading, |names| how(path, names))? {
                TableFile::Whole(table) => TableChunks::Whole(Some(table)),
                TableFile::Text(reader, kinds) => TableChunks::Rows { path, reader, kinds, any: false },
            }),
        }
    }
}

fn read_as(
    table: Table,
    reading: &Reading,
    mut how: impl FnMut(&Path, &[String]) -> Result<Vec<ReadAs>>,
) -> Result<Table> {
    let kinds = how(table.source(), &table.names())?;
    table.read_as(&kinds, reading)
}

/// TableChunks of a table, in its order.
pub enum TableChunks<'a> {
    /// All in one.
    Whole(Option<Table>),
    /// As they are read.
    Rows {
        path: &'a Path,
        reader: Box<CsvReader<'a>>,
        kinds: Vec<ReadAs>,
        /// Whether there was one.
        any: bool,
    },
}

impl TableChunks<'_> {
    /// The next part; none at the end. A table without rows is an error.
    pub fn next(&mut self) -> Result<Option<Table>> {
        match self {
            Self::Whole(table) => Ok(table.take()),
            Self::Rows { path, reader, kinds, any } => match reader.next_table(kinds)? {
                None if !*any => Err(Error::EmptyTable { path: path.to_path_buf() }),
                part => {
                    *any = true;
                    Ok(part)
                }
            },
        }
    }

    /// A part whose columns were read as they are written, as the model wants them: what is copied decides nothing.
    pub fn for_model(&self, part: Table, encoder: &Encoder, reading: &Reading) -> Result<Table> {
        let kinds: Vec<_> = part.names().iter().map(|name| encoder.read_as(name, false)).collect();
        part.read_texts_as(&kinds, reading, matches!(self, Self::Rows { .. }))
    }
}

/// How a model wants the columns of these names to be read, the target on request, and others as listed; extra ones are
/// skipped, with a note.
pub fn kinds_of(
    encoder: &Encoder,
    path: &Path,
    names: &[String],
    with_target: bool,
    others: &[(&str, ReadAs)],
) -> Result<Vec<ReadAs>> {
    let other = |name: &String| others.iter().find(|(other, _)| other == name).map(|(_, how)| *how);
    let mut extra = encoder.extra_columns(path, names, with_target)?;
    extra.retain(|name| other(name).is_none());
    if !extra.is_empty() {
        eprintln!("note: {}: the model does not take the columns {}: they are skipped", path.display(), list(&extra));
    }
    Ok(names.iter().map(|name| other(name).unwrap_or_else(|| encoder.read_as(name, with_target))).collect())
}

/// Refuses to write a file in the place of one that is read, or of the model in a folder that is: what it held would be lost.
///
/// # Errors
/// [`Error::Setting`] where the output of `flag` is one of the inputs, by whatever path.
pub fn refuse_input(flag: &'static str, out: &Path, inputs: &[&Path]) -> Result<()> {
    let Ok(place) = out.canonicalize() else { return Ok(()) };
    let file = |input: &Path| if input.is_dir() { input.join(MODEL) } else { input.into() };
    match inputs.iter().any(|input| file(input).canonicalize().is_ok_and(|input| input == place)) {
        true => Err(Error::Setting {
            what: flag,
            found: format!("`{}`, a file that is read", out.display()),
            expected: "another file, since this one would be lost".into(),
        }),
        false => Ok(()),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(Generated { set, samples, noise, seed }) => {
                write!(f, "{} ({samples} samples, noise {noise}, seed {seed})", set.name)
            }
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
