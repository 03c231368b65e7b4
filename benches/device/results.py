#!/usr/bin/env python3
"""results.py OUT: what run.sh has measured, as one JSON (OUT/results.json) and, on stdout, as tables: what predictions.json says beside what
was measured, our measurements, steps beside those of other libraries, and what the driver's compiler made of each pipeline."""

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


def beside(peers):
    """A row for each work: microseconds a step of each program that did it. First the head."""
    rows = [row for of in peers.values() for found in of["results"].values() for row in found]
    programs = list(dict.fromkeys(row["peer"] for row in rows))
    yield ["work", *(f"{name}, us" for name in programs)]
    for work in dict.fromkeys(row["workload"] for row in rows):
        of = {row["peer"]: f"{1e6 * row['seconds_per_step']:.1f}" for row in rows if row["workload"] == work and "seconds_per_step" in row}
        yield [work, *(of.get(name, "–") for name in programs)]


def predicted(plans):
    for it in json.loads((Path(__file__).parent / "predictions.json").read_text()):
        found = [line["us"]["median"] for line in plans if "us" in line and it["of"].items() <= line.items()]
        yield {**it, "measured": min(found, default=None)}


plans = lines("plans.jsonl")
results = {
    "adapter": (out / "adapter.txt").read_text().splitlines() if (out / "adapter.txt").exists() else None,
    "plans": plans,
    "plans-f16x3": lines("plans-f16x3.jsonl"),
    "bench": lines("bench.jsonl"),
    # As run.sh has run them, ours first.
    "peers": {path.stem: json.loads(path.read_text()) for path in sorted(out.glob("peers-*.json"), key=lambda path: path.stat().st_mtime)},
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
    ["network", "rows", "work", "plan", "us", "dispatches"],
    [
        [line["network"], it["batch"], it["work"], it["plan"], f"{1e6 / it['steps_per_second']['median']:.1f}", it["dispatches"]]
        for line in results["bench"]
        for device in line["devices"]
        for it in device["measurements"]
    ],
)
head, *rows = beside(results["peers"])
table(head, rows)
for of in results["peers"].values():
    for words in of["failed"] + of["faults"]:
        print(f"{words}\n")
names = sorted({name for of in results["driver"].values() for name in of})
varied = [name for name in names if len({of.get(name) for of in results["driver"].values()}) > 1 and "hash" not in name.lower()]
table(
    ["pipeline", *varied],
    [[label, *(f"{of.get(name, 0):.0f}" for name in varied)] for label, of in results["driver"].items() if label.startswith("matmul")],
)
