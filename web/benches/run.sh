#!/usr/bin/env bash
# run.sh [BATCH ...]: the page's engine beside TensorFlow.js in headless Chromium (speed.mjs), after a build. TensorFlow.js comes from npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=target/web
[[ -e $out/site/engine/wgpu_mlp_web.js ]] || web/build.sh
web/npm.sh
if ! cmp -s web/benches/package-lock.json $out/peers/lock; then
    mkdir -p $out/peers
    cp web/benches/package.json web/benches/package-lock.json $out/peers
    npm ci --prefix $out/peers --ignore-scripts --no-audit --no-fund >/dev/null
    cp web/benches/package-lock.json $out/peers/lock
fi
mkdir -p $out/tests
cp web/tests/*.mjs web/benches/*.mjs $out/tests
node $out/tests/speed.mjs $out/site $out/peers "$@"
