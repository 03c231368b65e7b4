//! Tables as people write them: numbers in other forms, texts among numbers, missing cells, headers of all sorts, dates; and what
//! is noted of each decision.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use wgpu_mlp::data::{Cells, Dates, MissingWords, NoteKind, NumberForm, ReadAs, Reading, Strays, Table};
use wgpu_mlp::{Error, Place};

use crate::data::csv::text;

const NAN: f64 = f64::NAN;

fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read_as(text: impl AsRef<[u8]>, reading: &Reading, kind: ReadAs) -> Result<Table, Error> {
    Table::read_csv_as(file(text).1, reading, |names| Ok(vec![kind; names.len()]))
}

fn read(text: impl AsRef<[u8]>) -> Table {
    read_as(text, &Reading::default(), ReadAs::Infer).unwrap()
}

fn kinds(table: &Table) -> Vec<NoteKind> {
    table.notes().all().iter().map(|note| note.kind).collect()
}

/// The only column of these cells, quoted, in a file of two columns.
fn column(cells: &[&str], delimiter: char) -> (Cells, NumberForm, Vec<NoteKind>) {
    let rows: String = cells.iter().map(|cell| format!("\"{cell}\"{delimiter}1\n")).collect();
    let table = read(format!("x{delimiter}one\n{rows}"));
    let column = table.columns()[0].clone();
    (column.cells, column.form, kinds(&table))
}

/// Numbers equal, missing ones too.
fn assert_numbers(cells: &Cells, expected: &[f64], what: &str) {
    assert_eq!(*cells, Cells::Number(expected.to_vec()), "{what}");
}

#[test]
fn numbers_are_read_in_the_form_that_their_column_agrees_on() {
    let plain = NumberForm::default();
    let comma = NumberForm { decimal: ',', ..plain };
    let thousands = |mark| NumberForm { thousands: Some(mark), ..plain };
    let both = |mark| NumberForm { thousands: Some(mark), ..comma };
    let guess = NoteKind::ThousandsGuess;
    let form = NoteKind::NumberForm;
    type Case<'a> = (&'a [&'a str], &'a [f64], NumberForm, &'a [NoteKind]);
    let cases: [Case<'_>; 23] = [
        (&["1,5", "-0,25", "3"], &[1.5, -0.25, 3.0], comma, &[form]),
        (&["0,051", "1,234"], &[0.051, 1.234], comma, &[form]),
        (&["1,5e3", ",5"], &[1500.0, 0.5], comma, &[form]),
        (&["1,234", "999", "-12,345"], &[1234.0, 999.0, -12345.0], thousands(','), &[guess]),
        (&["1,234.5", "7"], &[1234.5, 7.0], thousands(','), &[form]),
        (&["1,234,567", "1,000"], &[1_234_567.0, 1000.0], thousands(','), &[form]),
        (&["12,34,567", "1,234"], &[1_234_567.0, 1234.0], thousands(','), &[form]),
        (&["1.234,5", "2,25"], &[1234.5, 2.25], both('.'), &[form]),
        (&["1.234.567", "1.000"], &[1_234_567.0, 1000.0], both('.'), &[form]),
        (&["1.234", "5.678"], &[1.234, 5.678], plain, &[]),
        (&["1 234,5", "12"], &[1234.5, 12.0], both(' '), &[form]),
        (&["1\u{202f}234", "1\u{a0}000 000"], &[1234.0, 1e6], thousands(' '), &[form]),
        (&["1'234.50", "1\u{2019}000"], &[1234.5, 1000.0], thousands('\''), &[form]),
        (&["12%", "0.5 %", "-3%"], &[12.0, 0.5, -3.0], NumberForm { percent: true, ..plain }, &[form]),
        (
            &["$5", "$1,234.50", "-$2"],
            &[5.0, 1234.5, -2.0],
            NumberForm { currency: Some('$'), ..thousands(',') },
            &[form],
        ),
        (&["5 €", "1.234,50 €"], &[5.0, 1234.5], NumberForm { currency: Some('€'), ..both('.') }, &[form]),
        (&["£3", "£-4"], &[3.0, -4.0], NumberForm { currency: Some('£'), ..plain }, &[form]),
        (&["\u{2212}5", "4", "\u{2212}0.5"], &[-5.0, 4.0, -0.5], plain, &[]),
        (&["(5)", "7", "(1.5)"], &[-5.0, 7.0, -1.5], NumberForm { brackets: true, ..plain }, &[form]),
        (
            &["($1,000)", "$2"],
            &[-1000.0, 2.0],
            NumberForm { brackets: true, currency: Some('$'), ..thousands(',') },
            &[guess],
        ),
        (&["+1", "1e3", ".5", "5."], &[1.0, 1000.0, 0.5, 5.0], plain, &[]),
        (&["02101", "2101"], &[2101.0, 2101.0], plain, &[NoteKind::PaddedNumbers]),
        (&["$(5)", "$7"], &[-5.0, 7.0], NumberForm { brackets: true, currency: Some('$'), ..plain }, &[form]),
    ];
    for (cells, expected, form, notes) in cases {
        let (found, found_form, found_notes) = column(cells, ';');
        assert_numbers(&found, expected, &format!("{cells:?}"));
        assert_eq!((found_form, &found_notes[..]), (form, notes), "{cells:?}");
        // A form reads its own numbers again.
        for (cell, value) in cells.iter().zip(expected) {
            assert_eq!(form.parse(cell), Some(*value), "{cell} in {form:?}");
        }
        // And it is the same for a target and for weights.
        let rows: String = cells.iter().map(|cell| format!("\"{cell}\";1\n")).collect();
        for kind in [ReadAs::Target, ReadAs::Number(Strays::Refused)] {
            let table = read_as(format!("x;one\n{rows}"), &Reading::default(), kind).unwrap();
            assert_numbers(table.column("x").unwrap(), expected, &format!("{cells:?} as {kind:?}"));
        }
    }
    // Where commas end cells, a decimal one is a guess.
    let (found, form, notes) = column(&["1,5", "2,25"], ',');
    assert_numbers(&found, &[1.5, 2.25], "decimal commas between commas");
    assert_eq!((form, &notes[..]), (comma, &[NoteKind::DecimalGuess][..]));
}

#[test]
fn what_is_of_no_one_form_is_no_number() {
    for cells in [
        &["1,5", "1.5", "x"][..],
        &["$5", "€5"],
        &["12%", "$12"],
        &["1,23,4", "5"],
        &["0,123,456", "a"],
        &["1 2", "3 4"],
        &["1-2", "3-4"],
        &["5 kg", "6 kg"],
        &["((5))", "b"],
        &["--5", "c"],
        &["(-5)", "d"],
        &["5%%", "e"],
        &["v1", "v2"],
        &["1/2", "3/4"],
        &["192.168.0.1", "10.0.0.1"],
    ] {
        let (found, ..) = column(cells, ';');
        assert_eq!(found, text(cells), "{cells:?}");
    }
    // Minus and brackets are two ways.
    let (found, ..) = column(&["-5", "(5)", "1"], ';');
    assert_eq!(found, text(&["-5", "(5)", "1"]));
}

#[test]
fn marks_that_are_given_decide() {
    let reading = |decimal, thousands| {
        let mut reading = Reading::default();
        (reading.decimal, reading.thousands) = (decimal, thousands);
        reading
    };
    let found =
        |text: &str, reading: &Reading| read_as(text, reading, ReadAs::Infer).unwrap().column("x").unwrap().clone();
    let ambiguous = "x;y\n1,234;1\n5,678;2\n";
    assert_numbers(&found(ambiguous, &reading(None, None)), &[1234.0, 5678.0], "guessed");
    assert_numbers(&found(ambiguous, &reading(Some(','), None)), &[1.234, 5.678], "decimal commas");
    assert_numbers(&found(ambiguous, &reading(None, Some(','))), &[1234.0, 5678.0], "thousands");
    let points = "x;y\n1.234;1\n5.678;2\n";
    assert_numbers(&found(points, &reading(None, Some('.'))), &[1234.0, 5678.0], "thousands with points");
    assert_numbers(
        &found(points, &reading(Some(','), None)),
        &[1234.0, 5678.0],
        "decimal commas leave points to thousands",
    );
    assert_eq!(found("x;y\n1,5;1\n2,5;2\n", &reading(Some('.'), None)), text(&["1,5", "2,5"]));
    let told = read_as(ambiguous, &reading(Some(','), None), ReadAs::Infer).unwrap();
    assert_eq!(kinds(&told).iter().filter(|kind| kind.is_guess()).count(), 0);
}

/// A column of numbers of which so many are texts.
fn strays(numbers: usize, strays: &[&str]) -> String {
    let numbers: String = (0..numbers).map(|i| format!("{i}.5,1\n")).collect();
    format!("x,y\n{}{numbers}", strays.iter().map(|cell| format!("{cell},1\n")).collect::<String>())
}

#[test]
fn texts_among_numbers_are_missing_up_to_a_tenth() {
    let table = read(strays(90, &["none", "Total", "none", "12 kg", "1:2", "x", "y", "z", "w", "v"]));
    let cells = table.numbers("x").unwrap();
    assert!(cells[..10].iter().all(|cell| cell.is_nan()) && cells[10..].iter().all(|cell| cell.is_finite()));
    let [note] = table.notes().all() else { panic!("{:?}", table.notes()) };
    assert_eq!((note.kind, note.column.as_deref(), note.count, note.of), (NoteKind::StrayTexts, Some("x"), 10, 100));
    assert_eq!((note.examples[0].as_str(), note.place), ("none", Some(Place::Line(2))));
    let line = table.notes().lines().concat();
    assert!(line.contains("`x` (10 of 100, first `none` in line 2)"), "{line}");
    // One more, and they are texts.
    let eleven = strays(89, &["none", "Total", "none", "12 kg", "1:2", "x", "y", "z", "w", "v", "u"]);
    assert!(matches!(read(&eleven).column("x").unwrap(), Cells::Text(_)));
    // Missing cells do not count.
    assert!(matches!(read(strays(9, &["x", "NA", "", "?", "NULL"])).column("x").unwrap(), Cells::Number(_)));
    // A target keeps its texts, and a column that has to be numeric loses them.
    let of = |kind| read_as(&eleven, &Reading::default(), kind);
    assert!(matches!(of(ReadAs::Target).unwrap().column("x").unwrap(), Cells::Text(_)));
    assert!(matches!(
        read_as(strays(90, &["x"]), &Reading::default(), ReadAs::Target).unwrap().column("x").unwrap(),
        Cells::Text(_)
    ));
    let forced = of(ReadAs::Number(Strays::Expected)).unwrap();
    assert_eq!(forced.column("x").unwrap().missing(), 11);
    assert_eq!(kinds(&forced), [NoteKind::ForcedNumbers]);
    assert!(forced.notes().refuse_guesses(forced.source()).is_ok());
    assert!(matches!(of(ReadAs::Number(Strays::Refused)), Err(Error::NotANumber { place: Place::Line(2), .. })));
    let refused = table.notes().refuse_guesses(table.source()).unwrap_err().to_string();
    assert!(refused.contains("`none` in line 2"), "{refused}");
}

#[test]
fn a_stray_text_is_a_missing_cell() {
    let clean: String = (0..40).map(|i| format!("{i},{}\n", i * i)).collect();
    for stray in ["None of it", "Unknown", "Total", "1:2", "$5", "12%", "1,5 kg", "--.", "\u{2212}", "=A1"] {
        let with = |cell: &str| read(format!("x,y\n{}", clean.replacen("17,", &format!("\"{cell}\","), 1)));
        assert_eq!(with(stray).column("x").unwrap(), with("").column("x").unwrap(), "{stray}");
    }
}

#[test]
fn missing_words_are_those_of_pandas_and_a_few_more() {
    let pandas = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    ];
    for word in pandas.iter().chain(&["?", "Na", "NAN", "N/a", "Null", "nUlL"]) {
        // Among texts and among numbers alike, and no note.
        for (others, expected) in [("u", text(&["u", "", "u"])), ("1.5", Cells::Number(vec![1.5, NAN, 1.5]))] {
            let table = read(format!("x,y\n{others},1\n\"{word}\",1\n{others},1\n"));
            assert_eq!(
                (table.column("x").unwrap(), table.notes().all()),
                (&expected, &[][..]),
                "{word:?} among {others}"
            );
        }
    }
    for word in ["none", "<na>", "#n/a", "nil", "missing", "NaN?", "NONE"] {
        assert_eq!(*read(format!("x,y\nu,1\n{word},1\n")).column("x").unwrap(), text(&["u", word]));
    }
    // Dashes and a point are missing where all else is a number.
    let cells = ["1", "-", "--", ".", "2.5"];
    let (found, _, notes) = column(&cells, ',');
    assert_numbers(&found, &[1.0, NAN, NAN, NAN, 2.5], "dashes");
    assert_eq!(notes, []);
    assert_eq!(column(&["u", "-", "--", "."], ',').0, text(&["u", "-", "--", "."]));

    let words = |more: &[&str], fewer: &[&str]| {
        let mut reading = Reading::default();
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        reading.missing = MissingWords { more: owned(more), fewer: owned(fewer) };
        reading
    };
    let found =
        |text: &str, reading: &Reading| read_as(text, reading, ReadAs::Infer).unwrap().column("x").unwrap().clone();
    assert_eq!(found("x,y\nNA,1\nDE,1\n", &words(&[], &["NA"])), text(&["NA", "DE"]));
    assert_eq!(found("x,y\nnan,1\n1,1\n", &words(&[], &["nan"])), text(&["nan", "1"]));
    assert_eq!(found("x,y\nunknown,1\nu,1\n", &words(&["unknown"], &[])), text(&["", "u"]));
    // A number stands for all ways of writing it.
    assert_numbers(&found("x,y\n-999,1\n-999.0,1\n5,1\n", &words(&["-999"], &[])), &[NAN, NAN, 5.0], "-999");
    assert_eq!(found("x,y\nu,1\n-999.00,1\n", &words(&["-999"], &[])), text(&["u", ""]));
    for (cells, value) in [
        (["-999%", "5%"], 5.0),
        (["-999,0", "5,5"], 5.5),
        (["$-999", "$5"], 5.0),
        (["(999)", "5"], 5.0),
        (["\u{2212}999", "5"], 5.0),
    ] {
        let rows = format!("x;y\n{};1\n{};1\n", cells[0], cells[1]);
        assert_numbers(&found(&rows, &words(&["-999"], &[])), &[NAN, value], cells[0]);
    }
}

#[test]
fn models_read_cells_as_they_were_written_for_them() {
    let comma = NumberForm { decimal: ',', thousands: Some('.'), ..NumberForm::default() };
    let read = |form, strays, cells: &str| {
        read_as(format!("x;y\n{cells}"), &Reading::default(), ReadAs::Written(form, strays))
    };
    let table = read(comma, Strays::Missing, "1,5;2\n1.234,5;1,234.5\nu;\n12%;-\n").unwrap();
    assert_numbers(table.column("x").unwrap(), &[1.5, 1234.5, NAN, NAN], "x");
    assert_numbers(table.column("y").unwrap(), &[2.0, NAN, NAN, NAN], "y");
    let counts: Vec<_> = table.notes().all().iter().map(|note| (note.kind, note.count, note.place)).collect();
    let stray = NoteKind::StrayCells;
    assert_eq!(counts, [(stray, 2, Some(Place::Line(4))), (stray, 2, Some(Place::Line(3)))]);
    assert!(table.notes().refuse_guesses(table.source()).is_err());
    let error = read(comma, Strays::Refused, "1,5;2\nu;1\n").unwrap_err().to_string();
    assert!(error.contains("line 3, column `x`: `u` is not a number"), "{error}");
    // Marks that are given go before a model's.
    let mut given = Reading::default();
    for (decimal, thousands, form, cells) in [
        (Some(','), None, NumberForm::default(), "1,5;1,0"),
        (None, Some('.'), NumberForm::default(), "1.000,5;1.000"),
        (Some('.'), None, comma, "1,000.5;1.0"),
        (Some('.'), Some(' '), comma, "1 000.5;1.0"),
    ] {
        (given.decimal, given.thousands) = (decimal, thousands);
        let kind = ReadAs::Written(form, Strays::Refused);
        let table = read_as(format!("x;y\n{cells}\n"), &given, kind).unwrap();
        assert!([1.5, 1000.5].contains(&table.numbers("x").unwrap()[0]), "{cells}");
    }
    let plain = read(NumberForm::default(), Strays::Missing, "1.5;\u{2212}2\n1,5;(3)\n").unwrap();
    assert_numbers(plain.column("x").unwrap(), &[1.5, NAN], "plain");
    assert_numbers(plain.column("y").unwrap(), &[-2.0, NAN], "plain");
}

#[test]
fn whole_numbers_beyond_2_to_53_keep_their_digits() {
    let ids = ["1152921504606846977", "1152921504606846978", "1152921504606846977", "9007199254740992"];
    let rows: String = ids.iter().map(|id| format!("{id},1\n")).collect();
    let table = read(format!("user,y\n{rows}"));
    let column = &table.columns()[0];
    assert!(matches!(column.cells, Cells::Number(_)));
    assert_eq!(column.to_texts().labels(), [ids[0], ids[1], ids[3]]);
    assert_eq!(kinds(&table), [NoteKind::LostDigits]);
    let rows: String = (0..8).map(|i| format!("{}.0,1\n", 9_007_199_254_740_992_u64 + i)).collect();
    let table = read(format!("user,y\n{rows}"));
    assert_eq!((table.columns()[0].to_texts().labels().len(), kinds(&table)), (8, vec![NoteKind::LostDigits]));
    // What f64 holds exactly is left alone.
    let exact = read("x,y\n9007199254740992,1\n1000000000000000000000,1\n1e300,1\n");
    assert_eq!((exact.columns()[0].exact.as_ref(), exact.notes().all().len()), (None, 0));
}

#[test]
fn dates_are_seconds() {
    let dates = |seconds: &[f64], with_time| Cells::Date(Dates { seconds: seconds.to_vec(), with_time });
    let day = 86_400.0;
    let (found, _, notes) = column(&["1970-01-02", "NA", "2024-06-19"], ',');
    assert_eq!((found, &notes[..]), (dates(&[day, NAN, 19_893.0 * day], false), &[NoteKind::Dates][..]));
    for (cell, expected) in [
        ("1970-01-01T01:00:00", 3600.0),
        ("1970-01-01 01:30", 5400.0),
        ("1970-01-01T00:00:00.500", 0.5),
        ("1970-01-01T02:00:00+02:00", 0.0),
        ("1970-01-01T05", 18_000.0),
        ("19700101T010203", 3723.0),
        ("19700101T020000Z", 7200.0),
        ("1970-01-01 02:00:00 +0200", 0.0),
        ("1970-01-01 00:00:01 UTC", 1.0),
        ("1969-12-31T23:59:59Z", -1.0),
        ("1970/01/02 00:00", day),
    ] {
        assert_eq!(column(&[cell, "1970-01-01"], ',').0, dates(&[expected, 0.0], true), "{cell}");
    }
    assert_eq!(column(&["1970-02", "1970-01"], ',').0, dates(&[31.0 * day, 0.0], false));
    assert_eq!(column(&["9999-12-31", "1970-01-01"], ',').0, dates(&[2_932_896.0 * day, 0.0], false));
    assert_eq!(column(&["9999-12-31", "NA"], ',').0.to_texts().labels(), ["9999-12-31"]);
    for none in ["2024-13-01", "2024-02-30", "19-06-2024", "2024-6-1", "2024-06-19 x", "20240619a", "2024-06-19T25:00"]
    {
        assert_eq!(column(&[none, none], ',').0, text(&[none, none]), "{none}");
    }
    // As in numbers, a few other texts are missing.
    let mut cells = vec!["2024-06-19"; 19];
    cells.push("soon");
    let (found, _, notes) = column(&cells, ',');
    assert_eq!((found.missing(), &notes[..]), (1, &[NoteKind::StrayTexts, NoteKind::Dates][..]));
    assert_eq!(found.to_texts().labels(), ["2024-06-19"]);
}

#[test]
fn rows_of_a_single_column_are_all_there() {
    let rows = |text: &str| read(text).column("x").unwrap().clone();
    let expected = [1.0, NAN, 3.0, NAN, 5.0];
    assert_numbers(&rows("x\n1\n\"\"\n3\n\"\"\n5\n"), &expected, "quoted");
    assert_numbers(&rows("x\n1\n\n3\n\n5\n"), &expected, "blank");
    assert_numbers(&rows("x\r\n1\r\n\r\n3\r\n \r\n5\r\n\r\n\r\n"), &expected, "blank lines at the end are none");
    assert_numbers(&rows("x\n\n1\n"), &[NAN, 1.0], "in front");
    assert_numbers(&rows("x\n1\n\"\"\n"), &[1.0, NAN], "a quoted one at the end");
    let table = read("x\n1\n\n\n2\n");
    assert_eq!((table.place(1), table.place(3)), (Place::Line(3), Place::Line(5)));
    // Blank lines over many blocks, at the end and not.
    let long = format!("x\n1\n{}2\n{}", "\n".repeat(1 << 20), "\n".repeat(1 << 20));
    assert_eq!(read(&long).rows(), (1 << 20) + 2);
    // Of two columns a blank line is no row, and neither is a quoted empty cell.
    assert_eq!(read("x,y\n1,2\n\n3,4\n").rows(), 2);
    assert!(read_as("x,y\n1,2\n\"\"\n", &Reading::default(), ReadAs::Infer).is_err());
}

#[test]
fn headers_are_taken_as_they_occur() {
    let names = |text: &str| (read(text).names(), kinds(&read(text)));
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    use NoteKind::{
        DataHeader, DuplicateName, EmptyColumn, IndexColumn, NumberForm, NumericHeader, Preamble, UnnamedColumn,
    };
    let cases: [(&str, &[&str], &[NoteKind]); 31] = [
        (",a,y\n0,1,2\n1,3,4\n", &["a", "y"], &[IndexColumn]),
        ("\"\",\"a\",\"y\"\n\"1\",1,2\n\"2\",3,4\n", &["a", "y"], &[IndexColumn]),
        ("a,y\nr1,1,2\nr2,3,4\n", &["a", "y"], &[IndexColumn]),
        ("a,y,\n1,2,\n3,4,\n", &["a", "y"], &[EmptyColumn]),
        ("a,y\n1,2,\n3,4,\n", &["a", "y"], &[EmptyColumn]),
        ("a,b,y,\n1,2,3\n3,4,5\n", &["a", "b", "y"], &[EmptyColumn]),
        ("a,,y\n1,7,2\n3,8,4\n", &["a", "Unnamed: 1", "y"], &[UnnamedColumn]),
        ("a,,y\n1,,2\n3,,4\n", &["a", "y"], &[EmptyColumn]),
        ("a,a,y,a\n1,2,3,4\n", &["a", "a.1", "y", "a.2"], &[DuplicateName, DuplicateName]),
        ("a,a,a.1\n1,2,3\n", &["a", "a.2", "a.1"], &[DuplicateName]),
        (",Unnamed: 0,a\n0,1,2\n1,3,4\n", &["Unnamed: 0", "a"], &[DuplicateName, IndexColumn]),
        ("\"a\"\n\"1\",5\n\"2\",6\n", &["a"], &[IndexColumn]),
        ("\"a\"\n\"r\"\t5\n\"s\"\t6\n", &["a"], &[IndexColumn]),
        ("a\n1,5\n2,5\n", &["a"], &[NumberForm]),
        ("a, \"b\", \"y z\"\n1, \"2\", \"u\"\n", &["a", "b", "y z"], &[]),
        ("sep=;\na;b\n1;2\n", &["a", "b"], &[]),
        ("\"sep=|\"\r\na|b\r\n1|2\r\n", &["a", "b"], &[]),
        ("# made by hand\n# at noon, or later\na,b,c\n1,2,3\n", &["a", "b", "c"], &[Preamble]),
        ("# made\n#a,b\n1,2\n3,4\n", &["#a", "b"], &[Preamble]),
        ("6,148,72\n1,85,66\n", &["6", "148", "72"], &[NumericHeader]),
        ("0.5,0.5\n1,2\n", &["0.5", "0.5.1"], &[NumericHeader, DuplicateName]),
        ("0,1,2\n5,6,7\n", &["0", "1", "2"], &[]),
        ("1,2,3\n5,6,7\n", &["1", "2", "3"], &[]),
        ("0.1,0.2,x\n0.3,0.5,y\n0.6,,x\n", &["0.1", "0.2", "x"], &[DataHeader]),
        ("39;private;no\n50;state;no\n", &["39", "private", "no"], &[DataHeader]),
        ("39;private;no\nold;state;no\n", &["39", "private", "no"], &[]),
        ("39;private;pay\n50;state;no\n", &["39", "private", "pay"], &[]),
        ("7,8,y\na,b,y\n", &["7", "8", "y"], &[]),
        ("city,2019,2021,2025\nu,1,2,3\nv,4,5,6\n", &["city", "2019", "2021", "2025"], &[]),
        ("city,10,20,30\nu,1,2,3\nv,4,5,6\n", &["city", "10", "20", "30"], &[]),
        ("1,2,label\n5,6,u\n", &["1", "2", "label"], &[]),
    ];
    for (text, expected, notes) in cases {
        assert_eq!(names(text), (owned(expected), notes.to_vec()), "{text:?}");
    }
    assert_eq!(read("# one\n\n# two\na,b\n1,2\n").place(0), Place::Line(5));
    assert_eq!(read("sep=;\na;b\n1;2\n").place(0), Place::Line(3));
    // Lines of old Macs.
    let table = read("a,b\r1,u\r2,\"v\"");
    assert_eq!((table.numbers("a").unwrap(), table.place(1)), (&[1.0, 2.0][..], Place::Line(3)));
    assert_eq!(*table.column("b").unwrap(), text(&["u", "v"]));
    // What is between quotes behind a space is one cell.
    assert_eq!(*read("a, b\n1, \"u, v\"\n").column("b").unwrap(), text(&["u, v"]));
}

#[test]
fn files_without_a_header_have_names_that_count() {
    let mut reading = Reading::default();
    reading.header = Some(false);
    let table = read_as("6,148,u\n1,85,v\n", &reading, ReadAs::Infer).unwrap();
    assert_eq!((table.names(), table.rows()), (vec!["x0".into(), "x1".into(), "x2".into()], 2));
    assert_eq!((table.place(0), table.notes().all().len()), (Place::Line(1), 0));
    // Decimal commas in the first row do not make cells.
    let table = read_as("1,5;2,5;3\n4,5;5,5;6\n", &reading, ReadAs::Infer).unwrap();
    assert_eq!((table.names().len(), table.numbers("x1").unwrap()), (3, &[2.5, 5.5][..]));
    // A model's file had these columns; its features alone are enough.
    reading.columns = ["x0", "x1", "x2", "x3"].map(String::from).into();
    reading.features = ["x0", "x2"].map(String::from).into();
    let names = |text: &str, reading: &Reading| read_as(text, reading, ReadAs::Infer).map(|table| table.names());
    assert_eq!(names("1,2,3,4\n", &reading).unwrap(), reading.columns);
    assert_eq!(names("1,2\n", &reading).unwrap(), reading.features);
    let error = names("1,2,3,4,5\n", &reading).unwrap_err().to_string();
    assert!(error.contains("5 cells") && error.contains("expected 4"), "{error}");
    reading.header = Some(true);
    assert_eq!(names("7,8\n1,2\n", &reading).unwrap(), ["7", "8"]);
    assert!(read_as("7,8\n1,2\n", &reading, ReadAs::Infer).unwrap().notes().is_empty());
}

/// Ways of writing a column of numbers.
fn written(value: f64, way: usize) -> String {
    let grouped = |mark: &str, decimal: &str| {
        let (sign, text) = (if value < 0.0 { "-" } else { "" }, format!("{:.2}", value.abs()));
        let (whole, fraction) = text.split_once('.').unwrap();
        let groups: Vec<&str> =
            whole.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        format!("{sign}{}{decimal}{fraction}", groups.join(mark))
    };
    let unsigned = |text: String| text.trim_start_matches('-').to_string();
    match way {
        0 => grouped("", "."),
        1 => grouped("", ","),
        2 => grouped(",", "."),
        3 => grouped(".", ","),
        4 => grouped(" ", ","),
        5 => grouped("\u{2019}", "."),
        6 => grouped("", ".") + "%",
        7 if value < 0.0 => format!("-${}", unsigned(grouped(",", "."))),
        7 => format!("${}", grouped(",", ".")),
        8 if value < 0.0 => format!("({})", unsigned(grouped("", "."))),
        8 => grouped("", "."),
        9 => grouped("", ".").replace('-', "\u{2212}"),
        _ => grouped(".", ",") + " €",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A table written in another way has the same columns, and a stray text is the same as an empty cell.
    #[test]
    fn a_table_is_the_same_in_whatever_way_it_is_written(
        numbers in prop::collection::vec((-2_000_000_i32..2_000_000, -900_i32..900), 12..40),
        ways in (0_usize..11, 0_usize..11),
        delimiter in prop::sample::select(vec![';', '\t']),
        look in 0_usize..6,
        stray in prop::option::of(0_usize..12),
    ) {
        let values: Vec<[f64; 2]> = numbers.iter().map(|&(a, b)| [f64::from(a) / 100.0, f64::from(b) / 100.0]).collect();
        let empty = |row: usize| stray == Some(row);
        let clean: String = values.iter().enumerate().map(|(row, [a, b])| {
            let a = if empty(row) { String::new() } else { format!("{a:.2}") };
            format!("{a},{b:.2},{}\n", ["u", "v"][row % 2])
        }).collect();
        let d = delimiter;
        let other: String = values.iter().enumerate().map(|(row, [a, b])| {
            let a = if empty(row) { "see below".into() } else { written(*a, ways.0) };
            let (index, end) = (if look == 1 { format!("{row}{d}") } else { String::new() }, if look == 2 { d.to_string() } else { String::new() });
            format!("{index}{a}{d} \"{}\"{d}{}{end}\n", written(*b, ways.1), ["u", "v"][row % 2])
        }).collect();
        let heading = format!("a{d}b{d}c");
        let heading = match look {
            1 => format!("{d}{heading}\n"),
            2 => format!("{heading}{d}\n"),
            3 => format!("# a comment\n{heading}\n"),
            4 => format!("sep={d}\n{heading}\n"),
            5 => format!("\u{feff}{heading}\n"),
            _ => format!("{heading}\n"),
        };
        let (clean, other) = (read(format!("a,b,c\n{clean}")), read(heading + &other));
        prop_assert_eq!(clean.names(), other.names());
        for (ours, theirs) in clean.columns().iter().zip(other.columns()) {
            prop_assert_eq!(&ours.cells, &theirs.cells);
        }
    }
}
