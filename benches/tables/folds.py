"""How much one encoder for all folds flatters out-of-fold scores: `mlp train --folds K`, whose encoder is fitted to the rows of all folds,
beside K runs whose encoder has seen the other folds alone. Both have the same folds, seeds and rules. Prints the out-of-fold loss of
each (RMSE of numbers), the difference in percent, and the mean over the tables with its standard error.

    python3 benches/tables/folds.py --mlp target/release/mlp --tables FOLDER [--folds 5] [--only churn,concrete] [--rows 6000]

FOLDER is what fetch.py wrote.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import tempfile


def train(mlp, table, target, task, flags):
    words = [mlp, "train", str(table), "--preset", "plain", "--target", target, "--task", task, "--device", "cpu", "--test-fraction", "0"]
    words += ["--no-baseline", "--quiet", "--json"] + flags
    found = subprocess.run(words, capture_output=True, text=True)
    if found.returncode != 0:
        raise RuntimeError(found.stderr)
    return json.loads(found.stdout)


def write(path, head, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([head] + rows)


def compare(mlp, table, target, task, folds, most, place):
    with open(table, newline="") as file:
        head, *rows = list(csv.reader(file))
    rows = rows[:: max(1, -(-len(rows) // most))]
    data = place / "data.csv"
    write(data, head, rows)
    together = train(mlp, data, target, task, ["--folds", str(folds), "--out", str(place / "run")])
    with open(place / "run" / "out-of-fold.csv", newline="") as file:
        order = [int(row["row"]) - 1 for row in csv.DictReader(file)]
    # Numbers are compared in the target's unit, since each encoder scales it by its own rows.
    of = lambda scores: scores["rmse"] ** 2 if task == "regression" else scores["loss"]
    loss, end = 0.0, 0
    for fold in range(folds):
        first, end = end, end + len(order) // folds + (fold < len(order) % folds)
        held_out = set(order[first:end])
        # In the order in which the run above has them.
        write(place / "rest.csv", head, [rows[row] for row in order if row not in held_out])
        write(place / "fold.csv", head, [rows[row] for row in order[first:end]])
        own = train(mlp, place / "rest.csv", target, task, ["--validation", str(place / "fold.csv"), "--seed", str(fold)])
        loss += of(own["validation"]) * len(held_out) / len(order)
    root = lambda value: value**0.5 if task == "regression" else value
    return root(of(together["validation"])), root(loss)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mlp", required=True)
    parser.add_argument("--tables", required=True, type=pathlib.Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--rows", type=int, default=6000)
    args = parser.parse_args()
    with open(args.tables / "index.tsv", newline="") as file:
        index = list(csv.DictReader(file, delimiter="\t"))
    wanted = [name for name in args.only.split(",") if name]
    changes = []
    print(f"{'table':12} {'one encoder':>12} {'one a fold':>12} {'%':>7}")
    for row in index:
        name = row["table"] if "table" in row else row["name"]
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as place:
            one, each = compare(
                args.mlp, args.tables / f"{name}.csv", row["target"], row["task"], args.folds, args.rows, pathlib.Path(place)
            )
        changes.append(100 * (one / each - 1))
        print(f"{name:12} {one:12.5f} {each:12.5f} {changes[-1]:7.2f}", flush=True)
    if len(changes) > 1:
        error = statistics.stdev(changes) / len(changes) ** 0.5
        print(f"mean {statistics.mean(changes):.2f} %, standard error {error:.2f}")


if __name__ == "__main__":
    main()
