//! Files from anywhere: noise, and sound files that were cut off or changed anywhere, or that tell sizes which nothing
//! backs. They are a table or a model, or an error of one line that names the file; never a panic, and memory is taken for
//! what a file holds. That is counted, so these tests have a process of their own.
//!
//! The cases are the same in every run. `PROPTEST_CASES=100000 cargo test hostile` draws others, so many for each reader.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};
use tempfile::TempDir;
use wgpu_mlp::data::{ReadAs, Reading, Table, read_idx};
use wgpu_mlp::exchange::{self, Assumed};
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::report::run::{FINDINGS, Run};
use wgpu_mlp::{Error, Model};

use crate::data::idx::{file as idx, gzip};
use crate::plan::allocations::{in_own_process, peak_of};

/// Memory for reading at all; sizes that nothing backs are far beyond it.
const MEMORY: usize = 16 << 20;
/// The same where a library takes it for what a page's header tells, 2 GiB at most.
#[cfg(feature = "parquet")]
const PAGES: usize = 3 << 30;

/// A reader and files that it reads.
struct Subject {
    read: fn(&Path) -> Result<(), Error>,
    /// How its files begin.
    begin: &'static [u8],
    sound: Vec<Vec<u8>>,
    memory: usize,
}

/// What is done to a file.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let sizes: Vec<Vec<u8>> = vec![
            vec![0xff; 4],
            vec![0xff; 8],
            vec![0; 4],
            0x7fff_ffff_u32.to_le_bytes().into(),
            0x7fff_ffff_u32.to_be_bytes().into(),
            (1_u64 << 40).to_le_bytes().into(),
            (1_u64 << 62).to_le_bytes().into(),
            vec![0xff, 0xff, 0xff, 0xff, 0x0f],
            b"999999999999999".into(),
            b"4294967296, 4294967296".into(),
        ];
        let at = any::<Index>;
        prop_oneof![
            at().prop_map(Self::Cut),
            (at(), 1..=255_u8).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (at(), select(sizes.clone())).prop_map(|(at, bytes)| Self::Overwrite(at, bytes)),
            (at(), select(sizes)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            (at(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Self::Overwrite(at, bytes)),
            (at(), 1..9_usize).prop_map(|(at, count)| Self::Remove(at, count)),
        ]
    }

    fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: Index| at.index(bytes.len() + 1);
        match self {
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Flip(at, bits) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Self::Flip(..) => {}
            Self::Overwrite(at, with) => {
                let start = place(at);
                let end = bytes.len().min(start + with.len());
                bytes.splice(start..end, with);
            }
            Self::Insert(at, what) => {
                let start = place(at);
                bytes.splice(start..start, what);
            }
            Self::Remove(at, count) => {
                let start = place(at);
                bytes.drain(start..bytes.len().min(start + count));
            }
        }
    }
}

impl Subject {
    fn new(read: fn(&Path) -> Result<(), Error>, begin: &'static [u8], sound: Vec<Vec<u8>>) -> Self {
        Self { read, begin, sound, memory: MEMORY }
    }

    /// Files with damage, half of those that are gzipped within, and noise behind how files begin.
    fn files(&self) -> impl Strategy<Value = Vec<u8>> + use<> {
        let sound = select(self.sound.clone());
        let damaged = (sound, vec(Damage::any(), 1..4), any::<bool>()).prop_map(|(mut bytes, damages, within)| {
            let within = within && bytes.starts_with(b"\x1f\x8b");
            if within {
                let mut inflated = Vec::new();
                GzDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
                bytes = inflated;
            }
            damages.into_iter().for_each(|damage| damage.apply(&mut bytes));
            if within { gzip(&bytes) } else { bytes }
        });
        let begin = self.begin;
        let noise = vec(any::<u8>(), 0..200).prop_map(move |noise| [begin, &noise].concat());
        prop_oneof![9 => damaged, 1 => noise]
    }

    /// Whether these bytes are read.
    fn is_read(&self, path: &Path, bytes: &[u8]) -> Result<bool, TestCaseError> {
        fs::write(path, bytes).unwrap();
        let (read, peak) = peak_of(|| (self.read)(path));
        prop_assert!(peak <= self.memory + 64 * bytes.len(), "{peak} bytes of memory for {} of a file", bytes.len());
        if let Err(error) = &read {
            let message = error.to_string();
            prop_assert!(message.contains(&path.display().to_string()), "no file in `{message}`");
            prop_assert!(!message.contains(char::is_control), "`{message:?}` is more than a line");
        }
        Ok(read.is_ok())
    }

    fn check(&self, cases: u32) -> TestCaseResult {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("t-images");
        let (mut read, mut refused) = (0, 0);
        for sound in &self.sound {
            prop_assert!(self.is_read(&path, sound)?, "{sound:?} is sound");
            for end in 0..sound.len() {
                if self.is_read(&path, &sound[..end])? { read += 1 } else { refused += 1 }
            }
        }
        let fixed = Config { cases, rng_seed: RngSeed::Fixed(1), ..Config::default() };
        let config = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default() } else { fixed };
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..config });
        let counts = std::cell::Cell::new((read, refused));
        let found = runner.run(&self.files(), |bytes| {
            let (read, refused) = counts.get();
            counts.set(if self.is_read(&path, &bytes)? { (read + 1, refused) } else { (read, refused + 1) });
            Ok(())
        });
        found.unwrap_or_else(|failure| panic!("{failure}"));
        (read, refused) = counts.get();
        println!("{read} files read, {refused} refused");
        prop_assert!(refused > cases / 4 && read > 0, "{read} files read, {refused} refused");
        Ok(())
    }
}

fn table(path: &Path) -> Result<(), Error> {
    crate::data::tables::read_twice(path).map(drop)
}

/// The files of these cases of `tests/fixtures/tables.py`.
fn fixtures(format: &str) -> Vec<Vec<u8>> {
    crate::data::tables::cases(format).into_iter().map(|(_, file, _)| file).collect()
}

fn zipped(files: &[Vec<u8>]) -> Vec<Vec<u8>> {
    files.iter().map(|file| gzip(file)).collect()
}

/// Text read by what a user says of it.
fn told(path: &Path) -> Result<(), Error> {
    let mut reading = Reading::default();
    (reading.decimal, reading.thousands, reading.header) = (Some(','), Some('.'), Some(false));
    reading.missing.more = vec!["-".into(), "1".into()];
    let how = |names: &[String]| {
        let kinds = [ReadAs::Target, ReadAs::Date, ReadAs::Text, ReadAs::Verbatim, ReadAs::Skip];
        Ok((0..names.len()).map(|at| kinds[at % kinds.len()]).collect())
    };
    Table::read_with(path, &reading, how).map(drop)
}

/// A run's folder, its two files with a zero between them in one, and its pictures.
fn run(path: &Path) -> Result<(), Error> {
    let bytes = fs::read(path).unwrap();
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let folder = path.with_extension("run");
    fs::create_dir_all(&folder).unwrap();
    for file in [FINDINGS, "metrics.jsonl"] {
        fs::write(folder.join(file), parts.next().unwrap_or_default()).unwrap();
    }
    Run::load(&folder)?.pictures().map(drop)
}

mod alone {
    use super::*;

    #[test]
    #[ignore = "needs a process of its own"]
    fn memory_is_counted() {
        let (_, peak) = peak_of(|| vec![1_u8; 2 * MEMORY]);
        assert!(peak >= 2 * MEMORY, "{peak}");
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn texts() {
        let texts = [
            "a,b c,y\n1,0.03,no\n-2.5,4e5,\"yes, \"\"it\nis\"\n",
            "\u{feff}a\tb\r\n\r\n?\tü\r\nnan\t|x\r\n",
            "i;v\n1;2\n3;\n",
        ];
        let sound: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
        Subject::new(table, b"a,b\n", sound.clone()).check(1500).unwrap();
        Subject::new(table, b"\x1f\x8b\x08\0", zipped(&sound)).check(1500).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn texts_as_they_are_told() {
        let sound: &[u8] = b"1.234,5;2020-01-31;x;007;z\n-;31.12.2020;\"a;b\";1;\n";
        Subject::new(told, b"1;2\n", vec![sound.into()]).check(1500).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn runs() {
        let classes = concat!(
            r#"{"target":"y","part":"test","rows":5,"confusion":{"classes":["a","b"],"rows":[[2,1],[0,2]]},"positive":"b","#,
            r#""roc_auc":0.8,"roc":[[0,0],[0.5,1],[1,1]],"calibration":[{"predicted":0.4,"observed":0.5,"rows":5}],"#,
            r#""importance":[{"column":"u","mean":0.2,"deviation":0.1}],"importance_rows":5,"surface":{"features":["u","v"],"#,
            r#""spans":[[0,4],[-1,1]],"side":2,"cells":[[0,1],[1,8],[0,0],[1,4]],"points":[[[1,0.5],[1,8]]],"legend":["a","b"]}}"#,
            "\0",
            r#"{"epoch":1,"step":3,"learning_rate":0.1,"loss":0.7,"accuracy":0.5,"validation":{"loss":0.6,"accuracy":0.5}}"#,
            "\n",
            r#"{"epoch":2,"step":6,"learning_rate":0.1,"loss":0.5,"accuracy":0.75,"validation":{"loss":0.4,"accuracy":0.5}}"#,
            "\n",
        );
        let numbers = concat!(
            r#"{"target":"y","part":"training","rows":3,"residuals":[[1,1.5],[2,1.5],[-3,-2]],"importance_rows":0}"#,
            "\0",
            r#"{"epoch":1,"step":1,"learning_rate":0.1,"loss":4}"#,
        );
        let sound = [classes, numbers].map(|text| text.as_bytes().to_vec());
        Subject::new(run, b"{\"target\":\"y\",", sound.into()).check(400).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn arrays() {
        let sound = ["npy/<f4/C", "npy/>i2/F", "npy/images/F", "npy/>U", "npy/records/aligned", "npy/version 2"]
            .map(fixtures)
            .concat();
        Subject::new(table, b"\x93NUMPY\x01\0\x40\0{'descr':", sound.clone()).check(3000).unwrap();
        Subject::new(table, b"\x1f\x8b\x08\0", zipped(&sound[..2])).check(1000).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn archives() {
        Subject::new(table, b"PK\x03\x04", fixtures("npz")).check(3000).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn images() {
        let sound = vec![idx(&[3, 2, 2], &[7; 12]), idx(&[4], &[1, 2, 3, 1])];
        let floats = [&b"\0\0\x0d\x02\0\0\0\x02\0\0\0\x01"[..], &[0x3f, 0x80, 0, 0, 0, 0, 0, 0]].concat();
        Subject::new(table, b"\0\0\x0d\x02", vec![floats]).check(500).unwrap();
        let image = |path: &Path| read_idx(path).map(drop);
        Subject::new(table, b"\0\0\x08\x03", sound.clone()).check(1000).unwrap();
        Subject::new(image, b"\0\0\x08\x03", sound.clone()).check(1000).unwrap();
        Subject::new(table, b"\x1f\x8b\x08\0", zipped(&sound)).check(1000).unwrap();
    }

    /// What a header may ask for is taken at once by some decoders.
    #[test]
    #[ignore = "needs a process of its own"]
    fn packed() {
        let kinds = ["zstd without checksum", "zstd of frames", "bzip2 of streams", "xz of streams", "zip streamed"];
        let sound =
            crate::data::packed::parts("packed/").into_iter().filter(|(kind, _)| kinds.contains(&kind.as_str()));
        let subject = Subject::new(table, b"\x28\xb5\x2f\xfd", sound.map(|(_, file)| file).collect());
        Subject { memory: MEMORY + (160 << 20), ..subject }.check(1500).unwrap();
    }

    /// Bytes that no text is, in front of all else a table's file may be.
    #[test]
    #[ignore = "needs a process of its own"]
    fn encodings() {
        let sound: Vec<Vec<u8>> = crate::data::packed::parts("text/utf-")
            .into_iter()
            .filter(|(name, _)| name == "16/file" || name == "16-be/file")
            .map(|(_, file)| file)
            .collect();
        Subject::new(table, b"\xff\xfea\0,\0", sound).check(1500).unwrap();
    }

    #[cfg(feature = "parquet")]
    #[test]
    #[ignore = "needs a process of its own"]
    fn parquet() {
        let sound = Subject::new(table, b"PAR1\x15", fixtures("parquet/small"));
        Subject { memory: PAGES, ..sound }.check(3000).unwrap();
    }

    /// Found by fuzzing: a list of 2³¹ values in a page's header, of which none is there, took a minute to pass over.
    #[cfg(feature = "parquet")]
    #[test]
    #[ignore = "needs a process of its own"]
    fn long_list() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/long_list.parquet");
        let error = table(&file).unwrap_err().to_string();
        assert!(error.contains("long_list.parquet: cannot read it as Parquet"), "{error}");
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn models() {
        let read = |path: &Path| Model::load(path).map(drop);
        let sound = crate::exchange::files::saved(&crate::exchange::files::model(1));
        Subject::new(read, b"\x40\0\0\0\0\0\0\0{\"__metadata__\":", vec![sound]).check(2000).unwrap();
    }

    #[test]
    #[ignore = "needs a process of its own"]
    fn foreign_models() {
        let read = |path: &Path| {
            let (activation, loss) = (Some(Activation::Relu), Some(Loss::MeanSquaredError));
            exchange::load(path, Assumed { activation, loss }).map(drop)
        };
        let mut cases = crate::exchange::round_trip::cases();
        cases.sort_by_key(|case| case.file.len());
        for (state, begin) in [(true, &b"\x40\0\0\0\0\0\0\0{\"0.weight\":"[..]), (false, &b"\x08\x08"[..])] {
            let sound = cases.iter().filter(|case| case.name.starts_with("state") == state).take(4);
            Subject::new(read, begin, sound.map(|case| case.file.clone()).collect()).check(2000).unwrap();
        }
    }
}

#[test]
fn whatever_a_file_holds_it_is_read_or_refused() {
    print!("{}", in_own_process("data::malformed_input::alone::", if cfg!(feature = "parquet") { 13 } else { 11 }));
}
