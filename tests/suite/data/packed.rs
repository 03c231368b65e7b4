//! Tables that are compressed, in archives, or text of another encoding than UTF-8: read as what they hold; where they are
//! damaged or something else, one message says what they are. `tests/fixtures/packed.py` makes the files.

use std::fs;
use std::path::PathBuf;

use safetensors::SafeTensors;
use tempfile::TempDir;
use wgpu_mlp::Error;
use wgpu_mlp::data::{CsvReader, ReadAs, Reading, Table, TableFile};

use crate::data::idx::{file as idx, gzip};
use crate::data::tables::{npy, zip};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/packed.safetensors");

/// The parts of the fixture whose names begin so, with the rest of their names.
pub fn parts(head: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(CASES).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let mut parts: Vec<_> = all
        .tensors()
        .into_iter()
        .filter_map(|(name, part)| Some((name.strip_prefix(head)?.to_string(), part.data().to_vec())))
        .collect();
    parts.sort();
    assert!(!parts.is_empty(), "{head}");
    parts
}

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The message for these bytes, without the path at its head, which is checked. It is one line and names no other file.
fn message(bytes: &[u8]) -> String {
    let (folder, path) = file(bytes);
    let message = Table::read(&path).unwrap_err().to_string();
    let head = format!("{}: ", path.display());
    let message = message.strip_prefix(&head).unwrap_or_else(|| panic!("no `{head}` in `{message}`")).to_string();
    let folder = folder.path().parent().unwrap().display().to_string();
    assert!(!message.contains(&folder) && !message.contains(char::is_control), "{message}");
    message
}

#[test]
fn a_table_is_read_however_it_is_packed() {
    let (_, table) = parts("table/csv").remove(0);
    let expected = Table::read(file(&table).1).unwrap();
    let packed = parts("packed/");
    assert_eq!(packed.len(), 18);
    for (name, bytes) in packed {
        let (_folder, path) = file(&bytes);
        let found = Table::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.columns(), expected.columns(), "{name}");
        assert_eq!(Table::from_bytes("t", bytes).unwrap().columns(), expected.columns(), "{name}");
        assert_eq!(found.place(7), expected.place(7), "{name}");
        // Part by part, too.
        let TableFile::Text(mut reader, kinds) =
            TableFile::open(&path, &Reading::default(), |names| Ok(vec![ReadAs::Text; names.len()])).unwrap()
        else {
            panic!("{name} is no text")
        };
        assert_eq!(reader.next_table(&kinds).unwrap().unwrap().rows(), expected.rows(), "{name}");
        assert_eq!(Table::csv_names(&path).unwrap(), expected.names(), "{name}");
    }
}

#[test]
fn arrays_and_images_are_read_out_of_archives() {
    let array = npy("'|u1'", "(2, 2)", b"abcd");
    let x = |table: Table| table.numbers("x1").unwrap().to_vec();
    for packed in [zip(&[("a/b.dat", &array)]), zip(&[("x.npz", &zip(&[("x.npy", &array)]))]), gzip(&array)] {
        assert_eq!(x(Table::read(file(&packed).1).unwrap()), [98.0, 100.0]);
    }
    let images = idx(&[2, 1, 2], &[0, 255, 51, 0]);
    let table = Table::read(file(&zip(&[("__MACOSX/._i", b"x"), ("i", &gzip(&images))])).1).unwrap();
    assert_eq!(table.numbers("pixel0").unwrap(), [0.0, 0.2]);
    // Labels are found beside, however they are packed.
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    put("t-images-idx3-ubyte.zip", &zip(&[("t-images-idx3-ubyte", &images)]));
    put("t-labels-idx1-ubyte.zip", &zip(&[("t-labels-idx1-ubyte", &idx(&[2], &[3, 4]))]));
    let table = Table::read(folder.path().join("t-images-idx3-ubyte.zip")).unwrap();
    assert_eq!(table.names(), ["label", "pixel0", "pixel1"]);
}

#[test]
fn damaged_data_is_told_by_its_compression() {
    // Without its last byte, an archive of an archive still ends as the one within does.
    for (name, bytes) in parts("packed/").into_iter().filter(|(name, _)| name != "zip of zip") {
        let (kind, of) = name.split_once(' ').unwrap_or((&name, ""));
        let is_archive = kind == "zip" || of.contains("zip");
        // In the middle, and just before the end, where a checksum stands, or what says that there is no more.
        for end in [bytes.len() / 2, bytes.len() - 1] {
            let message = message(&bytes[..end]);
            let expected = format!("its {kind} data is damaged or truncated (");
            let archive = "cannot read it as zip: it is damaged or truncated (";
            assert!(
                message.contains(if is_archive { archive } else { &expected }) || message.contains(&expected),
                "{name}: {message}"
            );
            assert!(is_archive || message.starts_with("line "), "{name}: {message}");
        }
        // Another byte within is noticed, where there is a checksum.
        let mut wrong = bytes.clone();
        wrong[bytes.len() / 3] ^= 0x20;
        if !name.contains("without checksum") {
            assert!(Table::read(file(&wrong).1).is_err(), "{name} with another byte is read");
        }
    }
    // Data that goes on with something else.
    let (_, xz) = parts("packed/xz").remove(0);
    assert!(message(&[&xz[..], b"a,b"].concat()).contains("its xz data is damaged or truncated ("));
}

#[test]
fn headers_that_ask_for_much_memory_are_refused() {
    // Windows of 256 MiB and 3.75 TiB, and a dictionary of 4 GiB whose header has its checksum.
    for window in [b"\x90", b"\xff"] {
        let zstd = [&b"\x28\xb5\x2f\xfd\x00"[..], window, &[0; 20]].concat();
        assert_eq!(message(&zstd), "line 1: its zstd data needs more than 128 MiB of memory: unpack it first");
    }
    let block =
        [&b"\x02\x00\x21\x01\x28\0\0\0"[..], &crc32fast::hash(b"\x02\x00\x21\x01\x28\0\0\0").to_le_bytes()].concat();
    let xz = [b"\xfd7zXZ\0\0\0\xff\x12\xd9\x41", &block[..], &[0; 20]].concat();
    assert_eq!(message(&xz), "line 1: its xz data needs more than 128 MiB of memory: unpack it first");
}

#[test]
fn archives_of_no_table_say_what_they_are() {
    let is = |bytes: &[u8], expected: &str| {
        assert_eq!(message(bytes), format!("cannot read it as a table: it is {expected}"))
    };
    let none: &[u8] = b"";
    is(&zip(&[]), "a zip archive without a file");
    is(&zip(&[("__MACOSX/._a.csv", none), ("a/.DS_Store", none)]), "a zip archive without a file");
    is(
        &zip(&[("train.csv", none), ("test.csv", none), ("__MACOSX/._a.csv", none)]),
        "a zip archive of 2 files, `train.csv`, `test.csv`: unpack the right one",
    );
    is(
        &zip(&[("x.npy", &npy("'|u1'", "(2,)", b"ab")), ("notes.txt", b"")]),
        "a zip archive of 2 files, `x.npy`, `notes.txt`: unpack the right one",
    );
    let types = ("[Content_Types].xml", none);
    is(&zip(&[types, ("xl/workbook.xml", none)]), "an Excel workbook: save the sheet as CSV");
    is(
        &gzip(&zip(&[("docProps/app.xml", none), types, ("xl/workbook.xml", none)])),
        "an Excel workbook: save the sheet as CSV",
    );
    is(&zip(&[("t.xlsx", &zip(&[types, ("xl/workbook.xml", none)]))]), "an Excel workbook: save the sheet as CSV");
    is(&zip(&[types, ("word/document.xml", none)]), "an office document: save its table as CSV");
    let sheet = zip(&[("mimetype", none), ("content.xml", none)]);
    is(&sheet, "an OpenDocument file (LibreOffice): save the sheet as CSV");
    is(
        &zip(&[("archive/data.pkl", none), ("archive/data/0", none)]),
        "a file of PyTorch: save its arrays by `numpy.savez`",
    );
    let nested = zip(&[("b.zip", &zip(&[("c.zip", &zip(&[("t.csv", b"a\n1\n")]))]))]);
    is(&nested, "a zip archive inside a zip archive: unpack it");
    for (name, bytes) in parts("refused/zip ") {
        let problem = match &name[..] {
            "encrypted" => "its file `table.csv` is encrypted: unpack it",
            _ => "its file `table.csv` is compressed by Bzip2: unpack it, or use deflate",
        };
        let expected = format!("cannot read it as a table: {problem}");
        assert!(message(&bytes).eq_ignore_ascii_case(&expected), "{name}: {}", message(&bytes));
    }
}

#[test]
fn files_of_other_kinds_are_named() {
    let tar = [&b"t.csv"[..], &[0; 252], b"ustar\0", &[0; 300]].concat();
    let cases: &[(&[u8], &str)] = &[
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls): save the sheet as CSV"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        (b"SQLite format 3\0\x10", "an SQLite database"),
        (b"ARROW1\0\0", "an Arrow or Feather file"),
        (b"ORC\x02\x01", "an ORC file"),
        (b"Obj\x01\x04\x14", "an Avro file"),
        (b"\x80\x05\x95\x10\0", "a Python pickle"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01", "a RAR archive: unpack it"),
        (&tar, "a tar archive: unpack it"),
        (b" <!DOCTYPE HTML>\n<html>", "a web page"),
        (b"\xef\xbb\xbf<?xml version=\"1.0\"?>", "an XML file"),
        (b"[\n {\"a\": 1}]", "JSON"),
        (b"{\"a\": 1}\n{\"a\": 2}", "JSON"),
    ];
    for (bytes, expected) in cases {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let message = message(&bytes);
            let expected = format!("cannot read it as a table: it is {expected}");
            assert!(message.starts_with(&expected), "{message}");
        }
    }
    // Text that begins alike.
    for text in ["ORC,b\n1,2\n", "BZh9,b\n1,2\n", "[a],{b}\n1,2\n", "PK,b\n1,2\n", "Obj,<a>\n1,2\n"] {
        assert_eq!(Table::read(file(text.as_bytes()).1).unwrap().rows(), 1, "{text}");
    }
}

#[test]
fn text_is_read_by_its_byte_order_mark() {
    for name in ["utf-8-sig", "utf-16", "utf-16-be"] {
        let head = format!("text/{name}/");
        let [packed, plain] = ["file", "utf-8"].map(|part| parts(&format!("{head}{part}")).remove(0).1);
        let expected = Table::read(file(&plain).1).unwrap();
        for bytes in [&packed, &gzip(&packed), &zip(&[("t.csv", &packed)])] {
            let found = Table::read(file(bytes).1).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((found.names(), found.columns()), (expected.names(), expected.columns()), "{name}");
        }
    }
    // Over many blocks of decoding, and with a text that turns up late.
    let text: String =
        (0..60_000).map(|row| format!("{row},{}\n", if row < 59_999 { "1" } else { "größer" })).collect();
    let text = format!("a,b\n{text}");
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let [found, expected] = [&wide, text.as_bytes()].map(|bytes| Table::read(file(bytes).1).unwrap());
    assert!(found.rows() == 60_000 && found.columns() == expected.columns());
    // Half a letter, and half of a pair.
    let cut = message(&wide[..wide.len() - 1]);
    assert_eq!(cut, "line 60001: bytes that are not UTF-16LE text: correct them, or use another encoding");
    let pair = b"\xfe\xff\0a\0\n\0x\0\n\xd8\x3d\0\n";
    assert_eq!(message(pair), "line 3: bytes that are not UTF-16BE text: correct them, or use another encoding");
}

/// All rows of text in this encoding, and what is wrong with it.
fn encoded(bytes: &[u8], encoding: &str) -> Result<Table, String> {
    let (folder, path) = file(bytes);
    let told = |error: Error| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    let mut reading = Reading::default();
    reading.encoding = Some(encoding.into());
    let mut reader = CsvReader::open(&path, &reading).map_err(told)?;
    let kinds = vec![ReadAs::Infer; reader.names().len()];
    let table = reader.next_table(&kinds).map_err(told)?;
    table.ok_or_else(|| "no rows".into())
}

#[test]
fn text_is_read_in_the_encoding_that_is_named() {
    let names = [
        "windows-1252",
        "latin-1",
        "windows-1251",
        "shift_jis",
        "gbk",
        "euc-kr",
        "big5",
        "utf-16-le",
        "utf-8-sig",
        "utf-16",
    ];
    for name in names {
        let [packed, plain] = ["file", "utf-8"].map(|part| parts(&format!("text/{name}/{part}")).remove(0).1);
        let expected = Table::read(file(&plain).1).unwrap();
        for name in [name.to_string(), name.to_uppercase(), name.replace('-', "_")] {
            let found = encoded(&packed, &name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((found.names(), found.columns()), (expected.names(), expected.columns()), "{name}");
        }
    }
    // A byte order mark says it better, and UTF-8 is UTF-8.
    let (_, marked) = parts("text/utf-16/file").remove(0);
    assert_eq!(encoded(&marked, "latin1").unwrap().names(), ["a", "größe"]);
    assert_eq!(encoded("a,größe\n1,2\n".as_bytes(), "UTF-8").unwrap().names(), ["a", "größe"]);
    assert_eq!(
        encoded(b"a,b\n1,\xe9\n", "utf8").unwrap_err(),
        "t: line 2: b holds bytes that are not UTF-8 text: if they are windows-1252, encoding = windows-1252 reads them"
    );
    // Letters of several bytes over the blocks of decoding.
    let rows: Vec<u8> =
        (0..50_000).flat_map(|row| format!("{row},").into_bytes().into_iter().chain(*b"\x89\xd4\x8eq\n")).collect();
    let table = encoded(&[b"a,b\n", &rows[..]].concat(), "shift_jis").unwrap();
    let wgpu_mlp::data::Cells::Text(texts) = table.column("b").unwrap() else { panic!("`b` holds no texts") };
    assert_eq!((table.rows() > 10_000, texts.labels()), (true, &["花子".to_string()][..]));
    assert_eq!(
        encoded(b"a,b\n1,2\n3,\x81\n", "shift_jis").unwrap_err(),
        "t: line 3: bytes that are not Shift_JIS text: correct them, or use another encoding"
    );
    for name in ["klingon", "", "replacement", "iso-2022-kr"] {
        let message = encoded(b"a\n1\n", name).unwrap_err();
        assert!(
            message.starts_with(&format!(
                "encoding is `{name}`: expected a name of the Encoding Standard, such as utf-8,"
            )),
            "{message}"
        );
    }
}

#[test]
fn text_that_is_not_utf_8_has_advice() {
    let text = |name: &str| parts(&format!("text/{name}/file")).remove(0).1;
    let told = |bytes: &[u8], expected: &str| assert_eq!(message(bytes), expected);
    let advice = |name: &str| {
        format!(
            "line 1: the header holds bytes that are not UTF-8 text: if they are {name}, encoding = {name} reads them"
        )
    };
    told(&text("windows-1252"), &advice("windows-1252"));
    told(&text("windows-1251"), &advice("windows-1251"));
    told(&text("shift_jis"), &advice("Shift_JIS"));
    told(&text("gbk"), &advice("GBK"));
    told(
        b"a,b\n1,2\n3,caf\xe9\n",
        "line 3: b holds bytes that are not UTF-8 text: if they are windows-1252, encoding = windows-1252 reads them",
    );
    told(
        &text("utf-16-le"),
        "line 1: the text seems to be UTF-16 without a byte order mark: encoding = utf-16le reads it",
    );
    told(
        b"\0a\0,\0b\0\n\x00\x31",
        "line 1: the text seems to be UTF-16 without a byte order mark: encoding = utf-16be reads it",
    );
    told(b"\xff\xfe\0\0a\0\0\0", "line 1: the text is UTF-32: save it as UTF-8");
    assert!(matches!(
        CsvReader::open(&file(b"\0\0\xfe\xff\0\0\0a").1, &Reading::default()),
        Err(Error::MalformedTable { .. })
    ));
}
