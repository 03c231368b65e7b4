//! IDX files: MNIST's format, whole, gzipped, cut off anywhere, and random bytes.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use tempfile::TempDir;
use wgpu_mlp::Error;
use wgpu_mlp::data::{Dataset, Idx, read_idx};

/// A folder with one file that is written again and again.
struct Place(TempDir, PathBuf);

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("images.idx");
        Self(folder, path)
    }

    fn read(&self, bytes: &[u8]) -> Result<Idx, Error> {
        fs::write(&self.1, bytes).unwrap();
        read_idx(&self.1)
    }

    /// What is wrong with these bytes; the message names the file and what was expected.
    fn problem(&self, bytes: &[u8]) -> String {
        match self.read(bytes) {
            Err(error @ Error::MalformedFile { .. }) => {
                let (message, head) = (error.to_string(), format!("{}: cannot read it as IDX: ", self.1.display()));
                message.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{message}`")).to_string()
            }
            other => panic!("{other:?} of {bytes:?}"),
        }
    }
}

/// A file of these dimensions and values.
pub fn file(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    [bytes, values.to_vec()].concat()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_is_read_plain_and_gzipped() {
    let place = Place::new();
    let values: Vec<u8> = (0..24).map(|value| value * 10).collect();
    for shape in [&[2, 3, 4][..], &[24], &[24, 1], &[1, 2, 3, 4, 1]] {
        let expected = Idx { shape: shape.iter().map(|&size| size as usize).collect(), values: values.clone() };
        let bytes = file(shape, &values);
        assert_eq!(bytes[..4], [0, 0, 8, shape.len() as u8], "MNIST's magic number");
        assert_eq!(place.read(&bytes).unwrap(), expected);
        assert_eq!(place.read(&gzip(&bytes)).unwrap(), expected);
        // Two members one after the other are one stream.
        let parts = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
        assert_eq!(place.read(&parts).unwrap(), expected);
    }
    assert_eq!(place.read(&file(&[0, 28, 28], &[])).unwrap(), Idx { shape: vec![0, 28, 28], values: vec![] });
    let absent = read_idx(place.0.path().join("absent")).unwrap_err();
    assert!(matches!(absent, Error::Io { .. }) && absent.to_string().contains("cannot read the table"), "{absent}");
}

#[test]
fn cut_off_and_long_idx_is_refused() {
    let place = Place::new();
    let bytes = file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    for end in 0..bytes.len() {
        let expected = match end {
            0..4 => "it ends within the magic number".into(),
            4..8 => "it ends within dimension 1 of 2".into(),
            8..12 => "it ends within dimension 2 of 2".into(),
            _ => format!("it ends after {} of the 6 values of its dimensions [2, 3]", end - 12),
        };
        assert_eq!(place.problem(&bytes[..end]), expected);
        assert_eq!(place.problem(&gzip(&bytes[..end])), expected);
    }
    let long = [&bytes[..], &[7]].concat();
    for long in [&long, &gzip(&long)] {
        assert_eq!(place.problem(long), "it continues after the 6 values of its dimensions [2, 3]");
    }
    let whole = gzip(&bytes);
    for end in 2..whole.len() {
        assert!(place.problem(&whole[..end]).contains("gzip data is damaged or truncated"), "{end} bytes");
    }
    // A byte that is wrong anywhere behind gzip's header, its checksum included.
    for at in 10..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 0x10;
        assert!(place.read(&wrong).is_err(), "byte {at}");
    }
}

#[test]
fn foreign_idx_is_refused() {
    let place = Place::new();
    assert_eq!(place.problem(b"a,b,y\n1,2,3\n"), "it begins with 0x612c622c");
    assert_eq!(place.problem(&[0, 0, 8, 0]), "it begins with 0x00000800");
    assert_eq!(place.problem(&[0, 1, 8, 1, 0, 0, 0, 0]), "it begins with 0x00010801");
    assert_eq!(place.problem(&[0, 0, 0x0d, 1, 0, 0, 0, 0]), "its values have the type 0x0d: expected bytes, 0x08");
}

/// A header that promises more than the file has costs no memory: these would take up to 2⁶⁴ bytes.
#[test]
fn hostile_headers_allocate_nothing() {
    let place = Place::new();
    for shape in [&[u32::MAX][..], &[u32::MAX, u32::MAX], &[1 << 31, 1 << 30]] {
        for bytes in [file(shape, &[1, 2]), gzip(&file(shape, &[1, 2]))] {
            assert!(place.problem(&bytes).starts_with("it ends after 2 of the "), "{shape:?}");
        }
    }
    let many = file(&[u32::MAX; 255], &[]);
    assert!(place.problem(&many).ends_with("have more values than a file can hold"));
    // None at all, whatever the others are.
    assert!(place.read(&file(&[0, u32::MAX, u32::MAX, u32::MAX], &[])).is_ok());
}

/// Bytes of a generator, half of them behind a header that is right: an answer or an error, and never a shape that the
/// values don't fill.
#[test]
fn random_bytes_are_read_or_refused() {
    let place = Place::new();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut read = 0;
    for case in 0..600 {
        let mut bytes = vec![0; random.random_range(0..60)];
        random.fill_bytes(&mut bytes);
        if case % 2 == 0 {
            let shape: Vec<u32> = (0..random.random_range(1..4)).map(|_| random.random_range(0..4)).collect();
            bytes.truncate(random.random_range(0..30));
            bytes = file(&shape, &bytes);
        }
        if case % 3 == 0 {
            bytes = gzip(&bytes);
        }
        if case % 5 == 0 && !bytes.is_empty() {
            let at = random.random_range(0..bytes.len());
            bytes[at] ^= random.random_range(1..=255);
        }
        if let Ok(Idx { shape, values }) = place.read(&bytes) {
            assert_eq!(shape.iter().product::<usize>(), values.len(), "{bytes:?}");
            read += 1;
        }
    }
    assert!((10..300).contains(&read), "{read} of 600 are well-formed");
}

#[test]
fn images_become_a_data_set() {
    let images = Idx { shape: vec![2, 1, 3], values: vec![0, 51, 255, 1, 2, 3] };
    let labels = Idx { shape: vec![2], values: vec![9, 0] };
    let data = Dataset::from_idx(&images, &labels).unwrap();
    assert_eq!((data.rows(), data.inputs(), data.target_columns()), (2, 3, 1));
    assert_eq!(data.features(), [0.0, 0.2, 1.0, 1.0 / 255.0, 2.0 / 255.0, 3.0 / 255.0]);
    assert_eq!(data.targets(), [9.0, 0.0]);

    let message = |images: &Idx, labels: &Idx| Dataset::from_idx(images, labels).unwrap_err().to_string();
    let one = Idx { shape: vec![1], values: vec![9] };
    assert_eq!(message(&images, &one), "the list of labels has 1 values: expected 2, one for each image");
    assert!(message(&images, &images).contains("the list of labels has 6 values"));
    let made_up = Idx { shape: vec![2, 5], values: vec![0; 6] };
    assert_eq!(
        message(&made_up, &labels),
        "the array of images has 6 values: expected as many as its shape [2, 5] has"
    );
    let empty = Idx { shape: vec![2, 0], values: vec![] };
    assert!(message(&empty, &labels).contains("a row of features has 0 values"));
}
