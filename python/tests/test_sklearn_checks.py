"""scikit-learn's own checks of estimators."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from wgpu_mlp import MLPClassifier, MLPRegressor

# The one that is expected to fail allows for a relative difference of 1e-7, and the engine works in f32; below is the same with 1e-5.
ROUNDING = {"check_sample_weight_equivalence_on_dense_data": "rounding in f32"}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [MLPClassifier(device="cpu", max_iter=100), MLPRegressor(device="cpu", max_iter=100)],
    expected_failed_checks=lambda estimator: ROUNDING,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_weights_are_repetitions_but_for_rounding(kind):
    """What that check does, within what f32 allows: a weight of n is a row n times, and one of 0 no row."""
    rng = np.random.RandomState(42)
    X, y, weights = rng.rand(15, 5), rng.randint(0, 3, 15), rng.randint(0, 5, 15)
    repeated = np.repeat(np.arange(15), weights)
    model = kind(device="cpu", max_iter=100, random_state=0)
    predict = lambda fitted: getattr(fitted, "predict_proba", fitted.predict)(X)
    weighted = predict(model.fit(X, y, weights)).copy()
    np.testing.assert_allclose(weighted, predict(model.fit(X[repeated], y[repeated])), rtol=1e-5)
