//! Reading delimited files: what is taken, and every message of bad input.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use tempfile::TempDir;
use wgpu_mlp::data::{Cells, CsvReader, ReadAs, Reading, Strays, Table};
use wgpu_mlp::{Error, Place};

/// A file of this text in a folder that lives as long as the first value.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(text: impl AsRef<[u8]>) -> Result<Table, Error> {
    Table::read_csv(file(text).1)
}

/// Numbers, and nothing else.
const NUMBER: ReadAs = ReadAs::Number(Strays::Refused);

/// All columns as numbers.
fn numbers(text: impl AsRef<[u8]>) -> Result<Table, Error> {
    Table::read_csv_as(file(text).1, &Reading::default(), |names| Ok(vec![NUMBER; names.len()]))
}

/// The message for a text, without the path at its head, which is checked.
fn problem(text: impl AsRef<[u8]>, kind: ReadAs) -> String {
    let (_folder, path) = file(text);
    let read = Table::read_csv_as(&path, &Reading::default(), |names| Ok(vec![kind; names.len()]));
    let message = read.unwrap_err().to_string();
    let head = format!("{}: ", path.display());
    message.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{message}`")).to_owned()
}

/// Texts; empty ones are missing.
pub fn text(values: &[&str]) -> Cells {
    Cells::Text(values.iter().map(|&value| (!value.is_empty()).then_some(value)).collect())
}

/// Rows of a file that goes over many blocks.
fn long(rows: usize, row: impl Fn(usize) -> String) -> String {
    (0..rows).map(|i| row(i) + "\n").collect()
}

#[test]
fn csv_is_read() {
    let expected = |table: &Table| {
        assert_eq!(table.names(), ["a", "b c", "y"]);
        assert_eq!(table.numbers("a").unwrap(), [1.0, -2.5]);
        assert_eq!(table.numbers("b c").unwrap(), [0.03, 4e5]);
        assert_eq!(*table.column("y").unwrap(), text(&["no", "yes, it is"]));
    };
    expected(&read("a,b c,y\n1,0.03,no\n-2.5,4e5,\"yes, it is\"\n").unwrap());
    let untidy = "\u{feff}a ,\"b c\" , y\r\n\r\n +1 , .03,no\r\n  \r\n-2.5,\t4E+5 ,\"yes, it is\"\r\n\r\n";
    let table = read(untidy).unwrap();
    expected(&table);
    assert_eq!((table.place(0), table.place(1)), (Place::Line(3), Place::Line(5)));
    // No newline at the end, a single column, an empty last cell.
    assert_eq!(*read("a,y\n1,2\n3,4").unwrap().column("y").unwrap(), Cells::Number(vec![2.0, 4.0]));
    assert_eq!(read("a\n1\n2").unwrap().numbers("a").unwrap(), [1.0, 2.0]);
    assert_eq!(*read("a,y\n1,2\n3,").unwrap().column("y").unwrap(), Cells::Number(vec![2.0, f64::NAN]));
    // Doubled quotes, quotes inside a cell, and what stands behind a closing one.
    let table = read("a,b\n\"x \"\"y\"\" z\",p\"q\n\"u\"v,\"\"\"\"\n").unwrap();
    assert_eq!(*table.column("a").unwrap(), text(&["x \"y\" z", "uv"]));
    assert_eq!(*table.column("b").unwrap(), text(&["p\"q", "\""]));
}

#[test]
fn missing_cells_are_told_from_others() {
    let table = read("a,b,c\n1,u,\n ?,NA,NaN\nnan,n/a,3\n, ,null\n-0.5,none,Na\n").unwrap();
    let nan = f64::NAN;
    assert_eq!(*table.column("a").unwrap(), Cells::Number(vec![1.0, nan, nan, nan, -0.5]));
    assert_eq!(*table.column("b").unwrap(), text(&["u", "", "", "", "none"]));
    assert_eq!(*table.column("c").unwrap(), Cells::Number(vec![nan, nan, 3.0, nan, nan]));
    assert_eq!((table.column("a").unwrap().missing(), table.column("b").unwrap().missing()), (3, 3));
    assert!(table.column("b").unwrap().is_missing(1) && !table.column("b").unwrap().is_missing(0));
}

#[test]
fn delimiters_are_found() {
    for delimiter in [",", ";", "\t", "|"] {
        let lines = ["a b,name", "1.5,\"u,v;w\"", "-2,z"];
        let text = lines.map(|line| line.replacen(',', delimiter, 1)).join("\n");
        let table = read(&text).unwrap();
        assert_eq!(table.names(), ["a b", "name"], "{text}");
        assert_eq!(table.numbers("a b").unwrap(), [1.5, -2.0]);
    }
    // Decimal commas do not make a comma the delimiter, nor does a name with one.
    assert_eq!(read("a;b;c\n1,5;2,5;3\n1,5;2,5;4\n").unwrap().names(), ["a", "b", "c"]);
    assert_eq!(read("a;b, c\n1;2\n3;4\n").unwrap().names(), ["a", "b, c"]);
    assert_eq!(read("only one\n1\n").unwrap().names(), ["only one"]);
}

#[test]
fn types_are_those_of_the_whole_column() {
    // Over several blocks: the last eighth of `late` are texts, and what looked like numbers stays as it stood.
    let rows = 320_000 * rayon::current_num_threads();
    let row = |i: usize| {
        let late = if i >= rows / 8 * 7 { "x".into() } else { format!("{:.2}", i as f64 / 4.0) };
        format!("{i},{},{late}", ["u", "v", "w"][i % 3])
    };
    let text = "number,word,late\n".to_string() + &long(rows, row);
    assert!(text.len() > rayon::current_num_threads() * (5 << 20)); // 4 MiB for each core at a time
    let table = read(&text).unwrap();
    assert_eq!(table.rows(), rows);
    let numbers = table.numbers("number").unwrap();
    assert!(numbers.iter().enumerate().all(|(i, &value)| value == i as f64));
    let Cells::Text(words) = table.column("word").unwrap() else { panic!("`word` holds no texts") };
    assert_eq!(words.labels(), ["u", "v", "w"]);
    assert!((0..rows).all(|i| words.get(i) == Some(["u", "v", "w"][i % 3])));
    let Cells::Text(late) = table.column("late").unwrap() else { panic!("`late` holds no texts") };
    assert_eq!([late.get(0), late.get(4), late.get(rows - 1)], [Some("0.00"), Some("1.00"), Some("x")]);
    assert_eq!((table.place(0), table.place(rows - 1)), (Place::Line(2), Place::Line(rows as u64 + 1)));
    // The same gzipped, and in parts.
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(text.as_bytes()).unwrap();
    let zipped = zipped.finish().unwrap();
    assert_eq!(read(&zipped).unwrap().columns(), table.columns());
    let (_folder, path) = file(&zipped);
    let mut reader = CsvReader::open(&path, &Reading::default()).unwrap();
    let (mut seen, mut parts) = (0, 0);
    while let Some(part) = reader.next_table(&[NUMBER, ReadAs::Skip, ReadAs::Text]).unwrap() {
        assert_eq!(part.names(), ["number", "late"]);
        assert_eq!(part.numbers("number").unwrap(), &numbers[seen..seen + part.rows()]);
        assert_eq!(part.place(0), Place::Line(seen as u64 + 2));
        seen += part.rows();
        parts += 1;
    }
    assert!(seen == rows && parts > 0, "{seen} rows in {parts} parts");
    // Cut off, it is told where.
    let message = problem([0x1f, 0x8b], ReadAs::Infer);
    assert!(message.starts_with("line 1: its gzip data is damaged or truncated"), "{message}");
    let message = problem(&zipped[..zipped.len() / 2], ReadAs::Infer);
    assert!(message.starts_with("line ") && message.contains("gzip data is damaged or truncated"), "{message}");
    // Lines are those of the file in every block, with quoted line feeds in them.
    let row = |i: usize| if i == 250_000 { "x,1".into() } else { format!("{i},\"{i}\n\"") };
    let message = problem("a,b\n".to_string() + &long(rows, row), NUMBER);
    assert_eq!(message, "line 500002, column `a`: `x` is not a number: make the column numeric or remove it");
}

/// Numbers are read where they stand, other cells by their ends: either way a cell is a number or none, whatever ends it.
#[test]
fn numbers_end_where_their_cells_do() {
    let numbers =
        ["1", "-1.5", "+.5", "5.", "1e5", "1E-5", "-0", " 7", "7 ", "\"8\"", "12345678901234567890123", "5e-324"];
    let missing = ["", "nan", "NaN", "?", "n/a"];
    let texts = ["1e", "e5", "1_0", "0x10", "12abc", "1.2.3", "-", ".", "1 2", "nano", "info", "1\"", "4:5"];
    for (delimiter, end) in [(",", "\n"), (";", "\r\n"), ("\t", "\n"), ("|", "\n")] {
        for cell in numbers.iter().chain(&missing).chain(&texts) {
            let rows = format!("a{delimiter}b{delimiter}c{end}{cell}{delimiter}2{delimiter}{cell}{end}");
            let table = read(&rows).unwrap();
            assert_eq!(table.numbers("b").unwrap(), [2.0], "{rows:?}");
            let value = numbers.contains(cell).then(|| cell.trim_matches([' ', '"']).parse::<f64>().unwrap());
            for name in ["a", "c"] {
                match table.column(name).unwrap() {
                    Cells::Number(found) if missing.contains(cell) => assert!(found[0].is_nan(), "{rows:?}"),
                    Cells::Number(found) => assert_eq!(Some(found[0].to_bits()), value.map(f64::to_bits), "{rows:?}"),
                    Cells::Text(found) => assert_eq!((found.get(0), value), (Some(*cell), None), "{rows:?}"),
                    Cells::Date(_) => panic!("{rows:?}"),
                }
            }
        }
    }
    // A comma within a number ends it only where it is the delimiter.
    let table = read("a;b\n1,5;2\n").unwrap();
    assert_eq!((table.numbers("a").unwrap(), table.numbers("b").unwrap()), (&[1.5][..], &[2.0][..]));
}

#[test]
fn csv_for_prediction_leaves_columns_out() {
    let how = |names: &[String]| Ok(names.iter().map(|name| if name == "y" { ReadAs::Skip } else { NUMBER }).collect());
    for text in [&b"a,y,b\n1,,3\n4,\xff,6\n"[..], b"a,b\n1,3\n4,6\n"] {
        let (_folder, path) = file(text);
        let table = Table::read_csv_as(path, &Reading::default(), how).unwrap();
        assert_eq!(table.names(), ["a", "b"]);
        assert_eq!(table.numbers("b").unwrap(), [3.0, 6.0]);
    }
    let (_folder, path) = file("y\n1\n");
    assert!(matches!(Table::read_csv_as(path, &Reading::default(), how), Err(Error::EmptyTable { .. })));
    let (_folder, path) = file("a,b\n1,2\n");
    assert!(matches!(
        Table::read_csv_as(path, &Reading::default(), |_| Ok(vec![ReadAs::Text])),
        Err(Error::Shape { found: 1, .. })
    ));
}

#[test]
fn csv_cells_that_are_no_numbers() {
    let hint = "is not a number: make the column numeric or remove it";
    let problem = |text: &str| problem(text, NUMBER);
    assert_eq!(problem("a,b\n1,2\n3,x7 \n"), format!("line 3, column `b`: `x7` {hint}"));
    assert_eq!(problem("a,y\n1,2\n\"1,5 m\",3\n"), format!("line 3, column `a`: `1,5 m` {hint}"));
    // Lines are those of the file, whatever stands between: blank lines, quoted newlines, \r\n.
    assert_eq!(problem("a,b\r\n\r\n\r\n1,2\r\nx,2\r\n"), format!("line 5, column `a`: `x` {hint}"));
    assert_eq!(problem("a,y\n1,\"2\n\"\nx,3"), format!("line 4, column `a`: `x` {hint}"));
    assert_eq!(problem("\n\"a\n\",\"b\nb\"\n1,2\n"), {
        let hint = "a quote is not closed, or lines end in a carriage return alone";
        format!("line 2: a name in the header continues over the end of the line: {hint}")
    });
    // A quote that is never closed doesn't put the rest of the file into the message.
    let long = problem(&format!("a,b\n1,\"2\n{}", "3,4\n".repeat(1000)));
    assert!(long.starts_with("line 2, column `b`: `2\\n3,4\\n") && long.len() < 200, "{long}");
}

#[test]
fn csv_cells_that_are_not_finite() {
    let hint = "is not finite: remove or replace the row";
    for cell in ["inf", "-inf", "Infinity", "1e999"] {
        let expected = format!("line 3, column `b`: `{cell}` {hint}");
        for kind in [NUMBER, ReadAs::Infer, ReadAs::Target] {
            assert_eq!(problem(format!("a,b\n1,2\n3,{cell}\n"), kind), expected);
        }
    }
    assert_eq!(*read("a\ninf\nx\n").unwrap().column("a").unwrap(), text(&["inf", "x"]));
}

#[test]
fn csv_that_is_malformed() {
    let problem = |text: &[u8]| problem(text, ReadAs::Infer);
    assert_eq!(problem(b"a,b\n1,2\n3\n"), "line 3: 1 cell, where the header has 2");
    assert_eq!(problem(b"a,b\n1,2\n\"3,4\n"), "line 3: 1 cell, where the header has 2; is a quote not closed?");
    assert_eq!(problem(b"a,b\n1,2\n\n3,4,5\n"), "line 4: 3 cells, where the header has 2");
    assert!(problem(b"a,b\n1,2\n3,\xff\n").starts_with("line 3: b holds bytes that are not UTF-8 text: if they are "));
    assert!(
        problem(b"a,\xe9\n1,2\n").starts_with("line 1: the header holds bytes that are not UTF-8 text: if they are ")
    );
}

#[test]
fn csv_that_lacks_something() {
    let empty = "the table has no data rows: expected a header line and at least one row";
    for nothing in ["", "\n\n", "a,b\n", "a,b", "\u{feff}"] {
        assert_eq!(problem(nothing, ReadAs::Infer), empty, "{nothing:?}");
    }
    assert!(numbers("a,b\n1,2\n").is_ok());
    let absent = Table::read_csv("/no/such/t.csv").unwrap_err();
    assert!(
        matches!(absent, Error::Io { .. }) && absent.to_string().starts_with("/no/such/t.csv: cannot read the table")
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Table::read_csv(folder.path()), Err(Error::Io { .. })));
}

/// A reader of this format that is widely used and was written by others, the csv crate's, finds the same cells.
#[test]
fn cells_are_those_of_the_csv_crate() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let parts = ["a", "1.5", "\"", "\"\"", ",", ",", "\n", "\n", " ", "é", "\r\n", "x y"];
    let mut compared = 0;
    for _ in 0..4000 {
        let body: String =
            (0..random.random_range(0..24)).map(|_| parts[random.random_range(0..parts.len())]).collect();
        let text = format!("p,q\n{body}");
        let quoted_blank = |line: &str| line.contains('"') && line.trim().chars().all(|char| char == '"');
        if text.contains(" \"") || body.lines().any(quoted_blank) {
            continue; // that crate takes a quote behind a space for text, and we a quoted cell alone for a row of one cell
        }
        let whole = text.clone() + if text.ends_with('\n') { "" } else { "\n" };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(whole.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(|cell| cell.trim().to_string()).collect::<Vec<_>>())
            .filter(|record| record.len() > 1 || !record[0].is_empty())
            .collect();
        let (_folder, path) = file(&text);
        let found = Table::read_csv_as(&path, &Reading::default(), |names| Ok(vec![ReadAs::Text; names.len()]));
        if !expected.is_empty() && expected.iter().all(|record| record.len() == 3) {
            continue; // rows with names
        }
        if expected.is_empty() || expected.iter().any(|record| record.len() != 2) {
            assert!(found.is_err(), "{text:?}: {expected:?}");
            continue;
        }
        let found = found.unwrap();
        let cell = |name, row| match found.column(name).unwrap() {
            Cells::Text(texts) => texts.get(row).unwrap_or_default().to_string(),
            cells => panic!("{cells:?}"),
        };
        let found: Vec<Vec<String>> = (0..found.rows()).map(|row| vec![cell("p", row), cell("q", row)]).collect();
        assert_eq!(found, expected, "{text:?}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

/// Whatever the bytes, they are a table or an error that names the file.
#[test]
fn random_bytes_are_no_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (_folder, path) = file("");
    let mut good = 0;
    for case in 0..2000 {
        let mut bytes = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut bytes);
        let alphabet: &[u8] = match case % 4 {
            0 => b"ab1,;\t|\n\r\"? .-e\xff\0",
            1 => b"a12.-e\n\n?",
            _ => &[],
        };
        if !alphabet.is_empty() {
            bytes.iter_mut().for_each(|byte| *byte = alphabet[usize::from(*byte) % alphabet.len()]);
        }
        if case % 5 == 0 {
            bytes.splice(..0, [0x1f, 0x8b, 8, 0]);
        }
        fs::write(&path, &bytes).unwrap();
        match Table::read_csv(&path) {
            Ok(table) => good += table.rows(),
            Err(error) => assert!(error.to_string().starts_with(&path.display().to_string()), "{error}"),
        }
    }
    assert!(good > 50, "{good}");
}
