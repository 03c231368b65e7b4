"""Compares the test scores of `mlp train` and of scikit-learn's MLPs: the same data, splits and settings, many seeds.

Both learn the same standardised rows (StandardScaler's, of the training rows; the target of a regression too), with
Adam, for the same number of epochs and without early stopping, under scikit-learn's L2 penalty. Each seed is another split, other
first parameters and another order of rows; both programs have the split in common, and that is checked. The table goes
to stdout, progress to stderr. Exit codes: 0 done, 1 a run or a check failed, 2 wrong usage.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLASSES = {"digits": datasets.load_digits, "wine": datasets.load_wine, "breast_cancer": datasets.load_breast_cancer}
NUMBERS = {"diabetes": datasets.load_diabetes}
HIDDEN, RATE, ALPHA, TEST = 100, 1e-3, 1e-4, 0.2  # a hidden layer of 100 with relu and alpha are scikit-learn's defaults
TARGET = "target"


def fail(message, code=1):
    print(f"scores.py: {message}", file=sys.stderr)
    sys.exit(code)


def split(x, y, seed):
    classes = y if np.issubdtype(y.dtype, np.integer) else None  # mlp splits classes in this way
    return train_test_split(x, y, test_size=TEST, random_state=seed, stratify=classes)


def scikit_learn(x, y, task, seed, epochs):
    """Accuracy, or R² of a regression, on the test rows."""
    x_train, x_test, y_train, y_test = split(x, y, seed)
    scaler = StandardScaler().fit(x_train)
    x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
    if task == "regression":  # R² is the same in every unit
        scaler = StandardScaler().fit(y_train[:, None])
        y_train, y_test = (scaler.transform(part[:, None])[:, 0] for part in (y_train, y_test))
    model = (MLPRegressor if task == "regression" else MLPClassifier)(
        hidden_layer_sizes=(HIDDEN,), activation="relu", solver="adam", learning_rate_init=RATE, alpha=ALPHA,
        batch_size="auto", max_iter=epochs, n_iter_no_change=epochs + 1, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to run all epochs
        model.fit(x_train, y_train)
    if model.n_iter_ != epochs:
        fail(f"scikit-learn ran {model.n_iter_} epochs, not {epochs}")
    return model.score(x_test, y_test)


def first_parameters(inputs, outputs, seed, path):
    """Those that scikit-learn draws from a seed: weights and biases uniform within Glorot and Bengio's bound."""
    random, tensors = np.random.RandomState(seed), {}
    for layer, (fan_in, fan_out) in enumerate([(inputs, HIDDEN), (HIDDEN, outputs)]):
        bound = np.sqrt(6 / (fan_in + fan_out))
        weight, bias = random.uniform(-bound, bound, (fan_in, fan_out)), random.uniform(-bound, bound, fan_out)
        tensors |= {f"layers.{layer}.weight": np.ascontiguousarray(weight.T, np.float32), f"layers.{layer}.bias": bias.astype(np.float32)}
    save_file(tensors, path)
    return path


def mlp_command(mlp, table, task, rows, start, seed, epochs):
    # scikit-learn adds alpha W / (rows of the batch) to the gradient of the batch's mean loss, and halves squared errors.
    # Its penalty spares biases, ours does not.
    l2 = ALPHA / min(200, rows) * (2 if task == "regression" else 1)
    settings = {
        "task": task, "activation": "relu", "optimizer": "adam", "lr": RATE, "l2": l2, "batch": "auto", "epochs": epochs,
        "seed": seed, "test-fraction": TEST, "split-seed": seed, "device": "cpu",
    }  # fmt: skip
    settings |= {"init-from": start} if start else {"hidden": HIDDEN, "init": "xavier"}
    flags = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    return [mlp, "train", table, "--target", TARGET, *flags, "--no-baseline", "--json", "--quiet"]


def run_mlp(mlp, table, y, task, start, seed, epochs):
    """The same of `mlp train`."""
    _, _, y_train, y_test = split(np.arange(len(y)), y, seed)
    command = mlp_command(mlp, table, task, len(y_train), start, seed, epochs)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))}\n{done.stderr}")
    found = json.loads(done.stdout)
    if found["epochs"] != epochs:
        fail(f"mlp ran {found['epochs']} epochs, not {epochs}")
    test = found["test"]
    if task == "regression":  # the variance of the test rows, from its own figures
        same = np.isclose(test["rmse"] ** 2 / (1 - test["r2"]), np.var(y_test), rtol=1e-6)
    else:
        same = [row["support"] for row in test["classes"]] == list(np.bincount(y_test, minlength=y.max() + 1))
    if not same:
        fail(f"seed {seed}: mlp's test rows are others than train_test_split's")
    return test["r2" if task == "regression" else "accuracy"]


def mean_and_error(values):
    """Mean and standard error."""
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlp", type=pathlib.Path, default=ROOT / "target/release/mlp", help="the binary")
    parser.add_argument("--seeds", type=int, default=10, help="seeds, from 0 on (default: 10)")
    parser.add_argument("--epochs", type=int, default=200, help="(default: 200, as scikit-learn's max_iter)")
    parser.add_argument("--same-start", action="store_true", help="mlp starts from scikit-learn's first parameters, not from --init xavier")
    parser.add_argument("--only", help=f"of the data sets, only these: {','.join([*CLASSES, *NUMBERS])}")
    options = parser.parse_args()
    mlp = options.mlp.resolve()
    if not mlp.is_file():
        fail(f"no binary at {options.mlp}: cargo build --release, or name one with --mlp", 2)
    if options.seeds < 2 or options.epochs < 1:
        fail("--seeds starts at 2 and --epochs at 1", 2)
    loaders = CLASSES | NUMBERS
    names = options.only.split(",") if options.only else list(loaders)
    if unknown := set(names) - set(loaders):
        fail(f"no such data set: {', '.join(sorted(unknown))}; there are {', '.join(loaders)}", 2)

    version = subprocess.run([mlp, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, scikit-learn {sklearn.__version__}, {options.seeds} seeds, {options.epochs} epochs\n")
    print("| data set | rows × features | score | scikit-learn | mlp | mlp − scikit-learn | in standard errors |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        x, y = loaders[name](return_X_y=True)
        task = "regression" if name in NUMBERS else "binary" if y.max() == 1 else "multiclass"
        scores = []
        with tempfile.TemporaryDirectory() as folder:
            table = pathlib.Path(folder) / f"{name}.csv"
            lines = [",".join(map(repr, [*row.tolist(), value.item()])) for row, value in zip(x, y)]
            table.write_text("\n".join([",".join([*(f"x{i}" for i in range(x.shape[1])), TARGET]), *lines]) + "\n")
            for seed in range(options.seeds):
                start = None
                if options.same_start:
                    outputs = y.max() + 1 if task == "multiclass" else 1
                    start = first_parameters(x.shape[1], outputs, seed, f"{folder}/start.safetensors")
                theirs = scikit_learn(x, y, task, seed, options.epochs)
                ours = run_mlp(mlp, table, y, task, start, seed, options.epochs)
                print(f"{name}, seed {seed}: scikit-learn {theirs:.4f}, mlp {ours:.4f}", file=sys.stderr)
                scores.append((theirs, ours))
        theirs, ours = np.array(scores).T
        difference, error = mean_and_error(ours - theirs)  # of pairs, which have their split in common
        cells = [f"{mean:.4f} ± {own:.4f}" for mean, own in (mean_and_error(theirs), mean_and_error(ours), (difference, error))]
        # Where no pair differs there is nothing to measure by.
        ratio = f"{difference / error:+.1f}" if error else "0.0" if difference == 0 else "n/a"
        score = "R²" if task == "regression" else "accuracy"
        print(f"| {name} | {x.shape[0]:,} × {x.shape[1]} | {score} | {' | '.join(cells)} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
