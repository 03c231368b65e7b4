//! `--features`, `--ignore`, `--categorical`, `--numeric`: which columns of a table are features, and which of them categories. An
//! array's name, `x`, stands for all of its columns, `x0`, `x1`, …

use std::collections::HashSet;
use std::path::Path;

use super::list::List;
use crate::data::{ReadAs, Strays};
use crate::error::{Error, Result, shorten};

#[derive(Debug, clap::Args)]
pub struct ColumnArgs {
    /// Columns to use as features. Quote a name with a comma, here and below: '"a, b",c' [default: all but the target
    /// and the sample weights]
    #[arg(long, value_name = "COLUMN,…")]
    features: Vec<List>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,…")]
    ignore: Vec<List>,
    /// Columns of categories, even if they look like numbers
    #[arg(long, value_name = "COLUMN,…")]
    categorical: Vec<List>,
    /// Columns of numbers, whatever else is in them: other texts count as missing
    #[arg(long, value_name = "COLUMN,…")]
    numeric: Vec<List>,
}

impl ColumnArgs {
    /// Whether `--features` names a column.
    pub fn names(&self, column: &str) -> bool {
        List::texts(&self.features).contains(&column)
    }

    /// The columns of a table that `--numeric` names.
    pub fn numeric(&self, names: &[String]) -> Vec<String> {
        expanded(&List::columns(&self.numeric, names), names)
    }

    /// Refuses these flags without a table.
    pub fn expect_none(&self) -> Result<()> {
        let all = [
            ("--features", &self.features),
            ("--ignore", &self.ignore),
            ("--categorical", &self.categorical),
            ("--numeric", &self.numeric),
        ];
        match all.into_iter().find(|(_, lists)| !lists.is_empty()) {
            Some((what, lists)) => {
                let found = format!("`{}`", shorten(&List::texts(lists).join(",")));
                Err(Error::Setting { what, found, expected: "a table beside it".into() })
            }
            None => Ok(()),
        }
    }

    /// As what each column of these names is read.
    pub fn kinds(
        &self,
        path: &Path,
        names: &[String],
        target: Option<&str>,
        weight: Option<&str>,
    ) -> Result<Vec<ReadAs>> {
        let lists = [&self.features, &self.ignore, &self.categorical, &self.numeric];
        let [features, ignore, categorical, numeric] = lists.map(|lists| expanded(&List::columns(lists, names), names));
        let named = [&features, &ignore, &categorical, &numeric].into_iter().flatten();
        let named = named.map(String::as_str).chain(target).chain(weight);
        let mut missing: Vec<String> = Vec::new();
        for name in named.filter(|&name| !names.iter().any(|known| known == name)) {
            if !missing.iter().any(|known| known == name) {
                missing.push(name.into());
            }
        }
        if !missing.is_empty() {
            return Err(Error::MissingColumns { path: path.into(), columns: missing, available: names.to_vec() });
        }
        let is_in = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
        for (what, list) in [("--features", &features), ("--ignore", &ignore)] {
            let other = target.into_iter().chain(weight).find(|name| is_in(list, name));
            if let Some(name) = other.or(ignore.iter().map(String::as_str).find(|name| is_in(&features, name))) {
                let expected = "columns that are not the target, not the sample weights, and not both used and \
                ignored"
                    .into();
                return Err(Error::Setting { what, found: format!("`{}`", shorten(name)), expected });
            }
        }
        if let Some(name) = numeric.iter().find(|name| is_in(&categorical, name)) {
            let expected = "columns that are not also --categorical".into();
            return Err(Error::Setting { what: "--numeric", found: format!("`{name}`"), expected });
        }
        let kind = |name: &String| {
            if is_in(&categorical, name) {
                ReadAs::Text
            } else if Some(name.as_str()) == weight {
                ReadAs::Number(Strays::Refused)
            } else if is_in(&ignore, name)
                || !(features.is_empty() || is_in(&features, name) || Some(name.as_str()) == target)
            {
                ReadAs::Skip
            } else if Some(name.as_str()) == target {
                if is_in(&numeric, name) { ReadAs::Number(Strays::Refused) } else { ReadAs::Target }
            } else if is_in(&numeric, name) {
                ReadAs::Number(Strays::Expected)
            } else if is_in(&features, name) {
                ReadAs::Named
            } else {
                ReadAs::Infer
            }
        };
        Ok(names.iter().map(kind).collect())
    }
}

/// The list with each name that is not a column's, but but has columns numbered from 0 on, replaced by those: of `x` by
/// `x0`, `x1`, …, of `x1` by `x1_0`, `x1_1`, …
fn expanded(list: &[String], names: &[String]) -> Vec<String> {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut all = Vec::with_capacity(list.len());
    for name in list {
        let numbered = |between: &str| -> Vec<String> {
            let columns = (0..names.len()).map(|at| format!("{name}{between}{at}"));
            columns.take_while(|column| known.contains(column.as_str())).collect()
        };
        let of_name = if known.contains(name.as_str()) || name.is_empty() { Vec::new() } else { numbered("") };
        let of_name = if of_name.len() > 1 || known.contains(name.as_str()) { of_name } else { numbered("_") };
        if of_name.len() > 1 { all.extend(of_name) } else { all.push(name.clone()) }
    }
    all
}
