//! numpy's files of one array; the input stands behind how they begin.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wgpu_mlp_fuzz::table(&[b"\x93NUMPY", bytes]));
