//! Files that are not a table of a format that is read, told by their first bytes. In: these. Out: what the file is,
//! and what to do about it.

/// Bytes by which all of them are told: the mark of tar archives stands last.
pub(in crate::data) const BEGIN: usize = 262;

struct Foreign {
    /// How files begin; any of these.
    begins: &'static [&'static [u8]],
    is: &'static str,
    advice: &'static str,
}

const AS_CSV: &str = "save the sheet as CSV";
const PANDAS: &str = "read it in Python and write it by pandas' `to_csv`";
const UNPACK: &str = "unpack it";

const FOREIGN: [Foreign; 18] = [
    Foreign { begins: &[b"\xd0\xcf\x11\xe0"], is: "an old Excel workbook (.xls)", advice: AS_CSV },
    Foreign { begins: &[b"\x89HDF\r\n\x1a\n"], is: "an HDF5 file", advice: PANDAS },
    Foreign {
        begins: &[b"SQLite format 3\0"],
        is: "an SQLite database",
        advice: "`sqlite3 -header -csv FILE 'SELECT * FROM table'` writes one of its tables",
    },
    Foreign { begins: &[b"ARROW1\0", b"FEA1\0"], is: "an Arrow or Feather file", advice: PANDAS },
    Foreign { begins: &[b"Obj\x01"], is: "an Avro file", advice: PANDAS },
    Foreign { begins: &[b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"], is: "a Python pickle", advice: PANDAS },
    Foreign { begins: &[b"MATLAB 5.0 MAT-file"], is: "a MATLAB file", advice: "write the table by `writetable`" },
    Foreign {
        begins: &[b"RDX2\n", b"RDX3\n", b"X\n\0\0\0"],
        is: "an R data file",
        advice: "write the table by `write.csv`",
    },
    Foreign { begins: &[b"<stata_dta>"], is: "a Stata file", advice: PANDAS },
    Foreign { begins: &[b"$FL2@(#)", b"$FL3@(#)"], is: "an SPSS file", advice: PANDAS },
    Foreign { begins: &[b"%PDF-"], is: "a PDF", advice: "save its table as CSV" },
    Foreign { begins: &[b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8"], is: "a picture", advice: "expected a table" },
    Foreign { begins: &[b"\x7fELF"], is: "a program", advice: "expected a table" },
    Foreign { begins: &[b"7z\xbc\xaf\x27\x1c"], is: "a 7z archive", advice: UNPACK },
    Foreign { begins: &[b"Rar!\x1a\x07"], is: "a RAR archive", advice: UNPACK },
    Foreign { begins: &[b"\x04\x22\x4d\x18"], is: "compressed by lz4", advice: UNPACK },
    Foreign { begins: &[b"\x1f\x9d", b"\x1f\xa0"], is: "compressed by `compress`", advice: UNPACK },
    Foreign { begins: &[b"LZIP\x01", b"\x5d\0\0\x80\0"], is: "compressed by lzip or lzma", advice: UNPACK },
];

/// Files that the feature `tables` reads, in a build without it.
#[cfg(not(feature = "tables"))]
const WITHOUT_TABLES: [Foreign; 8] = {
    const PACKED: &str = "unpack it, or add the feature `tables` to those of wgpu-mlp in Cargo.toml";
    const ARRAY: &str = "save it as CSV, or add the feature `tables` to those of wgpu-mlp in Cargo.toml";
    const PARQUET: &str = "save it as CSV, or add the feature `parquet` to those of wgpu-mlp in Cargo.toml";
    [
        Foreign { begins: &[b"PK\x03\x04", b"PK\x05\x06"], is: "a zip archive", advice: PACKED },
        Foreign { begins: &[b"\x1f\x8b"], is: "compressed by gzip", advice: PACKED },
        Foreign { begins: &[b"\x28\xb5\x2f\xfd"], is: "compressed by zstd", advice: PACKED },
        Foreign { begins: &[b"BZh91AY&SY"], is: "compressed by bzip2", advice: PACKED },
        Foreign { begins: &[b"\xfd7zXZ\0"], is: "compressed by xz", advice: PACKED },
        Foreign { begins: &[b"\x93NUMPY"], is: "an array of numpy", advice: ARRAY },
        Foreign { begins: &[b"\0\0\x08"], is: "an IDX file", advice: ARRAY },
        Foreign { begins: &[b"PAR1\x15"], is: "a Parquet file", advice: PARQUET },
    ]
};
#[cfg(feature = "tables")]
const WITHOUT_TABLES: [Foreign; 0] = [];

/// What a file is that begins so, and what to do about it, if it is known for something else than a table.
pub(in crate::data) fn named(begin: &[u8]) -> Option<String> {
    let known =
        FOREIGN.iter().chain(&WITHOUT_TABLES).find(|known| known.begins.iter().any(|mark| begin.starts_with(mark)));
    let (is, advice) = match known {
        Some(known) => (known.is, known.advice),
        // Behind its three letters stands what no text has.
        None if begin.starts_with(b"ORC") && begin.iter().take(16).any(|&byte| byte < 9) => ("an ORC file", PANDAS),
        None if begin.get(257..BEGIN) == Some(b"ustar") => ("a tar archive", UNPACK),
        None => markup(begin)?,
    };
    Some(format!("it is {is}: {advice}"))
}

/// Markup and JSON, which are told by their first signs.
fn markup(begin: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin).trim_ascii_start();
    let lower: Vec<u8> = text.iter().take(14).map(u8::to_ascii_lowercase).collect();
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| lower.starts_with(mark));
    if begins(&[b"<!doctype html", b"<html", b"<head>"]) {
        return Some(("a web page", "download the file itself"));
    }
    if begins(&[b"<?xml"]) {
        return Some(("an XML file", "save its table as CSV"));
    }
    let (first, rest) = text.split_first()?;
    match (first, rest.trim_ascii_start().first()?) {
        (b'{', b'"') | (b'[', b'{' | b'[') => Some(("JSON", PANDAS)),
        _ => None,
    }
}
