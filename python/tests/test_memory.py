"""Arrays are read where they lie where their type allows it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.validation import validate_data

from wgpu_mlp import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_rows_of_f32_are_not_copied(moons):
    X = np.ascontiguousarray(moons[0], dtype=np.float32)
    model = MLPClassifier(device="cpu", max_iter=2).fit(X, moons[1])
    checked = validate_data(model, X, dtype=np.float32, order="C", reset=False)
    assert np.shares_memory(checked, X)
    predictor = model._handles.predictor[1]
    # In place: what is written there afterwards is seen.
    first = predictor.predict(X, True)
    X[:] = 0.0
    assert not np.array_equal(predictor.predict(X, True), first)
    with pytest.raises(ValueError, match="C order"):
        predictor.predict(np.asfortranarray(X), True)
    with pytest.raises(TypeError):
        predictor.predict(X.astype(np.float64), True)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell the most memory that a process has had"
)
def test_training_copies_rows_to_the_device_alone():
    """Rows of f32 take the memory of the device's copy, and not that of another one beside it."""
    program = """
import json
import numpy as np
from wgpu_mlp import _engine

def most_bytes():  # getrusage would count what the process had that started this one
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

rows = np.zeros((400_000, 100), dtype=np.float32)
rows[:, 0] = np.arange(len(rows)) % 7
y = (rows[:, :1] > 3).astype(np.float32)
config = {"epochs": 1, "batch": {"Rows": 100_000}, "seed": 0, "schedule": {"name": "constant"}, "dropout": []}
config["optimizer"] = {"rule": "sgd", "learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.9, "epsilon": 1e-8, "weight_decay": 0.0, "l2": 0.0}
before = most_bytes()
network = _engine.Network("cpu", 1, [100, 1], "relu", "binary_cross_entropy", json.dumps([{"config": config, "fold": None}]), rows, y)
print((most_bytes() - before) / rows.nbytes)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 1.0 <= float(done.stdout) < 1.7, done.stdout
