"""Runs `mlp train moons` and each installed peer on the same work, checks their results, and times them in turn.

The first round is checked and not timed; then each of the --runs rounds runs every program once, so that what else the
machine does falls on all of them. Seconds are those of the training loop, as each program measures its own: no start of
a process, no data, no compilation. Progress goes to stderr, the table or the JSON to stdout. Exit codes: 0 done, 1 a run
or a check failed, 2 wrong usage.
"""

import argparse
import datetime
import importlib.util
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EPOCHS = 10_000

PEERS = {  # script: the packages it needs; the first is the float64 run that the others are compared with
    "article_numpy": ["numpy", "sklearn"],
    "article_numpy_f32": ["numpy", "sklearn"],
    "article_jax": ["numpy", "sklearn", "jax"],
}
REFERENCE = "article_numpy"
SAME_LOSS = 1e-3  # how far a float32 run may end from the float64 one
SAME_ACCURACY = 0.011  # one test row of a hundred, with room for rounding
KNOWN_LOG10_LOSS = 0.0302  # where the float64 run ends after 10,000 epochs


def usage_error(message):
    print(f"run.py: {message}", file=sys.stderr)
    sys.exit(2)


def run(command, **kwargs):
    """Runs a program that prints one JSON object, and returns it."""
    print("  " + " ".join(map(str, command)), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **kwargs)
    if done.returncode != 0:
        print(f"run.py: exit code {done.returncode} of {' '.join(map(str, command))}", file=sys.stderr)
        sys.exit(1)
    return json.loads(done.stdout)


def run_peer(script, epochs):
    return run([sys.executable, "-B", HERE / f"{script}.py", "--epochs", str(epochs)])


def run_mlp(mlp, device, version, epochs):
    with tempfile.TemporaryDirectory() as folder:  # whatever it writes by default goes there
        result = run([mlp, "train", "moons", "--device", device, "--epochs", str(epochs), "--json", "--quiet"], cwd=folder)
    return {
        "name": f"mlp, {device}",
        "version": version,
        "epochs": result["epochs"],
        "seconds": result["seconds"],
        "train_loss": result["train"]["loss"],
        "test_loss": result["test"]["loss"],
        "test_log10_loss": result["log10_loss"]["test"],
        "test_accuracy": result["test"]["accuracy"],
    }


def faults(result, reference, epochs):
    """What is wrong with a result; `reference` is the float64 one, or None."""
    found = []
    if result["epochs"] != epochs:
        found.append(f"ran {result['epochs']} epochs, not {epochs}")
    for key in ("train_loss", "test_loss"):
        if not 0 < result[key] < 0.7:  # 0.693 is the loss of a coin
            found.append(f"{key} is {result[key]}")
        if reference and not abs(result[key] - reference[key]) <= SAME_LOSS:
            found.append(f"{key} is {result[key]:.6f}, {reference[key]:.6f} in float64")
    if not abs(result["test_log10_loss"] - result["test_loss"] / math.log(10)) <= 1e-6:
        found.append("the log10 loss is not the loss / ln 10")
    if not 0 <= result["test_accuracy"] <= 1:
        found.append(f"test_accuracy is {result['test_accuracy']}")
    if reference and not abs(result["test_accuracy"] - reference["test_accuracy"]) <= SAME_ACCURACY:
        found.append(f"test_accuracy is {result['test_accuracy']}, {reference['test_accuracy']} in float64")
    if epochs == EPOCHS and not abs(result["test_log10_loss"] - KNOWN_LOG10_LOSS) <= SAME_LOSS:
        found.append(f"test_log10_loss is {result['test_log10_loss']:.4f}, not {KNOWN_LOG10_LOSS}")
    if epochs == EPOCHS and not result["test_accuracy"] >= 0.95:
        found.append(f"test_accuracy is {result['test_accuracy']}")
    return found


def machine():
    model = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": model, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def commit():
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None


def summary(runs, base):
    """One row of the table: the last run's results, and the seconds of all of them."""
    seconds = [r["seconds"] for r in runs]
    row = {
        **runs[-1],
        "seconds": statistics.median(seconds),
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "seconds_all": seconds,
        "ratio": statistics.median(seconds) / base if base else None,
    }
    if "compile_seconds" in row:
        row["compile_seconds"] = statistics.median(r["compile_seconds"] for r in runs)
    return row


def table(rows, epochs):
    header = [f"{epochs:,} epochs", "version", "seconds", "min–max", "ratio to mlp", "compile", "train loss", "test log10", "test accuracy"]
    cells = [
        [
            r["name"],
            r["version"],
            f"{r['seconds']:.2f}",
            f"{r['seconds_min']:.2f}–{r['seconds_max']:.2f}",
            f"{r['ratio']:.2f}" if r["ratio"] else "n/a",
            f"{r['compile_seconds']:.2f}" if "compile_seconds" in r else "–",
            f"{r['train_loss']:.4f}",
            f"{r['test_log10_loss']:.4f}",
            f"{r['test_accuracy']:.2f}",
        ]
        for r in rows
    ]
    widths = [max(len(line[i]) for line in [header, *cells]) for i in range(len(header))]

    def line(values):
        return "| " + " | ".join(v.ljust(w) if i < 2 else v.rjust(w) for i, (v, w) in enumerate(zip(values, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i < 2 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *map(line, cells)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlp", type=pathlib.Path, default=ROOT / "target/release/mlp", help="the binary")
    parser.add_argument("--device", default="cpu", help="mlp's devices, comma separated; the ratios are to the first")
    parser.add_argument("--only", help=f"of the peers, only these: {','.join(PEERS)}; 'none' for mlp alone")
    parser.add_argument("--no-mlp", action="store_true", help="the peers alone")
    parser.add_argument("--runs", type=int, default=3, help="timed rounds (default: 3)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"(default: {EPOCHS})")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    options = parser.parse_args()
    if options.runs < 1 or options.epochs < 1:
        usage_error("--runs and --epochs start at 1")
    wanted = list(PEERS) if options.only is None else [p for p in options.only.split(",") if p != "none"]
    if unknown := set(wanted) - set(PEERS):
        usage_error(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")

    programs = {}  # name: a function that runs it once
    if not options.no_mlp:
        mlp = options.mlp.resolve()
        if not mlp.is_file():
            usage_error(f"no binary at {options.mlp}: cargo build --release, or name one with --mlp, or --no-mlp")
        version = subprocess.run([mlp, "--version"], capture_output=True, text=True).stdout.split()[-1:]
        for device in options.device.split(","):
            programs[f"mlp {device}"] = lambda d=device: run_mlp(mlp, d, "".join(version) or "?", options.epochs)
    for script in PEERS:
        missing = [p for p in PEERS[script] if importlib.util.find_spec(p) is None]
        if script in wanted and missing:
            print(f"run.py: {script} is left out, {', '.join(missing)} not installed", file=sys.stderr)
        elif script in wanted:
            programs[script] = lambda s=script: run_peer(s, options.epochs)
    if not programs:
        usage_error("nothing to run")

    print("checking the results, not timed:", file=sys.stderr)
    checked = {name: program() for name, program in programs.items()}
    reference = checked.get(REFERENCE)
    if reference is None:
        print("run.py: no float64 run to compare with, the known end alone is checked", file=sys.stderr)
    bad = [f"{name}: {f}" for name, result in checked.items() for f in faults(result, reference, options.epochs)]

    runs = {name: [] for name in programs}
    for i in range(options.runs if not bad else 0):
        print(f"round {i + 1} of {options.runs}:", file=sys.stderr)
        for name, program in programs.items():
            result = program()
            runs[name].append(result)
            bad += [f"{name}: {f}" for f in faults(result, reference, options.epochs)]
    if bad:
        print("run.py: FAILED\n  " + "\n  ".join(bad), file=sys.stderr)
        sys.exit(1)

    base = None if options.no_mlp else statistics.median(r["seconds"] for r in next(iter(runs.values())))
    rows = [summary(r, base) for r in runs.values()]
    if options.json:
        command = " ".join(["run.py", *(a if not a.startswith("/") else os.path.basename(a) for a in sys.argv[1:])])
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        head = {"date": date, "commit": commit(), "machine": machine(), "command": command}
        print(json.dumps({**head, "epochs": options.epochs, "runs": options.runs, "results": rows}, indent=2))
    else:
        print(table(rows, options.epochs))


if __name__ == "__main__":
    main()
