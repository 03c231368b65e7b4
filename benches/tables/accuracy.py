"""Compares what programs learn from real tables by default: `mlp train` with nothing but the target named, `mlp train --preset plain` (one
small network, the default before), and the peers of learners.py with their defaults. A program `mlp FLAGS` is `mlp train`
with these flags: --programs "mlp,mlp --ensemble 1,LightGBM".

Takes the tables that fetch.py puts into FOLDER. Each seed is another split and another seed of each program; all learn the same rows
and are judged by the same test rows, which is checked. Of a larger table --rows rows are drawn, the same for all. Each
program runs alone, on --threads threads; seconds are the processor's, from the rows (mlp: from the file) to the predictions, mlp's with its
report. What a peer came to is kept in kept.json and measured once for the same rows, seed, threads and versions; the slow peers, RealMLP-TD
and TabM, run with the first seed alone. Progress goes to stderr, the tables to stdout. Exit codes: 0 done, 1 a program failed or its rows were
others, 2 wrong usage.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from learners import LEARNERS, SLOW, Kept  # noqa: E402
import learners  # noqa: E402
import record  # noqa: E402

TASKS = {  # of each table its task and its target
    "adult": ("binary", "income"), "german": ("binary", "credit"), "telco": ("binary", "churn"), "churn": ("binary", "churn"),
    "credit": ("binary", "Status"), "attrition": ("binary", "Attrition"), "magic": ("binary", "class"), "phoneme": ("binary", "class"),
    "stops": ("binary", "problem"), "letter": ("multiclass", "lettr"), "penbased": ("multiclass", "class"),
    "satimage": ("multiclass", "class"), "segment": ("multiclass", "class"), "splice": ("multiclass", "class"), "hpc": ("multiclass", "class"),
    "diamonds": ("regression", "price"), "house": ("regression", "price"), "movies": ("regression", "rating"),
    "bikeshare": ("regression", "bikers"), "computers": ("regression", "price"), "nlswork": ("regression", "ln_wage"),
    "cps1988": ("regression", "wage"), "ames": ("regression", "Sale_Price"), "concrete": ("regression", "compressive_strength"),
}  # fmt: skip
CATEGORIES = {  # further ones, which have columns of 98 to 3,490 categories and are measured where --only names them
    "hotel": ("regression", "avg_price_per_room"), "scorecard": ("regression", "earnings_med"), "innovation": ("regression", "patents"),
    "employment": ("regression", "Employed"), "movielens": ("regression", "rating"), "birds": ("regression", "height"),
    "flights": ("regression", "arr_delay"), "scorecard-quarters": ("multiclass", "earnings_med"), "innovation-quarters": ("multiclass", "patents"),
    "employment-quarters": ("multiclass", "Employed"), "movielens-quarters": ("multiclass", "rating"), "flights-quarters": ("multiclass", "arr_delay"),
}  # fmt: skip
ALL = TASKS | CATEGORIES
TEST = 0.2  # mlp's default
OURS, PLAIN = "mlp", "mlp --preset plain"


def is_ours(program):
    return program == OURS or program.startswith(f"{OURS} --")


def end(code, message):
    print(f"accuracy.py: {message}", file=sys.stderr)
    sys.exit(code)


class Case:
    """A table's rows for one seed: `x` and `y` by part, and the file that mlp reads."""

    def __init__(self, name, folder, rows, seed, scratch):
        import pandas as pd
        from sklearn.model_selection import train_test_split

        self.name, self.seed, self.scratch = name, seed, scratch
        self.task, self.target = ALL[name]
        path = folder / f"{name}.csv"
        if not path.is_file():
            end(2, f"no {path}: benches/tables/fetch.py {folder} puts it there")
        table = pd.read_csv(path)
        if len(table) > rows:
            table = table.sample(rows, random_state=seed).sort_index().reset_index(drop=True)
        self.path = scratch / "table.csv"
        table.to_csv(self.path, index=False)
        self.rows, self.features = table.shape[0], table.shape[1] - 1
        y = table.pop(self.target)
        y = y if self.task == "regression" else y.astype(str)
        self.labels = None if self.task == "regression" else sorted(y.unique())
        train, test = train_test_split(range(len(y)), test_size=TEST, random_state=seed, stratify=y if self.labels else None)
        self.test = test
        self.x, self.x_test = table.iloc[train], table.iloc[test]
        self.y, self.y_test = y.iloc[train], y.iloc[test]

    def texts(self):
        return [column for column in self.x if not self.x[column].dtype.kind in "iufb"]

    def codes(self):
        """The training rows' classes as numbers."""
        return self.y.map({label: code for code, label in enumerate(self.labels)})


def mlp(binary, case, threads, flags):
    """What `mlp train` keeps of its test rows, in the order of ours."""
    import pandas as pd

    run = case.scratch / "run"
    words = [binary, "train", case.path, "--target", case.target, "--task", case.task, "--split-seed", case.seed, "--seed", case.seed,
             "--device", "cpu", "--no-baseline", "--quiet", "--json", "--out", run, *flags]  # fmt: skip
    done = subprocess.run(list(map(str, words)), stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "RAYON_NUM_THREADS": str(threads)})
    if done.returncode != 0:
        end(1, f"{' '.join(map(str, words))}\n{done.stderr[-2000:]}")
    found = pd.read_csv(run / "predictions.csv", keep_default_na=False).set_index("row")
    if sorted(found.index - 1) != sorted(case.test):
        end(1, f"{case.name}, seed {case.seed}: mlp's test rows are others")
    found = found.loc[[row + 1 for row in case.test]]
    columns = ["prediction"] if case.labels is None else [f"p_{label}" for label in case.labels]
    told = json.loads(done.stdout)
    details = {"epochs": told["epochs"], "steps": told["steps"], "train_seconds": told["phases"]["train"]}
    values = found[columns].to_numpy(float)
    if "lower" in found:  # the intervals of 90 %
        truth = case.y_test.to_numpy()
        details["coverage"] = float(((found["lower"] <= truth) & (truth <= found["upper"])).mean())
    return (values[:, 0] if case.labels is None else values), details


def figures(case, predicted):
    """The loss, the error by which programs are compared (1 − AUC of two classes, else the loss), and what else is usual."""
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    if case.labels is None:
        error = np.asarray(predicted) - case.y_test.to_numpy()
        rmse = float(np.sqrt(np.mean(error**2)))
        return {"loss": rmse, "compared": rmse, "r2": 1 - rmse**2 / float(np.var(case.y_test))}
    truth = case.y_test.map({label: code for code, label in enumerate(case.labels)}).to_numpy()
    p = np.clip(np.asarray(predicted, float), 1e-15, 1)
    p /= p.sum(axis=1, keepdims=True)
    found = {"loss": float(log_loss(truth, p, labels=range(len(case.labels)))), "error": float(np.mean(p.argmax(axis=1) != truth))}
    found["calibration"] = calibration_error(p.max(axis=1), p.argmax(axis=1) == truth)
    if case.task == "binary":
        found["auc"] = float(roc_auc_score(truth, p[:, 1]))
    return {**found, "compared": 1 - found["auc"] if case.task == "binary" else found["loss"]}


def calibration_error(confidence, is_right, bins=15):
    """The expected calibration error (Guo, Pleiss, Sun and Weinberger 2017): how far confidence and accuracy are apart, by bins of confidence."""
    import numpy as np

    at = np.minimum((confidence * bins).astype(int), bins - 1)
    apart = [abs(confidence[at == one].sum() - is_right[at == one].sum()) for one in np.unique(at)]
    return float(sum(apart) / len(at))


def measure(case, program, options):
    start, details = processor_seconds(), {}
    if program in LEARNERS:
        predicted = LEARNERS[program][0](case, options.threads)
    else:
        predicted, details = mlp(options.mlp.resolve(), case, options.threads, program.split()[1:])
    return {**figures(case, predicted), "seconds": processor_seconds() - start, **details}


def result(case, program, options, kept):
    found = lambda: measure(case, program, options)
    return kept.of(program, case, options.threads, found) if program in LEARNERS else found()


def processor_seconds():
    """Of this process and of those that it has waited for: what else the machine does counts for little in them."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def mean(runs, key="loss"):
    return statistics.fmean(run[key] for run in runs)


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}" if value >= 1 else f"{value:.4f}"


def tables_of(results, programs):
    """Markdown: the losses with their standard deviation over the seeds, the second figure, and what comes of it."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    yield line(["table", "rows × features", "loss", *programs])
    yield line(["---"] * (3 + len(programs)))
    for name, table in results.items():
        least = min(mean(table["runs"][program]) for program in programs)
        bold = lambda value: f"**{number(value)}**" if value == least else number(value)
        cell = lambda runs: bold(mean(runs)) + (f" ± {number(statistics.stdev(run['loss'] for run in runs))}" if len(runs) > 1 else "")
        kind = "RMSE" if ALL[name][0] == "regression" else "log loss"
        yield line([name, f"{table['rows']:,} × {table['features']}", kind, *(cell(table["runs"][program]) for program in programs)])
    yield ""
    yield line(["table", "figure", *programs])
    yield line(["---"] * (2 + len(programs)))
    for name, table in results.items():
        key, kind = ("r2", "R²") if ALL[name][0] == "regression" else ("error", "error rate")
        yield line([name, kind, *(f"{mean(table['runs'][program], key):.4f}" for program in programs)])
    yield ""
    for key, kind in [("calibration", "calibration error"), ("coverage", "rows in intervals of 90 %")]:
        told = lambda program: [mean(table["runs"][program], key) for table in results.values() if all(key in run for run in table["runs"][program])]
        if any(map(told, programs)):
            yield f"{kind}, mean over tables: " + ", ".join(f"{of} {statistics.fmean(told(of)):.4f}" for of in programs if told(of))
            yield ""
    ours = [program for program in programs if is_ours(program)]
    yield line(["program", *(f"{of}: lower error, change of the error" for of in ours), "mean rank", "processor seconds a run, median", "most"])
    yield line(["---"] * (4 + len(ours)))
    ranks = mean_ranks(results, programs)
    for program in programs:
        seconds = [mean(table["runs"][program], "seconds") for table in results.values()]
        cells = [compared(results, of, program) if of != program else "" for of in ours]
        yield line([program, *cells, f"{ranks[program]:.2f}", f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"])


def mean_ranks(results, programs):
    """Over tables and the seeds that all have: the program of the lowest error has 1, and equal ones share theirs."""
    from scipy.stats import rankdata

    errors = [[run["compared"] for run in runs] for table in results.values() for runs in zip(*(table["runs"][program] for program in programs))]
    return dict(zip(programs, rankdata(errors, axis=1).mean(axis=0)))


def compared(results, of, program):
    """Of how many runs `of` has the lower error than the program, and by how much its error is another: the mean over the tables with its
    standard error."""
    pairs = [list(zip(table["runs"][of], table["runs"][program])) for table in results.values()]
    wins = [a["compared"] < b["compared"] for runs in pairs for a, b in runs]
    changes = [100 * statistics.fmean(a["compared"] / b["compared"] - 1 for a, b in runs) for runs in pairs]
    spread = f" ± {statistics.stdev(changes) / len(changes) ** 0.5:.1f}" if len(changes) > 1 else ""
    return f"{sum(wins)} of {len(wins)}, {statistics.fmean(changes):+.1f}{spread} %"


def versions(mlp, programs):
    ours = subprocess.run([mlp, "--version"], capture_output=True, text=True).stdout.strip() if any(map(is_ours, programs)) else None
    return {"mlp": ours, "python": sys.version.split()[0]} | learners.versions(program for program in programs if program in LEARNERS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, nargs="?", default=record.ROOT / "target/tables", help="where fetch.py has put the tables")
    parser.add_argument("--mlp", type=pathlib.Path, default=record.ROOT / "target/release/mlp", help="the binary")
    parser.add_argument("--seeds", default="0,1,2", help="with commas between them (default: 0,1,2)")
    parser.add_argument("--rows", type=int, default=12_500, help="most rows of a table, a fifth of them for testing (default: 12500)")
    parser.add_argument("--threads", type=int, default=1, help="of each program (default: 1)")
    parser.add_argument("--only", help="only these tables: adult,german")
    parser.add_argument("--programs", help=f"only these: {','.join([OURS, PLAIN, *LEARNERS])}")
    parser.add_argument("--json", type=pathlib.Path, help="the file that gets everything")
    parser.add_argument("--kept", type=pathlib.Path, nargs="+", help="measure nothing, and print what --json has kept of several runs")
    options = parser.parse_args()
    if options.kept:
        kept = [json.loads(path.read_text()) for path in options.kept]
        results = {name: table for part in kept for name, table in part["results"].items()}
        programs = list(next(iter(results.values()))["runs"])
        print("\n".join(tables_of({name: results[name] for name in ALL if name in results}, programs)))
        if options.json:
            whole = {"command": "; ".join(part["command"] for part in kept), "seconds": sum(part["seconds"] for part in kept)}
            options.json.write_text(json.dumps({**kept[0], **whole, "results": results}, indent=1) + "\n")
        return
    known, names = [OURS, PLAIN, *LEARNERS], options.only.split(",") if options.only else list(TASKS)
    programs = options.programs.split(",") if options.programs else known
    if unknown := [name for name in names if name not in ALL] + [name for name in programs if name not in known and not is_ours(name)]:
        end(2, f"unknown: {', '.join(unknown)}; tables: {', '.join(ALL)}; programs: {', '.join(known)}")
    if any(map(is_ours, programs)) and not options.mlp.is_file():
        end(2, f"no binary at {options.mlp}: cargo build --release, or name one with --mlp")
    try:
        seeds = [int(seed) for seed in options.seeds.split(",")]
    except ValueError:
        end(2, "--seeds takes whole numbers with commas between them")
    if options.rows < 500 or options.threads < 1:
        end(2, "--rows starts at 500 and --threads at 1")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)  # before a library reads it
    head, started = record.head(cores=os.cpu_count()), time.perf_counter()
    results, kept = {}, Kept(HERE / "kept.json")
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            runs = {program: [] for program in programs}
            for seed in seeds:
                case = Case(name, options.folder, options.rows, seed, pathlib.Path(scratch))
                here = [program for program in programs if program not in SLOW or seed == seeds[0]]
                for program in here:
                    runs[program].append(result(case, program, options, kept))
                told = ", ".join(f"{program} {number(runs[program][-1]['loss'])} ({runs[program][-1]['seconds']:.1f} s)" for program in here)
                print(f"{name}, seed {seed}: {told}", file=sys.stderr, flush=True)
            results[name] = {"task": case.task, "rows": case.rows, "features": case.features, "runs": runs}
    print(f"{len(names)} tables of at most {options.rows:,} rows, seeds {options.seeds}, {options.threads} thread(s)\n")
    print("\n".join(tables_of(results, programs)))
    if options.json:
        head |= {"versions": versions(options.mlp, programs), "seeds": seeds, "rows": options.rows, "threads": options.threads}
        head |= {"seconds": time.perf_counter() - started}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({**head, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
