"""Runs ours and every peer that is installed on the same work, checks what they compute, and times them in turn.

First every program trains each network for some steps on whole batches, and its loss must be that of numpy in float64. Then
each of the --rounds runs every program once, so that what else the machine does falls on all; in it each case is worked on in
parts, of which the first is not timed. Progress goes to stderr, the tables to stdout. A peer that is not installed, finds no
device or crashes is left out, and said to be. Exit codes: 0 done, 1 ours failed or a result was wrong, 2 wrong usage.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import numpy_peer
import workload

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import record  # noqa: E402

OURS = "wgpu-mlp"
RUST = ["burn-flex", "burn-wgpu", "candle"]  # programs of rust/, each with a feature of its name
PEERS = {  # name: a script and its words
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
EXACT = 1e-5  # how far a product may be off, of its terms
TIMEOUT = 5400  # seconds of a program on a device, in its check and its rounds together
KNOWN_LOG10_LOSS = 0.0302  # where the article's run ends after 10,000 epochs


def end(code, message):
    print(f"run.py: {message}", file=sys.stderr)
    sys.exit(code)


def say(message):
    print(f"  {message}", file=sys.stderr, flush=True)


def build(words, folder, target):
    """Builds a program with cargo, and says where it lies; None where that fails."""
    command = ["cargo", *words, "--locked", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    found = [m["executable"] for m in messages if m.get("target", {}).get("name") == target and m.get("executable")]
    return found[-1] if built.returncode == 0 and found else None


def our_command():
    try:
        if ours := build(["bench", "--bench", "workloads", "--no-run"], record.ROOT, "workloads"):
            return [ours]
    except OSError as error:
        end(2, f"cannot run cargo ({error}): name the built bench with --ours, or --no-ours")
    end(1, "the bench was not built")


def peer_command(name, asked):
    """The words that run a peer, or None. One in Rust is built where it is asked for, and built anew where it lies already."""
    if script := PEERS.get(name):
        return [sys.executable, "-B", HERE / script[0], *script[1:]]
    lies = HERE / "rust" / "target" / "release" / (name + (".exe" if os.name == "nt" else ""))
    if not asked and not lies.exists():
        say(f"{name} is left out: it has not been built, which --only {name} does, in minutes")
        return None
    words = ["build", "--release", "--features", name, "--bin", name, "--target-dir", "target"]
    try:
        built = build(words, HERE / "rust", name)
    except OSError as error:
        built = lies if lies.exists() else end(2, f"cannot run cargo ({error}), which {name} is built with")
    if built is None and asked:
        end(1, f"{name} was not built")
    if built is None:
        say(f"{name} is left out: it could not be built")
    return built and [built]


def run(name, command, device, folder, left):
    """The program's lines, or None where it cannot run here. What it did not come to has a line that says why. `left` has the seconds
    of each program, and less of them afterwards."""
    say(name)
    cases = {case["name"]: case for case in json.loads((folder / "cases.json").read_text())}
    words = [*command, "--device", device, "--cases", folder]
    why, started = None, time.monotonic()
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=left[name])
        out = done.stdout
        if done.returncode == workload.SKIP:
            say(f"{name} is left out: {done.stderr.strip().splitlines()[-1]}")
            return None
        if done.returncode != 0:
            print(done.stderr[-2000:], file=sys.stderr)
            by_signal = done.returncode < 0
            why = f"signal {signal.Signals(-done.returncode).name}" if by_signal else f"exit code {done.returncode}"
    except subprocess.TimeoutExpired as late:
        out, why = (late.stdout or b"").decode(), f"not done in {left[name]:.0f} s"
    left[name] = max(0, left[name] - (time.monotonic() - started))
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    for line in lines:  # a program in Rust leaves its parameters to be judged here
        if path := line.pop("final", None):
            case = cases[line["workload"]]
            x, y, _ = workload.load(folder, case)
            line |= workload.judge(case, workload.split(case, np.fromfile(path, "<f4")), x, y)
    if why:
        missing = [case for case in cases if case not in {line["workload"] for line in lines}]
        lines.append({"peer": name, "workload": missing[0] if missing else "the end", "failed": why})
    return lines


def reference(folder, case):
    """The loss of a check in float64."""
    x, y, parameters = workload.load(folder, case)
    trainer = numpy_peer.Trainer(case, x, y, parameters, np.float64)
    trainer.train(case["epochs"])
    return workload.loss_of(parameters, x, y), workload.loss_of(trainer.parameters(), x, y)


def failures(lines):
    """What did not run, in words."""
    return [f"{line['peer']}, {line['workload']}: failed: {line['failed']}" for line in lines if "failed" in line]


def faults_of_check(lines, references):
    for line in lines:
        before, after = references.get(line["workload"], (0, 0))
        if "failed" not in line and not (after < before and abs(line["loss"] - after) <= SAME * after):
            yield f"{line['peer']}, {line['workload']}: loss {line['loss']:.6f}, from {before:.6f} to {after:.6f} in float64"


def merge(cases, rounds):
    """A row for each case and peer, over all rounds; and which results are wrong."""
    by_name, rows, faults = {case["name"]: case for case in cases}, {}, []
    for line in rounds:
        if "failed" not in line:
            row = rows.setdefault((line["workload"], line["peer"]), line | {"seconds": []})
            row["seconds"] += line["seconds"]
    for (name, peer), row in rows.items():
        case = by_name[name]
        row |= workload.figures(case, row["seconds"])
        if "m" in case:
            if row["error"] is None or not row["error"] <= EXACT:
                faults.append(f"{peer}, {name}: the product is {row['error']} of its terms off")
            continue
        alike = [r["loss"] for (n, _), r in rows.items() if n == name]
        if not abs(row["loss"] - statistics.median(alike)) <= ALIKE[0] + ALIKE[1] * statistics.median(alike):
            faults.append(f"{peer}, {name}: ends at a loss of {row['loss']:.4f}, the others at {statistics.median(alike):.4f}")
        if name == "W1" and case["epochs"] * case["parts"] == 10_000 and not abs(row["test_log10_loss"] - KNOWN_LOG10_LOSS) <= 1e-3:
            faults.append(f"{peer}, {name}: test log10 loss {row['test_log10_loss']:.4f}, not {KNOWN_LOG10_LOSS}")
    return list(rows.values()), faults


def tables(cases, rows):
    for case in cases:
        found = sorted((r for r in rows if r["workload"] == case["name"]), key=lambda r: r["seconds_per_step"])
        ours = next((r for r in found if r["peer"] == OURS), None)
        peers = [r for r in found if not r["peer"].startswith(OURS)]
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


def compare(device, programs, options, scratch):
    """One device: the checks, the rounds, the tables. Returns the rows, what did not run, and what is wrong."""
    wanted = lambda case: options.only_cases is None or any(case["name"].startswith(w) for w in options.only_cases.split(","))
    cases = list(filter(wanted, workload.cases(options.quick, options.scale)))
    checks = [check for check in workload.checks() if any(case["name"].split("/")[0] == check["name"] for case in cases)]
    if not cases:
        end(2, f"no case begins with {options.only_cases}; there are W1, W2/32, …")
    print(f"{device}: checking the results, not timed:", file=sys.stderr)
    workload.write(scratch / "check", checks)
    here, failed, faults = {}, [], []
    left = dict.fromkeys(programs, options.timeout)
    checked = {name: run(name, command, device, scratch / "check", left) for name, command in programs.items()}
    # They take longer than a program that is left out.
    references = {case["name"]: reference(scratch / "check", case) for case in checks if any(checked.values())}
    for name, lines in checked.items():
        if lines is None:
            continue
        faults += faults_of_check(lines, references)
        if not failures(lines):
            here[name] = programs[name]
        elif name == OURS:
            faults += failures(lines)
        else:
            failed += failures(lines)
            say(f"{name} is left out: {failures(lines)[0]}")
    if faults or not here:
        return [], failed, faults
    workload.write(scratch / "work", cases)
    lines = []
    for i in range(options.rounds):
        print(f"{device}: round {i + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}:", file=sys.stderr)
        for name, command in here.items():
            found = run(name, command, device, scratch / "work", left) or []
            lines += found
            if name == OURS:
                faults += failures(found)
            else:
                failed += [words for words in failures(found) if words not in failed]
    rows, wrong = merge(cases, lines)
    print(f"\n## {device}\n" + "\n".join([*tables(cases, rows), *(f"\n{words}" for words in failed)]))
    return rows, failed, faults + wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", help="the built bench `workloads`; without it, cargo builds it")
    parser.add_argument("--no-ours", action="store_true", help="the peers alone")
    parser.add_argument("--precision", help="ours on a GPU's matrix units too: f16x3, f16 or both with a comma")
    parser.add_argument("--only", help=f"of the peers, only these: {','.join([*PEERS, *RUST])}; 'none' for ours alone")
    parser.add_argument("--only-cases", help="only those that begin so: W1,W2/32")
    parser.add_argument("--device", default="cpu", help="cpu, gpu or cpu,gpu (default: cpu)")
    parser.add_argument("--rounds", type=int, default=2, help="(default: 2)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps, without the largest product")
    parser.add_argument("--scale", type=int, default=1, help="times the steps of all but the article's, for fast GPUs")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help=f"seconds of a program on a device, in all (default: {TIMEOUT})")
    parser.add_argument("--json", type=pathlib.Path, help="the file that gets everything")
    options = parser.parse_args()
    known = [*PEERS, *RUST]
    wanted = known if options.only is None else [p for p in options.only.split(",") if p != "none"]
    if unknown := set(wanted) - set(known):
        end(2, f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    devices = options.device.split(",")
    if options.rounds < 1 or options.scale < 1 or set(devices) - {"cpu", "gpu"}:
        end(2, "--rounds and --scale start at 1, --device takes cpu, gpu or cpu,gpu")
    programs = {} if options.no_ours else {OURS: [options.ours] if options.ours else our_command()}
    if programs and options.precision:
        programs |= {f"{OURS} {name}": [*programs[OURS], "--precision", name] for name in options.precision.split(",")}
    for name in wanted:
        if command := peer_command(name, asked=options.only is not None):
            programs[name] = command
    head = record.head(cpu=workload.device_name(), cores=workload.threads())
    rows, failed, faults = {}, [], []
    with tempfile.TemporaryDirectory() as scratch:
        for device in devices:
            rows[device], not_run, wrong = compare(device, programs, options, pathlib.Path(scratch))
            failed += [f"{device}: {words}" for words in not_run]
            faults += [f"{device}: {fault}" for fault in wrong]
    if options.json:
        options.json.write_text(json.dumps({**head, "failed": failed, "faults": faults, "results": rows}, indent=1) + "\n")
    if faults:
        end(1, "FAILED\n  " + "\n  ".join(faults))


if __name__ == "__main__":
    main()
