#!/usr/bin/env python3
"""What happens to runs of `mlp train` that are killed, asked to end, or find the disk full. Python 3.9 and nothing else.

    cargo build --release && tests/reliability.py target/release/mlp kills signals disk

kills    SIGKILL at random moments: before, in and after training, in empty folders and in those of earlier runs, with
         checkpoints and without, on the CPU and on the first GPU (`--devices cpu` leaves that out). A run is lost where the
         folder gives no sound model though one had been there, or where a run that goes on, or is begun anew, does not come
         to the bytes of an unbroken one. It is mixed where two files of a folder name different runs.
signals  SIGHUP, SIGINT and SIGTERM, with nohup's ignored SIGHUP and without: the exit code, the model, and what is left out.
disk     Disks with room for 0, 1, 2, … pages, so that every write is refused in turn, and files that may not grow beyond as
         much. tmpfs needs root, or user namespaces; without them only the latter are tried, and that is said.

It prints a table, and ends with 1 where anything was lost or mixed. `--json FILE` keeps the figures.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPOCHS = 120
NETWORK = "train moons --samples 300 --hidden 8,8 --batch 32 --quiet --json"


def run(mlp, words, folder, **more):
    """The command in a folder, to its end."""
    return subprocess.run([mlp, *words.split()], cwd=folder, capture_output=True, text=True, **more)


def metadata(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length))["__metadata__"]


def runs_of(folder):
    """The run that each file of a folder names."""
    found = {}
    model = folder / "model.safetensors"
    if model.exists():
        found["model.safetensors"] = json.loads(metadata(model)["mlp.training"])["run"]
    for path in (folder / "checkpoints").glob("*.safetensors"):
        found[path.name] = json.loads(metadata(path)["mlp.training"])["run"]
    metrics = folder / "metrics.jsonl"
    if metrics.exists():
        for number, line in enumerate(metrics.read_text().splitlines()):
            found[f"metrics.jsonl:{number + 1}"] = json.loads(line)["run"]
    config = folder / "config.toml"
    if config.exists():
        found["config.toml"] = config.read_text().splitlines()[0].removeprefix("# run ")
    report = folder / "report.json"
    if report.exists():
        found["report.json"] = json.loads(report.read_text())["run"]["run"]
    page = folder / "report.html"
    if page.exists():
        found["report.html"] = next((name for name in set(found.values()) if name in page.read_text()), "another")
    for path in (folder / "plots").glob("*.svg"):
        found[path.name] = path.read_text().rsplit("<!-- run ", 1)[1].split(" ", 1)[0]
    return found


class Tally:
    """Cases and what was wrong with them."""

    def __init__(self):
        self.rows, self.bad = {}, []

    def add(self, what, problems):
        row = self.rows.setdefault(what, {"cases": 0, "lost": 0, "mixed": 0, "other": 0})
        row["cases"] += 1
        for kind, problem in problems:
            row[kind] += 1
            self.bad.append(f"{what}: {kind}: {problem}")

    def table(self):
        lines = ["| what | cases | lost | mixed | otherwise wrong |", "|---|---|---|---|---|"]
        lines += [f"| {what} | {r['cases']} | {r['lost']} | {r['mixed']} | {r['other']} |" for what, r in self.rows.items()]
        return "\n".join(lines)


def check_folder(mlp, folder, had_model):
    """What is wrong with a folder as a command finds it."""
    problems = []
    found = run(mlp, "predict out moons.csv --device cpu", folder)
    if found.returncode < 0 or "panicked" in found.stderr:
        problems.append(("other", found.stderr))
    # Whatever was to be moved has been moved by now.
    names = runs_of(folder / "out")
    if len(set(names.values())) > 1 or "different runs" in found.stderr:
        problems.append(("mixed", f"{names} {found.stderr}"))
    elif found.returncode != 0 and had_model:
        problems.append(("lost", found.stderr))
    return problems


def unbroken(mlp, device, folder, words):
    run_folder = folder / "whole"
    started = time.monotonic()
    done = run(mlp, f"{NETWORK} {words} --device {device} --out {run_folder}", folder)
    assert done.returncode == 0, done.stderr
    return (run_folder / "model.safetensors").read_bytes(), time.monotonic() - started


def kills(mlp, folder, count, devices, seed, tally):
    draw = random.Random(seed)
    rows = "\n".join(f"{draw.uniform(-1, 2)},{draw.uniform(-1, 1)}" for _ in range(50))
    plain, other = f"--epochs {EPOCHS}", f"--epochs {EPOCHS // 2} --lr 0.05"
    whole = {}
    for device in devices:
        place = folder / f"reference-{device}"
        place.mkdir()
        unbroken(mlp, device, place, plain)
        # The first one on a GPU compiles its shaders.
        whole[device] = unbroken(mlp, device, place, plain)
        print(f"{device}: an unbroken run takes {whole[device][1]:.2f} s", file=sys.stderr)
    for case in range(count):
        device = devices[case % len(devices)]
        used, checkpoints = draw.random() < 0.5, draw.random() < 0.5
        place = folder / f"kill-{case}"
        place.mkdir()
        (place / "moons.csv").write_text(f"x0,x1\n{rows}\n")
        out = place / "out"
        if used:
            assert run(mlp, f"{NETWORK} {other} --device cpu --out out", place).returncode == 0
            run(mlp, "plot out", place)
        every = f" --checkpoint-every {draw.choice([1, 7, 40])} --keep {draw.choice([1, 3])}" if checkpoints else ""
        words = f"{NETWORK} {plain}{every} --device {device} --out out"
        child = subprocess.Popen([mlp, *words.split()], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        expected, seconds = whole[device]
        try:
            child.wait(draw.uniform(0, 1.2 * seconds))
        except subprocess.TimeoutExpired:
            pass
        before = {"ended": child.poll() is not None}
        child.send_signal(signal.SIGKILL)
        child.wait()
        pending = (out / "running" / "model.safetensors").exists()
        had_model = used or pending or (out / "model.safetensors").exists()
        resumable = any((out / "running" / "checkpoints").glob("epoch-*")) or any((out / "checkpoints").glob("epoch-*"))
        problems = check_folder(mlp, place, had_model)
        # It goes on where there is a checkpoint, and is begun anew where there is none; both end as if nothing had been.
        again = f"train --resume out --quiet --json --device {device}" if resumable else words
        done = run(mlp, again, place)
        if done.returncode != 0:
            problems.append(("lost", f"{again}: {done.stderr}"))
        elif (out / "model.safetensors").read_bytes() != expected:
            problems.append(("lost", f"{again}: other bytes"))
        else:
            problems += check_folder(mlp, place, True)
            if leftover := [path.name for path in out.iterdir() if path.name.startswith(".tmp") or path.name == "running"]:
                problems.append(("other", f"left behind: {leftover}"))
        kind = "ended before" if before["ended"] else "killed"
        tally.add(f"SIGKILL, {device}, {'used' if used else 'empty'} folder, {kind}", problems)
        shutil.rmtree(place)


def signals(mlp, folder, devices, tally):
    codes = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
    for device in devices:
        for ignored in (False, True):
            for sent, code in codes.items():
                place = folder / f"{device}-{sent.name}-{ignored}"
                place.mkdir()
                words = f"train moons --samples 300 --hidden 8,8 --epochs 1000000000 --device {device} --out out --json"
                ignore = (lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) if ignored else None
                child = subprocess.Popen(
                    [mlp, *words.split()], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=ignore
                )
                metrics = place / "out" / "running" / "metrics.jsonl"

                def wait_for(lines):
                    while not (metrics.exists() and metrics.read_text().count("\n") > lines):
                        assert child.poll() is None, child.stderr.read()
                        time.sleep(0.01)

                wait_for(5)
                problems = []
                child.send_signal(sent)
                if ignored and sent == signal.SIGHUP:
                    # It goes on; then another one ends it.
                    wait_for(metrics.read_text().count("\n") + 50)
                    child.send_signal(signal.SIGTERM)
                    code = 143
                stdout, stderr = child.communicate()
                if child.returncode != code:
                    problems.append(("other", f"exit code {child.returncode}: {stderr}"))
                summary = json.loads(stdout)
                if "train" in summary or any(phase in summary["phases"] for phase in ("evaluate", "report")):
                    problems.append(("other", f"evaluated after the signal: {summary}"))
                if not (place / "out" / "model.safetensors").exists():
                    problems.append(("lost", stderr))
                tally.add(f"{sent.name}{' under nohup' if ignored else ''}, {device}", problems)
                shutil.rmtree(place)


def disk(mlp, folder, tally):
    words = f"{NETWORK} --epochs {EPOCHS} --device cpu --checkpoint-every 50"
    spare = folder / "spare"
    spare.mkdir()
    reference, _ = unbroken(mlp, "cpu", folder, f"--epochs {EPOCHS}")
    largest = max(path.stat().st_size for path in (folder / "whole").rglob("*") if path.is_file())

    def check(what, done, out, fits=True):
        # `fits`: whether there is any place that can hold the model.
        problems = []
        model = out / "model.safetensors"
        last = (done.stderr.strip().splitlines() or [""])[-1]
        if "panicked" in done.stderr or done.returncode not in (0, 1):
            problems.append(("other", f"exit code {done.returncode}: {done.stderr}"))
        if done.returncode == 1 and "the model is in " in last:
            model = out.parent / last.rsplit("the model is in ", 1)[1]
        if done.returncode == 1 and not last.startswith("error: "):
            problems.append(("other", f"no last line that says it: {done.stderr}"))
        # A run that was refused before its first step has lost nothing; one that trained has its model somewhere.
        trained = done.returncode == 0 or "the model is in " in last
        if not trained:
            lines = [path.read_text().count("\n") for path in (out / "metrics.jsonl", out / "running" / "metrics.jsonl") if path.exists()]
            trained = sum(lines) > 0 or model.exists()
        if fits and trained and (not model.exists() or model.read_bytes() != reference):
            problems.append(("lost", f"{model}: {done.stderr}"))
        names = runs_of(out)
        if len(set(names.values())) > 1:
            problems.append(("mixed", str(names)))
        tally.add(what, problems)

    step = 512
    for size in range(0, largest + step, step):
        place = folder / f"limit-{size}"
        place.mkdir()

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        done = run(mlp, f"{words} --out out", place, preexec_fn=limit, env={**os.environ, "TMPDIR": str(spare)})
        check("files of at most n · 512 bytes", done, place / "out", fits=size >= len(reference))
        shutil.rmtree(place)

    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    prefix = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*prefix, "sh", "-c", " ".join(mount) + f" && umount {place}"], capture_output=True).returncode != 0:
        print("no tmpfs could be mounted: disks of n pages were not tried", file=sys.stderr)
        return
    total = sum(-(-path.stat().st_size // 4096) + 1 for path in (folder / "whole").rglob("*")) + 16
    for pages in range(1, total):
        # The files are copied out before the disk goes; what could be saved there is compared as it lies there.
        kept = folder / "kept"
        script = (
            f"mount -t tmpfs -o size={pages * 4}k tmpfs {place} && cd {place} && "
            f"{{ {mlp} {words} --out out; code=$?; cp -a {place} {kept}; cd /; umount {place}; exit $code; }}"
        )
        done = subprocess.run([*prefix, "sh", "-c", script], capture_output=True, text=True, env={**os.environ, "TMPDIR": str(spare)})
        check("disks of n pages", done, kept / "out")
        shutil.rmtree(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mlp", type=Path, help="the binary")
    parser.add_argument("parts", nargs="+", choices=["kills", "signals", "disk"])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--devices", default="cpu,gpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    mlp, devices, tally = str(args.mlp.resolve()), args.devices.split(","), Tally()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for part in args.parts:
                place = Path(folder) / part
                place.mkdir()
                if part == "kills":
                    kills(mlp, place, args.kills, devices, args.seed, tally)
                elif part == "signals":
                    signals(mlp, place, devices, tally)
                else:
                    disk(mlp, place, tally)
        except KeyboardInterrupt:
            print("broken off: these are the cases so far", file=sys.stderr)
    print(tally.table())
    print(f"{time.monotonic() - started:.0f} s")
    for problem in tally.bad:
        print(problem, file=sys.stderr)
    if args.json:
        args.json.write_text(json.dumps({"rows": tally.rows, "problems": tally.bad, "seed": args.seed}, indent=1) + "\n")
    sys.exit(1 if tally.bad else 0)


if __name__ == "__main__":
    main()
