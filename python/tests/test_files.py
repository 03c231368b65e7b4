"""Models go both ways between Python and the command `mlp`, where it is built."""

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wgpu_mlp
from wgpu_mlp import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMMAND = Path(os.environ.get("MLP_COMMAND", Path(__file__).parents[2] / "target" / "debug" / "mlp"))
needs_command = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"no command at {COMMAND}: cargo build, or set MLP_COMMAND"
)


def mlp(*words):
    done = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def predicted(model, table):
    return list(csv.DictReader(mlp("predict", model, table, "--device", "cpu").splitlines()))


def test_a_file_gives_the_estimator_back(moons, diabetes, tmp_path):
    path = tmp_path / "model.safetensors"
    for model, (X, y) in (
        (MLPClassifier(device="cpu", max_iter=5, ensemble=2, activation="tanh"), moons),
        (MLPRegressor(device="cpu", max_iter=5, hidden_layer_sizes=(9, 4)), diabetes),
        (MLPClassifier(device="cpu", max_iter=5), (moons[0], np.where(moons[1] == 1, "a", "b"))),
    ):
        model.fit(X, y).save(path)
        again = wgpu_mlp.load(path).set_params(device="cpu")
        assert type(again) is type(model)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    labels = np.stack([moons[1], 1 - moons[1]], axis=1)
    MLPClassifier(device="cpu", max_iter=2).fit(moons[0], labels).save(path)
    with pytest.raises(ValueError, match="says nothing of its features"):
        wgpu_mlp.load(path)
    with pytest.raises(FileNotFoundError, match="nothing.safetensors"):
        wgpu_mlp.load(tmp_path / "nothing.safetensors")


def test_frames_models_too(people, tmp_path):
    columns, label, score = people
    frame, path = pd.DataFrame(columns), tmp_path / "model.safetensors"
    for kind, y in ((TabularClassifier, label), (TabularRegressor, score)):
        model = kind("plain", max_iter=5, device="cpu").fit(frame, y)
        model.save(path)
        again = wgpu_mlp.load(path)
        assert type(again) is kind
        np.testing.assert_array_equal(again.predict(frame), model.predict(frame))


@needs_command
def test_the_command_predicts_with_pythons_model(moons, people, tmp_path):
    path, table = tmp_path / "model.safetensors", tmp_path / "table.csv"
    X, y = moons
    frame = pd.DataFrame(X.astype(np.float32), columns=["x", "y"])
    model = MLPClassifier(device="cpu", max_iter=20, random_state=0).fit(frame, pd.Series(y, name="moon"))
    model.save(path)
    frame.to_csv(table, index=False)
    rows = predicted(path, table)
    assert [int(row["prediction"]) for row in rows] == model.predict(frame).tolist()
    columns, label, score = people
    frame = pd.DataFrame(columns)
    frame.to_csv(table, index=False)
    for model, y in (
        (TabularClassifier("plain", max_iter=10, device="cpu"), label),
        (TabularRegressor("plain", max_iter=10, device="cpu"), score),
    ):
        model.fit(frame, pd.Series(y, name="target")).save(path)
        told = [row["prediction"] for row in predicted(path, table)]
        if isinstance(model, TabularClassifier):
            assert told == model.predict(frame).tolist()
        else:
            np.testing.assert_allclose([float(number) for number in told], model.predict(frame), rtol=1e-5, atol=1e-6)


@needs_command
def test_python_predicts_with_the_commands_model(people, tmp_path):
    columns, label, _ = people
    table, out = tmp_path / "table.csv", tmp_path / "run"
    frame = pd.DataFrame(columns).assign(target=label)
    frame.to_csv(table, index=False)
    mlp(
        "train",
        table,
        "--target",
        "target",
        "--epochs",
        10,
        "--preset",
        "plain",
        "--device",
        "cpu",
        "--out",
        out,
        "--quiet",
    )
    model = wgpu_mlp.load(out)
    assert isinstance(model, TabularClassifier) and list(model.classes_) == ["high", "low"]
    told = [row["prediction"] for row in predicted(out, table)]
    # The frame's own types, not what the file's texts were taken for.
    assert model.predict(frame.drop(columns="target")).tolist() == told
    probabilities = model.predict_proba(frame)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


@needs_command
def test_a_frame_trains_as_its_file_does(people, tmp_path):
    """The same rows, settings and seed are the same run, to the bits."""
    columns, _, score = people
    table, out = tmp_path / "table.csv", tmp_path / "run"
    frame = pd.DataFrame(columns).drop(columns=["member", "joined"]).assign(target=score)
    frame.to_csv(table, index=False)
    model = TabularRegressor("plain", max_iter=7, device="cpu", random_state=3)
    model.fit(frame.drop(columns="target"), frame["target"])
    seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max)
    words = [
        "--preset",
        "plain",
        "--test-fraction",
        0,
        "--epochs",
        7,
        "--seed",
        seed,
        "--split-seed",
        seed,
        "--device",
        "cpu",
        "--out",
        out,
    ]
    told = json.loads(mlp("train", table, "--target", "target", "--json", *words))
    assert told["train"]["loss"] == pytest.approx(model.metrics_["train"]["loss"], rel=1e-12)
    np.testing.assert_array_equal(wgpu_mlp.load(out).predict(frame), model.predict(frame))
