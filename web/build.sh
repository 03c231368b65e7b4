#!/usr/bin/env bash
# build.sh: the page with its engine, ready to be served, in target/web/site. It needs a Rust that compiles to wasm32: rustup's, with the target
# wasm32-unknown-unknown, or that of Debian's packages rustc-web, cargo-web, rust-web-src and lld-22, which has no library for it and builds
# one. With npm it makes the wasm smaller.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$PWD/../target/web
triple=wasm32-unknown-unknown
mkdir -p "$out"
out=$(cd "$out" && pwd)
export CARGO_TARGET_DIR=$out/build

# wasm's own registers of 128 bits: every browser with WebGPU has them.
flags=(-C target-feature=+simd128)
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="${flags[*]}"
build=(build --release --lib --locked --target "$triple")
sysroot=$(rustc --print sysroot 2>/dev/null || true)
if [[ -n $sysroot && -d $sysroot/lib/rustlib/$triple/lib ]]; then
    cargo "${build[@]}"
elif [[ -x /usr/bin/cargo && -x /usr/bin/rustc && -e /usr/lib/rustlib/src/rust/library/Cargo.toml ]]; then
    linker=$(compgen -c wasm-ld | sort -V | tail -n 1) || true
    [[ -n $linker ]] || { echo "build.sh: there is no wasm-ld: install lld-22 (Debian)" >&2 && exit 1; }
    # By their paths, since rustup's come first in PATH; a library is only built by a compiler that may do what is unstable.
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
        /usr/bin/cargo "${build[@]}" -Zbuild-std=std,panic_abort
else
    echo "build.sh: no Rust here compiles to wasm32: \`rustup target add $triple\`, or on Debian install rustc-web, cargo-web," \
        "rust-web-src and lld-22" >&2
    exit 1
fi
wasm=$CARGO_TARGET_DIR/$triple/release/wgpu_mlp_web.wasm

# wasm-bindgen of the crate's version, else our own program around its library.
version=$(sed -n 's/^wasm-bindgen = "=\([0-9.]*\)".*/\1/p' Cargo.toml)
made=$out/made
rm -rf "$made"
if [[ $(wasm-bindgen --version 2>/dev/null) == "wasm-bindgen $version" ]]; then
    wasm-bindgen --target web --out-dir "$made" "$wasm"
else
    CARGO_TARGET_DIR=$out/bindgen cargo build --release --locked --manifest-path bindgen/Cargo.toml
    "$out/bindgen/release/wgpu-mlp-bindgen" "$wasm" "$made"
fi

# No flags of features: the file says itself which it uses, and more would make one that browsers refuse.
opt=$(command -v wasm-opt || true)
if [[ -z $opt ]] && command -v npm >/dev/null; then
    opt=""
    ./npm.sh && opt=$out/node_modules/binaryen/bin/wasm-opt
fi
if [[ -n $opt ]]; then
    "$opt" -O3 --strip-debug "$made/wgpu_mlp_web_bg.wasm" -o "$made/smaller.wasm"
    mv "$made/smaller.wasm" "$made/wgpu_mlp_web_bg.wasm"
else
    echo "build.sh: neither wasm-opt nor npm's binaryen is there: the wasm stays larger" >&2
fi

site=$out/site
rm -rf "$site"
mkdir -p "$site/engine"
cp -R page/. "$site"
cp -R "$made/." "$site/engine"
size=$(wc -c <"$site/engine/wgpu_mlp_web_bg.wasm")
printf 'target/web/site: the wasm has %d bytes, %d by gzip\n' "$size" "$(gzip -9c "$site/engine/wgpu_mlp_web_bg.wasm" | wc -c)"
