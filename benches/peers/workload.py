"""What every peer in Python shares: the work as data (cases.json and raw f32 files, which the programs in Rust read too, through
work.rs), the clock and the line of JSON for each case.

A peer adds only its own way to train: an object with train(epochs), which returns when the work is done, and
parameters(), and one with run(count) and result() for products.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
import traceback

import numpy as np

SKIP = 3  # exit code of a peer that cannot run here
PARTS = 5  # the first one, with what is compiled in it, is not timed
ARTICLE = [2, 25, 50, 50, 25, 1]
MNIST = [784, 256, 128, 10]
NARROW = [64, 64, 64, 64, 64, 16]
PRODUCTS = [(4096, 4096, 4096, 1), (1024, 1024, 1024, 32), (65536, 64, 64, 64)]  # m, n, k, how many in a part


def training(name, layers, rows, batch, epochs, parts=PARTS):
    sgd = name.startswith("W1")
    return {
        "name": name,
        "layers": layers,
        "loss": "binary_cross_entropy" if sgd else "softmax_cross_entropy",
        "optimizer": "sgd" if sgd else "adam",
        "learning_rate": 0.01 if sgd else 1e-3,
        "rows": rows,
        "batch": batch,
        "epochs": epochs,  # of a part
        "parts": parts,
        "files": name.split("/")[0] + ("" if rows > 4096 else f"-{rows}"),
    }


def cases(quick, scale=1):
    """The timed work: the article's network for 10,000 epochs in all, an MNIST-sized one at four batch sizes, a narrow one,
    and products. `scale` multiplies the steps, for fast devices; the article's are what they are."""
    few = 10 if quick else 1
    found = [training("W1", ARTICLE, 900, 900, 10_000 // PARTS // few)]
    for batch, epochs in [(32, 1), (256, 4), (2048, 8), (16384, 16)]:
        found.append(training(f"W2/{batch}", MNIST, 32768, batch, max(1, epochs // few) * scale))
    found.append(training("W3", NARROW, 65536, 16384, max(1, 16 // few) * scale))
    for m, n, k, products in PRODUCTS[1:] if quick else PRODUCTS:
        count = max(1, products // few) * scale
        found.append({"name": f"W4/{m}x{n}x{k}", "m": m, "n": n, "k": k, "products": count, "parts": PARTS, "files": f"W4-{m}-{n}-{k}"})
    return found


def checks():
    """The networks of the timed work, on whole batches, whose order cannot matter: losses must agree closely after these."""
    return [
        training("W1", ARTICLE, 900, 900, 500, parts=1) | {"learning_rate": 0.1},
        training("W2", MNIST, 2048, 2048, 20, parts=1),
        training("W3", NARROW, 2048, 2048, 20, parts=1),
    ]


def moons():
    """Train and test rows in float64, x [rows, 2] and y [rows, 1], 900 and 100: scikit-learn's make_moons(1000, noise=0.2,
    random_state=100) behind train_test_split(test_size=0.1, random_state=42), draw for draw, without scikit-learn."""
    angles = np.linspace(0, np.pi, 500)
    x = np.vstack([np.c_[np.cos(angles), np.sin(angles)], np.c_[1 - np.cos(angles), 1 - np.sin(angles) - 0.5]])
    y = np.repeat([0.0, 1.0], 500)[:, None]
    random = np.random.RandomState(100)
    order = np.arange(1000)
    random.shuffle(order)
    x = x[order] + random.normal(scale=0.2, size=x.shape)
    places = np.random.RandomState(42).permutation(1000)
    test, train = places[:100], places[100:]
    return x[train], y[order][train], x[test], y[order][test]


def classes(rows, inputs, outputs):
    """Normal features; the class is the largest of random linear maps, and of a fifth of the rows a random one."""
    random = np.random.default_rng(inputs)
    x = random.standard_normal((rows, inputs), np.float32)
    y = np.argmax(x @ random.standard_normal((inputs, outputs), np.float32), axis=1)
    noisy = random.random(rows) < 0.2
    y[noisy] = random.integers(0, outputs, noisy.sum())
    return x, y.astype(np.float32)[:, None]


def first_parameters(layers, article):
    """[(weight [in, out], bias [out])] in float64: as the article draws them, or He's."""
    random = np.random.RandomState(1105)
    draw = (
        (lambda i, o: (random.randn(i, o) / 10, random.randint(1, 10, size=o) / 100))
        if article
        else (lambda i, o: (random.randn(i, o) * np.sqrt(2 / i), np.zeros(o)))
    )
    return [draw(i, o) for i, o in zip(layers, layers[1:])]


def write(folder, all_cases):
    """Puts the cases and what they work on into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in all_cases:
        arrays = {}
        if (folder / f"{case['files']}.{'a' if 'm' in case else 'x'}").exists():
            continue
        if "m" in case:
            random = np.random.default_rng(case["m"])
            arrays["a"] = random.standard_normal((case["m"], case["k"]), np.float32)
            arrays["b"] = random.standard_normal((case["k"], case["n"]), np.float32)
        else:
            layers, article = case["layers"], case["name"] == "W1"
            arrays["x"], arrays["y"] = moons()[:2] if article else classes(case["rows"], layers[0], layers[-1])
            arrays["p"] = np.concatenate([v.ravel() for pair in first_parameters(layers, article) for v in pair])
        for suffix, values in arrays.items():
            values.astype("<f4").tofile(folder / f"{case['files']}.{suffix}")
    (folder / "cases.json").write_text(json.dumps(all_cases))


def load(folder, case):
    """x [rows, inputs], y [rows, 1] (a class is its number) and [(weight [in, out], bias [out])], or a and b; all f32."""
    read = lambda suffix: np.fromfile(folder / f"{case['files']}.{suffix}", "<f4")
    if "m" in case:
        return read("a").reshape(case["m"], case["k"]), read("b").reshape(case["k"], case["n"])
    return read("x").reshape(case["rows"], -1), read("y").reshape(case["rows"], -1), split(case, read("p"))


def split(case, flat):
    """[(weight [in, out], bias [out])] from one array of all."""
    parameters = []
    for i, o in zip(case["layers"], case["layers"][1:]):
        weight, bias, flat = np.split(flat, [i * o, (i + 1) * o])
        parameters.append((weight.reshape(i, o), bias))
    return parameters


def logits(parameters, x):
    for weight, bias in parameters:
        z = x @ np.asarray(weight, np.float64) + np.asarray(bias, np.float64)
        x = np.maximum(z, 0)
    return z


def loss_of(parameters, x, y):
    """Mean loss of all rows in float64: binary cross entropy for one output, else of a softmax."""
    z = logits(parameters, x.astype(np.float64))
    if z.shape[1] == 1:
        return float(np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))))
    z -= z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), y[:, 0].astype(int)]))


def figures(case, seconds):
    """What a case's line says of its time; `seconds` a step, of each timed part."""
    seconds = sorted(seconds)
    if not seconds:
        return {"seconds": seconds}
    median = statistics.median(seconds)
    found = {"seconds": seconds, "seconds_per_step": median, "least": seconds[0], "most": seconds[-1]}
    if "m" in case:
        return found | {"gflops": 2e-9 * case["m"] * case["n"] * case["k"] / median}
    return found | {"samples_per_second": case["batch"] / median}


def measure(case, folder, make_trainer, make_product):
    """One case: its parts, timed, and a check of what came out."""
    seconds = []
    if "m" in case:
        a, b = load(folder, case)
        work = make_product(a, b)
        do, amount = work.run, case["products"]
        steps = amount
    else:
        x, y, parameters = load(folder, case)
        work = make_trainer(case, x, y, parameters)
        do, amount = work.train, case["epochs"]
        steps = amount * -(-case["rows"] // case["batch"])
    for _ in range(case["parts"]):
        start = time.perf_counter()
        do(amount)
        seconds.append(time.perf_counter() - start)
    line = {"workload": case["name"], "batch": case.get("batch"), "steps": steps, "first_part_seconds": seconds[0]}
    line |= figures(case, [s / steps for s in seconds[1:]])
    if "m" in case:
        rows = slice(None, None, case["m"] // 8)
        want, scale = a[rows].astype(np.float64) @ b, np.abs(a[rows]).astype(np.float64) @ np.abs(b)
        line["error"] = float((np.abs(work.result()[rows] - want) / scale).max())
    else:
        line |= judge(case, work.parameters(), x, y)
    return line


def judge(case, parameters, x, y):
    """How good parameters are, in float64: the loss of all rows, and for the article's work its figures."""
    found = {"loss": loss_of(parameters, x, y)}
    if case["name"] == "W1":
        x, y = moons()[2:]
        found["test_log10_loss"] = loss_of(parameters, x, y) / np.log(10)
        found["test_accuracy"] = float(np.mean((logits(parameters, x) > 0) == (y > 0.5)))
    return found


def arguments(variants=("",)):
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--variant", default=variants[0], choices=variants)
    parser.add_argument("--cases", type=pathlib.Path, help="a folder with cases.json; without it, small ones")
    return parser.parse_args()


def threads():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def skip(reason):
    """Ends a peer that cannot run here."""
    print(reason, file=sys.stderr)
    sys.exit(SKIP)


def main(options, peer, version, device, make_trainer, make_product=None, supports=lambda case: True):
    """Runs the cases and prints a line of JSON for each. A case that fails has an `error` in its line, others go on."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.cases or pathlib.Path(temporary)
        if not options.cases:
            write(folder, cases(quick=True))
        for case in json.loads((folder / "cases.json").read_text()):
            if "m" in case and make_product is None or not supports(case):
                continue
            head = {"peer": peer, "version": version, "device": device, "threads": threads() if options.device == "cpu" else None}
            try:
                line = measure(case, folder, make_trainer, make_product)
            except Exception as error:  # a library's own failure must not take the other cases along
                traceback.print_exc()
                line = {"workload": case["name"], "batch": case.get("batch"), "failed": f"{type(error).__name__}: {error}"[:300]}
            print(json.dumps(head | line), flush=True)


def device_name(fallback="cpu"):
    """The processor's name."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return fallback
