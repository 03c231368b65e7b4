//! Delimited text, read in the way that the first two bytes say; behind them stands the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wgpu_mlp::data::{ReadAs, Reading, Table};
use wgpu_mlp_fuzz::read;

/// Labels of encodings, one that there is not among them.
const ENCODINGS: [&str; 8] = ["utf-8", "windows-1252", "utf-16le", "utf-16be", "shift_jis", "gb18030", "big5", "none"];

fuzz_target!(|bytes: &[u8]| {
    let Some((&[how, more], text)) = bytes.split_first_chunk() else { return };
    let mut reading = Reading::default();
    reading.header = [None, None, Some(true), Some(false)][usize::from(how & 3)];
    reading.decimal = [None, None, Some('.'), Some(',')][usize::from(how >> 2 & 3)];
    reading.thousands = [None, None, Some(','), Some(' ')][usize::from(how >> 4 & 3)];
    reading.names_only = how & 0x40 != 0;
    if how & 0x80 != 0 {
        reading.missing.more = vec!["1".into(), "-".into()];
        reading.missing.fewer = vec!["NA".into()];
    }
    if more & 8 != 0 {
        reading.encoding = Some(ENCODINGS[usize::from(more & 7)].into());
    }
    let kinds =
        [ReadAs::Infer, ReadAs::Infer, ReadAs::Target, ReadAs::Text, ReadAs::Verbatim, ReadAs::Date, ReadAs::Skip];
    let first = kinds[usize::from(more >> 4) % kinds.len()];
    read(&[text], |path| {
        let kinds =
            |names: &[String]| Ok((0..names.len()).map(|at| if at == 0 { first } else { ReadAs::Infer }).collect());
        match Table::read_with(path, &reading, kinds) {
            // What is wrong with a setting names no file.
            Err(wgpu_mlp::Error::Setting { .. }) => Ok(()),
            other => other.map(drop),
        }
    });
});
