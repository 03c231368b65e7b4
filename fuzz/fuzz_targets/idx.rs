//! IDX files, as tables and as bytes; the input stands behind the two zeros.
#![no_main]

use wgpu_mlp::data::read_idx;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgpu_mlp_fuzz::table(&[b"\0\0", bytes]);
    wgpu_mlp_fuzz::read(&[b"\0\0", bytes], |path| read_idx(path).map(drop));
});
