//! What was decided while an encoder was fitted, and what its later tables may not do. In: an [`Encoder`] and its training rows. Out:
//! [`Notes`].

use std::path::Path;

use crate::data::column::{Categorical, Cells, Column};
use crate::data::encoder::Encoder;
use crate::data::encoder::category::{Alike, Categories, Index, least};
use crate::data::encoder::feature::FeatureKind;
use crate::data::encoder::left_out::{LeftOut, Why};
use crate::data::encoder::target::ClassIndex;
use crate::data::infer::counts;
use crate::data::note::{Note, NoteKind, Notes};
use crate::data::table::Table;
use crate::error::{Error, Result, set, shorten};

/// Spellings that a note has.
const EXAMPLES: usize = 4;

impl Encoder {
    /// What was decided about the columns of the table that it was fitted on, whose training rows are `rows`: which are
    /// left out, how many rows hold rare categories, and which spellings were taken as one.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] for another table.
    pub fn notes(&self, table: &Table, rows: &[usize]) -> Result<Notes> {
        let mut notes = Notes::default();
        for left in &self.left_out {
            notes.push(self.left(left, table.column_of(&left.name)?, rows.len()));
        }
        for feature in &self.features {
            if table.column_of(&feature.name)?.identifies_rows() {
                notes.push(Note::column(NoteKind::Identifier, &feature.name));
            }
            let FeatureKind::Category { categories, other, rare, target_means, .. } = &feature.kind else { continue };
            notes.extend(target_means.first().map(|mean| {
                let categories = format!("{} categories", crate::error::count(mean.means.len() as u64));
                Note::column(NoteKind::TargetMean, &feature.name).detail(categories)
            }));
            let known = Categories::new(categories, rare.as_deref(), *other);
            let texts = table.column_of(&feature.name)?.to_texts();
            let mut of_rows = vec![0; texts.labels().len()];
            rows.iter().filter_map(|&row| texts.code(row)).for_each(|code| of_rows[code] += 1);
            let label = |place: usize| categories.get(place).cloned();
            notes.extend(spellings(&feature.name, &texts, &of_rows, &known.index, &label));
            let own = |label: &str| known.index.place(label).is_some_and(|place| place < categories.len());
            let others: Vec<usize> = (0..of_rows.len()).filter(|&code| !own(&texts.labels()[code])).collect();
            let count: usize = others.iter().map(|&code| of_rows[code]).sum();
            let kinds = others.iter().filter(|&&code| of_rows[code] > 0).count();
            if count > 0 {
                let plural = if kinds == 1 { "category" } else { "categories" };
                let note = Note::column(NoteKind::Rare, &feature.name).count(count, rows.len(), Vec::new());
                notes.push(note.detail(format!("{kinds} {plural}")));
            }
        }
        if let Some(classes) = self.classes() {
            let column = table.column_of(&self.target.name)?;
            if let Cells::Text(texts) = &column.cells {
                let ClassIndex(index) = ClassIndex::new(classes);
                let label = |place: usize| classes.get(place).cloned();
                notes.extend(spellings(&self.target.name, texts, &counts(texts), &index, &label));
            }
        }
        Ok(notes)
    }

    fn left(&self, left: &LeftOut, column: &Column, rows: usize) -> Note {
        let kept = self.features.iter().any(|feature| feature.name == left.name);
        let mut details = Vec::new();
        let note = match &left.why {
            Why::Constant { value } => {
                if value.is_none() {
                    details.push("all cells are missing".to_string());
                }
                if matches!(&column.exact, Some(texts) if texts.labels().len() > 1) {
                    details.push(format!("as a number; {} tells them apart", set("categorical", &shorten(&left.name))));
                }
                Note::column(NoteKind::Constant, &left.name).count(0, 0, value.iter().cloned().collect())
            }
            Why::Rare { categories } => {
                details.push(format!("{categories} categories, none in {} of {rows} rows", least(rows)));
                Note::column(NoteKind::AllRare, &left.name)
            }
        };
        if kept {
            details.push("except for the input that says where it is missing".into());
        }
        note.detail(details.join(", "))
    }
}

/// The note of texts that were taken for another text's category; `of` are their numbers of cells.
fn spellings(
    name: &str,
    texts: &Categorical,
    of: &[usize],
    index: &Index<'_>,
    label: &dyn Fn(usize) -> Option<String>,
) -> Option<Note> {
    let mut examples: Vec<String> = Vec::new();
    let mut cells = 0;
    for (text, &count) in texts.labels().iter().zip(of).filter(|(_, count)| **count > 0) {
        if let Some((place, false)) = index.find(text) {
            cells += count;
            let both = label(place).into_iter().chain([text.clone()]);
            for example in both {
                if examples.len() < EXAMPLES && !examples.contains(&example) {
                    examples.push(example);
                }
            }
        }
    }
    let kind = if index.alike == Alike::Pair { NoteKind::Booleans } else { NoteKind::WholeNumbers };
    (cells > 0).then(|| Note::column(kind, name).count(cells, of.iter().sum(), examples))
}

impl Notes {
    /// Refuses categories that the model has not seen.
    ///
    /// # Errors
    /// [`Error::UnseenCategory`] with the first note of such ones.
    pub fn refuse_unseen(&self, path: &Path) -> Result<()> {
        let Some(note) = self.all().iter().find(|note| note.kind == NoteKind::Unseen) else { return Ok(()) };
        let category = note.examples.first().map(|category| shorten(category)).unwrap_or_default();
        let place = note.place.map_or_else(String::new, |place| format!("{place}, "));
        let column = note.column.clone().unwrap_or_default();
        Err(Error::UnseenCategory { path: path.into(), place, column, category, count: note.count })
    }
}
