//! A foreign network and a table: which of the table's columns are its inputs, and which of the target's values its
//! classes.

use super::foreign::Foreign;
use crate::data::{Cells, Table, Task, class_labels};
use crate::error::{Error, Result, flag_word, list, set};
use crate::math::TargetDomain;
use crate::model::Model;

/// Most labels that a message lists.
const MOST_LISTED: usize = 8;

impl Foreign {
    /// The model, with an encoder of a table's columns, and notes of what was assumed. Inputs that the file names are the
    /// columns of these names; else all columns but the target are, in their order. Classes are those that the file names
    /// and the target holds; where it names none, or numbers from 0 that the target does not hold, they are the target's
    /// values in order, as scikit-learn sorts them.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] for inputs and a target that the table has not, [`Error::UnfitTarget`] for a target that
    /// the network cannot predict, [`Error::ForeignModel`] for columns of texts, for classes that do not belong together,
    /// and as [`with_columns`](Self::with_columns).
    pub fn with_table(mut self, table: &Table, target: &str) -> Result<(Model, Vec<String>)> {
        let mut notes = std::mem::take(&mut self.notes);
        let all = table.names();
        let features = match &self.features {
            None => all.iter().filter(|name| *name != target).cloned().collect(),
            Some(named) => {
                let missing: Vec<_> =
                    named.iter().filter(|&name| name == target || !all.contains(name)).cloned().collect();
                if !missing.is_empty() {
                    let path = table.source().into();
                    return Err(Error::MissingColumns { path, columns: missing, available: all });
                }
                named.clone()
            }
        };
        let is_text = |name: &&String| matches!(table.column(name), Ok(Cells::Text(_)));
        let texts: Vec<_> = features.iter().filter(is_text).cloned().collect();
        if !texts.is_empty() {
            let flag: Vec<_> = texts.iter().map(|name| flag_word(name)).collect();
            let (table, flag) = (table.source().display(), flag.join(","));
            let problem = format!(
                "its inputs are numbers, and {table} has texts in {}: {} leaves them out",
                list(&texts),
                set("ignore", &flag)
            );
            return Err(self.refused(problem));
        }
        if self.spec.target_columns() == 1 {
            self.match_target(table, target, &mut notes)?;
        }
        let mut model = self.with_columns(features, target.into())?;
        model.encoder = model.encoder.map(|encoder| encoder.with_forms(table));
        Ok((model, notes))
    }

    /// Whether the target is one for this network, with the classes that it has.
    fn match_target(&mut self, table: &Table, target: &str, notes: &mut Vec<String>) -> Result<()> {
        let found: Vec<String> = table.column(target)?.to_texts().labels().to_vec();
        let fitted = || class_labels(table, target, Some(self.task()));
        let Some(classes) = self.classes.clone().filter(|_| self.task() != Task::Regression) else {
            self.classes = fitted()?;
            return Ok(());
        };
        // The labels as they compare in later tables.
        let known = self.clone().with_columns(self.anonymous(), target.into())?;
        let is_known = |label: &String| known.encoder.as_ref().is_some_and(|of| of.class_number(label).is_some());
        if found.iter().all(is_known) {
            return Ok(());
        }
        let in_order = fitted().map(Option::unwrap_or_default);
        let own = match (matched(&classes, &found), in_order) {
            (Some(own), _) => own,
            (None, Ok(own)) if is_counted(&classes) && own.len() == classes.len() => own,
            (None, Err(problem)) if is_counted(&classes) => return Err(problem),
            (None, _) => {
                let (source, other) = (table.source().display(), found.iter().filter(|label| !is_known(label)));
                let other: Vec<_> = other.take(MOST_LISTED).cloned().collect();
                let mut listed = classes;
                listed.truncate(MOST_LISTED);
                let problem = format!(
                    "its classes are {}, and target `{target}` of {source} has {}: expected its labels, or as many \
                    others if its labels are 0, 1, …",
                    list(&listed),
                    list(&other)
                );
                return Err(self.refused(problem));
            }
        };
        let pairs: Vec<_> = classes.iter().zip(&own).map(|(file, own)| format!("{file} is `{own}`")).collect();
        let more = pairs.len().saturating_sub(MOST_LISTED);
        let end = if more > 0 { format!(" and {more} more") } else { String::new() };
        let pairs = pairs[..pairs.len() - more].join(", ");
        notes.push(format!("its classes are those of target `{target}`, in order: {pairs}{end}"));
        self.classes = Some(own);
        Ok(())
    }

    /// What a network with one target does.
    fn task(&self) -> Task {
        match self.spec.loss().domain() {
            TargetDomain::Probability => Task::Binary,
            TargetDomain::Class => Task::Multiclass,
            TargetDomain::Real | TargetDomain::NonNegative => Task::Regression,
        }
    }

    /// Names for the inputs.
    fn anonymous(&self) -> Vec<String> {
        (0..self.spec.inputs()).map(|input| format!("input {input}")).collect()
    }
}

/// Whether labels are 0, 1, …, as of a file that knows no others.
fn is_counted(classes: &[String]) -> bool {
    classes.iter().enumerate().all(|(number, label)| *label == number.to_string())
}

/// The table's labels in the order of the file's, where both are a yes and a no.
fn matched(file: &[String], table: &[String]) -> Option<Vec<String>> {
    let [first, second] = file else { return None };
    let [one, other] = table else { return None };
    let order = [first, second].map(|label| truth(label));
    match [one, other].map(|label| truth(label)) {
        found if found == order && found[0]? != found[1]? => Some(vec![one.clone(), other.clone()]),
        [a, b] if [b, a] == order && a? != b? => Some(vec![other.clone(), one.clone()]),
        _ => None,
    }
}

/// What a label of a yes-or-no question says.
fn truth(label: &str) -> Option<bool> {
    match label.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
        _ => None,
    }
}
