#!/usr/bin/env python3
"""What drivers' compilers made of the pipelines: a Markdown table, and a verdict by limits.json.

    table.py FOLDER...    each with what run.sh has of a GPU: made.txt of pipelines.rs, stats.tsv and *.asm of the layer

A pipeline must not spill to memory or take scratch memory. A product's inner loop must not reach global memory, and must have the share of
fused multiply-adds (FMA) that limits.json has for its tile and this version of the compiler. The known misses stand there too, each with
its number. Anything worse is a line on stderr, and exit code 1."""

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

# What RADV, NVK, Honeykrisp and ANV call a statistic.
REGISTERS = ["VGPRs", "Number of GPRs", "GPRs", "Max live registers"]
INSTRUCTIONS = ["Instructions", "Instruction count"]
CYCLES = ["Latency", "Static cycle count", "ALU", "Cycles"]  # the compiler's own estimate
OCCUPANCY = ["Subgroups per SIMD", "Max warps/SM", "Threads", "Max dispatch width"]
SPILLS = ["Spilled VGPRs", "Spills to memory", "Fills from memory", "Spills", "Fills"]
SCRATCH = ["Scratch size", "SLM size", "Scratch", "Scratch Memory Size"]
LANES = ["Spilled SGPRs", "Spills to reg"]  # scalar registers in lanes of vector registers: no memory

# The assembly of RADV and NVK; Honeykrisp gives none, and ANV's does not tell which memory is reached. NVK has a predicate and results in
# front of an instruction's name.
NAME = re.compile(r"\s*(?:@\S+\s+)?(?:[^=]*= )?(\S+)")
KINDS = {
    # What stands before a store to shared memory loads a panel.
    "end": r"BB\d+:?|block.*|s_c?branch\w*|bra|ds_(store|write).*|st\.shared.*",
    "fma": r"v_(dual_|pk_)?fma.*|v_(mac|mad)_f32.*|ffma.*",
    "shared": r"ds_(load|read).*|ld\.shared.*",
    "global": r"(buffer|global|flat|scratch|s_buffer|s)_(load|store|atomic).*|(ld|st|atom)\.(global|local).*",
    "none": r"s_(barrier|delay_alu|wait|nop|clause).*|bar\.sync|nop|[};/].*",
    "other": r".*",
}


@lru_cache(None)
def kind_of(name):
    return next(kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, name))


def inner_loop(text):
    """Of the stretch without a branch that has most FMAs, the shortest of several: these, loads from shared memory, accesses to global
    memory and other instructions. The next panel's loads are in it where the sums of a panel are one stretch: they come before these."""
    best, now = Counter(), Counter()
    for line in [*text.splitlines(), "BB0"]:
        name = NAME.match(line)
        kind = kind_of(name[1]) if name else "none"
        if kind == "end":
            best, now = max(best, now, key=lambda run: (run["fma"], -run.total())), Counter()
        else:
            now[kind] += 1
    return [best[kind] for kind in ("fma", "shared", "global", "other")]


class Pipeline:
    def __init__(self, label, stats, texts):
        self.label, self.stats = label, stats
        # Matrix units make no FMAs.
        by_units = " f16" in label
        self.loop = max((inner_loop(text) for text in texts if not by_units), default=[0, 0, 0, 0])
        self.share = 100 * self.loop[0] / max(1, sum(self.loop))
        tile = not by_units and re.search(r" (\d+x\d+?)(x4)?( |$)", label)
        self.tile = tile and tile[1]
        self.spills, self.scratch = self.stat(SPILLS), self.stat(SCRATCH)

    def stat(self, names):
        return sum(self.stats.get(name, 0) for name in names)

    def cell(self):
        numbers = [f"{self.stat(names):,.0f}" for names in (REGISTERS, INSTRUCTIONS, CYCLES, OCCUPANCY)]
        return " / ".join(numbers + ([f"{self.share:.0f} %"] if self.loop[0] >= 16 else []))

    def misses(self, shares, known):
        """Each limit that it misses, in words, and whether one of the known misses is as bad."""
        if self.spills or self.scratch:
            words = f"{self.spills:.0f} spills and fills, {self.scratch:.0f} bytes of scratch memory"
            yield words, any(self.spills + self.scratch <= miss.get("memory", 0) for miss in known)
        if self.tile and self.loop[2]:
            words = f"{self.loop[2]} accesses to global memory in the inner loop"
            yield words, any(self.loop[2] <= miss.get("global", 0) for miss in known)
        if self.tile and self.share < shares.get(self.tile, 0):
            words = f"{self.share:.1f} % of the inner loop are FMAs, expected {shares[self.tile]}"
            yield words, any(self.share >= miss.get("share", 100) for miss in known)


def statistics(folder, labels):
    """Of each pipeline that is labelled, by its number: the largest of its executables, by the driver's own names."""
    entries, stats = {}, defaultdict(Counter)
    with open(folder / "stats.tsv") as file:
        for number, entry, _, _, name, value in csv.reader(file, delimiter="\t"):
            # wgpu may make pipelines of its own when it opens a device.
            if entry != "main":
                entries[int(number)] = entry
                stats[int(number)][name] = max(stats[int(number)][name], float(value))
    assert [entries[number] for number in sorted(stats)] == [label.split()[0] for label in labels], f"{folder}: labels of other pipelines"
    return dict(sorted(stats.items()))


class Gpu:
    def __init__(self, folder):
        self.folder = folder.name
        self.name, *labels = (folder / "made.txt").read_text().splitlines()
        self.driver = self.name.rsplit(", ", 1)[1].lower()
        stats = statistics(folder, labels)
        texts = defaultdict(list)
        for path in folder.glob("*.asm"):
            texts[int(path.name.split(".")[0])].append(path.read_text())
        self.pipelines = [Pipeline(label, stats[number], texts[number]) for number, label in zip(stats, labels)]
        # The last one shows that what is looked for would be found.
        must_spill = self.pipelines.pop()
        assert must_spill.label == "must_spill" and must_spill.spills + must_spill.scratch > 0, f"{folder}: must_spill takes no memory"
        self.cells = {it.label: it.cell() for it in self.pipelines}


def main():
    limits = json.loads((Path(__file__).parent / "limits.json").read_text())
    gpus = [Gpu(Path(folder)) for folder in sys.argv[1:]]
    print("\n".join(f"- {gpu.folder}: {gpu.name}" for gpu in gpus))
    print("\nA cell has registers / instructions / the compiler's estimate of cycles / occupancy / FMAs' share of the inner loop.\n")
    print("| pipeline |", " | ".join(gpu.folder for gpu in gpus), "|")
    print("|---|" + "---|" * len(gpus))
    # Not every GPU has matrix units.
    labels = max((list(gpu.cells) for gpu in gpus), key=len)
    for label in labels:
        print(f"| {label} |", " | ".join(gpu.cells.get(label, "–") for gpu in gpus), "|")
    known, new = [], []
    for gpu in gpus:
        of_driver = next((of for version, of in limits.items() if gpu.driver.startswith(version)), None)
        if of_driver is None:
            print(f"compilers: {gpu.folder}: limits.json has no shares for {gpu.driver}: they are not judged", file=sys.stderr)
            of_driver = {"shares": {}, "misses": []}
        for it in gpu.pipelines:
            of_it = [miss for miss in of_driver["misses"] if re.search(miss["pipeline"], it.label)]
            for words, is_known in it.misses(of_driver["shares"], of_it):
                (known if is_known else new).append(f"{gpu.folder}: {it.label}: {words}")
    print("\nKnown misses:\n", *[f"- {line}" for line in known] or ["- none"], sep="\n")
    print("\nPipelines with scalar registers in lanes of vector registers, which is no miss:\n")
    for gpu in gpus:
        lanes = [it.stat(LANES) for it in gpu.pipelines if it.stat(LANES)]
        print(f"- {gpu.folder}: {len(lanes)}, at most {max(lanes, default=0):.0f} registers")
    for line in new:
        print(f"compilers: {line}", file=sys.stderr)
    sys.exit(bool(new))


if __name__ == "__main__":
    main()
