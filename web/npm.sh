#!/usr/bin/env bash
# npm.sh: what package-lock.json names, in target/web/node_modules. Says in one line why it is not there, and fails, where npm cannot fetch it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=../target/web
cmp -s package-lock.json $out/node_modules/lock && exit
mkdir -p $out
cp package.json package-lock.json $out
problem=$(npm ci --prefix $out --ignore-scripts --no-audit --no-fund 2>&1) ||
    { echo "npm could not fetch what web/package-lock.json names: $(grep -m 1 ERR <<<"${problem^^}" || tail -n 1 <<<"$problem")" >&2 && exit 1; }
cp package-lock.json $out/node_modules/lock
