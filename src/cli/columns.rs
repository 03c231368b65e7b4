//! `--features`, `--ignore`, `--categorical`: which columns of a table are features, and which of them categories.

use std::path::Path;

use crate::data::ReadAs;
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub struct ColumnArgs {
    /// Columns that are features [default: all but the target and the weights]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    features: Vec<String>,
    /// Columns that are no features
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Columns whose values are categories although they look like numbers
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    categorical: Vec<String>,
}

impl ColumnArgs {
    /// Refuses flags where there is no table that they could be about.
    pub fn expect_none(&self) -> Result<()> {
        let all = [("--features", &self.features), ("--ignore", &self.ignore), ("--categorical", &self.categorical)];
        match all.into_iter().find(|(_, list)| !list.is_empty()) {
            Some((what, list)) => {
                let expected = "to stand with a table".into();
                Err(Error::Setting { what, found: format!("`{}`", list.join(",")), expected })
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
        let named = [&self.features, &self.ignore, &self.categorical].into_iter().flatten();
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
        for (what, list) in [("--features", &self.features), ("--ignore", &self.ignore)] {
            let other = target.into_iter().chain(weight).find(|name| is_in(list, name));
            if let Some(name) =
                other.or(self.ignore.iter().map(String::as_str).find(|name| is_in(&self.features, name)))
            {
                let expected = "columns that are neither the target nor the weights, nor both used and ignored".into();
                return Err(Error::Setting { what, found: format!("`{name}`"), expected });
            }
        }
        let kind = |name: &String| {
            if is_in(&self.categorical, name) {
                ReadAs::Text
            } else if Some(name.as_str()) == weight {
                ReadAs::Number
            } else if is_in(&self.ignore, name)
                || !(self.features.is_empty() || is_in(&self.features, name) || Some(name.as_str()) == target)
            {
                ReadAs::Skip
            } else {
                ReadAs::Infer
            }
        };
        Ok(names.iter().map(kind).collect())
    }
}
