"""Runs ours and every peer that is installed on the same work, checks what they compute, and times them in turn.

First every program trains each network for some steps on whole batches, and its loss must be that of numpy in float64. Then
each of the --rounds runs every program once, so that what else the machine does falls on all; in it each case is worked on in
parts, of which the first is not timed. Progress goes to stderr, the tables to stdout. A peer that is not installed or finds no
device is left out, and said to be. Exit codes: 0 done, 1 a run or a check failed, 2 wrong usage.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import numpy_peer
import workload

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OURS = "wgpu-mlp"
PEERS = {  # name: the words behind the interpreter
    "article": ["article_numpy.py"],
    "numpy": ["numpy_peer.py"],
    "jax-scan": ["jax_peer.py", "--variant", "scan"],
    "jax-step": ["jax_peer.py", "--variant", "step"],
    "torch-eager": ["torch_peer.py", "--variant", "eager"],
    "torch-compile": ["torch_peer.py", "--variant", "compile"],
    "torch-graph": ["torch_peer.py", "--variant", "graph"],
    "torch-compile-graph": ["torch_peer.py", "--variant", "compile-graph"],
}
SAME = 1e-3  # how far a loss may be from float64's after the few steps of the check, of itself
ALIKE = (0.02, 0.1)  # and from the programs' median after the timed ones, whose batches differ: absolute, of itself
TIMEOUT = 1800  # seconds of a program
KNOWN_LOG10_LOSS = 0.0302  # where the article's run ends after 10,000 epochs


def end(code, message):
    print(f"run.py: {message}", file=sys.stderr)
    sys.exit(code)


def our_binary():
    """Builds benches/workloads.rs, and says where it lies."""
    command = ["cargo", "bench", "--bench", "workloads", "--no-run", "--locked", "--message-format=json"]
    try:
        built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        end(2, f"cannot run cargo ({error}): name the built bench with --ours, or --no-ours")
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    found = [m["executable"] for m in messages if m.get("target", {}).get("name") == "workloads" and m.get("executable")]
    if built.returncode != 0 or not found:
        end(1, "the bench was not built")
    return found[-1]


def run(name, command, device, folder):
    """The program's lines, or None where it cannot run here."""
    print(f"  {name}", file=sys.stderr, flush=True)
    words = [*command, "--device", device, "--cases", folder]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return [{"peer": name, "workload": "all", "failed": f"not done in {TIMEOUT} s"}]
    if done.returncode == workload.SKIP:
        print(f"  {name} is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    cases = {case["name"]: case for case in json.loads((folder / "cases.json").read_text())}
    for line in lines:  # a program in Rust leaves its parameters to be judged here
        if path := line.pop("final", None):
            case = cases[line["workload"]]
            x, y, _ = workload.load(folder, case)
            line |= workload.judge(case, workload.split(case, np.fromfile(path, "<f4")), x, y)
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        lines.append({"peer": name, "workload": "all", "failed": f"exit code {done.returncode}"})
    return lines


def reference(folder, case):
    """The loss of a check in float64."""
    x, y, parameters = workload.load(folder, case)
    trainer = numpy_peer.Trainer(case, x, y, parameters, np.float64)
    trainer.train(case["epochs"])
    return workload.loss_of(parameters, x, y), workload.loss_of(trainer.parameters(), x, y)


def faults_of_check(lines, references):
    for line in lines:
        before, after = references.get(line["workload"], (0, 0))
        if "failed" in line:
            yield f"{line['peer']}, {line['workload']}: {line['failed']}"
        elif not (after < before and abs(line["loss"] - after) <= SAME * after):
            yield f"{line['peer']}, {line['workload']}: loss {line['loss']:.6f}, from {before:.6f} to {after:.6f} in float64"


def merge(cases, rounds):
    """A row for each case and peer, over all rounds; and what is wrong."""
    by_name, rows, faults = {case["name"]: case for case in cases}, {}, []
    for line in rounds:
        if "failed" in line:
            faults.append(f"{line['peer']}, {line['workload']}: {line['failed']}")
            continue
        row = rows.setdefault((line["workload"], line["peer"]), line | {"seconds": []})
        row["seconds"] += line["seconds"]
    for (name, peer), row in rows.items():
        row |= workload.figures(by_name[name], row["seconds"])
        alike = [r["loss"] for (n, _), r in rows.items() if n == name and "loss" in r]
        if alike and not abs(row["loss"] - statistics.median(alike)) <= ALIKE[0] + ALIKE[1] * statistics.median(alike):
            faults.append(f"{peer}, {name}: ends at a loss of {row['loss']:.4f}, the others at {statistics.median(alike):.4f}")
        case = by_name[name]
        if name == "W1" and case["epochs"] * case["parts"] == 10_000 and not abs(row["test_log10_loss"] - KNOWN_LOG10_LOSS) <= 1e-3:
            faults.append(f"{peer}, {name}: test log10 loss {row['test_log10_loss']:.4f}, not {KNOWN_LOG10_LOSS}")
    return list(rows.values()), sorted(set(faults))


def tables(cases, rows):
    for case in cases:
        found = sorted((r for r in rows if r["workload"] == case["name"]), key=lambda r: r["seconds_per_step"])
        ours = next((r for r in found if r["peer"] == OURS), None)
        peers = [r for r in found if r["peer"] != OURS]
        if ours and peers:
            ours["ratio_to_fastest_peer"] = ours["seconds_per_step"] / peers[0]["seconds_per_step"]
            yield f"\n{case['name']}: ours / fastest peer = {ours['ratio_to_fastest_peer']:.2f} ({peers[0]['peer']})\n"
        else:
            yield f"\n{case['name']}\n"
        speed = "GFLOP/s" if "m" in case else "samples/s"
        yield f"| program | version | µs a step, median (least, most) of {len(found[0]['seconds']) if found else 0} | {speed} | loss |"
        yield "|---|---|---|---|---|"
        for r in found:
            micros = [f"{1e6 * r[key]:,.1f}" for key in ("seconds_per_step", "least", "most")]
            amount = f"{r['gflops']:,.1f}" if "m" in case else f"{r['samples_per_second']:,.0f}"
            loss = f"{r['loss']:.4f}" if "loss" in r else "–"
            yield f"| {r['peer']} | {r['version']} | {micros[0]} ({micros[1]}, {micros[2]}) | {amount} | {loss} |"


def commit():
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None


def compare(device, programs, options, scratch):
    """One device: the checks, the rounds, the tables. Returns the rows, and what is wrong."""
    wanted = lambda case: options.only_cases is None or any(case["name"].startswith(w) for w in options.only_cases.split(","))
    checks, cases = list(filter(wanted, workload.checks())), list(filter(wanted, workload.cases(options.quick, options.scale)))
    if not cases:
        end(2, f"no case begins with {options.only_cases}; there are W1, W2/32, …")
    print(f"{device}: checking the results, not timed:", file=sys.stderr)
    workload.write(scratch / "check", checks)
    references = {case["name"]: reference(scratch / "check", case) for case in checks}
    here, faults = {}, []
    for name, command in programs.items():
        if (lines := run(name, command, device, scratch / "check")) is not None:
            here[name] = command
            faults += faults_of_check(lines, references)
    if faults:
        return [], faults
    workload.write(scratch / "work", cases)
    lines = []
    for i in range(options.rounds):
        print(f"{device}: round {i + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}:", file=sys.stderr)
        for name, command in here.items():
            lines += run(name, command, device, scratch / "work") or []
    rows, faults = merge(cases, lines)
    print(f"\n## {device}\n" + "\n".join(tables(cases, rows)))
    return rows, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", help="the built bench `workloads`; without it, cargo builds it")
    parser.add_argument("--no-ours", action="store_true", help="the peers alone")
    parser.add_argument("--only", help=f"of the peers, only these: {','.join(PEERS)}; 'none' for ours alone")
    parser.add_argument("--only-cases", help="only those that begin so: W1,W2/32")
    parser.add_argument("--device", default="cpu", help="cpu, gpu or cpu,gpu (default: cpu)")
    parser.add_argument("--rounds", type=int, default=2, help="(default: 2)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, without the largest product")
    parser.add_argument("--scale", type=int, default=1, help="times the steps of all but the article's, for fast GPUs")
    parser.add_argument("--json", type=pathlib.Path, help="the file that gets everything")
    options = parser.parse_args()
    wanted = list(PEERS) if options.only is None else [p for p in options.only.split(",") if p != "none"]
    if unknown := set(wanted) - set(PEERS):
        end(2, f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    devices = options.device.split(",")
    if options.rounds < 1 or options.scale < 1 or set(devices) - {"cpu", "gpu"}:
        end(2, "--rounds and --scale start at 1, --device takes cpu, gpu or cpu,gpu")
    ours = None if options.no_ours else options.ours or our_binary()
    programs = {OURS: [ours, "--bench"]} if ours else {}
    for name in wanted:
        script, *words = PEERS[name]
        programs[name] = [sys.executable, "-B", HERE / script, *words]
    now, load = datetime.datetime.now(datetime.timezone.utc), os.getloadavg()
    rows, faults = {}, []
    with tempfile.TemporaryDirectory() as scratch:
        for device in devices:
            rows[device], wrong = compare(device, programs, options, pathlib.Path(scratch))
            faults += [f"{device}: {fault}" for fault in wrong]
    if options.json:
        system = {"cpu": workload.device_name(), "cores": workload.threads(), "system": platform.platform(), "load_before": load}
        words = [a if not a.startswith("/") else os.path.basename(a) for a in sys.argv[1:]]
        head = {"date": now.strftime("%Y-%m-%d"), "commit": commit(), "machine": system, "command": " ".join(["run.py", *words])}
        options.json.write_text(json.dumps({**head, "faults": faults, "results": rows}, indent=1) + "\n")
    if faults:
        end(1, "FAILED\n  " + "\n  ".join(faults))


if __name__ == "__main__":
    main()
