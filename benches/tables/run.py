"""Times a large table from the file to the model and to its predictions: mlp beside polars, and pandas with scikit-learn.

Makes the table once, then runs every program --rounds times, in turn, each in a process of its own, so that what else the
machine does falls on all. Taken are the seconds and the peak memory of the whole process, and the seconds of its phases as
the program itself tells them. Progress goes to stderr, the tables to stdout. Exit codes: 0 done, 1 a program failed or its
result was wrong, 2 wrong usage.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import peer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import record  # noqa: E402

PEER = [sys.executable, HERE / "peer.py"]
FEATURES, TARGET = 19, "y"
HIDDEN, BATCH, RATE, TEST = "64,32", 256, 1e-3, 0.2  # hidden layers, rate and test rows are mlp's defaults
ALIKE = 0.02  # how far the R² of the test rows may lie from scikit-learn's after an epoch, whose start and order differ,
LEARNED = 1_000_000  # of so many rows


def end(code, message):
    print(f"run.py: {message}", file=sys.stderr)
    sys.exit(code)


def programs(mlp, table, folder):
    """Words of each program, by what it does."""
    run = folder / "run"
    settings = {"target": TARGET, "epochs": 1, "hidden": HIDDEN, "batch": BATCH, "lr": RATE, "test-fraction": TEST, "device": "cpu"}
    train = [mlp, "train", table, "--preset", "plain", "--quiet", "--json", *(word for key, value in settings.items() for word in (f"--{key}", value))]
    return {
        "mlp data": [mlp, "data", table, "--json"],
        "polars read": [*PEER, "polars", table],
        "pandas read": [*PEER, "pandas", table],
        "mlp train, no baseline": [*train, "--no-baseline", "--out", run],
        "mlp train": [*train, "--out", folder / "whole"],
        "scikit-learn train": [*PEER, "train", table, folder / "model.joblib", HIDDEN, BATCH, RATE, TEST, TARGET],
        "mlp predict": [mlp, "predict", run, table, "--device", "cpu", "--out", folder / "ours.csv"],
        "scikit-learn predict": [*PEER, "predict", table, folder / "model.joblib", folder / "theirs.csv", TARGET],
    }


def measure(words):
    """Seconds, peak MB (10⁶ bytes) and standard output of a command. The peak counts from this program's own memory, which
    is therefore kept small."""
    start = time.perf_counter()
    child = subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # Neither writes more than a pipe holds to stderr.
    output = child.stdout.read()
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        end(1, f"{' '.join(map(str, words))}: exit code {child.returncode}\n{error.decode(errors='replace')[-2000:]}")
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return seconds, kib * 1024 / 1e6, output


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def merge(rounds):
    """Of each program the spread of its seconds, peaks and phases."""
    found = {}
    for name, runs in rounds.items():
        phases = [run["phases"] for run in runs]
        found[name] = {
            "seconds": spread([run["seconds"] for run in runs]),
            "peak_mb": spread([run["peak_mb"] for run in runs]),
            "phases": {phase: spread([each[phase] for each in phases]) for phase in phases[0]},
        }
    return found


def faults(rows, last):
    """What is wrong with the programs' results."""
    for name in ("mlp data", "polars read", "pandas read"):
        if last[name]["rows"] != rows:
            yield f"{name} finds {last[name]['rows']} rows, not {rows}"
    ours, theirs = last["mlp train"]["test"]["r2"], last["scikit-learn train"]["r2"]
    if rows >= LEARNED and not abs(ours - theirs) <= ALIKE:
        yield f"mlp train comes to a test R² of {ours:.4f}, scikit-learn to {theirs:.4f}"


def table_of(found, matrix_mb):
    number = lambda values, digits: f"{values['median']:.{digits}f} ({values['least']:.{digits}f}, {values['most']:.{digits}f})"
    yield "| program | seconds | peak MB | of the f32 matrix | phases, seconds |"
    yield "|---|---|---|---|---|"
    for name, row in found.items():
        phases = ", ".join(f"{phase} {values['median']:.3f}" for phase, values in row["phases"].items() if values["median"] >= 0.0005)
        peak = row["peak_mb"]["median"] / matrix_mb
        yield f"| {name} | {number(row['seconds'], 2)} | {number(row['peak_mb'], 0)} | {peak:.1f} | {phases} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the table is made, and kept")
    parser.add_argument("--mlp", type=pathlib.Path, default=record.ROOT / "target/release/mlp", help="the binary")
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--only", help="only the programs whose names begin so: mlp,polars")
    parser.add_argument("--json", type=pathlib.Path, help="the file that gets everything")
    options = parser.parse_args()
    if not options.mlp.is_file():
        end(2, f"no binary at {options.mlp}: cargo build --release, or name one with --mlp")
    if options.rows < 1000 or options.rounds < 1:
        end(2, "--rows starts at 1000 and --rounds at 1")
    options.folder.mkdir(parents=True, exist_ok=True)
    table = options.folder / f"{options.rows}.csv"
    if not table.exists():
        print(f"making {table}", file=sys.stderr)
        measure([*PEER, "make", table, options.rows, FEATURES, TARGET])
    wanted = tuple(options.only.split(",")) if options.only else ("",)
    chosen = {name: words for name, words in programs(options.mlp.resolve(), table, options.folder).items() if name.startswith(wanted)}
    if not chosen:
        end(2, f"no program begins with {options.only}")
    head = record.head(cores=os.cpu_count())
    rounds, last = {name: [] for name in chosen}, {}
    with table.open("rb") as file:  # from here on it lies in memory
        while file.read(1 << 20):
            pass
    for i in range(options.rounds):
        print(f"round {i + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        for name, words in chosen.items():
            seconds, peak, output = measure(words)
            last[name] = json.loads(output) if output else {}
            rounds[name].append({"seconds": seconds, "peak_mb": peak, "phases": last[name].get("phases", {})})
    found, matrix_mb = merge(rounds), options.rows * (FEATURES + 1) * 4 / 1e6
    print(f"{options.rows:,} rows × {FEATURES + 1} columns, {table.stat().st_size / 1e6:.0f} MB; as f32 {matrix_mb:.0f} MB; {options.rounds} rounds\n")
    print("\n".join(table_of(found, matrix_mb)))
    wrong = [] if options.only else list(faults(options.rows, last))
    if options.json:
        size = {"rows": options.rows, "columns": FEATURES + 1, "file_mb": table.stat().st_size / 1e6, "f32_matrix_mb": matrix_mb}
        head |= {"versions": peer.versions(), "table": size, "rounds": options.rounds, "faults": wrong}
        options.json.write_text(json.dumps({**head, "results": found}, indent=1) + "\n")
    if wrong:
        end(1, "FAILED\n  " + "\n  ".join(wrong))


if __name__ == "__main__":
    main()
