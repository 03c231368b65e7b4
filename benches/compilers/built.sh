#!/usr/bin/env bash
# built.sh: builds pipelines.rs, and prints the program's path. PIPELINES=PROGRAM is one that has been built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ -z ${PIPELINES:-} ]] || { printf '%s\n' "$PIPELINES" && exit; }
cargo test --locked --no-run --bench pipelines --message-format=json-render-diagnostics | python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
print(next(line["executable"] for line in lines if line.get("executable") and line["target"]["name"] == "pipelines"))'
