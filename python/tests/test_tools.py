"""scikit-learn's tools work on the estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from wgpu_mlp import MLPClassifier, MLPRegressor, TabularClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**settings):
    return MLPClassifier(**{"device": "cpu", "random_state": 0, "max_iter": 30, "learning_rate_init": 0.01, **settings})


def test_a_grid_search_in_a_pipeline_in_processes_and_in_threads(cancer):
    grid = {"mlpclassifier__hidden_layer_sizes": [(5,), (10,)], "mlpclassifier__alpha": [1e-4, 1.0]}
    pipeline = make_pipeline(StandardScaler(), classifier())
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(*cancer)
    assert search.best_score_ > 0.9 and search.best_estimator_.score(*cancer) > 0.9
    import joblib

    with joblib.parallel_backend("threading", n_jobs=2):
        in_threads = GridSearchCV(pipeline, grid, cv=2).fit(*cancer)
    np.testing.assert_array_equal(in_threads.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])


def test_cross_validation(cancer, diabetes):
    assert cross_val_score(classifier(), *cancer, cv=3).min() > 0.9
    regressor = MLPRegressor(device="cpu", random_state=0, max_iter=60, learning_rate_init=0.005, alpha=1.0)
    assert cross_val_score(regressor, *diabetes, cv=3).mean() > 0.2
    assert cross_val_predict(classifier(), *cancer, cv=2, method="predict_proba").shape == (569, 2)


def test_calibration_and_importance(cancer):
    X, y = cancer
    calibrated = CalibratedClassifierCV(classifier(), cv=2).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)
    model = classifier().fit(X[:, :5], y)
    importance = permutation_importance(model, X[:, :5], y, n_repeats=2, random_state=0)
    assert importance.importances_mean.max() > 0.01


def test_columns_with_their_names(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns).drop(columns="joined")
    frame["age"] = frame["age"].fillna(40.0)
    transform = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("age", StandardScaler(), ["age"])])
    assert make_pipeline(transform, classifier()).fit(frame, label).score(frame, label) > 0.8
    numbers = frame[["age"]].assign(member=frame["member"].astype(float))
    model = classifier().fit(numbers, label)
    assert list(model.feature_names_in_) == ["age", "member"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(numbers[["member", "age"]])


def test_tools_take_frames_as_they_are(people):
    columns, label, _ = people
    frame = pd.DataFrame(columns)
    model = TabularClassifier(preset="plain", max_iter=20, device="cpu", random_state=0)
    assert cross_val_score(model, frame, label, cv=2).min() > 0.7
    search = GridSearchCV(model, {"hidden_layer_sizes": [(8,), (16,)]}, cv=2).fit(frame, label)
    assert search.best_score_ > 0.7
    importance = permutation_importance(model.fit(frame, label), frame, label, n_repeats=2, random_state=0)
    assert importance.importances_mean[1] > importance.importances_mean[3]
