//! A run's folder: `report.json` and `metrics.jsonl`, with a zero between them, and the pictures and the page of what is read.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use wgpu_mlp::report::run::{FINDINGS, Run};
use wgpu_mlp_fuzz::{assert_harmless, folder};

fuzz_target!(|bytes: &[u8]| {
    wgpu_mlp_fuzz::one_thread();
    let (report, epochs) = match bytes.iter().position(|&byte| byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[][..]),
    };
    let folder = folder();
    fs::write(folder.join(FINDINGS), report).expect("room for a file");
    fs::write(folder.join("metrics.jsonl"), epochs).expect("room for a file");
    let pictures = Run::load(&folder).and_then(|run| run.pictures());
    if let Err(error) = pictures {
        assert_harmless(&error.to_string());
    }
});
