#!/usr/bin/env bash
# build.sh FOLDER: all that run.sh needs on a machine with a GPU but without cargo and network, in one folder: the command, the suite,
# the benches and the layer that asks the driver, stripped. It needs cc and Vulkan's headers (libvulkan-dev). The machine needs this project's files too, for the suite's fixtures and the peers' scripts.
set -euo pipefail
folder=${1:?build.sh FOLDER: the folder that takes the programs}
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

executable() { # executable NAME CARGO-WORDS...: builds, and prints where the program of that name lies
    cargo "${@:2}" --locked --message-format=json-render-diagnostics | python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
print([line["executable"] for line in lines if line.get("executable") and line["target"]["name"] == sys.argv[1]][-1])' "$1"
}
add() { # add NAME PATH: a packed copy without symbols
    strip -o "$folder/$1" "$2"
    gzip -f "$folder/$1"
}

add mlp "$(executable mlp build --release --bin mlp)"
add workloads "$(executable workloads bench --no-run --bench workloads)"
add plans "$(executable plans bench --no-run --bench plans)"
add suite "$(executable suite test --no-run --test suite)"
add pipelines "$(benches/compilers/built.sh)"
cc -O1 -fPIC -shared -o "$folder/layer.so" benches/compilers/layer.c
cp benches/compilers/layer.json "$folder"
# Where the suite looks for its fixtures and for the command.
pwd >"$folder/root"
du -sh "$folder"
