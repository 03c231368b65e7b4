//! What becomes of columns as people have them: constant ones, rare and unseen categories, spellings, dates, long numbers.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;
use wgpu_mlp::data::{
    Cells, Column, Dates, Description, Encoder, FeatureKind, LeftOut, NoteKind, Notes, ReadAs, Reading, Scaling, Table,
    TargetKind, Task, Values, Why, class_labels, class_numbers,
};

use wgpu_mlp::Model;
use wgpu_mlp::exchange::{self, Assumed, save_onnx};
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::{Layer, MlpSpec};

use crate::data::encoder::table;

fn fit(table: &Table) -> Encoder {
    fit_as(table, None)
}

/// Fitted on all rows, target `y`.
fn fit_as(table: &Table, task: Option<Task>) -> Encoder {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let encoder = Encoder::fit(table, "y", &rows, task, Scaling::NONE).unwrap();
    assert_eq!(encoder.validate(), Ok(()));
    let loaded: Encoder = serde_json::from_str(&serde_json::to_string(&encoder).unwrap()).unwrap();
    assert_eq!(loaded, encoder, "a model's file keeps all of it");
    encoder
}

fn names(encoder: &Encoder) -> Vec<String> {
    encoder.features().iter().flat_map(|feature| feature.input_names()).collect()
}

/// What a note of a kind says of a column.
fn noted(notes: &Notes, kind: NoteKind) -> Vec<(String, usize, Vec<String>)> {
    let of_kind = notes.all().iter().filter(|note| note.kind == kind);
    of_kind.map(|note| (note.column.clone().unwrap(), note.count, note.examples.clone())).collect()
}

fn notes(encoder: &Encoder, table: &Table) -> Notes {
    encoder.notes(table, &(0..table.rows()).collect::<Vec<_>>()).unwrap()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// A table as `train` reads it, and one as a model reads it.
fn read(text: &str, target: &str) -> Table {
    let how = |names: &[String]| {
        Ok(names.iter().map(|name| if name == target { ReadAs::Target } else { ReadAs::Infer }).collect())
    };
    Table::read_csv_as(file(text).1, &Reading::default(), how).unwrap()
}

fn read_for(encoder: &Encoder, text: &str, with_target: bool) -> Table {
    let how = |names: &[String]| Ok(names.iter().map(|name| encoder.read_as(name, with_target)).collect());
    Table::read_csv_as(file(text).1, &encoder.reading(), how).unwrap()
}

#[test]
fn constant_columns_are_no_inputs() {
    let train = table(&[
        ("a", &["1", "2", "3", "4"]),
        ("k", &["7", "7", "7", "7"]),
        ("s", &["u", "u", "u", "u"]),
        ("gone", &["NaN", "NaN", "NaN", "NaN"]),
        ("some", &["", "u", "", "u"]),
        ("few", &["5", "NaN", "5", "5"]),
        ("y", &["0", "1", "0", "1"]),
    ]);
    let encoder = fit(&train);
    // Where cells are missing, that is what is left of them.
    assert_eq!(names(&encoder), ["a", "some=(missing)", "few=(missing)"]);
    assert_eq!(encoder.inputs(), 3);
    let values: Vec<_> = encoder.left_out().iter().map(|LeftOut { name, why }| (name.as_str(), why.clone())).collect();
    let constant = |value: Option<&str>| Why::Constant { value: value.map(String::from) };
    let expected = [
        ("k", constant(Some("7"))),
        ("s", constant(Some("u"))),
        ("gone", constant(None)),
        ("some", constant(Some("u"))),
        ("few", constant(Some("5"))),
    ];
    assert_eq!(values, expected);
    let found = notes(&encoder, &train);
    let lines = found.lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("`k` (`7`), `s` (`u`), `gone` (all cells are missing) and 2 more columns"), "{lines:?}");
    assert_eq!(encoder.encode(&train).unwrap().features()[..6], [1.0, 1.0, 0.0, 2.0, 0.0, 1.0]);
    // Neither the column itself nor a new value of it is needed or changes anything.
    let new = table(&[("few", &["9", "NaN"]), ("some", &["v", ""]), ("a", &["1", "1"]), ("k", &["8", "9"])]);
    let (inputs, said) = encoder.encode_features(&new).unwrap();
    assert_eq!((inputs, said.is_empty()), (vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0], true));
    assert!(encoder.extra_columns(new.source(), &new.names(), false).unwrap().is_empty());
    assert_eq!(encoder.read_as("k", false), ReadAs::Skip);
    let message = encoder.encode_features(&table(&[("a", &["1"])])).unwrap_err().to_string();
    assert_eq!(message, "t: no column `some`, `few`; the table has `a`");
    // What a column can't hold counts as missing for its indicator, too.
    let odd = table(&[("few", &["x", "1"]), ("some", &["v", "w"]), ("a", &["1", "1"])]);
    let (inputs, said) = encoder.encode_features(&odd).unwrap();
    assert_eq!(inputs, [1.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(noted(&said, NoteKind::StrayCells), [("few".into(), 1, owned(&["x"]))]);
}

#[test]
fn constant_is_what_the_training_rows_say() {
    let train = table(&[("a", &["1", "1", "2"]), ("b", &["1", "2", "2"]), ("y", &["0", "1", "0"])]);
    let encoder = Encoder::fit(&train, "y", &[0, 1], None, Scaling::ALL).unwrap();
    assert_eq!(names(&encoder), ["b"]);
    let message = Encoder::fit(
        &table(&[("a", &["1", "1"]), ("b", &["", "u"]), ("c", &["x", "x"]), ("y", &["0", "1"])]),
        "y",
        &[0, 1],
        None,
        Scaling::ALL,
    );
    assert_eq!(names(&message.unwrap()), ["b=(missing)"]);
    let nothing = table(&[("a", &["1", "1"]), ("c", &["x", "x"]), ("y", &["0", "1"])]);
    let message = Encoder::fit(&nothing, "y", &[0, 1], None, Scaling::ALL).unwrap_err().to_string();
    assert_eq!(
        message,
        "t: no column is left to predict `y` from: in the training rows each other column is constant, or all of \
         its categories are rare (`a`, `c`): add columns that vary, or rows"
    );
}

#[test]
fn columns_of_rare_categories_are_no_inputs() {
    let cells: Vec<String> = (0..1000).map(|row| format!("shop {}", row / 2)).collect();
    let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let numbers: Vec<String> = (0..1000).map(|row| (row % 900).to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let labels: Vec<&str> = (0..1000).map(|row| if row % 3 == 0 { "u" } else { "v" }).collect();
    let train = |cells: &[&str]| table(&[("shop", cells), ("a", &numbers), ("y", &labels)]);
    let whole = train(&cells);
    let encoder = fit(&whole);
    assert_eq!(names(&encoder), ["a"]);
    assert_eq!(encoder.left_out()[0].why, Why::Rare { categories: 500 });
    let found = notes(&encoder, &whole).lines();
    let expected =
        "columns whose categories are all rare are left out: `shop` (500 categories, none in 10 of 1000 rows)";
    assert_eq!(found, [expected]);
    // With a missing cell its indicator is there; with one frequent category the rest share an input.
    cells[0] = "";
    assert_eq!(names(&fit(&train(&cells))), ["shop=(missing)", "a"]);
    cells[..10].fill("home");
    let most = train(&cells);
    let encoder = fit(&most);
    assert_eq!(names(&encoder), ["shop=home", "shop=(other)", "a"]);
    let found = notes(&encoder, &most).lines();
    assert_eq!(found, ["rare categories share an input: `shop` (990 of 1000, 495 categories)"]);
}

#[test]
fn unseen_categories_are_told() {
    // `rare` is in 9 of 1000 rows.
    let cells: Vec<&str> =
        (0..1000).map(|row| if row % 111 == 1 && row < 999 { "rare" } else { ["a", "b"][row % 2] }).collect();
    let plain: Vec<&str> = (0..1000).map(|row| ["p", "q", "r"][row % 3]).collect();
    let labels: Vec<&str> = (0..1000).map(|row| ["u", "v"][usize::from(row % 3 == 0)]).collect();
    let encoder = fit(&table(&[("k", &cells), ("p", &plain), ("y", &labels)]));
    assert_eq!(names(&encoder), ["k=a", "k=b", "k=(other)", "p=p", "p=q", "p=r"]);
    let new = table(&[("k", &["a", "new", "rare", "newer", "new", ""]), ("p", &["p", "q", "z", "p", "p", "p"])]);
    let (inputs, said) = encoder.encode_features(&new).unwrap();
    let row = |row: usize| &inputs[6 * row..6 * row + 6];
    assert_eq!([row(1), row(2)], [[0., 0., 1., 0., 1., 0.], [0., 0., 1., 0., 0., 0.]]);
    let expected = [("k".to_string(), 3, owned(&["new", "newer"])), ("p".to_string(), 1, owned(&["z"]))];
    assert_eq!(noted(&said, NoteKind::Unseen), expected);
    let line = "cells hold categories that the model has not seen: `k` (3 of 6, first `new` in line 3), `p` (1 of 6, first \
                `z` in line 4)";
    assert_eq!(said.lines(), [line]);
    let message = said.refuse_unseen(new.source()).unwrap_err().to_string();
    assert!(
        message.starts_with("t: line 3, column `k`: the model has not seen the category `new`, the first of 3"),
        "{message}"
    );
    assert!(Notes::default().refuse_unseen(new.source()).is_ok());
    let given = encoder.encode_columns(table(&[("k", &["x"]), ("p", &["p"]), ("y", &["u"])])).unwrap();
    assert_eq!(noted(given.notes(), NoteKind::Unseen), [("k".to_string(), 1, owned(&["x"]))]);
    // A model of old did not keep the rare ones: then it can't be said, but where there were none.
    let mut old = serde_json::to_value(&encoder).unwrap();
    assert_eq!(old["features"][0]["rare"], json!(["rare"]));
    old["features"][0].as_object_mut().unwrap().remove("rare");
    let old: Encoder = serde_json::from_value(old).unwrap();
    let (same, said) = old.encode_features(&new).unwrap();
    assert_eq!((same, noted(&said, NoteKind::Unseen)), (inputs, vec![("p".to_string(), 1, owned(&["z"]))]));
}

#[test]
fn whole_numbers_are_one_category_however_written() {
    let cells = ["1.0", "2.0", "+3", "", "02101", "x", "9007199254740993", "-0", "2"];
    let y: Vec<String> = (0..cells.len()).map(|row| (row * row).to_string()).collect();
    let y: Vec<&str> = y.iter().map(String::as_str).collect();
    let train = table(&[("store", &cells), ("y", &y)]);
    let encoder = fit(&train);
    let expected = ["+3", "-0", "02101", "1.0", "2.0", "9007199254740993", "x"];
    let FeatureKind::Category { categories, .. } = &encoder.features()[0].kind else { panic!("{encoder:?}") };
    assert_eq!(*categories, expected);
    let of = |cell: &str| {
        let (inputs, said) = encoder.encode_features(&table(&[("store", &[cell, "?"])])).unwrap();
        let place = inputs[..expected.len()].iter().position(|&input| input == 1.0).map(|place| expected[place]);
        assert_eq!(
            place.is_none(),
            noted(&said, NoteKind::Unseen).iter().any(|(.., cells)| cells[0] == cell),
            "{cell}"
        );
        place
    };
    for (cell, category) in [
        ("1", Some("1.0")),
        ("1.00", Some("1.0")),
        ("+1", Some("1.0")),
        ("3", Some("+3")),
        ("0", Some("-0")),
        ("02101", Some("02101")),
        ("2101", None),
        ("01", None),
        ("1.5", None),
        ("-1", None),
        ("9007199254740993.0", Some("9007199254740993")),
        ("9007199254740992", None),
        ("9007199254740994", None),
        ("X", None),
    ] {
        assert_eq!(of(cell), category, "{cell}");
    }
    // The two spellings of 2 are one category, which is said.
    let found = noted(&notes(&encoder, &train), NoteKind::WholeNumbers);
    assert_eq!(found, [("store".to_string(), 1, owned(&["2.0", "2"]))]);
    // Numbers of an array are such texts.
    let array = Table::new("t", vec![Column::new("store", Cells::Number(vec![1.0, 2.0]))]).unwrap();
    let (inputs, said) = encoder.encode_features(&array).unwrap();
    assert!(inputs[3] == 1.0 && inputs[8 + 4] == 1.0 && said.is_empty(), "{inputs:?}");
}

#[test]
fn yes_and_no_are_one_pair() {
    let y = ["1", "2", "3", "4", "5", "6"];
    let fit = |cells: &[&str]| {
        let rows = cells.len();
        let a: Vec<String> = (0..rows).map(|row| row.to_string()).collect();
        let train =
            table(&[("a", &a.iter().map(String::as_str).collect::<Vec<_>>()), ("member", cells), ("y", &y[..rows])]);
        let encoder = fit(&train);
        let said = noted(&notes(&encoder, &train), NoteKind::Booleans);
        (names(&encoder)[1..].to_vec(), said, encoder)
    };
    let (inputs, said, encoder) = fit(&["False", "True", "TRUE", "f", "no", "YES"]);
    assert_eq!(inputs, ["member=False", "member=True"]);
    assert_eq!(said, [("member".to_string(), 4, owned(&["True", "TRUE", "False", "f"]))]);
    let cells = ["true", "FALSE", "Y", "n", "1", "0", "maybe"];
    let (inputs, said) = encoder.encode_features(&table(&[("a", &["0"; 7]), ("member", &cells)])).unwrap();
    let of_row = |row: usize| (inputs[3 * row + 1], inputs[3 * row + 2]);
    let (yes, no, neither) = ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0));
    assert_eq!((0..7).map(of_row).collect::<Vec<_>>(), [yes, no, yes, no, neither, neither, neither]);
    assert_eq!(noted(&said, NoteKind::Unseen), [("member".to_string(), 3, owned(&["1", "0", "maybe"]))]);
    for (cells, expected) in [
        (&["t", "f", "t", "T"][..], &["member=f", "member=t"][..]),
        // Codes of something.
        (&["t", "f", "y", "t"], &["member=f", "member=t", "member=y"]),
        (&["t", "y", "y", "t"], &["member=t", "member=y"]),
        (&["y", "true", "f", "no"], &["member=f", "member=y"]),
        // Something else among them.
        (&["True", "true", "maybe", "no"], &["member=True", "member=maybe", "member=no", "member=true"]),
        (&["True", "true", "1", "0"], &["member=0", "member=1", "member=True", "member=true"]),
        // One side alone is constant.
        (&["yes", "Yes", "TRUE", "t"], &[]),
    ] {
        let (inputs, _, encoder) = fit(cells);
        assert_eq!(inputs, expected, "{cells:?}");
        // A loaded encoder takes its own training cells as it did.
        let a = vec!["0"; cells.len()];
        let (_, said) = encoder.encode_features(&table(&[("a", &a), ("member", cells)])).unwrap();
        assert!(said.is_empty(), "{cells:?}");
    }
}

#[test]
fn classes_are_spelled_in_many_ways() {
    let of = |cells: &[&str]| {
        let a: Vec<String> = (0..cells.len()).map(|row| row.to_string()).collect();
        table(&[("a", &a.iter().map(String::as_str).collect::<Vec<_>>()), ("y", cells)])
    };
    let train = of(&["TRUE", "false", "True", "true", "no"]);
    let encoder = fit(&train);
    assert_eq!(encoder.classes().unwrap(), ["false", "TRUE"], "no, then yes");
    assert_eq!(encoder.encode(&train).unwrap().targets(), [1.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(encoder.encode(&of(&["Yes", "F"])).unwrap().targets(), [1.0, 0.0]);
    assert_eq!(encoder.class_number("t"), Some(1));
    assert_eq!(noted(&notes(&encoder, &train), NoteKind::Booleans)[0].0, "y");
    assert_eq!(class_numbers(&train, "y", None).unwrap().unwrap(), [1, 0, 1, 1, 0]);
    assert_eq!(class_labels(&train, "y", None).unwrap().unwrap(), ["false", "TRUE"]);
    let single = Encoder::fit(&of(&["yes", "Yes", "TRUE"]), "y", &[0, 1, 2], None, Scaling::ALL).unwrap_err();
    assert!(single.to_string().contains("`y` is `yes` in all rows"), "{single}");
    let single = Encoder::fit(&of(&["yes", "Yes", "no"]), "y", &[0, 1], None, Scaling::ALL).unwrap_err();
    assert!(single.to_string().contains("`y` is `yes` in its 2 training rows"), "{single}");
    // With a zero in front it is a name.
    let zips = of(&["02101", "2101", "2101.0", "10001", "10001", "02101", "x", "x"]);
    let encoder = fit_as(&zips, Some(Task::Multiclass));
    assert_eq!(encoder.classes().unwrap(), ["02101", "10001", "2101", "x"]);
    assert_eq!(encoder.encode(&zips).unwrap().targets(), [0.0, 2.0, 2.0, 1.0, 1.0, 0.0, 3.0, 3.0]);
}

#[test]
fn long_numbers_go_by_what_is_written() {
    let ids = ["9007199254740992", "9007199254740993", "-9007199254740993", "-9007199254740992"];
    let text = |ids: &[&str]| -> String {
        let rows = ids.iter().enumerate().map(|(row, id)| format!("{},{id},{}\n", row % 7, (row * row) % 5));
        "a,id,y\n".to_string() + &rows.collect::<String>()
    };
    let cells: Vec<&str> = (0..24).map(|row| ids[row % 4]).collect();
    let as_target = text(&cells).replace("a,id,y", "a,y,b");
    let table = read(&as_target, "y");
    assert_eq!(table.distinct_whole_numbers("y", 20).unwrap(), Some(4));
    let encoder = fit_as(&table, Some(Task::Multiclass));
    let expected = ["-9007199254740993", "-9007199254740992", "9007199254740992", "9007199254740993"];
    assert_eq!(encoder.classes().unwrap(), expected);
    let later = encoder.encode(&read_for(&encoder, &as_target, true)).unwrap();
    assert_eq!(later.targets()[..4], [2.0, 3.0, 0.0, 1.0]);
    assert_eq!(encoder.encode(&table).unwrap().targets(), later.targets());
    // Two of them are two classes.
    let two: Vec<&str> = (0..24).map(|row| ids[row % 2]).collect();
    let two = read(&text(&two).replace("a,id,y", "a,y,b"), "y");
    assert_eq!(fit(&two).classes().unwrap(), &ids[..2]);
    let message = Encoder::fit(&two, "y", &[0, 1, 2, 3], Some(Task::Regression), Scaling::ALL).unwrap_err().to_string();
    assert!(message.contains("task = multiclass takes them as classes"), "{message}");
    // As a number the column is constant, and that is said.
    let near: Vec<&str> = (0..24).map(|row| ["1152921504606846976", "1152921504606846977"][row % 2]).collect();
    let near = read(&text(&near), "y");
    let encoder = fit(&near);
    assert_eq!(names(&encoder), ["a"]);
    let lines = notes(&encoder, &near).lines();
    assert!(
        lines[0].contains("`id` (`1152921504606847000`, as a number; categorical = id tells them apart)"),
        "{lines:?}"
    );
    let alone = Table::new("t", near.columns()[1..].to_vec()).unwrap();
    let message = Encoder::fit(&alone, "y", &[0, 1, 2, 3], None, Scaling::ALL).unwrap_err().to_string();
    assert!(message.contains("(`id`): categorical = id keeps the long numbers of `id` apart"), "{message}");
    let description = Description::new(&near, Some("y")).unwrap();
    assert_eq!((description.columns[1].distinct, description.warnings.len()), (2, 0), "{description:?}");
}

#[test]
fn forms_and_words_travel_with_the_model() {
    let rows: String = (0..20).map(|row| format!("\"${},000.50\";{};\"{}%\"\n", row + 1, row % 3, row)).collect();
    let train = read(&format!("price;b;y\n{rows}"), "y");
    let reading: Reading = serde_json::from_value(json!({"missing": {"more": ["unknown"], "fewer": []}})).unwrap();
    let encoder = fit(&train).with_reading(&reading, &train.names());
    assert_eq!(encoder.reading().missing.more, ["unknown"]);
    let loaded: Encoder = serde_json::from_str(&serde_json::to_string(&encoder).unwrap()).unwrap();
    assert_eq!(loaded, encoder);
    assert!(encoder.form("y").percent && encoder.form("price").currency == Some('$') && encoder.form("b").is_plain());
    let text = "price;b;y\n$1,000.50;1;3%\nunknown;2;4%\n12;1;5%\n";
    let table = read_for(&encoder, text, true);
    assert_eq!(table.numbers("y").unwrap(), [3.0, 4.0, 5.0]);
    assert_eq!(noted(table.notes(), NoteKind::StrayCells), [("price".to_string(), 1, owned(&["12"]))]);
    assert_eq!(encoder.encode(&table).unwrap().features(), [1000.5, 1.0, 10500.5, 2.0, 10500.5, 1.0]);
    // The same from texts as they are written, read so since they are also copied to the output.
    let how = |names: &[String]| Ok(vec![ReadAs::Verbatim; names.len()]);
    let verbatim = Table::read_csv_as(file(text).1, &encoder.reading(), how).unwrap();
    let (inputs, said) = encoder.encode_features(&verbatim).unwrap();
    assert_eq!(inputs, encoder.encode(&table).unwrap().features());
    assert_eq!(noted(&said, NoteKind::StrayCells), [("price".to_string(), 1, owned(&["12"]))]);
}

#[test]
fn files_without_a_header_are_known_by_their_columns() {
    let train = table(&[
        ("x0", &["1", "2", "3"]),
        ("x1", &["7", "7", "7"]),
        ("x2", &["4", "5", "6"]),
        ("x3", &["1", "2", "4"]),
    ]);
    let mut columns = train.columns().to_vec();
    columns[3].name = "y".into();
    let train = Table::new("t", columns[1..].to_vec()).unwrap(); // x0 is ignored
    let reading: Reading = serde_json::from_value(json!({"header": false})).unwrap();
    let encoder = fit(&train).with_reading(&reading, &owned(&["x0", "x1", "x2", "y"]));
    let of = |text: &str| {
        let table = read_for(&encoder, text, false);
        table.numbers("x2").unwrap().to_vec()
    };
    assert_eq!(of("1,7,5,9\n1,7,6,9\n"), [5.0, 6.0], "all columns");
    assert_eq!(of("1,7,5\n1,7,6\n"), [5.0, 6.0], "without the target");
    assert_eq!(of("7,5\n7,6\n"), [5.0, 6.0], "the features, with the constant one");
    assert_eq!(of("5\n6\n"), [5.0, 6.0], "those that the network sees");
    let how = |names: &[String]| Ok(names.iter().map(|name| encoder.read_as(name, false)).collect());
    let message = Table::read_csv_as(file("1,2,3,4,5\n").1, &encoder.reading(), how).unwrap_err().to_string();
    assert!(message.contains("line 1: 5 cells without a header: expected 4"), "{message}");
}

#[test]
fn dates_are_parts_that_vary() {
    let rows: String =
        (0..28).map(|row| format!("2024-02-{:02},2024-02-01T{:02}:30,{}\n", row + 1, row % 5, row % 2)).collect();
    let train = read(&format!("when,at,y\n{rows}"), "y");
    let encoder = fit(&train);
    assert_eq!(names(&encoder), ["when=days", "when=weekday", "at=hour"], "one month, one day");
    let data = encoder.encode(&train).unwrap();
    // 2024-02-01 is 19754 days after 1970-01-01, and a Thursday.
    assert_eq!(data.features()[..6], [19754.0, 4.0, 0.0, 19755.0, 5.0, 1.0]);
    let scaled = Encoder::fit(&train, "y", &(0..28).collect::<Vec<_>>(), None, Scaling::ALL).unwrap();
    let sums = scaled
        .encode(&train)
        .unwrap()
        .features()
        .chunks(3)
        .fold([0.0; 3], |sums, row| [0, 1, 2].map(|at| sums[at] + f64::from(row[at]).powi(2) / 28.0));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
    assert!((scaled.features()[0].scalings()[0].0 - 19767.5).abs() < 1e-9);
    // Later ones are read as dates; what is none counts as missing, as the median does.
    let later = read_for(&encoder, "at,when\n2025-02-01 03:00,2024-03-01\nnever,\n", false);
    let (inputs, _) = encoder.encode_features(&later).unwrap();
    assert_eq!(inputs, [19783.0, 5.0, 3.0, 19767.0, 3.0, 2.0]);
    assert_eq!(noted(later.notes(), NoteKind::StrayCells), [("at".to_string(), 1, owned(&["never"]))]);
    // A time zone is no part of it, a missing one has its indicator, and a constant one is left out.
    let dates = |seconds: &[f64]| Cells::Date(Dates { seconds: seconds.into(), with_time: false });
    let labels = Cells::Number(vec![0.0, 1.0, 0.0]);
    let columns = vec![
        Column::new("d", dates(&[0.0, f64::NAN, 86400.0])),
        Column::new("same", dates(&[86400.0; 3])),
        Column::new("y", labels),
    ];
    let some = Table::new("t", columns).unwrap();
    let encoder = fit(&some);
    assert_eq!(names(&encoder), ["d=days", "d=weekday", "d=(missing)"]);
    assert_eq!(encoder.left_out()[0].why, Why::Constant { value: Some("1970-01-02".into()) });
    let expected = [0.0, 4.0, 0.0, 0.0, 4.0, 1.0, 1.0, 5.0, 0.0];
    assert_eq!(encoder.encode(&some).unwrap().features(), expected);
    // As texts, such as are copied to the output.
    let how = |names: &[String]| Ok(vec![ReadAs::Verbatim; names.len()]);
    let verbatim = Table::read_csv_as(file("d\n1970-01-01\n\"\"\n1970-01-02\n").1, &encoder.reading(), how).unwrap();
    assert_eq!(encoder.encode_features(&verbatim).unwrap().0, expected);
    // None is a target.
    let reversed = Table::new("t", vec![some.columns()[2].clone(), some.columns()[1].clone()]).unwrap();
    let message = Encoder::fit(&reversed, "same", &[0, 1, 2], None, Scaling::ALL).unwrap_err().to_string();
    assert!(message.starts_with("t: target `same` holds dates: a network predicts numbers or classes"), "{message}");
    for (target, task) in [("when", None), ("when", Some(Task::Regression))] {
        let table = read(&format!("when,at,y\n{rows}"), target);
        let message = Encoder::fit(&table, target, &[0, 1, 2], task, Scaling::ALL).unwrap_err().to_string();
        assert!(message.contains("target `when` holds dates"), "{message}");
    }
}

/// The graph standardises the parts as the encoder does, and its metadata names them.
#[test]
fn parts_of_dates_are_inputs_of_the_graph() {
    let rows: String = (0..90)
        .map(|row| format!("2024-0{}-{:02}T{:02}:30,{}\n", row / 30 + 4, row % 30 + 1, row % 5, row % 7))
        .collect();
    let train = read(&format!("when,y\n{rows},1\n"), "y");
    let encoder = Encoder::fit(&train, "y", &(0..91).collect::<Vec<_>>(), None, Scaling::ALL).unwrap();
    let expected = ["when=days", "when=month", "when=weekday", "when=hour", "when=(missing)"];
    assert_eq!(names(&encoder), expected);
    let spec =
        MlpSpec::from_layers(vec![Layer { inputs: 5, outputs: 1, activation: Activation::Identity }], Loss::Huber);
    let spec = spec.unwrap();
    let parameters = Init::Xavier.draw(&spec, 5).unwrap();
    let model = Model::new(spec, parameters).unwrap().with_encoder(encoder.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    assert_eq!(save_onnx(&model, &path).unwrap().input, ("features", 5));
    let loaded = exchange::load(&path, Assumed { loss: Some(Loss::Huber), ..Assumed::default() }).unwrap();
    let plain = loaded.encoder.unwrap();
    assert_eq!(names(&plain), expected);
    // 2024-04-01T00:30 is 19814 days after 1970-01-01, a Monday.
    let parts = [("when=days", "19814"), ("when=month", "4"), ("when=weekday", "1"), ("when=hour", "0")];
    let parts: Vec<_> = parts.iter().map(|(name, cell)| (*name, std::slice::from_ref(cell))).collect();
    let parts = table(&[&parts[..], &[("when=(missing)", &["0"])]].concat());
    let (found, expected) = (plain.encode_features(&parts).unwrap().0, encoder.encode_features(&train).unwrap().0);
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {:?}", &expected[..5]);
}

#[test]
fn dates_are_described() {
    let rows: String = (1..25).map(|day| format!("2024-02-{day:02},{}\n", day % 3)).collect();
    let table = read(&format!("when,y\n{rows},1\n"), "y");
    let description = Description::new(&table, Some("y")).unwrap();
    let when = &description.columns[0];
    let text = |text: &str| Some(text.to_string());
    let expected = Values::Date { min: text("2024-02-01"), median: text("2024-02-12"), max: text("2024-02-24") };
    assert_eq!((when.missing, when.distinct, &when.values), (1, 24, &expected));
    assert!(description.warnings.is_empty(), "dates are no names of rows: {:?}", description.warnings);
    assert_eq!(serde_json::to_value(when).unwrap()["type"], "date");
}

/// A file as it was written before there were forms, rare categories, dates and columns left out.
#[test]
fn older_encoders_predict_as_they_did() {
    let old = json!({
        "features": [
            {"name": "a", "mean": 2.0, "scale": 0.5, "fill": 3.0, "indicator": true},
            {"name": "same", "mean": 7.0, "scale": 1.0, "fill": 7.0},
            {"name": "k", "categories": ["1", "x"], "other": true, "fill": 1},
            {"name": "all", "categories": [], "other": true, "fill": null},
        ],
        "target": {"name": "y", "kind": {"task": "regression", "mean": 10.0, "scale": 2.0}},
        "weight": "w"
    });
    let encoder: Encoder = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(encoder.validate(), Ok(()));
    assert_eq!(serde_json::to_value(&encoder).unwrap(), old, "and it is written as it was");
    let text = "a,same,k,all,y\n4,7,x,p,12\n,8,1,q,8\n?,7,u,,10\n";
    let (inputs, said) = encoder.encode_features(&read_for(&encoder, text, true)).unwrap();
    let expected = [4., 0., 0., 0., 1., 0., 1., 2., 1., 1., 1., 0., 0., 1., 2., 1., 0., 0., 0., 1., 1.];
    assert_eq!((inputs, said.is_empty()), (expected.to_vec(), true));
    let TargetKind::Regression { .. } = encoder.target().kind else { panic!("{encoder:?}") };
    assert_eq!(encoder.encode(&read_for(&encoder, text, true)).unwrap().targets(), [1.0, -1.0, 0.0]);
}

#[test]
fn damaged_encoders_are_refused() {
    let fine = json!({
        "features": [
            {"name": "d", "parts": [{"part": "days", "mean": 0.0, "scale": 1.0}], "fill": "2024-01-01"},
            {"name": "p", "cells": "numbers", "indicator": true},
            {"name": "k", "categories": ["a"], "other": true, "fill": 0, "rare": ["b"]},
        ],
        "target": {"name": "y", "kind": {"task": "regression", "mean": 0.0, "scale": 1.0}},
        "left_out": [{"name": "p", "why": "constant", "value": "1"}, {"name": "r", "why": "rare", "categories": 9}],
        "forms": {"p": {"decimal": ","}},
    });
    let check = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = fine.clone();
        change(&mut changed);
        serde_json::from_value::<Encoder>(changed).unwrap().validate()
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let problem = |change: &dyn Fn(&mut serde_json::Value)| check(change).unwrap_err();
    assert!(problem(&|of| of["features"][0]["parts"] = json!([])).contains("`d` does not have days"));
    assert!(problem(&|of| of["features"][0]["fill"] = json!("never")).contains("`d` has `never` for missing dates"));
    assert!(problem(&|of| of["features"][0]["parts"][0]["scale"] = json!(0.0)).contains("scale 0"));
    let days = json!([{"part": "hour", "mean": 0.0, "scale": 1.0}, {"part": "days", "mean": 0.0, "scale": 1.0}]);
    assert!(problem(&|of| of["features"][0]["parts"] = days.clone()).contains("in this order"));
    assert!(problem(&|of| of["features"][1]["indicator"] = json!(false)).contains("`p` has no input"));
    assert!(problem(&|of| of["features"][2]["rare"] = json!(["a"])).contains("the category `a` twice"));
    assert!(problem(&|of| of["features"][2]["other"] = json!(false)).contains("`k` lacks categories"));
    assert!(problem(&|of| of["left_out"][1]["name"] = json!("k")).contains("leaves out its column `k`"));
    assert!(problem(&|of| of["left_out"][1]["name"] = json!("y")).contains("leaves out its column `y`"));
    assert!(problem(&|of| of["forms"]["p"]["decimal"] = json!("x")).contains("not a decimal separator"));
}
