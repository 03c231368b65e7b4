#!/usr/bin/env bash
# run.sh: builds the page and has headless Chromium run its engine beside the library on this machine (browser.mjs), and use the page (page.mjs).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$PWD/target/web
web/build.sh
web/npm.sh
# The network of the article, in fewer rows a step than it has: software WebGPU has a tenth of a second for each.
settings='{"layers":[25,50,50,25],"activation":"relu","optimizer":"adam","learning_rate":0.01,"batch":50,"seed":7}'
steps=150
# With the flags and the folder of the crate's own builds, whose dependencies it shares.
cargo run --quiet --locked --manifest-path web/Cargo.toml --target-dir target --bin reference -- "$settings" $steps >"$out/reference.json"
mkdir -p "$out/tests"
cp web/tests/*.mjs "$out/tests"
node "$out/tests/browser.mjs" "$out/site" "$out/reference.json" "$settings" $steps
# The page: its modules that draw nothing where they stand, the rest in Chromium.
node --test web/tests/*.test.mjs
node "$out/tests/page.mjs" "$out/site"
