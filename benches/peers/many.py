"""Many networks at once: 64 of the article's (2-25-50-50-25-1, relu, full batches of 900 moons, gradient descent at 0.01), 1,000
epochs each, as one `mlp train --ensemble 64`, as 64 `mlp train` one after the other, as one jitted JAX program with vmap over
the networks, and as a GridSearchCV of scikit-learn's MLPClassifier. Prints seconds, the median of some runs, and each one's ratio to
the first. The peers' losses at the end are printed, too: they have to be near ours.

    python3 benches/peers/many.py --mlp target/release/mlp [--networks 64] [--epochs 1000] [--repeats 3] [--json FILE]
"""

import argparse
import json
import os
import statistics
import subprocess
import time

WIDTHS = [2, 25, 50, 50, 25, 1]
RATE = 0.01


def ours(mlp, networks, epochs, flags):
    words = [mlp, "train", "moons", "--epochs", str(epochs), "--ensemble", str(networks), "--device", "cpu", "--init", "he"]
    began = time.perf_counter()
    found = subprocess.run(words + ["--quiet", "--json"] + flags, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    return seconds, json.loads(found.stdout)["train"]["loss"]


def one_by_one(mlp, networks, epochs, _):
    began = time.perf_counter()
    losses = [ours(mlp, 1, epochs, ["--seed", str(1105 + seed)])[1] for seed in range(networks)]
    return time.perf_counter() - began, statistics.mean(losses)


def moons():
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    x, y = make_moons(1000, noise=0.2, random_state=100)
    x, _, y, _ = train_test_split(x, y, test_size=0.1, random_state=42)
    return x.astype("float32"), y.astype("float32")


def jax_vmap(_, networks, epochs, __):
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, moons())

    def first(key):
        layers = []
        for i, o in zip(WIDTHS, WIDTHS[1:]):
            key, own = jax.random.split(key)
            layers.append((jax.random.normal(own, (i, o)) * (2 / i) ** 0.5, jnp.zeros(o)))
        return layers

    def loss(layers):
        a = x
        for w, b in layers[:-1]:
            a = jax.nn.relu(a @ w + b)
        w, b = layers[-1]
        z = (a @ w + b)[:, 0]
        return jnp.mean(jax.nn.softplus(z) - y * z)

    def train(layers):
        def step(layers, _):
            value, slopes = jax.value_and_grad(loss)(layers)
            return jax.tree.map(lambda p, g: p - RATE * g, layers, slopes), value

        return jax.lax.scan(step, layers, None, length=epochs)[1][-1]

    run = jax.jit(jax.vmap(train))
    layers = jax.vmap(first)(jax.random.split(jax.random.key(0), networks))
    compiled = run.lower(layers).compile()  # not counted
    began = time.perf_counter()
    losses = compiled(layers).block_until_ready()
    return time.perf_counter() - began, float(losses.mean())


def grid_search(_, networks, epochs, __):
    import warnings

    import numpy as np
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    x, y = moons()
    network = MLPClassifier(
        (25, 50, 50, 25), solver="sgd", alpha=0, batch_size=len(x), learning_rate_init=RATE, momentum=0, max_iter=epochs,
        n_iter_no_change=epochs, tol=0, shuffle=False,
    )
    rows = np.arange(len(x))
    search = GridSearchCV(
        network, {"random_state": list(range(networks))}, cv=[(rows, rows)], n_jobs=2, refit=False, scoring="neg_log_loss"
    )
    began = time.perf_counter()
    search.fit(x, y)
    return time.perf_counter() - began, -float(search.cv_results_["mean_test_score"].mean())


PROGRAMS = {"mlp, side by side": ours, "mlp, one by one": one_by_one, "JAX vmap": jax_vmap, "GridSearchCV": grid_search}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mlp", required=True)
    parser.add_argument("--networks", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    seconds, losses = {name: [] for name in PROGRAMS}, {}
    for _ in range(args.repeats):
        for name, program in PROGRAMS.items():  # in turn, so that a slow minute meets all
            taken, losses[name] = program(args.mlp, args.networks, args.epochs, [])
            seconds[name].append(taken)
            print(f"{name}: {taken:.2f} s, loss {losses[name]:.4f}", flush=True)
    medians = {name: statistics.median(all_of) for name, all_of in seconds.items()}
    first = medians["mlp, side by side"]
    print(f"\n{'program':20} {'seconds':>9} {'least':>9} {'most':>9} {'ratio':>7}")
    for name, median in medians.items():
        print(f"{name:20} {median:9.2f} {min(seconds[name]):9.2f} {max(seconds[name]):9.2f} {median / first:7.2f}")
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"networks": args.networks, "epochs": args.epochs, "seconds": seconds, "losses": losses}, file, indent=1)


if __name__ == "__main__":
    main()
