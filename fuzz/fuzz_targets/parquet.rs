//! Parquet files; the input stands behind how they begin. What its library panics at is caught by the reader.
#![no_main]

use std::sync::Once;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static ONCE: Once = Once::new();
    // libFuzzer's hook would end the process before a panic is caught; one that is not caught ends it anyway.
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    wgpu_mlp_fuzz::table(&[b"PAR1\x15", bytes]);
});
