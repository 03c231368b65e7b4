"""Data frames as they are."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from wgpu_mlp import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor


def classifier(**settings):
    return TabularClassifier(**{"preset": "plain", "max_iter": 30, "device": "cpu", "random_state": 0, **settings})


def regressor(**settings):
    return TabularRegressor(**{"preset": "plain", "max_iter": 60, "device": "cpu", "random_state": 0, **settings})


def frames(columns):
    """The same table of pandas with numpy's types, with its own for missing cells and with Arrow's, of polars, and of pyarrow."""
    plain = pd.DataFrame(columns)
    typed = plain.assign(
        age=plain["age"].astype("Int64"),
        city=plain["city"].astype("category"),
        member=plain["member"].astype("boolean"),
    )
    polars = pl.DataFrame({**columns, "age": [None if age != age else age for age in columns["age"].tolist()]})
    arrow = plain.convert_dtypes(dtype_backend="pyarrow")
    table = pa.table({**columns, "age": pa.array(columns["age"], from_pandas=True)})
    return [plain, typed, arrow, polars, polars.with_columns(pl.col("city").cast(pl.Categorical)), table]


def test_frames_of_all_kinds_are_one_table(people):
    columns, label, score = people
    found = []
    for frame in frames(columns):
        model = classifier().fit(frame, label)
        assert list(model.feature_names_in_) == ["age", "city", "member", "joined"]
        found.append(model.predict_proba(frame))
        assert model.score(frame, label) > 0.85
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
    assert regressor().fit(frames(columns)[0], score).score(frames(columns)[0], score) > 0.9


def test_the_preset_for_tables(people):
    columns, label, score = people
    frame = pd.DataFrame(columns)
    model = TabularClassifier(max_iter=40, device="cpu", random_state=0).fit(frame, label)
    assert any(hint.startswith("preset: tabular: layers 128,128,128 of mish") for hint in model.hints_)
    assert model.score(frame, label) > 0.85 and model.n_iter_ == 40 and len(model.validation_curve_) == 40
    # The same by the MLPs, whose parameters at their defaults are the preset's.
    same = MLPClassifier(preset="tabular", max_iter=40, device="cpu", random_state=0).fit(frame, label)
    np.testing.assert_array_equal(same.predict_proba(frame), model.predict_proba(frame))
    numbers = MLPRegressor(preset="tabular", max_iter=8, hidden_layer_sizes=(32,), device="cpu").fit(frame, score)
    assert numbers.predict(frame).shape == score.shape


def test_columns_are_found_by_their_names(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns)
    model = classifier().fit(frame, label)
    other = frame[["joined", "member", "city", "age"]].assign(more=1)
    np.testing.assert_array_equal(model.predict(other), model.predict(frame))
    with pytest.raises(ValueError, match="no column `city`; the table has"):
        model.predict(frame.drop(columns="city"))


def test_new_categories_and_missing_cells_are_predicted(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns)
    model = classifier().fit(frame, label)
    assert (
        len(model.predict(pd.DataFrame({"age": [np.nan], "city": ["Paris"], "member": [None], "joined": [pd.NaT]})))
        == 1
    )


def test_weights_of_rows_and_of_classes(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns)
    weights = np.where(label == "high", 1.0, 0.0)
    assert (classifier().fit(frame, label, weights).predict(frame) == "high").all()
    rare = classifier(class_weight={"high": 1e-6}).fit(frame, label)
    assert (rare.predict(frame) == "low").all()
    assert classifier(class_weight="balanced").fit(frame, label).score(frame, label) > 0.8


def test_folds_tell_of_rows_that_were_not_learned(people):
    columns, label, score = people
    frame = pd.DataFrame(columns)
    model = classifier(folds=3, max_iter=20).fit(frame, label)
    assert model.oof_prediction_.shape == (300, 2)
    accuracy = (model.classes_[model.oof_prediction_.argmax(axis=1)] == label).mean()
    assert accuracy == pytest.approx(model.metrics_["out_of_fold"]["accuracy"])
    numbers = regressor(folds=3).fit(frame, score)
    assert np.corrcoef(numbers.oof_prediction_, score)[0, 1] > 0.9


def test_pickles(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns)
    model = classifier(ensemble=2).fit(frame, label)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_arrays_and_three_classes(moons):
    X, y = moons
    three = np.array(["a", "b", "c"])[(y + 2 * (X[:, 0] > 1)).clip(0, 2)]
    model = classifier(max_iter=60).fit(X, three)
    assert model.score(X, three) > 0.8 and not hasattr(model, "feature_names_in_")
    with pytest.raises(ValueError, match="X has 1 features, but TabularClassifier is expecting 2 features"):
        model.predict(X[:, :1])


def test_what_is_no_table_is_refused(people):
    columns, label, _ = people
    with pytest.raises(TypeError, match="[Ss]parse"):
        classifier().fit(csr_matrix(np.eye(3)), [0, 1, 0])
    with pytest.raises(ValueError, match="1 dimensions"):
        classifier().fit(np.arange(3), [0, 1, 0])
    with pytest.raises(ValueError, match="one class"):
        classifier().fit(pd.DataFrame(columns), np.full(300, "x"))
    with pytest.raises(ValueError, match="inconsistent"):
        classifier().fit(pd.DataFrame(columns), label[:-1])
    with pytest.raises(ValueError, match="preset is 'best'"):
        classifier(preset="best").fit(pd.DataFrame(columns), label)
    with pytest.raises(ValueError, match="batch_size is 0"):
        classifier(batch_size=0).fit(pd.DataFrame(columns), label)


def test_columns_of_objects(people):
    """Numbers in a column of objects are numbers, and lists are nothing."""
    _, label, _ = people
    numbers = np.arange(300) % 7
    mixed = [None if row % 50 == 0 else int(number) for row, number in enumerate(numbers)]
    as_objects, as_numbers = (
        pd.DataFrame({"a": pd.Series(mixed, dtype=object)}),
        pd.DataFrame({"a": pd.Series(mixed, dtype=float)}),
    )
    found = [classifier(max_iter=3).fit(frame, label).predict_proba(frame) for frame in (as_objects, as_numbers)]
    np.testing.assert_array_equal(*found)
    with pytest.raises(ValueError, match="column 'a' holds .*list"):
        classifier().fit(pd.DataFrame({"a": [[1]] * 300}), label)


def test_intervals_cover_new_rows():
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 10, 3000)
    frame, y = pd.DataFrame({"x": x}), x * rng.uniform(1, 3, 3000)
    model = TabularRegressor(hidden_layer_sizes=16, max_iter=10, folds=3, random_state=0, device="cpu").fit(
        frame[:1000], y[:1000]
    )
    lower, upper = model.predict_interval(frame[1000:], 0.8).T
    assert np.all(lower <= upper)
    assert 0.76 < np.mean((lower <= y[1000:]) & (y[1000:] <= upper)) < 0.86
    for coverage in [0.3, 0.805, "much"]:
        with pytest.raises(ValueError, match="coverage is .*: expected a whole percentage"):
            model.predict_interval(frame, coverage)


def test_numbers_stay_within_those_of_the_fit():
    """Under the tabular preset, unless somebody says otherwise; a file and a pickle keep the range, and out-of-fold numbers have it."""
    x = np.linspace(0, 10, 60)
    frame, far = pd.DataFrame({"x": x}), pd.DataFrame({"x": [-100.0, 100.0]})
    settings = {"hidden_layer_sizes": (), "learning_rate_init": 0.05, "max_iter": 60, "folds": 3}
    for said, clips in [({}, True), ({"clip_outputs": False}, False), ({"preset": "plain"}, False)]:
        model = TabularRegressor(**settings, **said, random_state=0, device="cpu").fit(frame, 2 * x)
        found = model.predict(far)
        assert (found.min() >= 0 and found.max() == 20) == clips, (said, found)
        assert not clips or (model.oof_prediction_.min() >= 0 and model.oof_prediction_.max() <= 20)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(far), found)
    with pytest.raises(ValueError, match="clip_outputs is 'yes'"):
        TabularRegressor(clip_outputs="yes").fit(frame, x)


def test_many_categories_have_the_mean_of_the_target():
    rng = np.random.default_rng(2)
    shop = rng.permutation(np.arange(1000) % 250)
    frame, y = pd.DataFrame({"shop": [f"shop {number}" for number in shop]}), shop * 31 % 250 + rng.normal(size=1000)
    settings = {
        "hidden_layer_sizes": 8,
        "max_iter": 60,
        "folds": 4,
        "learning_rate_init": 0.07,
        "random_state": 0,
        "device": "cpu",
    }
    with_means = TabularRegressor(**settings).fit(frame, y)
    assert any("the target's mean in each category: `shop`" in hint for hint in with_means.hints_)
    assert with_means.score(frame, y) > 0.9
    # Each shop is in fewer rows than a category of its own has to be.
    without = frame.assign(a=1.0 * (shop % 7))
    assert TabularRegressor(**settings, target_encoding=False).fit(without, y).score(without, y) < 0.3
    # Of three classes there is the part of each.
    classes = np.array(["high", "low", "middle"])[shop * 31 % 250 // 84]
    of_classes = TabularClassifier(**settings).fit(without, classes)
    assert of_classes.score(without, classes) > 0.9


def test_networks_of_a_fold_share_weights():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
    y = frame["a"] * frame["b"]
    settings = {"hidden_layer_sizes": 8, "max_iter": 40, "folds": 3, "random_state": 0, "device": "cpu"}
    fits = [
        TabularRegressor(**settings, ensemble=2, share_weights=shares).fit(frame, y) for shares in (None, True, False)
    ]
    shared, asked, own = (fit.predict(frame) for fit in fits)
    assert (shared == asked).all() and (shared != own).any()
    with pytest.raises(ValueError, match="share_weights"):
        TabularRegressor(**settings, share_weights=True).fit(frame, y)


def test_metric_and_effort_are_the_engines():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.normal(size=200)})
    y = (frame.x + rng.normal(size=200) > 0).astype(int)
    small = {"hidden_layer_sizes": 4, "random_state": 0, "device": "cpu"}
    model = TabularClassifier(metric="roc_auc", effort="fast", max_iter=3, **small).fit(frame, y)
    assert any("effort" in hint for hint in model.hints_)
    with pytest.raises(ValueError, match="metric is 'rmse': expected one of"):
        TabularClassifier(metric="rmse").fit(frame, y)
    with pytest.raises(ValueError, match="effort is 'much'"):
        TabularRegressor(effort="much").fit(frame, y)
