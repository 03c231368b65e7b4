#!/usr/bin/env bash
# build.sh FOLDER: all that a machine with a GPU needs, but without cargo and network, in one folder: the command, the suite with its fixtures,
# the benches and the layer that asks the driver, stripped, and the scripts, where they lie in the project. There FOLDER/benches/device/run.sh runs them.
# It needs cc and Vulkan's headers (libvulkan-dev).
set -euo pipefail
folder=${1:?build.sh FOLDER: the folder that takes all}
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
cp --parents benches/device/{run.sh,results.py,predictions.json} benches/compilers/table.py benches/record.py benches/peers/*.py "$folder"
# What the suite reads when it runs, and where it looks for that and for the command.
cp -r --parents tests/fixtures shaders src/kernels "$folder"
pwd >"$folder/root"
du -sh "$folder"
