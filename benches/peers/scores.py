"""Compares the test scores of `mlp train` and of scikit-learn's MLPs: the same data, splits and settings, many seeds.

Both read the same CSV and learn the same rows, scikit-learn from a pipeline of what mlp's encoder does: numbers standardised
(StandardScaler's, of the training rows; the target of a regression too), categories one-hot, missing cells filled and indicated;
with Adam, for the same number of epochs and without early stopping, under scikit-learn's L2 penalty. Each seed is another split, other
first parameters and another order of rows; both programs have the split in common, and that is checked, as is the number of
inputs. The table goes to stdout, progress to stderr. Exit codes: 0 done, 1 a run or a check failed, 2 wrong usage.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
import sklearn
from safetensors.numpy import save_file
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOADERS = {
    "digits": datasets.load_digits, "wine": datasets.load_wine, "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}  # fmt: skip
TABLES = {"diamonds": "price", "penguins": "species", "letter": "lettr", "shuttle": "Class", "mnist": "label"}  # of tables/fetch.py, and their targets
RATE, ALPHA, TEST = 1e-3, 1e-4, 0.2  # alpha is scikit-learn's default, as are a hidden layer of 100 and relu
TARGET = "target"


def fail(message, code=1):
    print(f"scores.py: {message}", file=sys.stderr)
    sys.exit(code)


def split(table, target, seed):
    classes = None if is_regression(table, target) else table[target]  # mlp splits classes in this way
    return train_test_split(table, test_size=TEST, random_state=seed, stratify=classes)


def is_regression(table, target):
    """Numbers that are not whole or many; classes are whole numbers or texts."""
    return pd.api.types.is_numeric_dtype(table[target]) and table[target].nunique() > 100


def encoder(table):
    """What mlp's encoder does, column by column, so that both have their inputs in the same order."""
    least = min(max(len(table) // 100, 1), 10)
    number = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    category = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(min_frequency=least, max_categories=101, handle_unknown="infrequent_if_exist", sparse_output=False),
    )
    values = lambda column: number if pd.api.types.is_numeric_dtype(column) else category
    union = lambda column: make_union(values(column), MissingIndicator(features="missing-only", error_on_new=False))
    return ColumnTransformer([(name, union(table[name]), [name]) for name in table])


class Theirs:
    """scikit-learn from the file to the model, and its score on the test rows: accuracy, or R² of a regression."""

    def __init__(self, path, target, seed, hidden, epochs):
        start = time.perf_counter()
        self.table = pd.read_csv(path)
        self.is_regression = is_regression(self.table, target)
        train, self.test = split(self.table, target, seed)
        y, y_test = train.pop(target), self.test.pop(target)
        if self.is_regression:  # R² is the same in every unit
            scaler = StandardScaler().fit(y.to_numpy()[:, None])
            y, y_test = (scaler.transform(part.to_numpy()[:, None])[:, 0] for part in (y, y_test))
        network = (MLPRegressor if self.is_regression else MLPClassifier)(
            hidden_layer_sizes=hidden, activation="relu", solver="adam", learning_rate_init=RATE, alpha=ALPHA,
            batch_size="auto", max_iter=epochs, n_iter_no_change=epochs + 1, random_state=seed,
        )  # fmt: skip
        model = make_pipeline(encoder(train), network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to run all epochs
            model.fit(train, y)
        self.seconds = time.perf_counter() - start
        if network.n_iter_ != epochs:
            fail(f"scikit-learn ran {network.n_iter_} epochs, not {epochs}")
        self.inputs, self.outputs, self.rows = network.coefs_[0].shape[0], network.n_outputs_, len(train)
        self.truth, self.score = y_test, model.score(self.test, y_test)


def first_parameters(widths, seed, path):
    """Those that scikit-learn draws from a seed: weights and biases uniform within Glorot and Bengio's bound."""
    random, tensors = np.random.RandomState(seed), {}
    for layer, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        bound = np.sqrt(6 / (fan_in + fan_out))
        weight, bias = random.uniform(-bound, bound, (fan_in, fan_out)), random.uniform(-bound, bound, fan_out)
        tensors |= {f"layers.{layer}.weight": np.ascontiguousarray(weight.T, np.float32), f"layers.{layer}.bias": bias.astype(np.float32)}
    save_file(tensors, path)
    return path


def mlp_command(mlp, path, target, theirs, start, seed, hidden, epochs):
    # scikit-learn adds alpha W / (rows of the batch) to the gradient of the batch's mean loss, and halves squared errors.
    # Its penalty spares biases, ours does not.
    l2 = ALPHA / min(200, theirs.rows) * (2 if theirs.is_regression else 1)
    task = "regression" if theirs.is_regression else "binary" if theirs.outputs == 1 else "multiclass"
    settings = {
        "task": task, "activation": "relu", "optimizer": "adam", "lr": RATE, "l2": l2, "batch": "auto", "epochs": epochs,
        "seed": seed, "test-fraction": TEST, "split-seed": seed, "device": "cpu",
    }  # fmt: skip
    settings |= {"init-from": start} if start else {"hidden": ",".join(map(str, hidden)), "init": "xavier"}
    flags = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    return [mlp, "train", path, "--preset", "plain", "--target", target, *flags, "--no-baseline", "--json", "--quiet"]


def run_mlp(command, theirs, hidden, seed, epochs):
    """Score and seconds of `mlp train`, those of the whole process."""
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))}\n{done.stderr}")
    found = json.loads(done.stdout)
    if found["epochs"] != epochs:
        fail(f"mlp ran {found['epochs']} epochs, not {epochs}")
    widths = [theirs.inputs, *hidden, theirs.outputs]
    if found["parameters"] != sum(a * b + b for a, b in zip(widths, widths[1:])):
        fail(f"seed {seed}: mlp's network is {found['network']}, scikit-learn's {widths}")
    test = found["test"]
    if theirs.is_regression:  # the variance of the test rows in the training rows' unit, from its own figures
        same = np.isclose(test["loss"] / (1 - test["r2"]), np.var(theirs.truth), rtol=1e-4)
    else:
        labels, counts = np.unique(theirs.truth.astype(str), return_counts=True)
        same = {row["label"]: row["support"] for row in test["classes"] if row["support"]} == dict(zip(labels, counts))
    if not same:
        fail(f"seed {seed}: mlp's test rows are others than train_test_split's")
    return test["r2" if theirs.is_regression else "accuracy"], seconds


def mean_and_error(values):
    """Mean and standard error."""
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlp", type=pathlib.Path, default=ROOT / "target/release/mlp", help="the binary")
    parser.add_argument("--seeds", type=int, default=10, help="seeds, from 0 on (default: 10)")
    parser.add_argument("--epochs", type=int, default=200, help="(default: 200, as scikit-learn's max_iter)")
    parser.add_argument("--hidden", default="100", help="widths of the hidden layers (default: 100, as scikit-learn's)")
    parser.add_argument("--same-start", action="store_true", help="mlp starts from scikit-learn's first parameters, not from --init xavier")
    parser.add_argument("--tables", type=pathlib.Path, help="the folder that tables/fetch.py has filled: those instead of scikit-learn's data sets")
    parser.add_argument("--only", help=f"of the data sets, only these: {','.join(LOADERS)}, or {','.join(TABLES)}")
    options = parser.parse_args()
    mlp = options.mlp.resolve()
    if not mlp.is_file():
        fail(f"no binary at {options.mlp}: cargo build --release, or name one with --mlp", 2)
    try:
        hidden = tuple(int(width) for width in options.hidden.split(","))
    except ValueError:
        fail("--hidden takes widths with commas between them", 2)
    if options.seeds < 2 or options.epochs < 1 or min(hidden) < 1:
        fail("--seeds starts at 2, --epochs and --hidden at 1", 2)
    known = TABLES if options.tables else LOADERS
    names = options.only.split(",") if options.only else list(known)
    if unknown := set(names) - set(known):
        fail(f"no such data set: {', '.join(sorted(unknown))}; there are {', '.join(known)}", 2)

    version = subprocess.run([mlp, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, scikit-learn {sklearn.__version__}, {options.seeds} seeds, {options.epochs} epochs, hidden layers of {options.hidden}\n")
    print("| data set | rows × features → inputs | score | scikit-learn | mlp | mlp − scikit-learn | in standard errors | seconds, scikit-learn | seconds, mlp |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if options.tables:
                path, target = options.tables / f"{name}.csv", TABLES[name]
                if not path.is_file():
                    fail(f"no {path}: benches/tables/fetch.py {options.tables} puts it there", 2)
            else:
                path, target = write(name, pathlib.Path(folder)), TARGET
            runs = []
            for seed in range(options.seeds):
                theirs = Theirs(path, target, seed, hidden, options.epochs)
                start = None
                if options.same_start:
                    start = first_parameters([theirs.inputs, *hidden, theirs.outputs], seed, f"{folder}/start.safetensors")
                command = mlp_command(mlp, path, target, theirs, start, seed, hidden, options.epochs)
                ours, seconds = run_mlp(command, theirs, hidden, seed, options.epochs)
                print(f"{name}, seed {seed}: scikit-learn {theirs.score:.4f}, mlp {ours:.4f}", file=sys.stderr)
                runs.append((theirs.score, ours, theirs.seconds, seconds))
            print(row(name, theirs, np.array(runs)), flush=True)


def write(name, folder):
    """scikit-learn's data set as CSV; returns the path."""
    x, y = LOADERS[name](return_X_y=True)
    table = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    table[TARGET] = y
    table.to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


def row(name, theirs, runs):
    """Of the table. A difference is one of pairs, which have their split in common."""
    score, ours, *seconds = runs.T
    difference, error = mean_and_error(ours - score)
    cells = [f"{mean:.4f} ± {own:.4f}" for mean, own in (mean_and_error(score), mean_and_error(ours), (difference, error))]
    # Where no pair differs there is nothing to measure by.
    ratio = f"{difference / error:+.1f}" if error else "0.0" if difference == 0 else "n/a"
    size = f"{len(theirs.table):,} × {theirs.table.shape[1] - 1} → {theirs.inputs}"
    kind = "R²" if theirs.is_regression else "accuracy"
    return f"| {name} | {size} | {kind} | {' | '.join(cells)} | {ratio} | {' | '.join(f'{np.median(each):.2f}' for each in seconds)} |"


if __name__ == "__main__":
    main()
