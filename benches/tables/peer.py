"""What run.py has other libraries do, each time in a process of its own. A line of JSON: the seconds of its phases, without those
of the imports, and what it came to.

Training and predicting are in f32, as mlp's, which is faster and leaner than scikit-learn's f64.
"""

import importlib.metadata
import json
import sys
import time

LIBRARIES = ["numpy", "pandas", "polars", "scikit-learn"]


def versions():
    return {name: importlib.metadata.version(name) for name in LIBRARIES} | {"python": sys.version.split()[0]}


class Phases(dict):
    def __init__(self):
        self.last = time.perf_counter()

    def end(self, name):
        now = time.perf_counter()
        self[name], self.last = now - self.last, now


def make(path, rows, features, target):
    """Numbers of six digits over five orders of magnitude, and a target that two of the columns tell."""
    import os

    import numpy as np

    rows, features, random = int(rows), int(features), np.random.default_rng(1)
    scales = 10.0 ** random.integers(-1, 4, features)
    with open(f"{path}.part", "w") as file:
        file.write(",".join([f"x{i}" for i in range(features)] + [target]) + "\n")
        for start in range(0, rows, 100_000):
            x = random.normal(size=(min(100_000, rows - start), features))
            y = x[:, 0] + np.sin(x[:, 1]) + random.normal(size=len(x)) / 10
            np.savetxt(file, np.column_stack([x * scales, y]), fmt="%.6g", delimiter=",")
    os.replace(f"{path}.part", path)
    return {}, {}


def polars(path):
    import polars

    phases = Phases()
    table = polars.read_csv(path)
    phases.end("read")
    return phases, {"rows": table.height}


def pandas(path):
    import pandas

    phases = Phases()
    table = pandas.read_csv(path)
    phases.end("read")
    return phases, {"rows": len(table)}


def train(path, model, hidden, batch, rate, test, target):
    """As MLPRegressor does it, whose losses and figures are of the training and the test rows, as mlp's."""
    import warnings

    import joblib
    import pandas
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # it is told to run one epoch
    phases = Phases()
    table = pandas.read_csv(path, dtype="float32")
    phases.end("read")
    y = table.pop(target).to_numpy()
    x, x_test, y, y_test = train_test_split(table.to_numpy(), y, test_size=float(test), random_state=0)
    scaler, scaler_y = StandardScaler(copy=False).fit(x), StandardScaler().fit(y[:, None])
    x, x_test = scaler.transform(x), scaler.transform(x_test)
    y, y_test = (scaler_y.transform(part[:, None])[:, 0] for part in (y, y_test))
    del table
    phases.end("encode")
    layers = tuple(map(int, hidden.split(",")))
    network = MLPRegressor(hidden_layer_sizes=layers, batch_size=int(batch), learning_rate_init=float(rate), alpha=0, max_iter=1, random_state=0)
    network.fit(x, y)
    phases.end("train")
    joblib.dump((scaler, scaler_y, network), model)
    phases.end("save")
    figures = [[score(truth, network.predict(rows)) for score in (r2_score, root_mean_squared_error, mean_absolute_error)] for rows, truth in ((x, y), (x_test, y_test))]
    phases.end("evaluate")
    return phases, {"r2": figures[1][0]}


def predict(path, model, out, target):
    import joblib
    import pandas

    phases = Phases()
    scaler, scaler_y, network = joblib.load(model)
    table = pandas.read_csv(path, dtype="float32")
    phases.end("read")
    x = scaler.transform(table.drop(columns=target).to_numpy())
    y = scaler_y.inverse_transform(network.predict(x)[:, None])
    phases.end("predict")
    pandas.DataFrame(y, columns=["prediction"]).to_csv(out, index=False)
    phases.end("write")
    return phases, {"rows": len(y)}


if __name__ == "__main__":
    what = {function.__name__: function for function in (make, polars, pandas, train, predict)}
    phases, found = what[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"phases": phases, **found}))
