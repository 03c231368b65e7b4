//! Columns that say how rows are split: what came first, what belongs together. In: a [`Table`]. Out: row numbers, numbers of
//! groups.

use std::collections::HashMap;

use crate::data::cell::parse_number;
use crate::data::column::{Cells, Dates};
use crate::data::date;
use crate::data::table::Table;
use crate::error::{Error, Result, shorten};

impl Table {
    /// The rows from the earliest to the latest by a column of numbers, or of dates as ISO 8601 writes them; equal ones stay in
    /// the table's order.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where there is no such column, [`Error::MissingCell`] for a cell that is missing,
    /// [`Error::Setting`] for a text that is no time, or a number among dates.
    pub fn rows_by_time(&self, name: &str) -> Result<Vec<usize>> {
        let times: Vec<f64> = match self.whole_column(name)? {
            Cells::Number(values) | Cells::Date(Dates { seconds: values, .. }) => values.clone(),
            Cells::Text(texts) => {
                let all = |parse: fn(&str) -> Option<f64>| texts.labels().iter().map(|label| parse(label)).collect();
                let dates: Vec<_> = all(|label| date::parse(label).map(|(seconds, _)| seconds));
                let is_date = dates.iter().any(Option::is_some);
                let of_labels = if is_date { dates } else { all(parse_number) };
                let time = |row| texts.code(row).and_then(|code| of_labels[code]);
                let refused = |row| Error::Setting {
                    what: "the column of times",
                    found: format!(
                        "`{}`, which has `{}` in {} of {}",
                        shorten(name),
                        texts.get(row).map(shorten).unwrap_or_default(),
                        self.place(row),
                        self.source().display()
                    ),
                    expected: match is_date {
                        true => "dates in every row, as 2024-06-19 or 2024-06-19T15:22:45".into(),
                        false => "numbers, or dates as 2024-06-19 or 2024-06-19T15:22:45".into(),
                    },
                };
                (0..texts.len()).map(|row| time(row).ok_or_else(|| refused(row))).collect::<Result<_>>()?
            }
        };
        let mut rows: Vec<usize> = (0..times.len()).collect();
        rows.sort_by(|&a, &b| (times[a] + 0.0).total_cmp(&(times[b] + 0.0))); // −0 is 0
        Ok(rows)
    }

    /// The group of every row, counted from 0 in the order of their first rows: rows with equal cells are of one group.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where there is no such column, [`Error::MissingCell`] for a cell that is missing.
    pub fn groups(&self, name: &str) -> Result<Vec<usize>> {
        Ok(match self.whole_column(name)? {
            Cells::Text(texts) => (0..texts.len()).filter_map(|row| texts.code(row)).collect(),
            Cells::Number(values) | Cells::Date(Dates { seconds: values, .. }) => {
                let mut known = HashMap::new();
                let mut group = |value: &f64| {
                    let next = known.len();
                    *known.entry((value + 0.0).to_bits()).or_insert(next)
                };
                values.iter().map(&mut group).collect()
            }
        })
    }

    /// The cells of a column none of which is missing.
    fn whole_column(&self, name: &str) -> Result<&Cells> {
        let cells = self.column(name)?;
        match (0..cells.len()).find(|&row| cells.is_missing(row)) {
            Some(row) => Err(self.missing(name, row)),
            None => Ok(cells),
        }
    }
}
