//! The folder of a sweep: `results.jsonl`, whose first line says which sweep it is of and each other one is a [`Record`], and
//! `results.csv` with the same for any program that reads tables. A line is written whole as soon as its training ends.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions, read};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::error::{Error, Result, record as csv_line, set, shorten};
use crate::files::AtomicFile;

/// The lines of JSON.
const LINES: &str = "results.jsonl";
/// The table.
const TABLE: &str = "results.csv";
const WRITE: &str = "write the results";

/// What decides what the trainings of a sweep come to: its settings as texts, by name, and the checksum of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity(BTreeMap<String, String>);

impl Identity {
    /// From names and texts.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(texts.into_iter().collect())
    }

    /// A short name: its checksum in hexadecimal digits.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:08x}", self.checksum())
    }

    /// The CRC-32 of all of it.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for (name, text) in &self.0 {
            [name, text].into_iter().for_each(|part| {
                hasher.update(part.as_bytes());
                hasher.update(&[0]);
            });
        }
        hasher.finalize()
    }

    /// The first thing in which another one differs: its name, its text here and its text there.
    fn difference<'a>(&'a self, other: &'a Self) -> Option<[&'a str; 3]> {
        let text = |of: &'a Self, name: &str| of.0.get(name).map_or("not set", String::as_str);
        let names = self.0.keys().chain(other.0.keys());
        names.map(|name| [name.as_str(), text(self, name), text(other, name)]).find(|[_, here, there]| here != there)
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    sweep: String,
    of: Identity,
}

/// The results of a sweep, those of before a kill among them.
#[derive(Debug)]
pub struct Results {
    folder: PathBuf,
    name: String,
    /// Names of the settings that are varied.
    settings: Vec<String>,
    records: Vec<Record>,
    lines: Appended,
    table: Appended,
}

/// A file that grows by whole lines.
#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
    /// Where its last whole line ends.
    end: u64,
}

impl Appended {
    /// Opens a file behind its first `end` bytes; what is behind them goes.
    fn open(path: PathBuf, end: u64) -> Result<Self> {
        let open = || {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
            Ok(file)
        };
        let file = open().map_err(Error::io(WRITE, &path))?;
        Ok(Self { path, file, end })
    }

    /// Appends a line. One that is written in part is taken back.
    fn append(&mut self, line: &str) -> Result<()> {
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush());
        if written.is_ok() {
            self.end += line.len() as u64;
        } else {
            // Who reads the file sees whole lines; where that fails, too, the next start cuts it.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)).map(drop));
        }
        written.map_err(Error::io(WRITE, &self.path))
    }
}

impl Results {
    /// Begins the results of a sweep in a folder that has none. `settings`: the names of those that are varied.
    ///
    /// # Errors
    /// [`Error::Setting`] for a folder with results; [`Error::Io`].
    pub fn create(folder: &Path, identity: &Identity, settings: &[String]) -> Result<Self> {
        Self::refuse(folder)?;
        Self::open(folder, identity, settings, Vec::new(), 0)
    }

    /// Refuses a folder that has results.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn refuse(folder: &Path) -> Result<()> {
        let Some(name) = [LINES, TABLE].into_iter().find(|name| folder.join(name).exists()) else { return Ok(()) };
        let found = format!("{}, which has the {name} of a sweep", folder.display());
        let expected = format!("another folder, or {} to go on with it", set("resume", &folder.to_string_lossy()));
        Err(Error::Setting { what: "out", found, expected })
    }

    /// Goes on with the results of a sweep. A last line that was written in part is cut off; the table is written anew.
    ///
    /// # Errors
    /// [`Error::Setting`] for results of another sweep and for a folder without results; [`Error::SweepFolder`] for a line that is no
    /// record; [`Error::Io`].
    pub fn resume(folder: &Path, identity: &Identity, settings: &[String]) -> Result<Self> {
        let path = folder.join(LINES);
        if !path.exists() {
            let found = format!("{}, which has no {LINES}", folder.display());
            let expected = format!("a folder that a sweep with {} has written", set("out", "DIR"));
            return Err(Error::Setting { what: "resume", found, expected });
        }
        let bytes = read(&path).map_err(Error::io("read the results", &path))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let refused = |line: usize, problem: String| {
            let problem = format!("line {line}: {problem}");
            Error::SweepFolder { path: path.clone(), problem }
        };
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| refused(1, error.to_string()))?;
        let mut lines = text.lines().enumerate();
        let Some((_, head)) = lines.next() else { return Self::open(folder, identity, settings, Vec::new(), 0) };
        let head: Head = serde_json::from_str(head).map_err(|error| refused(1, error.to_string()))?;
        if let Some([name, here, there]) = identity.difference(&head.of) {
            let found = format!(
                "{}, whose results are of another sweep: {name} is {} there and {} here",
                folder.display(),
                shorten(there),
                shorten(here)
            );
            let expected = format!("the settings and the data of that sweep, or {} for a new one", set("out", "DIR"));
            return Err(Error::Setting { what: "resume", found, expected });
        }
        let (mut records, mut seen) = (Vec::<Record>::new(), HashSet::new());
        for (at, line) in lines {
            let record: Record = serde_json::from_str(line).map_err(|error| refused(at + 1, error.to_string()))?;
            if !seen.insert(record.job()) {
                return Err(refused(at + 1, "the training has a line before".into()));
            }
            records.push(record);
        }
        Self::open(folder, identity, settings, records, whole as u64)
    }

    /// Opens both files. `end`: bytes of the whole lines of JSON that are there.
    fn open(folder: &Path, identity: &Identity, settings: &[String], records: Vec<Record>, end: u64) -> Result<Self> {
        let head = Head { sweep: identity.name(), of: identity.clone() };
        let mut lines = Appended::open(folder.join(LINES), end)?;
        if end == 0 {
            lines.append(&json(&head, &lines.path)?)?;
        }
        let name = head.sweep;
        let path = folder.join(TABLE);
        let front =
            ["sweep", "trial", "fold", "seed", "end", "epoch", "best_epoch", "score", "validation_loss", "seconds"];
        let front = front.into_iter().chain(settings.iter().map(String::as_str)).chain(["problem"]);
        let heading = csv_line(&front.collect::<Vec<_>>()) + "\n";
        let rows = records.iter().map(|record| row(&name, settings, record));
        let text: String = [heading].into_iter().chain(rows).collect();
        AtomicFile::create(WRITE, &path)?.replace(text.as_bytes())?;
        let table = Appended::open(path, text.len() as u64)?;
        Ok(Self { folder: folder.into(), name, settings: settings.to_vec(), records, lines, table })
    }

    /// Writes a training that has ended.
    ///
    /// # Errors
    /// [`Error::Io`]; what was written before stays whole.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let line = json(record, &self.lines.path)?;
        self.lines.append(&line)?;
        self.records.push(record.clone());
        self.table.append(&row(&self.name, &self.settings, record))
    }

    /// All trainings that have ended, those of before a kill first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sweep's short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn json(value: &impl Serialize, path: &Path) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| Error::io(WRITE, path)(error.into()))?;
    Ok(text + "\n")
}

/// A line of the table.
fn row(name: &str, settings: &[String], record: &Record) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let Record { trial, fold, seed, end, epoch, best_epoch, score, loss, seconds, problem, .. } = record;
    let mut cells = vec![name.to_string(), trial.to_string(), fold.to_string(), seed.to_string(), end.name().into()];
    cells.extend([epoch.to_string(), best_epoch.map_or_else(String::new, |epoch| epoch.to_string())]);
    cells.extend([number(*score), number(*loss), seconds.to_string()]);
    let value = |setting: &String| record.settings.iter().find(|(name, _)| name == setting).map(|(_, value)| value);
    cells.extend(settings.iter().map(|setting| value(setting).cloned().unwrap_or_default()));
    cells.push(problem.clone().unwrap_or_default());
    csv_line(&cells) + "\n"
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sweep::End;

    fn record(trial: usize, score: Option<f64>) -> Record {
        let settings = vec![("hidden".into(), "4,4".into()), ("lr".into(), "0.1".into())];
        let problem = score.is_none().then(|| "too \"large\"".to_string());
        let (loss, best_epoch, rungs) = (score, None, vec![(1, score)]);
        let (seed, end) = (u64::MAX, if score.is_some() { End::Finished } else { End::Failed });
        Record { trial, fold: 1, seed, end, epoch: 3, best_epoch, score, loss, seconds: 0.25, rungs, problem, settings }
    }

    #[test]
    fn results_are_found_again_whatever_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let settings = ["lr".to_string(), "hidden".to_string()];
        let identity = Identity::new([("lr".to_string(), "0.1;0.2".to_string())]);
        let all = [record(1, Some(1.0 / 3.0)), record(2, None), record(3, Some(1e-300))];
        let mut results = Results::create(path, &identity, &settings).unwrap();
        all.iter().for_each(|record| results.append(record).unwrap());
        drop(results);
        let (lines, table) = (fs::read(path.join(LINES)).unwrap(), fs::read(path.join(TABLE)).unwrap());
        let text = String::from_utf8(table.clone()).unwrap();
        let heading = "sweep,trial,fold,seed,end,epoch,best_epoch,score,validation_loss,seconds,lr,hidden,problem\n";
        let first = "1,1,18446744073709551615,finished,3,,0.3333333333333333,0.3333333333333333,0.25,0.1,\"4,4\",\n";
        assert!(text.starts_with(&format!("{heading}{},{first}", identity.name())), "{text}");
        assert!(text.contains("failed,3,,,,0.25,0.1,\"4,4\",\"too \"\"large\"\"\"\n"), "{text}");

        // A kill may come at any byte of either file.
        let ends: Vec<usize> = (0..lines.len()).filter(|&at| lines[at] == b'\n').map(|at| at + 1).collect();
        for cut in 0..=lines.len() {
            fs::write(path.join(LINES), &lines[..cut]).unwrap();
            fs::write(path.join(TABLE), &table[..cut.min(table.len())]).unwrap();
            let mut results = Results::resume(path, &identity, &settings).unwrap();
            let whole = ends.iter().filter(|&&end| end <= cut).count().saturating_sub(1);
            let found = results.records().to_vec();
            assert_eq!(found.len(), whole, "cut at {cut}");
            all[whole..].iter().for_each(|record| results.append(record).unwrap());
            drop(results);
            assert!(fs::read(path.join(LINES)).unwrap() == lines, "cut at {cut}");
            assert_eq!(fs::read_to_string(path.join(TABLE)).unwrap(), text, "cut at {cut}");
        }
        assert_eq!(Results::resume(path, &identity, &settings).unwrap().records(), all);
        assert_eq!(fs::read_to_string(path.join(TABLE)).unwrap(), text);
    }

    #[test]
    fn other_results_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let identity =
            |rates: &str| Identity::new([("lr".to_string(), rates.to_string()), ("data".into(), "7".into())]);
        let error = Results::resume(path, &identity("1;2"), &[]).unwrap_err().to_string();
        assert!(error.contains("no results.jsonl"), "{error}");
        let mut results = Results::create(path, &identity("1;2"), &[]).unwrap();
        results.append(&record(1, Some(1.0))).unwrap();
        drop(results);
        let before = fs::read(path.join(LINES)).unwrap();
        let error = Results::create(path, &identity("1;2"), &[]).unwrap_err().to_string();
        assert!(error.contains("which has the results.jsonl of a sweep"), "{error}");
        let error = Results::resume(path, &identity("1;3"), &[]).unwrap_err().to_string();
        assert!(error.contains("another sweep: lr is 1;2 there and 1;3 here"), "{error}");
        assert!(fs::read(path.join(LINES)).unwrap() == before, "nothing is lost");
        for (more, words) in [("{}\n", "line 3: missing field"), ("\u{1}\n{}", "line 3: ")] {
            fs::write(path.join(LINES), [before.as_slice(), more.as_bytes()].concat()).unwrap();
            let error = Results::resume(path, &identity("1;2"), &[]).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("results.jsonl"), "{error}");
        }
        let twice = [before.as_slice(), before.split_inclusive(|&byte| byte == b'\n').nth(1).unwrap()].concat();
        fs::write(path.join(LINES), twice).unwrap();
        assert!(Results::resume(path, &identity("1;2"), &[]).unwrap_err().to_string().contains("has a line before"));
    }
}
