"""The search whose networks train side by side, beside scikit-learn's."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit

from wgpu_mlp import EnsembleSearch, MLPClassifier, MLPRegressor
from wgpu_mlp._search import groups

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"hidden_layer_sizes": [(6,), (12,)], "alpha": [1e-4, 10.0], "learning_rate_init": [1e-5, 0.02]}


def settings(**more):
    # Full batches and no end before the last epoch: then scikit-learn's search trains the same networks, but for rounding.
    return {
        "device": "cpu",
        "random_state": 0,
        "max_iter": 40,
        "batch_size": 1000,
        "n_iter_no_change": float("inf"),
        **more,
    }


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_it_finds_what_scikit_learns_search_finds(moons, diabetes, kind):
    X, y = moons if kind == "classes" else diabetes
    model = (MLPClassifier if kind == "classes" else MLPRegressor)(**settings())
    cv = KFold(3, shuffle=True, random_state=0)
    ours, theirs = EnsembleSearch(model, GRID, cv=cv).fit(X, y), GridSearchCV(model, GRID, cv=cv).fit(X, y)
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    assert set(theirs.cv_results_) == set(ours.cv_results_)
    for fold in range(3):
        name = f"split{fold}_test_score"
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name], atol=0.02)
    assert abs(ours.best_score_ - theirs.best_score_) < 0.02 and ours.best_params_["learning_rate_init"] == 0.02
    assert ours.score(X, y) == ours.best_estimator_.score(X, y)
    np.testing.assert_array_equal(ours.predict(X), ours.best_estimator_.predict(X))


def test_candidates_of_one_shape_train_together(moons):
    model = MLPClassifier(**settings(max_iter=3))
    search = EnsembleSearch(model, GRID, cv=2, refit=False).fit(*moons)
    assert not hasattr(search, "best_estimator_") and not hasattr(search, "predict")
    assert sorted(map(len, groups(model, search.cv_results_["params"]))) == [4, 4]
    drawn = EnsembleSearch(
        model, {"alpha": loguniform(1e-5, 1.0)}, n_iter=5, random_state=0, scoring="neg_log_loss", cv=2
    )
    drawn.fit(*moons)
    assert len(drawn.cv_results_["params"]) == 5 and drawn.best_score_ < 0
    assert drawn.predict_proba(moons[0]).shape == (300, 2) and list(drawn.classes_) == [0, 1]


def test_what_it_cannot_train_is_refused(moons):
    with pytest.raises(TypeError, match="LogisticRegression: expected MLPClassifier"):
        EnsembleSearch(LogisticRegression(), {"C": [1.0]}).fit(*moons)
    with pytest.raises(ValueError, match="holds out each row once"):
        EnsembleSearch(MLPClassifier(), {"alpha": [1.0]}, cv=ShuffleSplit(2)).fit(*moons)
    with pytest.raises(ValueError, match="early_stopping is True"):
        EnsembleSearch(MLPClassifier(early_stopping=True), {"alpha": [1.0]}).fit(*moons)
    with pytest.raises(ValueError, match="alpha is -1"):
        EnsembleSearch(MLPClassifier(), {"alpha": [-1]}).fit(*moons)
