//! What a sweep varies, and the trials that it makes of that.

use std::collections::HashSet;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};
use serde::Serialize;

use super::axis::{Axis, Values};
use super::settings::as_map;
use crate::error::{Error, Result, set, shorten};

/// Most trials of a sweep.
const MOST: u64 = 100_000;
/// Draws in a row that were all drawn before, after which the space counts as used up.
const REPEATED: usize = 10_000;

/// The settings that a sweep varies, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Space(Vec<Axis>);

/// One set of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trial {
    /// Its number, counted from 1.
    pub number: usize,
    /// What it sets: the name and the value as text, in the order of the space.
    #[serde(serialize_with = "as_map")]
    pub settings: Vec<(String, String)>,
}

impl Space {
    /// A space of these settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for no settings and for one that is there twice.
    pub fn new(axes: Vec<Axis>) -> Result<Self> {
        let refused = |found, expected: &str| Err(Error::Setting { what: "vary", found, expected: expected.into() });
        if axes.is_empty() {
            return refused("not given".into(), "at least one setting with its values, as in lr=1e-4..1e-1:log");
        }
        match (1..axes.len()).find(|&at| axes[..at].iter().any(|axis| axis.name == axes[at].name)) {
            Some(at) => refused(format!("`{}` twice", shorten(&axes[at].name)), "each setting once"),
            None => Ok(Self(axes)),
        }
    }

    /// The settings.
    #[must_use]
    pub fn axes(&self) -> &[Axis] {
        &self.0
    }

    /// Number of different trials; none where a range has fractions, or for more than 2⁶⁴.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.0.iter().try_fold(1_u64, |product, axis| product.checked_mul(axis.len()?))
    }

    /// Every combination of values, the last setting's changing fastest.
    ///
    /// # Errors
    /// [`Error::Setting`] for a range, which has no grid, and for more than 100,000 trials.
    pub fn grid(&self) -> Result<Vec<Trial>> {
        let refused = |found, expected| Err(Error::Setting { what: "vary", found, expected });
        let (lists, mut number) = (self.0.iter().map(|axis| (axis, list(&axis.values))), 1_u64);
        let mut all = Vec::new();
        for (axis, values) in lists {
            let Some(values) = values else {
                let found = format!("`{}` with a range", shorten(&axis.name));
                return refused(
                    found,
                    format!("{}, since a range has no grid; or a list of values", set("trials", "N")),
                );
            };
            number = number.saturating_mul(values.len() as u64);
            all.push((axis.name.clone(), values));
        }
        if number > MOST {
            let found = format!("a grid of {number} trials");
            return refused(found, format!("at most {MOST}, or {} for as many random ones", set("trials", "N")));
        }
        let trial = |at: u64| {
            let mut rest = at;
            let mut settings: Vec<(String, String)> = Vec::with_capacity(all.len());
            for (name, values) in all.iter().rev() {
                settings.push((name.clone(), values[(rest % values.len() as u64) as usize].clone()));
                rest /= values.len() as u64;
            }
            settings.reverse();
            Trial { number: at as usize + 1, settings }
        };
        Ok((0..number).map(trial).collect())
    }

    /// So many different trials, each value drawn from its list or range. The first ones are the same for any number of trials. A
    /// space that has fewer gives all that it has.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 trials and for more than 100,000.
    pub fn draw(&self, trials: u64, seed: u64) -> Result<Vec<Trial>> {
        if !(1..=MOST).contains(&trials) {
            let (what, found) = ("trials", trials.to_string());
            return Err(Error::Setting { what, found, expected: format!("a number from 1 to {MOST}") });
        }
        let most = self.size().map_or(trials, |size| size.min(trials)) as usize;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut seen, mut all, mut repeated) = (HashSet::new(), Vec::with_capacity(most), 0);
        while all.len() < most && repeated < REPEATED {
            let value = |axis: &Axis| match &axis.values {
                Values::List(values) => {
                    let index = Uniform::new(0, values.len()).map_or(0, |uniform| uniform.sample(&mut random));
                    values[index].clone()
                }
                Values::Range(range) => range.draw(&mut random),
            };
            let values: Vec<String> = self.0.iter().map(value).collect();
            if !seen.insert(values.clone()) {
                repeated += 1;
                continue;
            }
            repeated = 0;
            let settings = self.0.iter().map(|axis| axis.name.clone()).zip(values).collect();
            all.push(Trial { number: all.len() + 1, settings });
        }
        Ok(all)
    }
}

fn list(values: &Values) -> Option<&[String]> {
    if let Values::List(values) = values { Some(values) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(axes: &[(&str, &str)]) -> Space {
        Space::new(axes.iter().map(|(name, text)| Axis::parse(*name, text, *name == "hidden").unwrap()).collect())
            .unwrap()
    }

    fn values(trials: &[Trial]) -> Vec<Vec<&str>> {
        trials.iter().map(|trial| trial.settings.iter().map(|(_, value)| value.as_str()).collect()).collect()
    }

    #[test]
    fn a_grid_is_the_product_of_lists() {
        let trials = space(&[("lr", "0.1,0.01"), ("hidden", "8;4,4;none")]).grid().unwrap();
        let expected =
            [["0.1", "8"], ["0.1", "4,4"], ["0.1", "none"], ["0.01", "8"], ["0.01", "4,4"], ["0.01", "none"]];
        assert_eq!(values(&trials), expected);
        assert_eq!(trials.iter().map(|trial| trial.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        let error = space(&[("lr", "1e-4..1:log")]).grid().unwrap_err().to_string();
        assert!(error.contains("trials = N"), "{error}");
        let many: Vec<String> = (0..400).map(|i| i.to_string()).collect();
        let many = many.join(";");
        let error = space(&[("a", &many), ("b", &many)]).grid().unwrap_err().to_string();
        assert!(error.contains("160000 trials"), "{error}");
    }

    #[test]
    fn draws_are_of_their_ranges_and_repeat() {
        let space =
            space(&[("lr", "1e-4..1e-1:log"), ("batch", "16..64"), ("units", "1..8:log"), ("rule", "sgd;adam")]);
        let trials = space.draw(400, 7).unwrap();
        assert_eq!(trials, space.draw(400, 7).unwrap());
        assert_eq!(trials[..50], space.draw(50, 7).unwrap());
        assert_ne!(trials, space.draw(400, 8).unwrap());
        let numbers =
            |at: usize| trials.iter().map(|trial| trial.settings[at].1.parse::<f64>().unwrap()).collect::<Vec<_>>();
        let rates = numbers(0);
        assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate)));
        // Of three decades each has about a third: 133 with a standard deviation of 9.4.
        for decade in [1e-4, 1e-3, 1e-2] {
            let inside = rates.iter().filter(|&&rate| rate >= decade && rate < 10.0 * decade).count();
            assert!((95..=172).contains(&inside), "{inside} from {decade}");
        }
        for (at, ends) in [(1, 16.0..=64.0), (2, 1.0..=8.0)] {
            let all = numbers(at);
            assert!(all.iter().all(|value| value.fract() == 0.0 && ends.contains(value)));
            assert!([ends.start(), ends.end()].iter().all(|end| all.contains(end)), "both ends are drawn");
        }
        // 1 has log 2 / log 9 of the draws, 8 only log (9 / 8) / log 9: 126 and 21 of 400.
        let ones = numbers(2).iter().filter(|&&value| value == 1.0).count();
        assert!((85..=168).contains(&ones), "{ones}");
        assert!(trials.iter().all(|trial| ["sgd", "adam"].contains(&trial.settings[3].1.as_str())));
    }

    #[test]
    fn no_trial_is_drawn_twice() {
        let space = space(&[("a", "1..3"), ("b", "x;y")]);
        assert_eq!(space.size(), Some(6));
        let trials = space.draw(100, 0).unwrap();
        let mut found = values(&trials);
        found.sort();
        assert_eq!(found, [["1", "x"], ["1", "y"], ["2", "x"], ["2", "y"], ["3", "x"], ["3", "y"]]);
        assert!(space.draw(0, 0).is_err() && space.draw(MOST + 1, 0).is_err());
        assert!(Space::new(Vec::new()).is_err());
        let twice = [Axis::parse("a", "1;2", false).unwrap(), Axis::parse("a", "3;4", false).unwrap()];
        assert!(Space::new(twice.to_vec()).unwrap_err().to_string().contains("`a` twice"));
    }
}
