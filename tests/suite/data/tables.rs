//! Tables of other formats than delimited text: what numpy and pyarrow wrote is read, and every message of what is none.
//! `tests/fixtures/tables.py` makes their files.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use tempfile::TempDir;
use wgpu_mlp::data::{Cells, Column, ReadAs, Reading, Strays, Table, TableFile};
use wgpu_mlp::{Error, Place};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::data::csv::text;
use crate::data::idx::{file as idx, gzip};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tables.safetensors");

/// Files of a format by others, each with the same table as delimited text.
pub fn cases(format: &str) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let bytes = fs::read(CASES).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let part = |name: &str, part: &str| all.tensor(&format!("{name}/{part}")).unwrap().data().to_vec();
    let mut names: Vec<_> = all.names().into_iter().filter_map(|name| name.strip_suffix("/file")).collect();
    names.retain(|name| name.starts_with(format));
    names.sort();
    names.into_iter().map(|name| (name.to_string(), part(name, "file"), part(name, "csv"))).collect()
}

/// A file of these bytes in a folder that lives as long as the first value.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The table of a file, and of the same bytes in memory: the same, or the same message.
pub fn read_twice(path: &Path) -> Result<Table, Error> {
    let (file, memory) = (Table::read(path), Table::from_bytes(path, fs::read(path).unwrap()));
    let told = |table: &Result<Table, Error>| match table {
        Ok(table) => format!("{table:?}"), // a missing number is not equal to itself
        Err(error) => error.to_string(),
    };
    assert_eq!(told(&file), told(&memory));
    file
}

fn read(bytes: &[u8]) -> Result<Table, Error> {
    let (_folder, path) = file(bytes);
    read_twice(&path)
}

/// What is wrong with these bytes as a file of this format.
fn problem(format: &str, bytes: &[u8]) -> String {
    let (_folder, path) = file(bytes);
    let message = Table::read(&path).unwrap_err().to_string();
    let head = format!("{}: cannot read it as {format}: ", path.display());
    message.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{message}`")).to_string()
}

/// An `.npy` file with this header.
pub fn npy_of(header: &str, values: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

/// An `.npy` file in C's order.
pub fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    npy_of(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"), values)
}

/// An archive of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn matches_text(format: &str, expected: usize) {
    let cases = cases(format);
    assert_eq!(cases.len(), expected);
    for (name, file, text) in cases {
        let [found, zipped, expected] =
            [&file, &gzip(&file), &text].map(|bytes| read(bytes).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_eq!(found.names(), expected.names(), "{name}");
        for (found, expected) in found.columns().iter().zip(expected.columns()) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(zipped.columns(), found.columns(), "{name}, gzipped");
        assert_eq!(found.place(1), Place::Row(2), "{name}");
    }
}

#[test]
fn arrays_of_numpy_are_read() {
    matches_text("npy", 82);
    matches_text("npz", 3);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_read() {
    matches_text("parquet", 12);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_columns_of_other_types_are_refused_unless_left_out() {
    let (_, bytes, csv) = cases("others/parquet").remove(0);
    let (_folder, path) = file(&bytes);
    let only = |wanted: &[&str]| {
        let kind = |name: &String| if wanted.contains(&name.as_str()) { ReadAs::Infer } else { ReadAs::Skip };
        Table::read_with(&path, &Reading::default(), |names| Ok(names.iter().map(kind).collect()))
    };
    assert_eq!(only(&["nothing", "d"]).unwrap().columns(), read(&csv).unwrap().columns());
    let refused = [
        ("hour", "Time"),
        ("price", "Decimal"),
        ("half", "Float16"),
        ("pair.list.element", "nested in another"),
        ("point.x", "nested in another"),
    ];
    for (name, kind) in refused {
        let message = only(&[name, "d"]).unwrap_err().to_string();
        let problem = format!(
            "column `{name}`: it is {kind}: expected numbers, booleans, texts, dates or times; ignore leaves it out"
        );
        assert_eq!(message, format!("{}: cannot read it as Parquet: {problem}", path.display()));
    }
    assert!(only(&["raw"]).unwrap_err().to_string().ends_with("column `raw`: it holds bytes that are not UTF-8 text"));
    assert!(matches!(only(&[]), Err(Error::EmptyTable { .. })));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_needs_its_feature() {
    for (_, file, _) in cases("parquet") {
        assert!(problem("Parquet", &file).contains("--features parquet"));
    }
    // What only begins like it is text.
    assert_eq!(read(b"PAR1,PAR2\n1,2\n").unwrap().names(), ["PAR1", "PAR2"]);
}

/// Texts of cells in front of which an `i` stands in the text beside a file.
#[test]
fn whole_numbers_that_f64_does_not_have_keep_their_digits() {
    let formats: &[&str] = if cfg!(feature = "parquet") { &["whole/npy", "whole/parquet"] } else { &["whole/npy"] };
    for (name, bytes, plain) in formats.iter().flat_map(|format| cases(format)) {
        let plain = String::from_utf8(plain).unwrap();
        let expected = read(plain.replace('i', "i_").as_bytes()).unwrap();
        let (_folder, path) = file(&bytes);
        let table = Table::read(&path).unwrap();
        for (found, expected) in table.columns().iter().zip(expected.columns()) {
            let Cells::Text(expected) = &expected.cells else {
                assert_eq!(found.cells, expected.cells, "{name}");
                continue;
            };
            let expected = (0..expected.len()).map(|row| expected.get(row).map(|text| text.trim_start_matches("i_")));
            assert!(matches!(found.cells, Cells::Number(_)), "{name}");
            assert_eq!(found.to_texts(), expected.collect(), "{name}");
        }
    }
    let ids = [i64::MIN, -(1 << 53), 1 << 53, 1 << 62].map(i64::to_le_bytes).concat();
    let table = read(&npy("'<i8'", "(4,)", &ids)).unwrap();
    let numbers = [-2_f64.powi(63), -9_007_199_254_740_992.0, 9_007_199_254_740_992.0, 2_f64.powi(62)];
    assert_eq!(table.numbers("x").unwrap(), numbers);
}

#[test]
fn arrays_that_are_not_wanted_are_not_looked_at() {
    let (_, bytes, csv) = cases("others/npz").remove(0);
    let (_folder, path) = file(&bytes);
    let names = ["x0", "x1", "names", "one", "any", "z", "none", "y"];
    let only = |wanted: &[&str]| {
        let kind = |name: &String| if wanted.contains(&name.as_str()) { ReadAs::Infer } else { ReadAs::Skip };
        let read = Table::read_with(&path, &Reading::default(), |found| {
            assert_eq!(found, names);
            Ok(found.iter().map(kind).collect())
        });
        read.map_err(|error| error.to_string().replace(&format!("{}: cannot read it as npz: ", path.display()), ""))
    };
    assert_eq!(only(&["x0", "x1", "y"]).unwrap().columns(), read(&csv).unwrap().columns());
    assert_eq!(only(&["x1"]).unwrap().names(), ["x1"]);
    assert!(only(&[]).unwrap_err().contains("no data rows"));
    for (name, problem) in [
        ("one", "it is a single value: expected rows"),
        ("any", "it holds Python's objects: save it by `array.astype(float)` or `array.astype(str)`"),
        ("z", "its values have the type `<c16`: expected numbers, booleans, texts or dates"),
        ("none", "its dimensions [0, 2] have no values: expected rows and columns"),
    ] {
        let expected = format!("array `{name}`: {problem}; ignore = {name} leaves it out");
        assert_eq!(only(&["x0", name]).unwrap_err(), expected);
    }
    assert_eq!(
        only(&["x0", "names", "y"]).unwrap_err(),
        "its arrays have different numbers of rows, `x` 6, `names` 2, `y` 6: name those that belong together, for example by features = x, or leave others out, for example by ignore = names"
    );
    // An archive's directory and one array damaged: the others are there.
    let (x, mut y) = (npy("'|u1'", "(2,)", b"ab"), npy("'|u1'", "(2,)", b"cd"));
    y[0] = b'?';
    let (_folder, path) = file(&zip(&[("x.npy", &x), ("y.npy", &y)]));
    let read = Table::read_with(&path, &Reading::default(), |_| Ok(vec![ReadAs::Infer, ReadAs::Skip]));
    assert_eq!(read.unwrap().numbers("x").unwrap(), [97.0, 98.0]);
    // Of many columns, only as many as there are values for.
    let wide = npy("'|u1'", "(1, 1000000000000)", &[1; 2000]);
    let (_folder, path) = file(&zip(&[("x.npy", &x), ("wide.npy", &wide)]));
    let read = Table::read_with(&path, &Reading::default(), |names| {
        assert_eq!(names, ["x", "wide"]);
        Ok(vec![ReadAs::Infer, ReadAs::Skip])
    });
    assert_eq!(read.unwrap().rows(), 2);
}

#[test]
fn columns_are_read_as_they_are_wanted() {
    let (_folder, path) = file(&npy("[('a', '<u2'), ('b', '|S1')]", "(2,)", b"\x01\0x\x02\0y"));
    let how = |names: &[String]| {
        assert_eq!(names, ["a", "b"]);
        Ok(vec![ReadAs::Text, ReadAs::Skip])
    };
    let expected = [Column::new("a", text(&["1", "2"]))];
    assert_eq!(Table::read_with(&path, &Reading::default(), how).unwrap().columns(), expected);
    let TableFile::Whole(table) = TableFile::open(&path, &Reading::default(), how).unwrap() else {
        panic!("taken for text")
    };
    assert_eq!(table.columns(), expected);
    let message = |kinds: &[ReadAs]| {
        Table::read_with(&path, &Reading::default(), |_| Ok(kinds.to_vec())).unwrap_err().to_string()
    };
    assert!(
        message(&[ReadAs::Skip, ReadAs::Number(Strays::Refused)])
            .ends_with(": row 1, column `b`: `x` is not a number: make the column numeric or remove it")
    );
    assert!(message(&[ReadAs::Text]).contains("has 1 values: expected 2"));
}

#[test]
fn arrays_that_are_no_table_are_refused() {
    let is = |bytes: Vec<u8>, expected: &str| assert_eq!(problem("npy", &bytes), expected);
    is(npy("'<f8'", "()", &[0; 8]), "it is a single value: expected rows");
    is(npy("'<f8'", "(0, 3)", &[]), "its dimensions [0, 3] have no values: expected rows and columns");
    is(npy("'<f8'", "(1, 0)", &[]), "its dimensions [1, 0] have no values: expected rows and columns");
    is(
        npy("'<f8'", "(0, 9223372036854775807, 4)", &[]),
        "its dimensions [0, 9223372036854775807, 4] have no values: expected rows and columns",
    );
    is(npy("[]", "(3,)", &[]), "its dimensions [3] have no values: expected rows and columns");
    for kind in [
        "<c16",
        "<m8[ns]",
        "<M8",
        "<M8[x]",
        "<M8[99999999999s]",
        "<f16",
        "|V16",
        "|S0",
        "<U0",
        "|b16",
        "f8",
        "<",
        "<U99999999999999999999",
        "<U9999999999999999999",
    ] {
        let expected = format!("its values have the type `{kind}`: expected numbers, booleans, texts or dates");
        let size = if kind.contains("8") && !kind.contains("U") { 8 } else { 16 };
        is(npy(&format!("'{kind}'"), "(1,)", &[0; 16][..size]), &expected);
    }
    is(
        npy("'|O'", "(1,)", b"pickle"),
        "it holds Python's objects: save it by `array.astype(float)` or `array.astype(str)`",
    );
    is(
        npy("[('a', '<m8[D]')]", "(1,)", &[0; 8]),
        "field `a`: its values have the type `<m8[D]`: expected numbers, booleans, texts or dates",
    );
    is(npy("[('a', '<f8', (3,))]", "(1,)", &[0; 24]), "its field `a` has more than one value for each row");
    is(npy("[('a', [('b', '<f8')])]", "(1,)", &[0; 8]), "its field `a` has more than one value for each row");
    is(
        npy("[('a', 'u1'), ('a', 'u1')]", "(1,)", &[0; 2]),
        "its values have the type `u1`: expected numbers, booleans, texts or dates"
            .replace("its", "field `a`: its")
            .as_str(),
    );
    is(npy("[('a', '|u1'), ('a', '|u1')]", "(1,)", &[0; 2]), "two columns are named `a`");
    is(npy("[('', '|u1')]", "(1,)", &[0]), "column 1 has no name");
    is(npy("'|S2'", "(2,)", b"abc\xff"), "row 2 is not text");
    is(npy("'>U1'", "(1,)", b"\0\x11\0\0"), "row 1 is not text");
    is(npy("'<f4'", "(3, 2)", &[0; 20]), "it ends after 5 of the 6 values of its dimensions [3, 2]");
    is(npy("'<f4'", "(3, 2)", &[0; 25]), "it continues after the 6 values of its dimensions [3, 2]");
    is(
        npy("'<f4'", "(1000000000000000,)", &[0; 10]),
        "it ends after 2 of the 1000000000000000 values of its dimensions [1000000000000000]",
    );
    is(
        npy("'<f4'", "(4294967296, 4294967296, 2)", &[]),
        "its dimensions [4294967296, 4294967296, 2] have more values than a file can hold",
    );
    let infinite = [1_f64, f64::NEG_INFINITY].map(f64::to_le_bytes).concat();
    let (_folder, path) = file(&npy("'<f8'", "(2,)", &infinite));
    let message = Table::read(&path).unwrap_err().to_string();
    assert!(message.ends_with(": row 2, column `x`: `-inf` is not finite: remove or replace the row"), "{message}");
}

#[test]
fn headers_that_are_none_are_refused() {
    let is = |header: &str, expected: &str| assert_eq!(problem("npy", &npy_of(header, &[0; 8])), expected, "{header}");
    let sound = "{'descr':\"<f8\",'shape':[1],'fortran_order':False,'more':{'a':(\"\\'\\\"\\\\\",[],()),},}  \n";
    assert_eq!(*read(&npy_of(sound, &[0; 8])).unwrap().column("x").unwrap(), Cells::Number(vec![0.0]));
    for header in [
        "",
        "{",
        "{'descr'}",
        "{'descr': }",
        "{'a': 1 'b': 2}",
        "{'a': 1} x",
        "{'a': 'b\\n'}",
        "{'a': -1}",
        "{'a: 1}",
        "{'a': 1.5}",
        "{'a': (((((1)))))}",
        "{'a': (1}",
        "{'a': 99999999999999999999}",
    ] {
        is(header, "its header is not a Python dictionary");
    }
    is("(1, 2)", "its header is not a dictionary");
    is("{}", "its header has no `descr`");
    is("{'descr': 8}", "its type is neither a word nor a list of fields");
    is("{'descr': [8]}", "a field is not a pair of a name and a type");
    is("{'descr': [(8, '<f8')]}", "a field has no name");
    is("{'descr': '<f8', 'fortran_order': 1}", "its order is neither C's nor Fortran's");
    for shape in ["8", "('a',)", "(True,)"] {
        is(
            &format!("{{'descr': '<f8', 'fortran_order': True, 'shape': {shape}}}"),
            "its shape is not a list of whole numbers",
        );
    }
    is(&format!("{{'descr': [('', '|V{0}'), ('', '|V{0}')]}}", usize::MAX), "its items are larger than a file can be");
    assert_eq!(problem("npy", b"\x93NUMPY\x04\0"), "it does not begin like a numpy array");
    assert_eq!(problem("npy", b"\x93NUMPY\x03\0\x01\0\0\0\xff"), "its header is not text");
    // Nothing is taken for a header of 4 GiB.
    assert_eq!(problem("npy", b"\x93NUMPY\x02\0\xff\xff\xff\xff{}"), "its header has no `descr`");
}

#[test]
fn archives_that_are_no_table_are_refused() {
    let is = |bytes: Vec<u8>, expected: &str| assert_eq!(problem("npz", &bytes), expected);
    let (two, three) = (npy("'|u1'", "(2,)", b"ab"), npy("'|u1'", "(3, 2)", b"abcdef"));
    let table = read(&zip(&[("a.npy", &two), ("__MACOSX/._a.npy", b"x"), ("b/c.npy", &two)])).unwrap();
    assert_eq!(table.names(), ["a", "b/c"]);
    is(
        zip(&[("a.npy", &two), ("b.npy", &three)]),
        "its arrays have different numbers of rows, `a` 2, `b` 3: name those that belong together, for example by features = b, or \
         leave others out, for example by ignore = a",
    );
    is(zip(&[("a0.npy", &npy("'|u1'", "(3,)", b"abc")), ("a.npy", &three)]), "two columns are named `a0`");
    is(zip(&[("a.npy", b"")]), "array `a`: it does not begin like a numpy array; ignore = a leaves it out");
    is(
        zip(&[("a.npy", &npy("'|O'", "(2,)", b""))]),
        "array `a`: it holds Python's objects: save it by `array.astype(float)` or `array.astype(str)`; ignore = a leaves it out",
    );
    let whole = zip(&[("a.npy", &two)]);
    assert!(problem("npz", &whole[..whole.len() - 1]).starts_with("it is damaged or truncated ("));
    // A byte of the values is another one.
    let mut wrong = zip(&[("a.npy", &npy("'|u1'", "(2000,)", &[7; 2000]))]);
    let at = wrong.len() / 3;
    wrong[at] ^= 1;
    assert!(problem("npz", &wrong).starts_with("array `a`: "), "{}", problem("npz", &wrong));
}

#[test]
fn images_have_their_labels_beside_them() {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let read = |name: &str| Table::read(folder.path().join(name)).map_err(|error| error.to_string());
    let images = idx(&[3, 1, 2], &[0, 9, 1, 8, 255, 7]);
    put("t-images-idx3-ubyte", &images);
    assert_eq!(read("t-images-idx3-ubyte").unwrap().names(), ["pixel0", "pixel1"]);
    for (name, bytes) in
        [("t-labels-idx1-ubyte.gz", gzip(&idx(&[3], &[5, 10, 5]))), ("t-labels-idx1-ubyte", idx(&[3], &[5, 10, 5]))]
    {
        put(name, &bytes);
        let table = read("t-images-idx3-ubyte").unwrap();
        assert_eq!(table.names(), ["label", "pixel0", "pixel1"]);
        assert_eq!(*table.column("label").unwrap(), text(&["5", "10", "5"]));
        assert_eq!(table.numbers("pixel0").unwrap(), [0.0, 1.0 / 255.0, 1.0]);
        assert_eq!(read(name).unwrap().names(), ["label"]);
    }
    put("t-images-idx3-ubyte.gz", &gzip(&images));
    assert_eq!(read("t-images-idx3-ubyte.gz").unwrap().columns(), read("t-images-idx3-ubyte").unwrap().columns());
    // Bytes in memory have no neighbours.
    let path = folder.path().join("t-images-idx3-ubyte");
    assert_eq!(Table::from_bytes(&path, fs::read(&path).unwrap()).unwrap().names(), ["pixel0", "pixel1"]);
    put("other", &images);
    assert_eq!(read("other").unwrap().names(), ["pixel0", "pixel1"]);
    put("t-labels-idx1-ubyte", &idx(&[2], &[5, 10]));
    let message = read("t-images-idx3-ubyte").unwrap_err();
    assert!(
        message.contains(
            "t-labels-idx1-ubyte: cannot read it as IDX: its dimensions are [2]: expected 3, one for each image of "
        ),
        "{message}"
    );
    put("t-labels-idx1-ubyte", b"5\n10\n5\n");
    let message = read("t-images-idx3-ubyte").unwrap_err();
    assert!(message.contains("t-labels-idx1-ubyte: cannot read it as IDX: it begins with 0x350a3130"), "{message}");
    // Other types than unsigned bytes stand as they are.
    let typed = |kind: u8, shape: &[u32], values: &[u8]| {
        let mut bytes = idx(shape, values);
        bytes[2] = kind;
        bytes
    };
    let (single, double) = ([0.5_f32, -2.0].map(f32::to_be_bytes).concat(), [0.5, -2.0].map(f64::to_be_bytes).concat());
    for (kind, values, expected) in [
        (0x09, &[0x80, 5][..], [-128.0, 5.0]),
        (0x0b, &[0xff, 0xfe, 1, 0], [-2.0, 256.0]),
        (0x0c, &[0xff, 0xff, 0xff, 0xfe, 0, 1, 0, 0], [-2.0, 65536.0]),
        (0x0d, &single, [0.5, -2.0]),
        (0x0e, &double, [0.5, -2.0]),
    ] {
        put("typed", &typed(kind, &[2, 1], values));
        assert_eq!(read("typed").unwrap().numbers("pixel").unwrap(), expected, "{kind:#x}");
        put("typed", &typed(kind, &[2], values));
        let table = read("typed").unwrap();
        match table.column("label").unwrap() {
            Cells::Text(_) => assert_eq!(
                *table.column("label").unwrap(),
                text(&expected.map(|value| value.to_string()).each_ref().map(String::as_str))
            ),
            Cells::Number(values) => assert!(*values == expected && kind > 0x0c),
            Cells::Date(_) => panic!("{kind:#x}"),
        }
    }
    put("typed", &typed(0x0d, &[2, 1], &f32::INFINITY.to_be_bytes().repeat(2)));
    assert!(
        read("typed").unwrap_err().ends_with("row 1, column `pixel`: `inf` is not finite: remove or replace the row")
    );
    put("typed", &typed(0x0d, &[2, 1], &[0; 9]));
    let problem = "its values are floats of 4 bytes, and it continues after the 2 values of its dimensions [2, 1]";
    assert!(read("typed").unwrap_err().ends_with(problem));
    put("none", &idx(&[0, 1, 2], &[]));
    assert!(read("none").unwrap_err().contains("have no values: expected rows and columns"));
}
