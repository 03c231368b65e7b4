#!/usr/bin/env bash
# run.sh FOLDER OUT [PART...]: what a GPU is asked, in under 9 minutes, with the programs that build.sh made; results go to OUT.
# Parts, all of them unless named: adapters driver plans bench peers suite. After them results.py makes one JSON and tables of what is there. A machine without a Vulkan loader needs Debian's libvulkan1 first,
# and for NVIDIA's driver libegl1, libglvnd0, libglx0 and libgl1.
set -uo pipefail
folder=$(realpath "${1:?run.sh FOLDER OUT [PART...]}") out=$(mkdir -p "${2:?run.sh FOLDER OUT [PART...]}" && realpath "$2")
shift 2
[[ $# -gt 0 ]] || set -- adapters driver plans bench peers suite
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for packed in "$folder"/*.gz; do
    [[ ! -e $packed ]] || { gunzip -f "$packed" && chmod +x "${packed%.gz}"; }
done

adapters() {
    "$folder/mlp" devices
    nvidia-smi -L 2>/dev/null || true
}
driver() { # what its own compiler makes of every pipeline
    mkdir -p "$out/driver"
    PIPESTATS="$out/driver" VK_LAYER_PATH="$folder" VK_INSTANCE_LAYERS=VK_LAYER_pipestats timeout 90 "$folder/pipelines" --make >"$out/driver/made.txt"
    rm -f "$out"/driver/*.asm
    wc -l "$out/driver/stats.tsv"
}
plans() { # tiles, ways of planning, replicas
    timeout 60 "$folder/plans" --bench --seconds 0.05 >"$out/plans.jsonl"
    # By matrix units, where there are some.
    timeout 60 "$folder/plans" --bench --seconds 0.05 --precision f16x3 >"$out/plans-f16x3.jsonl" 2>"$out/plans-f16x3.txt" ||
        grep -m 1 -o 'precision.*' "$out/plans-f16x3.txt"
    wc -l "$out"/plans*.jsonl
}
bench() { # our own measurements, each result checked, with the time of each kernel
    for network in "--hidden 25,50,50,25" \
        "--inputs 784 --hidden 256,128 --outputs 10 --loss softmax_cross_entropy --optimizer adam" \
        "--inputs 64 --hidden 64,64,64,64 --outputs 16 --loss softmax_cross_entropy --optimizer adam"; do
        # shellcheck disable=SC2086 # words
        timeout 25 "$folder/mlp" bench $network --profile --json --device gpu
    done >"$out/bench.jsonl"
    wc -l "$out/bench.jsonl"
}
peers() { # the same work in other libraries, as far as they are here
    timeout 140 python3 benches/peers/run.py --device gpu --rounds 1 --quick --ours "$folder/workloads" --json "$out/peers.json" \
        --only torch-graph,jax-scan
}
suite() { # the tests that run on every adapter
    local root
    root=$(<"$folder/root")
    # Where it was built, it is all there.
    if [[ ! -e $root ]]; then
        mkdir -p "$(dirname "$root")" target/debug && ln -s "$PWD" "$root" && cp "$folder/mlp" target/debug/mlp
    fi
    (cd "$root" && timeout 140 "$folder/suite" kernels:: plan:: train:: exchange:: >"$out/suite.txt" 2>&1)
    grep -c ' ok$' "$out/suite.txt"
    grep -E 'FAILED|failed|panicked|test result' "$out/suite.txt" | head -40
}

for part in "$@"; do
    start=$SECONDS
    printf '== %s\n' "$part"
    "$part" || printf 'FAILED: %s, exit code %d\n' "$part" $?
    printf -- '-- %s: %d s\n' "$part" $((SECONDS - start))
done
python3 benches/device/results.py "$out"
