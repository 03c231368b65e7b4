#!/usr/bin/env python3
"""results.py OUT: what run.sh has measured, as one JSON (OUT/results.json) and, on stdout, as tables: what predictions.json says beside what
was measured, steps beside those of other libraries, and what the driver's compiler made of each pipeline."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "compilers"))
from table import statistics

out = Path(sys.argv[1])


def lines(name):
    path = out / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(head, rows):
    if rows:
        print("\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n")


def driver():
    """Statistics of each pipeline by the driver's own names."""
    if not (out / "driver" / "stats.tsv").exists():
        return {}
    labels = (out / "driver" / "made.txt").read_text().splitlines()[1:]
    return dict(zip(labels, statistics(out / "driver", labels).values()))


def predicted(plans):
    for it in json.loads((Path(__file__).parent / "predictions.json").read_text()):
        found = [line["us"]["median"] for line in plans if "us" in line and it["of"].items() <= line.items()]
        yield {**it, "measured": min(found, default=None)}


plans = lines("plans.jsonl")
results = {
    "plans": plans,
    "plans-f16x3": lines("plans-f16x3.jsonl"),
    "bench": lines("bench.jsonl"),
    "peers": json.loads((out / "peers.json").read_text()) if (out / "peers.json").exists() else None,
    "driver": driver(),
    "predicted": list(predicted(plans)),
}
(out / "results.json").write_text(json.dumps(results, indent=1))
table(
    ["work", "before, us", "predicted, us", "measured, us"],
    [
        [it["what"], it["before"], "{} to {}".format(*it["predicted"]), "not measured" if it["measured"] is None else round(it["measured"], 1)]
        for it in results["predicted"]
    ],
)
table(
    ["network", "rows", "plan", "steps a second", "dispatches"],
    [
        [line["network"], it["batch"], it["plan"], round(it["steps_per_second"]["median"]), it["dispatches"]]
        for line in results["bench"]
        for device in line["devices"]
        for it in device["measurements"]
        if it["work"] == "train"
    ],
)
names = sorted({name for of in results["driver"].values() for name in of})
varied = [name for name in names if len({of.get(name) for of in results["driver"].values()}) > 1 and "hash" not in name.lower()]
table(
    ["pipeline", *varied],
    [[label, *(f"{of.get(name, 0):.0f}" for name in varied)] for label, of in results["driver"].items() if label.startswith("matmul")],
)
