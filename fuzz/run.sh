#!/usr/bin/env bash
# Builds a fuzz target and runs it: `fuzz/run.sh TARGET EXECUTIONS`, `fuzz/run.sh build` for all builds alone.
# Prints a line of a table, which also goes to fuzz/results.txt. Stable Rust will do, without cargo-fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=${1:?expected: run.sh TARGET EXECUTIONS, or run.sh build}
host=$(rustc -vV | sed -n 's/^host: //p')
built=${FUZZ_TARGET_DIR:-target}
# What cargo-fuzz sets, without a sanitizer: the crate is Rust with hardly any unsafe code.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"

build() {
    RUSTFLAGS=$(tr -s '\n ' ' ' <<<"$flags") \
        cargo build --release --features parquet --target "$host" --target-dir "$built" "$@"
}

[[ $target != build ]] || { build --bins && exit; }
executions=${2:?expected the number of executions}
if [[ -z ${FUZZ_NO_BUILD:-} ]]; then build --bin "$target"; fi

mkdir -p "corpus/$target" "artifacts/$target"
memory=/dev/shm
[[ -w $memory ]] || memory=${TMPDIR:-/tmp}
scratch=$(mktemp -d -p "$memory")
log=$(mktemp)
trap 'rm -rf "$scratch" "$log"' EXIT

limits=(-max_len=4096 -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 -reload=0 -verbosity=1)
start=$SECONDS
code=0
TMPDIR=$scratch "$built/$host/release/$target" "corpus/$target" "seeds/$target" -artifact_prefix="artifacts/$target/" \
    -runs="$executions" "${limits[@]}" "${@:3}" >"$log" 2>&1 || code=$?
seconds=$((SECONDS - start))
done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
((code == 0)) && findings=0 || findings=1
tail -n 40 "$log" >"artifacts/$target.log"
line="| $target | ${done:-?} | $seconds | ${coverage:-?} | $findings |"
tee -a results.txt <<<"$line"
exit "$code"
