//! Random draws, splits and the article's first weights against numpy's and scikit-learn's own.

use std::fs;

use safetensors::SafeTensors;
use wgpu_mlp::data::{NumpyRandom, article_parameters, stratified_split, train_test_split};

pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data.safetensors");
const ARTICLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/article.safetensors");

/// The words of a tensor, each 8 bytes.
fn words(file: &SafeTensors, name: &str) -> Vec<[u8; 8]> {
    let tensor = file.tensor(name).unwrap();
    tensor.data().as_chunks().0.to_vec()
}

pub fn floats(file: &SafeTensors, name: &str) -> Vec<f64> {
    words(file, name).into_iter().map(f64::from_le_bytes).collect()
}

pub fn ints(file: &SafeTensors, name: &str) -> Vec<i64> {
    words(file, name).into_iter().map(i64::from_le_bytes).collect()
}

fn indices(file: &SafeTensors, name: &str) -> Vec<usize> {
    ints(file, name).into_iter().map(|value| value as usize).collect()
}

/// The settings in the names of the tensors `{kind}/…/{last}`.
pub fn cases(file: &SafeTensors, kind: &str, last: &str) -> Vec<Vec<String>> {
    let split = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut found: Vec<_> = file.names().into_iter().map(split).collect();
    found.retain(|parts| parts[0] == kind && parts[parts.len() - 1] == last);
    found.iter_mut().for_each(|parts| parts.truncate(parts.len() - 1));
    assert!(!found.is_empty(), "no `{kind}` in the fixture");
    found
}

/// C libraries differ in the last bit of sine, cosine and logarithm, now and then: all values must be
/// within that bit, and nine in ten equal.
pub fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let scale = expected.abs().max(1.0); // 1 − cos loses what cos lost
        let limit = scale.next_up() - scale;
        assert!((found - expected).abs() <= limit, "{what}, value {at}: {found:e}, expected {expected:e}");
    }
    let differing = found.iter().zip(expected).filter(|(a, b)| a != b).count();
    assert!(differing <= 2 + found.len() / 10, "{what}: {differing} of {} values differ", found.len());
}

#[test]
fn draws_are_numpys() {
    let bytes = fs::read(DATA).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let cases = cases(&file, "draws", "ints");
    assert!(cases.iter().any(|case| case[1] == "0") && cases.iter().any(|case| case[1] == "4294967295"));
    for case in cases {
        let mut r = NumpyRandom::new(case[1].parse().unwrap());
        let (mut reals, mut whole) = (Vec::new(), Vec::new());
        reals.extend((0..5).map(|_| r.random_sample()));
        reals.extend((0..3).map(|_| r.standard_normal()));
        whole.extend((0..25).map(|_| r.randint(1, 10)));
        reals.extend((0..4).map(|_| r.standard_normal()));
        whole.extend([r.randint(7, 8), r.randint(-3, 4)]);
        whole.extend((0..4).map(|_| r.randint(0, 1 << 32)));
        whole.extend((0..4).map(|_| r.randint(-5, 1 << 40)));
        whole.extend((0..3).map(|_| r.randint(i64::MIN, i64::MAX)));
        reals.extend((0..2).map(|_| r.random_sample()));
        reals.extend((0..700).map(|_| r.standard_normal()));
        let mut shuffled: Vec<i64> = (0..11).collect();
        r.shuffle(&mut shuffled);
        whole.extend(shuffled);
        for n in [1, 2, 100, 1000] {
            whole.extend(r.permutation(n).into_iter().map(|i| i as i64));
        }
        reals.push(r.standard_normal());
        assert_eq!(whole, ints(&file, &format!("{}/ints", case.join("/"))), "seed {}", case[1]);
        let expected = floats(&file, &format!("{}/floats", case.join("/")));
        assert_eq!((&reals[..5], &reals[12..14]), (&expected[..5], &expected[12..14]), "uniform, seed {}", case[1]);
        assert_close(&reals, &expected, &format!("seed {}", case[1]));
    }
}

#[test]
fn initialisation_is_the_articles() {
    let bytes = fs::read(ARTICLE).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut expected = Vec::new();
    for layer in 0..5 {
        expected.extend(floats(&file, &format!("step/0/w{layer}")));
        expected.extend(floats(&file, &format!("step/0/b{layer}")));
    }
    let found = article_parameters(&[(2, 25), (25, 50), (50, 50), (50, 25), (25, 1)], 1105);
    assert_close(&found, &expected, "article_parameters");
}

#[test]
fn splits_are_scikit_learns() {
    let bytes = fs::read(DATA).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for case in cases(&file, "split", "train") {
        let name = case.join("/");
        let (rows, fraction) = (case[1].parse().unwrap(), case[2].parse().unwrap());
        let split = train_test_split(rows, fraction, case[3].parse().unwrap()).unwrap();
        assert_eq!(split.train, indices(&file, &format!("{name}/train")), "{name}");
        assert_eq!(split.test, indices(&file, &format!("{name}/test")), "{name}");
    }
}

#[test]
fn split_edges() {
    let none = train_test_split(5, 0.0, 42).unwrap();
    assert_eq!((none.train, none.test), (vec![0, 1, 2, 3, 4], vec![]));
    let message = |rows, fraction| train_test_split(rows, fraction, 0).unwrap_err().to_string();
    for (fraction, shown) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (7.0, "7")] {
        let expected = format!("test_fraction is {shown}: expected a fraction in [0, 1)");
        assert_eq!(message(10, fraction), expected);
    }
    let expected = "test_fraction is 0.5: expected one that leaves training rows, of 1 in all";
    assert_eq!(message(1, 0.5), expected);
    assert!(train_test_split(0, 0.0, 0).is_err());
}

/// `train_test_split(range(n), test_size=…, random_state=…, stratify=classes)` of scikit-learn 1.9, whose shares are drawn
/// by lot where classes have equal remainders.
#[test]
fn stratified_splits_are_scikit_learns() {
    type Rows<'a> = &'a [usize];
    let cases: [(Rows, f64, u32, Rows, Rows); 3] = [
        (&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2], 0.3, 0, &[9, 2, 3, 7, 12, 8, 11, 1, 4], &[5, 10, 0, 6]),
        (&[2, 0, 0, 1, 1, 1, 0, 2, 2, 0, 1], 0.25, 7, &[0, 5, 4, 7, 3, 2, 9, 6], &[8, 10, 1]),
        (&[0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3], 0.4, 3, &[8, 3, 7, 5, 10, 4, 1], &[6, 2, 9, 11, 0]),
    ];
    for (classes, fraction, seed, train, test) in cases {
        let split = stratified_split(classes, fraction, seed).unwrap();
        assert_eq!((&split.train[..], &split.test[..]), (train, test), "{classes:?}");
    }
    // A class of one row, more classes than held-out rows, numbers of classes that do not occur.
    let split = stratified_split(&[5, 0, 5, 0, 9, 0, 5], 0.2, 1).unwrap();
    let mut all = [&split.train[..], &split.test[..]].concat();
    all.sort();
    assert_eq!((all, split.test.len()), ((0..7).collect(), 2));
    assert_eq!(stratified_split(&[1, 0], 0.0, 1).unwrap().train, [0, 1]);
    assert!(stratified_split(&[1, 0], 1.0, 1).is_err());
}
