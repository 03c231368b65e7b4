//! Metrics of rows that have one class each.

use serde::Serialize;

use super::ranking::roc_auc;
use super::{Counts, Score, average, check_columns, check_probability, check_table, count_rows};
use crate::error::{Error, Result};
use crate::math::predicted_class;
use crate::parallel::prelude::*;

/// Most classes that have a confusion matrix: its size is their square.
const MOST_CONFUSED: usize = 1000;

/// Metrics of predicted classes and their probabilities. The predicted class of a row is the most probable one, the
/// first if several are equal: `numpy.argmax`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Classification {
    /// Fraction of the rows whose class is predicted: `accuracy_score`.
    pub accuracy: f64,
    /// Mean of the recalls of the classes that occur in the truth: `balanced_accuracy_score`.
    pub balanced_accuracy: f64,
    /// Mean of -log p of the true class, in nats, with p kept 2⁻⁵² away from 0 and 1: `log_loss`.
    pub log_loss: f64,
    /// Area under the ROC curve, of class 1 where there are two, else the mean over the classes, each against the
    /// rest: `roc_auc_score(multi_class="ovr", average="macro")`. `None` where a class has no row, or all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// The top-k accuracy, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<TopK>,
    /// Mean over the classes that occur in the truth or are predicted: `average="macro"`.
    pub macro_average: Score,
    /// Mean over the rows, each with the score of its true class: `average="weighted"`.
    pub weighted_average: Score,
    /// The score of each class.
    pub classes: Vec<ClassScore>,
    /// Numbers of rows by \[true class\]\[predicted class\]: `confusion_matrix`. For up to 1000 classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
}

/// The score of a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassScore {
    /// Its label: its index from 0, unless [`Classification::with_labels`] has set another.
    pub label: String,
    /// Its scores.
    #[serde(flatten)]
    pub score: Score,
}

/// A top-k accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TopK {
    /// How many classes may be guessed.
    pub k: usize,
    /// Fraction of the rows with the true class among their k most probable: `top_k_accuracy_score`. Of equally
    /// probable classes the last come first, so with ties the value for k = 1 is not the accuracy.
    pub accuracy: f64,
}

impl Classification {
    /// From `probabilities` [rows, classes] by rows, each row with a sum of 1, and the true class of each row,
    /// counted from 0. `top_k` asks for a top-k accuracy.
    ///
    /// # Errors
    /// [`Error::Shape`] for no rows and for another number of probabilities; [`Error::Setting`] for fewer than 2
    /// classes and a k outside 1 to classes - 1; [`Error::UnfitValue`] for a probability outside 0 to 1 or NaN and for
    /// a true class that does not exist.
    pub fn new(probabilities: &[f64], classes: usize, truth: &[usize], top_k: Option<usize>) -> Result<Self> {
        check_columns("the number of classes", classes, 2)?;
        if let Some(k) = top_k.filter(|k| !(1..classes).contains(k)) {
            let expected = format!("1 to {}, fewer than the {classes} classes", classes - 1);
            return Err(Error::Setting { what: "the k of top-k accuracy", found: k.to_string(), expected });
        }
        Self::judge(Probabilities { values: probabilities, classes, columns: classes }, truth, top_k)
    }

    /// From the probability of class 1 of 2 in each row. Class 1 is predicted above one half.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::UnfitValue`] as for [`Self::new`].
    pub fn binary(probabilities: &[f64], truth: &[usize]) -> Result<Self> {
        Self::judge(Probabilities { values: probabilities, classes: 2, columns: 1 }, truth, None)
    }

    /// The score of the positive class, which is class 1 of 2: `average="binary"`.
    pub fn positive(&self) -> Option<&Score> {
        self.classes.get(1).filter(|_| self.classes.len() == 2).map(|class| &class.score)
    }

    /// Names the classes, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of labels than classes.
    pub fn with_labels(mut self, labels: &[String]) -> Result<Self> {
        if labels.len() != self.classes.len() {
            let (what, expected) =
                ("the list of labels".into(), format!("one for each of {} classes", self.classes.len()));
            return Err(Error::Shape { what, found: labels.len(), expected });
        }
        self.classes.iter_mut().zip(labels).for_each(|(class, label)| class.label.clone_from(label));
        Ok(self)
    }

    fn judge(table: Probabilities, truth: &[usize], top_k: Option<usize>) -> Result<Self> {
        let (rows, classes) = (count_rows(truth.len(), 1)?, table.classes);
        check_table(table.values.len(), rows, table.columns)?;
        let mut counts = vec![Counts::default(); classes];
        let mut confusion = (classes <= MOST_CONFUSED).then(|| vec![vec![0u64; classes]; classes]);
        let (mut log_loss, mut in_top) = (0.0, 0u64);
        for (row, &actual) in truth.iter().enumerate() {
            if actual >= classes {
                let (what, expected) = ("the true class".into(), format!("0 to {}", classes - 1));
                return Err(Error::UnfitValue { row, what, found: actual.to_string(), expected });
            }
            let predicted = table.predicted(row)?;
            counts[actual].support += 1;
            counts[actual].true_positives += u64::from(predicted == actual);
            counts[predicted].predicted += 1;
            if let Some(confusion) = &mut confusion {
                confusion[actual][predicted] += 1;
            }
            log_loss -= table.get(row, actual).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
            in_top += u64::from(top_k.is_some_and(|k| table.more_probable(row, actual) < k));
        }
        let scores: Vec<_> = counts.iter().map(|count| count.score()).collect();
        let occurring = || scores.iter().filter(|score| score.support > 0);
        let label = |(class, score): (usize, Score)| ClassScore { label: class.to_string(), score };
        let share = |count: u64| count as f64 / rows as f64;
        Ok(Self {
            accuracy: share(counts.iter().map(|count| count.true_positives).sum()),
            balanced_accuracy: occurring().map(|score| score.recall).sum::<f64>() / occurring().count() as f64,
            log_loss: log_loss / rows as f64,
            // Without it, one class that does not occur would let all others be sorted for nothing.
            roc_auc: if occurring().count() == classes { table.roc_auc(truth) } else { None },
            top_k: top_k.map(|k| TopK { k, accuracy: share(in_top) }),
            macro_average: average(&counts, |count| u64::from(count.support + count.predicted > 0)),
            weighted_average: average(&counts, |count| count.support),
            classes: (0..).zip(scores).map(label).collect(),
            confusion,
        })
    }
}

/// Probabilities [rows, columns]: a column for each class, or of two classes the second's alone.
#[derive(Clone, Copy)]
struct Probabilities<'a> {
    values: &'a [f64],
    classes: usize,
    columns: usize,
}

impl Probabilities<'_> {
    fn get(&self, row: usize, class: usize) -> f64 {
        match (self.columns, class) {
            (1, 0) => 1.0 - self.values[row],
            (1, _) => self.values[row],
            _ => self.values[row * self.columns + class],
        }
    }

    /// The first of the most probable classes. Refuses a number outside [0, 1].
    fn predicted(&self, row: usize) -> Result<usize> {
        for column in 0..self.columns {
            let class = self.classes - self.columns + column;
            check_probability(row, "class", class, self.get(row, class))?;
        }
        Ok(predicted_class(&self.values[row * self.columns..][..self.columns]))
    }

    /// How many classes come before this one when they are put in order, the most probable and of equals the last
    /// first.
    fn more_probable(&self, row: usize, class: usize) -> usize {
        let own = self.get(row, class);
        let before = |&other: &usize| {
            let p = self.get(row, other);
            p > own || (p == own && other > class)
        };
        (0..self.classes).filter(before).count()
    }

    /// The area under the ROC curve of class 1 of 2, or the mean of every class's.
    fn roc_auc(&self, truth: &[usize]) -> Option<f64> {
        let of =
            |class| roc_auc(truth.iter().enumerate().map(|(row, &actual)| (self.get(row, class), actual == class)));
        if self.classes == 2 {
            return of(1);
        }
        // In order into a list: the sum must not depend on the number of threads.
        let areas: Vec<_> = (0..self.classes).into_par_iter().map(of).collect();
        Some(areas.into_iter().sum::<Option<f64>>()? / self.classes as f64)
    }
}
