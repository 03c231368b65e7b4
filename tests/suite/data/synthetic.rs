//! The generated tables against scikit-learn's own, and against the lines of numpy that define the others.

use std::collections::BTreeSet;
use std::fs;

use safetensors::SafeTensors;
use wgpu_mlp::data::{Blobs, BuiltIn, Circles, Moons, Spirals, Table, Xor};
use wgpu_mlp::{Error, Result};

use super::numpy_random::{DATA, assert_close, cases, floats, ints};

/// Compares the table that `make` makes of the settings in a tensor's name with the fixture.
fn assert_equal(kind: &str, make: impl Fn(&[&str]) -> Result<Table>) {
    let bytes = fs::read(DATA).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for case in cases(&file, kind, "x") {
        let name = case.join("/");
        let settings: Vec<&str> = case[1..].iter().map(String::as_str).collect();
        let table = make(&settings).unwrap();
        assert_eq!(table.rows().to_string(), settings[0], "{name}");
        assert_eq!(table.names(), ["x0", "x1", "label"]);
        let (x0, x1) = (table.numbers("x0").unwrap(), table.numbers("x1").unwrap());
        let points: Vec<f64> = x0.iter().zip(x1).flat_map(|(&x0, &x1)| [x0, x1]).collect();
        assert_close(&points, &floats(&file, &format!("{name}/x")), &name);
        let labels: Vec<i64> = table.numbers("label").unwrap().iter().map(|&label| label as i64).collect();
        assert_eq!(labels, ints(&file, &format!("{name}/y")), "{name}");
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().unwrap()
}

#[test]
fn moons_are_scikit_learns() {
    assert_equal("moons", |case| {
        Moons { samples: number(case[0]), noise: number(case[1]), seed: number(case[2]) }.table()
    });
}

#[test]
fn circles_are_scikit_learns() {
    assert_equal("circles", |case| {
        let (samples, factor) = (number(case[0]), number(case[1]));
        Circles { samples, factor, noise: number(case[2]), seed: number(case[3]) }.table()
    });
}

#[test]
fn blobs_are_scikit_learns() {
    assert_equal("blobs", |case| {
        let (samples, centers) = (number(case[0]), number(case[1]));
        Blobs { samples, centers, noise: number(case[2]), seed: number(case[3]) }.table()
    });
}

#[test]
fn spirals_are_numpys() {
    assert_equal("spirals", |case| {
        Spirals { samples: number(case[0]), noise: number(case[1]), seed: number(case[2]) }.table()
    });
}

#[test]
fn xor_is_numpys() {
    assert_equal("xor", |case| Xor { samples: number(case[0]), noise: number(case[1]), seed: number(case[2]) }.table());
}

/// A name stands for the settings of the fixture's first case.
#[test]
fn names_stand_for_generators() {
    let is = |name: &str, table: Table| {
        let set = BuiltIn::named(name).unwrap();
        let named = set.table(60, set.noise, BuiltIn::SEED).unwrap();
        for column in named.names() {
            assert_eq!(named.numbers(&column).unwrap(), table.numbers(&column).unwrap(), "{name}, {column}");
        }
    };
    is("moons", Moons { samples: 60, noise: 0.2, seed: 100 }.table().unwrap());
    is("circles", Circles { samples: 60, factor: 0.5, noise: 0.1, seed: 100 }.table().unwrap());
    is("blobs", Blobs { samples: 60, centers: 2, noise: 2.0, seed: 100 }.table().unwrap());
    is("spirals", Spirals { samples: 60, noise: 0.1, seed: 100 }.table().unwrap());
    is("xor", Xor { samples: 60, noise: 0.1, seed: 100 }.table().unwrap());
    assert!(BuiltIn::named("moon").is_none());
    let names: BTreeSet<_> = BuiltIn::ALL.iter().map(|set| set.name).collect();
    assert_eq!(names.len(), BuiltIn::ALL.len(), "a name stands for one");
}

#[test]
fn bad_settings_are_refused() {
    for set in BuiltIn::ALL {
        let message = |samples, noise| set.table(samples, noise, 0).unwrap_err().to_string();
        assert_eq!(message(0, 0.1), "samples is 0: expected 1 to 100000000");
        assert_eq!(message(10, -0.1), "noise is -0.1: expected a finite number of at least 0");
        assert_eq!(message(10, f64::NAN), "noise is NaN: expected a finite number of at least 0");
        for (samples, noise) in [(usize::MAX, 0.1), (10, f64::INFINITY)] {
            assert!(matches!(set.table(samples, noise, 0), Err(Error::Setting { .. })), "{}", set.name);
        }
        assert!(matches!(set.table(10, f64::MAX, 0), Err(Error::NonFinite { .. })), "{}", set.name);
        assert_eq!(set.table(1, 0.0, 0).unwrap().rows(), 1);
    }
    for factor in [-0.1, 1.0, f64::NAN] {
        let message = Circles { samples: 10, factor, noise: 0.0, seed: 0 }.table().unwrap_err().to_string();
        assert_eq!(message, format!("factor is {factor}: expected a radius in [0, 1)"));
    }
    let message = Blobs { samples: 10, centers: 1, noise: 0.0, seed: 0 }.table().unwrap_err().to_string();
    assert_eq!(message, "centers is 1: expected 2 to 1000000");
}
