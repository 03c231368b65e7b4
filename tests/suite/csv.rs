//! Reading CSV files: what is taken, and every message of bad input.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use wgpu_mlp::Error;
use wgpu_mlp::data::{Cells, Table};

/// A file of this text in a folder that lives as long as the first value.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(text: impl AsRef<[u8]>, target: Option<&str>) -> Result<Table, Error> {
    Table::read_csv(file(text).1, target)
}

/// The message for a text, without the path at its head, which is checked.
fn problem(text: impl AsRef<[u8]>, target: Option<&str>) -> String {
    let (_folder, path) = file(text);
    let message = Table::read_csv(&path, target).unwrap_err().to_string();
    let head = format!("{}: ", path.display());
    message.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{message}`")).to_owned()
}

pub fn text(values: &[&str]) -> Cells {
    Cells::Text(values.iter().map(|value| value.to_string()).collect())
}

#[test]
fn csv_is_read() {
    let expected = |table: &Table| {
        assert_eq!(table.names(), ["a", "b c", "y"]);
        assert_eq!(table.numbers("a").unwrap(), [1.0, -2.5]);
        assert_eq!(table.numbers("b c").unwrap(), [0.03, 4e5]);
        assert_eq!(*table.column("y").unwrap(), text(&["no", "yes, it is"]));
    };
    expected(&read("a,b c,y\n1,0.03,no\n-2.5,4e5,\"yes, it is\"\n", Some("y")).unwrap());
    let untidy = "\u{feff}a ,\"b c\" , y\r\n\r\n +1 , .03,no\r\n  \r\n-2.5,\t4E+5 ,\"yes, it is\"\r\n\r\n";
    let table = read(untidy, Some("y")).unwrap();
    expected(&table);
    assert_eq!((table.line(0), table.line(1)), (3, 5));
    // No newline at the end, a target of numbers, a single column.
    assert_eq!(*read("a,y\n1,2\n3,4", Some("y")).unwrap().column("y").unwrap(), Cells::Number(vec![2.0, 4.0]));
    assert_eq!(read("a\n1\n\n2", None).unwrap().numbers("a").unwrap(), [1.0, 2.0]);
    // A target that is mostly numbers is kept as it stands; `nan` among texts is a text.
    assert_eq!(*read("a,y\n1,1.0\n2,?\n", Some("y")).unwrap().column("y").unwrap(), text(&["1.0", "?"]));
    assert_eq!(*read("a,y\n1,nan\n2,?\n", Some("y")).unwrap().column("y").unwrap(), text(&["nan", "?"]));
}

#[test]
fn csv_for_prediction_leaves_the_target_out() {
    for text in ["a,y,b\n1,,3\n4,what,6\n", "a,b\n1,3\n4,6\n"] {
        let (_folder, path) = file(text);
        let table = Table::read_csv_without(path, None, &["y", "w"]).unwrap();
        assert_eq!(table.names(), ["a", "b"]);
        assert_eq!(table.numbers("b").unwrap(), [3.0, 6.0]);
    }
    let (_folder, path) = file("y\n1\n");
    assert!(matches!(Table::read_csv_without(path, None, &["y"]), Err(Error::EmptyTable { .. })));
}

#[test]
fn csv_cells_that_are_no_numbers() {
    let hint = "is not a number; make the column numeric or remove it";
    assert_eq!(problem("a,b\n1,2\n3,x7 \n", None), format!("line 3, column `b`: `x7` {hint}"));
    assert_eq!(problem("a,b\n1,2\n,3\n", None), "line 3: column `a` is empty: fill it in or remove the row");
    assert_eq!(problem("a,y\n1,2\n\"1,5\",3\n", Some("y")), format!("line 3, column `a`: `1,5` {hint}"));
    // Lines are those of the file, whatever stands between: blank lines, quoted newlines, \r\n.
    assert_eq!(problem("a,b\r\n\r\n\r\n1,2\r\nx,2\r\n", None), format!("line 5, column `a`: `x` {hint}"));
    assert_eq!(problem("a,y\n1,\"u\nv\"\nx,w", Some("y")), format!("line 4, column `a`: `x` {hint}"));
    assert_eq!(problem("\n\"a\n\",\"b\nb\"\n1,2\n", None), {
        let hint = "a quote is not closed, or lines end in a bare carriage return";
        format!("line 2: a name in the header goes over the end of the line: {hint}")
    });
    // A quote that is never closed doesn't put the rest of the file into the message.
    let long = problem(format!("a,b\n1,\"2\n{}", "3,4\n".repeat(1000)), None);
    assert!(long.starts_with("line 2, column `b`: `2\\n3,4\\n") && long.len() < 200, "{long}");
}

#[test]
fn csv_cells_that_are_not_finite() {
    let hint = "is not finite; remove or replace the row";
    for cell in ["nan", "NaN", "inf", "-inf", "Infinity", "1e999"] {
        let expected = format!("line 3, column `b`: `{cell}` {hint}");
        assert_eq!(problem(format!("a,b\n1,2\n3,{cell}\n"), None), expected);
        assert_eq!(problem(format!("a,b\n1,2\n3,{cell}\n"), Some("b")), expected, "as the target");
    }
}

#[test]
fn csv_that_is_malformed() {
    assert_eq!(problem("a,b\n1,2\n3\n", None), "line 3: 1 cell, where the header has 2; is a quote not closed?");
    assert_eq!(problem("a,b\n1,2\n\n3,4,5\n", None), "line 4: 3 cells, where the header has 2");
    assert_eq!(problem("a;b\n1;2\n", None), "line 1: columns are separated by ';': expected commas");
    assert_eq!(problem("a,b,a\n1,2,3\n", None), "line 1: the header names two columns `a`");
    assert_eq!(problem(",a\n1,2\n", None), "line 1: column 1 of the header has no name");
    assert_eq!(problem("a,b\n1,2\n", Some("b ")).split(';').next(), Some("no column `b `"));
    assert_eq!(problem(b"a,b\n1,2\n3,\xff\n", None), "line 3: b holds bytes that are not UTF-8 text");
    assert_eq!(problem(b"a,\xe9\n1,2\n", None), "line 1: the header holds bytes that are not UTF-8 text");
    let expected = "line 3: the target `y` is empty: fill it in or remove the row";
    assert_eq!(problem("a,y\n1,2\n3, \n", Some("y")), expected);
    assert!(problem("a,b\r1,2\r3,4\r", None).contains("bare carriage return"));
}

#[test]
fn csv_that_lacks_something() {
    let empty = "the table has no data rows: expected a header line and at least one row";
    for nothing in ["", "\n\n", "a,b\n", "a,b", "\u{feff}"] {
        assert_eq!(problem(nothing, None), empty, "{nothing:?}");
    }
    assert_eq!(problem("a,b\n1,2\n", Some("y")), "no column `y`; the table has `a`, `b`");
    let absent = Table::read_csv("/no/such/t.csv", None).unwrap_err();
    assert!(
        matches!(absent, Error::Io { .. }) && absent.to_string().starts_with("/no/such/t.csv: cannot read the table")
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Table::read_csv(folder.path(), None), Err(Error::Io { .. })));
}
