#!/usr/bin/env bash
# run.sh: has Tint, Chrome's compiler of WGSL, judge every shader (tint.mjs). Dawn's npm package goes to target/tint, 130 MB, and
# stays there. Without npm, or without a way to the package, it says so in one line and is content.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v npm node python3 >/dev/null || { echo "tint: SKIPPED: it needs node, npm and python3" >&2 && exit; }
folder=target/tint
if ! cmp -s tests/tint/package-lock.json $folder/node_modules/lock; then
    mkdir -p $folder
    cp tests/tint/package.json tests/tint/package-lock.json $folder
    problem=$(npm ci --prefix $folder --ignore-scripts --no-audit --no-fund 2>&1) ||
        { echo "tint: SKIPPED: npm could not fetch the package: $(grep -m 1 ERR <<<"${problem^^}" || tail -n 1 <<<"$problem")" >&2 && exit; }
    cp tests/tint/package-lock.json $folder/node_modules/lock
fi
"$(benches/compilers/built.sh)" --dump $folder/wgsl
cp tests/tint/tint.mjs $folder
node $folder/tint.mjs $folder/wgsl
