"""Seconds and scores beside scikit-learn's MLPs, and what Python costs beside the command: ratios, which a shared machine spoils least.

    python python/benches/compare.py [--repeats 5] [--command target/release/mlp]

Each estimator fits and predicts in turn with the other, with scikit-learn's defaults on standardised data; the ratio is that of the
medians, with the least and the largest of the repeats' ratios. Both work with the same number of threads. Scores are of rows held out.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import wgpu_mlp

warnings.simplefilter("ignore")


def tables():
    """Five data sets of scikit-learn that need no download, each with whether it is of classes."""
    for name in ("breast_cancer", "digits", "wine"):
        yield name, True, *getattr(datasets, f"load_{name}")(return_X_y=True)
    yield "diabetes", False, *datasets.load_diabetes(return_X_y=True)
    yield "friedman1, 5,000 rows", False, *datasets.make_friedman1(5000, noise=1.0, random_state=0)


def seconds(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def least(work, times=10):
    """The seconds of a call once all is warm."""
    return min(seconds(work)[0] for _ in range(times))


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def beside_scikit_learn(repeats):
    print(
        "| data | rows × features | fit, scikit-learn's seconds / ours | per epoch | predict | score, ours | scikit-learn's | epochs, ours | theirs |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, of_classes, X, y in tables():
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y if of_classes else None)
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
        if not of_classes:
            mean, scale = y_train.mean(), y_train.std()
            y_train, y_test = (y_train - mean) / scale, (y_test - mean) / scale
        kind = "MLPClassifier" if of_classes else "MLPRegressor"
        fits, epochs, predictions, scores, counts = [], [], [], [], []
        for seed in range(repeats):
            ours = getattr(wgpu_mlp, kind)(device="cpu", random_state=seed)
            theirs = getattr(neural_network, kind)(random_state=seed)
            own_fit, other_fit = (
                seconds(lambda: ours.fit(X_train, y_train))[0],
                seconds(lambda: theirs.fit(X_train, y_train))[0],
            )
            fits.append(other_fit / own_fit)
            epochs.append(other_fit / theirs.n_iter_ / (own_fit / ours.n_iter_))
            many = np.repeat(X_test, 20, axis=0)
            own_predict, other_predict = (least(lambda model=model: model.predict(many)) for model in (ours, theirs))
            predictions.append(other_predict / own_predict)
            scores.append((ours.score(X_test, y_test), theirs.score(X_test, y_test)))
            counts.append((ours.n_iter_, theirs.n_iter_))
        score = [statistics.mean(each) for each in zip(*scores)]
        count = [statistics.mean(each) for each in zip(*counts)]
        print(
            f"| {name} | {len(X_train)} × {X.shape[1]} | {spread(fits)} | {spread(epochs)} | {spread(predictions)} | {score[0]:.4f} | "
            f"{score[1]:.4f} | {count[0]:.0f} | {count[1]:.0f} |",
            flush=True,
        )


def beside_the_command(command, repeats):
    """The same training by the command and by Python: what each says of its seconds of training, and all of a process."""
    X, y = datasets.make_friedman1(20_000, noise=1.0, random_state=0)
    frame = pd.DataFrame(X.astype(np.float32), columns=[f"x{at}" for at in range(X.shape[1])]).assign(target=y)
    program = """
import sys, time
import pandas as pd
from wgpu_mlp import TabularRegressor
frame = pd.read_csv(sys.argv[1])
began = time.perf_counter()
TabularRegressor("plain", max_iter=100, device="cpu", random_state=0).fit(frame.drop(columns="target"), frame["target"])
print(time.perf_counter() - began)
"""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "table.csv")
        frame.to_csv(table, index=False)
        words = [
            command,
            "train",
            table,
            "--target",
            "target",
            "--preset",
            "plain",
            "--no-baseline",
            "--epochs",
            "100",
            "--test-fraction",
            "0",
            "--device",
            "cpu",
            "--json",
        ]
        for _ in range(repeats):
            told = json.loads(subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True).stdout)
            phases = {name: value for name, value in told["phases"].items() if name not in ("read", "device", "save")}
            fit = float(
                subprocess.run(
                    [sys.executable, "-c", program, table], capture_output=True, text=True, check=True
                ).stdout
            )
            ratios.append(fit / sum(phases.values()))
    print(
        f"\nfit in Python / the command's phases from the table to the model, 20,000 rows, 100 epochs: {spread(ratios)}"
    )


def share_of_python(repeats):
    """What of a fit is not the engine's: the checks and conversions in Python, as a part of the engine's seconds."""
    print("\n| fit | seconds of Python / of the engine |")
    print("|---|---|")
    X, y = datasets.make_friedman1(20_000, noise=1.0, random_state=0)
    frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(X.shape[1])]).assign(
        letter=np.array(list("abcd"))[np.arange(len(X)) % 4]
    )
    fits = {
        "MLPRegressor, float64": (wgpu_mlp.MLPRegressor, X, ("__init__", "fit")),
        "MLPRegressor, float32": (wgpu_mlp.MLPRegressor, X.astype(np.float32), ("__init__", "fit")),
        "TabularRegressor, a frame": (wgpu_mlp.TabularRegressor, frame, None),
    }
    for name, (kind, rows, of_network) in fits.items():
        settings = {"max_iter": 20, "device": "cpu", "random_state": 0, **({} if of_network else {"preset": "plain"})}
        shares = []
        for _ in range(repeats):
            spent = []
            with timed(spent):
                whole, _ = seconds(lambda: kind(**settings).fit(rows, y))
            shares.append(whole / sum(spent) - 1.0)
        print(
            f"| {name} | {100 * statistics.median(shares):.1f} % ({100 * min(shares):.1f} to {100 * max(shares):.1f}) |",
            flush=True,
        )


@contextlib.contextmanager
def timed(spent):
    """Adds the seconds that the engine has for its calls."""
    engine, own = wgpu_mlp._engine, wgpu_mlp._engine.__dict__
    before = {name: own[name] for name in ("Network", "Predictor", "fit_table")}

    class Timed:
        def __init__(self, made):
            self.made = made

        def __getattr__(self, name):
            value = getattr(self.made, name)
            return measured(value) if callable(value) else value

    def measured(work):
        def call(*arguments):
            took, result = seconds(lambda: work(*arguments))
            spent.append(took)
            return result

        return call

    def maker(kind):
        return lambda *arguments: Timed(measured(kind)(*arguments))

    engine.Network, engine.Predictor = maker(before["Network"]), maker(before["Predictor"])
    engine.fit_table = measured(before["fit_table"])
    try:
        yield
    finally:
        engine.__dict__.update(before)


def workers_of_dask(repeats):
    """Fits a second of scikit-learn's grid search over one worker of Dask and over two, in turn; one thread each."""
    import distributed
    import joblib
    from sklearn.model_selection import GridSearchCV

    X, y = datasets.make_classification(2000, 20, random_state=0)
    grid = {"alpha": [1e-4, 1e-3, 1e-2, 1e-1], "hidden_layer_sizes": [(50,), (100,)]}
    search = GridSearchCV(
        wgpu_mlp.MLPClassifier(device="cpu", n_threads=1, max_iter=100, random_state=0), grid, cv=3, refit=False
    )
    found = {1: [], 2: []}
    for _ in range(repeats):
        for workers, rates in found.items():
            cluster = distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
                search.fit(X[:100], y[:100])  # each worker imports what it needs
                spent, _ = seconds(lambda: search.fit(X, y))
                rates.append(len(search.cv_results_["params"]) * search.n_splits_ / spent)
    ratios = [two / one for one, two in zip(*found.values())]
    one, two = map(statistics.median, found.values())
    print(f"\nDask, fits a second: {one:.2f} with one worker, {two:.2f} with two, {spread(ratios)} times as many")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--command", help="the command mlp, built as the wheel is")
    said = arguments.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: what else runs spoils seconds, and ratios less\n")
    beside_scikit_learn(said.repeats)
    share_of_python(said.repeats)
    workers_of_dask(said.repeats)
    if said.command:
        beside_the_command(said.command, said.repeats)


if __name__ == "__main__":
    main()
