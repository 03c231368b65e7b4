#!/usr/bin/env bash
# run.sh OUT [PART...]: what a GPU is asked, in under 9 minutes, from the folder that build.sh made, in which this script lies; results go to OUT.
# Parts, all of them unless named: adapters plans bench driver suite peers. After them results.py makes one JSON and tables of what is there.
# The limits of the first five add up to 342 s, and peers takes what is left of 530 s from the start. What runs out of time leaves what it has written.
# A machine without a Vulkan loader needs Debian's libvulkan1 first, and for NVIDIA's driver libegl1, libglvnd0, libglx0 and libgl1.
set -uo pipefail
out=$(mkdir -p "${1:?run.sh OUT [PART...]}" && realpath "$1")
shift
[[ $# -gt 0 ]] || set -- adapters plans bench driver suite peers
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ -e root ]] || { echo "run.sh: no programs are here: build.sh makes a folder with them, and with this script in it" >&2 && exit 2; }
for packed in *.gz; do
    [[ ! -e $packed ]] || { gunzip -f "$packed" && chmod +x "${packed%.gz}"; }
done

adapters() { # and what the first one can do
    timeout 8 ./mlp devices
    timeout 8 ./pipelines 2>&1 | tee "$out/adapter.txt"
    timeout 4 nvidia-smi -L 2>/dev/null || true
}
plans() { # tiles, ways of planning, replicas
    timeout 60 ./plans --bench --seconds 0.05 >"$out/plans.jsonl"
    # By matrix units, where there are some.
    timeout 40 ./plans --bench --seconds 0.05 --precision f16x3 >"$out/plans-f16x3.jsonl" 2>"$out/plans-f16x3.txt" ||
        grep -m 1 -o 'precision.*' "$out/plans-f16x3.txt"
    wc -l "$out"/plans*.jsonl
}
bench() { # our own measurements of the peers' work, each result checked, with the time of each kernel
    local work classes="--loss softmax_cross_entropy --optimizer adam" product="--hidden none --loss mean_squared_error"
    # A network without hidden layers is a product forward, of rows by inputs and inputs by outputs.
    for work in "--hidden 25,50,50,25 --batch 900" \
        "--inputs 784 --hidden 256,128 --outputs 10 $classes --batch 32,256,2048,16384" \
        "--inputs 64 --hidden 64,64,64,64 --outputs 16 $classes --batch 16384" \
        "--inputs 64 --outputs 64 $product --batch 65536" \
        "--inputs 1024 --outputs 1024 $product --batch 1024" \
        "--inputs 4096 --outputs 4096 $product --batch 4096"; do
        # shellcheck disable=SC2086 # words
        timeout 12 ./mlp bench $work --profile --json --device gpu || echo "exit code $?: $work" >&2
    done >"$out/bench.jsonl"
    wc -l "$out/bench.jsonl"
}
driver() { # what its own compiler makes of every pipeline
    rm -rf "$out/driver" && mkdir "$out/driver"
    # The pipeline that is under way when time runs out has a label, but no statistics.
    PIPESTATS="$out/driver" VK_LAYER_PATH="$PWD" VK_INSTANCE_LAYERS=VK_LAYER_pipestats timeout 60 ./pipelines --make \
        >"$out/driver/made.txt" 2>"$out/driver/errors.txt" || sed -i '$d' "$out/driver/made.txt"
    rm -f "$out"/driver/*.asm
    [[ -e $out/driver/stats.tsv ]] || { echo "skipped: no statistics: $(grep -A 1 panicked "$out/driver/errors.txt" | tail -n 1)" && return; }
    wc -l "$out/driver/stats.tsv"
}
suite() { # the tests that run on every adapter
    local root
    root=$(<root)
    # Where it was built, it is all there.
    [[ -e $root ]] || { mkdir -p "$(dirname "$root")" && ln -s "$PWD" "$root"; }
    [[ -e $root/target/debug/mlp ]] || { mkdir -p "$root/target/debug" && cp mlp "$root/target/debug"; }
    timeout 90 env --chdir "$root" "$PWD/suite" kernels:: plan:: train:: exchange:: >"$out/suite.txt" 2>&1 || echo "exit code $?"
    grep -c ' ok$' "$out/suite.txt"
    grep -E 'FAILED|failed|panicked|test result' "$out/suite.txt" | head -40
}
peer() { # peer NAME SECONDS WORDS...: one program, in a file of its own, by the 530th second at the latest
    local left=$((515 - SECONDS)) # the data and what the check compares with take some of it too
    ((left > 0)) || { echo "$1 is left out: no time is left" && return; }
    timeout $((left + 15)) python3 benches/peers/run.py --device gpu --rounds 1 --quick --timeout $(($2 < left ? $2 : left)) \
        --json "$out/peers-$1.json" "${@:3}" >/dev/null
}
peers() { # the same work in other libraries, as far as they are here, the quick ones first
    python3 -c 'import numpy' 2>/dev/null || { echo "skipped: python3 has no numpy" && return; }
    local code=0 limited
    peer wgpu-mlp 60 --only none --ours ./workloads || code=$?
    for limited in "torch-graph 35" "torch-eager 35" "jax-scan 90" "torch-compile 100"; do
        # shellcheck disable=SC2086 # words
        peer $limited --no-ours --only "${limited% *}" || code=$?
    done
    return $code
}

for part in "$@"; do
    start=$SECONDS
    printf '== %s\n' "$part"
    "$part" || printf 'FAILED: %s, exit code %d\n' "$part" $?
    printf -- '-- %s: %d s\n' "$part" $((SECONDS - start))
done
python3 benches/device/results.py "$out"
