//! Compressed files and archives, whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wgpu_mlp_fuzz::table(&[bytes]));
