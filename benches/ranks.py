"""How the training of one network grows with ranks: steps a second of `mlp train --data-parallel` alone and by 1, 2, ... ranks with a
thread each. Strong scaling keeps the rows of a step, weak scaling gives each rank as many. Beside it stands what the ranks' messages of a
step take (`cargo bench --features mpi --bench ranks`), and which part of the step that is.

    cargo build --release --features mpi && cargo bench --features mpi --bench ranks --no-run
    python3 benches/ranks.py --mlp target/release/mlp --messages target/release/deps/ranks-... [--ranks 1,2] [--repeats 3] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import tempfile

import record

FEATURES = 64
# Hidden layers, and the rows of a step: of all ranks in strong scaling, of each rank in weak scaling.
CASES = [("64,32", 256), ("64,32", 4096), ("512,512", 1024)]
ENVIRONMENT = {**os.environ, "RAYON_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def table(path, rows):
    draw = random.Random(1)
    with open(path, "w") as file:
        file.write(",".join(f"x{i}" for i in range(FEATURES)) + ",y\n")
        for _ in range(rows):
            row = [draw.gauss(0, 1) for _ in range(FEATURES)]
            file.write(",".join(f"{x:.4f}" for x in [*row, row[0] * row[1] + row[2]]) + "\n")


def under(ranks, words):
    command = ["mpirun", "--oversubscribe", "-n", str(ranks), *words] if ranks else words
    found = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    if found.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {found.stderr.strip()}")
    return found.stdout


def steps_a_second(mlp, path, hidden, batch, ranks, seconds):
    """Of a run whose number of epochs fits the seconds; without ranks that of a single process."""
    words = [mlp, "train", path, "--preset", "plain", "--target", "y", "--hidden", hidden, "--batch", str(batch), "--device", "cpu", "--quiet", "--json"]
    words += ["--data-parallel", "--shards", str(ranks)] if ranks else []
    run = lambda epochs: json.loads(under(ranks, [*words, "--epochs", str(epochs)]))
    tried = run(2)
    return run(max(2, int(2 * seconds / tried["seconds"])))["steps_per_second"]


def messages(program, ranks):
    """Of so many ranks: seconds of a meeting, and parameters with the seconds of their sum; the medians."""
    number = r"[\d.]+ to ([\d.]+) us"
    lines = re.findall(rf"(\d+) parameters: meeting {number}, sum {number}", under(ranks, [program]))
    points = [(int(parameters), float(total) * 1e-6) for parameters, _, total in lines]
    return statistics.median(float(meeting) * 1e-6 for _, meeting, _ in lines), points


def seconds_of_sum(points, parameters):
    """Between two measured numbers of parameters, on a line."""
    (p0, t0), (p1, t1) = next((pair for pair in zip(points, points[1:]) if parameters <= pair[1][0]), points[-2:])
    return t0 + (t1 - t0) * (parameters - p0) / (p1 - p0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlp", type=pathlib.Path, required=True)
    parser.add_argument("--messages", type=pathlib.Path, required=True, help="the program of the bench `ranks`")
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    numbers = [int(ranks) for ranks in options.ranks.split(",")]
    told = record.head()
    sent = {ranks: messages(options.messages.resolve(), ranks) for ranks in numbers}
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.csv")
        table(path, 10_240 * max(numbers))
        for (hidden, batch), kind in ((case, kind) for case in CASES for kind in ("strong", "weak")):
            widths = [FEATURES, *map(int, hidden.split(",")), 1]
            parameters = sum((i + 1) * o for i, o in zip(widths, widths[1:]))
            rows = {ranks: batch * (ranks if kind == "weak" and ranks else 1) for ranks in [0, *numbers]}
            found = {ranks: [] for ranks in rows}
            for _ in range(options.repeats):  # in turn, so that a slow minute meets all
                for ranks in rows:
                    found[ranks].append(steps_a_second(options.mlp.resolve(), path, hidden, rows[ranks], ranks, options.seconds))
            for ranks, values in found.items():
                median = statistics.median(values)
                alone = statistics.median(found[0])
                shared = sum((sent[ranks][0], seconds_of_sum(sent[ranks][1], parameters))) * median if ranks else 0
                gain = median * rows[ranks] / (alone * rows[0])
                results.append({"hidden": hidden, "kind": kind, "ranks": ranks, "batch": rows[ranks], "steps_per_second": values, "gain": gain, "messages": shared})
                print(
                    f"{hidden:8} {kind:6} batch {rows[ranks]:6} {ranks or 'alone':>5} ranks: {median:8.1f} steps/s ({min(values):.1f} to {max(values):.1f}), "
                    f"{gain:.2f} of the rows a second alone, messages {100 * shared:.0f} % of a step", flush=True,
                )
    if options.json:
        options.json.write_text(json.dumps({**told, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
