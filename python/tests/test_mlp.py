"""The two MLPs: what they learn, and what they tell of it."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss

from wgpu_mlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**settings):
    return MLPClassifier(**{"device": "cpu", "random_state": 0, "hidden_layer_sizes": (20,), **settings})


def regressor(**settings):
    return MLPRegressor(**{"device": "cpu", "random_state": 0, "hidden_layer_sizes": (20,), **settings})


def test_parameters_are_scikit_learns_with_its_defaults():
    for own, other in ((MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)):
        ours, theirs = own().get_params(), other().get_params()
        assert {name: ours[name] for name in theirs} == theirs
        assert set(ours) - set(theirs) == {"device", "preset", "ensemble", "folds", "metric", "n_threads"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.05},
        {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
        {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
        {"activation": "logistic", "alpha": 1.0},
        {"activation": "tanh"},
    ],
    ids=str,
)
def test_full_batches_follow_scikit_learns_run(moons, cancer, diabetes, settings):
    """From the same draws of the first parameters each epoch has scikit-learn's loss, but for the penalty, which ours leaves out."""
    settings = {
        "random_state": 3,
        "max_iter": 25,
        "batch_size": 1000,
        "hidden_layer_sizes": (12, 7),
        "alpha": 0.0,
        **settings,
    }
    alpha, pairs = settings["alpha"], []
    pairs.append((MLPClassifier(device="cpu", **settings), neural_network.MLPClassifier(**settings), *moons))
    three = moons[0], (moons[1] + 2 * (moons[0][:, 0] > 1)).clip(0, 2)
    pairs.append((MLPClassifier(device="cpu", **settings), neural_network.MLPClassifier(**settings), *three))
    labels = np.stack([moons[1], moons[0][:, 0] > 0.5], axis=1).astype(int)
    pairs.append((MLPClassifier(device="cpu", **settings), neural_network.MLPClassifier(**settings), moons[0], labels))
    pairs.append((MLPRegressor(device="cpu", **settings), neural_network.MLPRegressor(**settings), *diabetes))
    two = np.stack([diabetes[1], diabetes[0][:, 2] ** 2], axis=1)
    pairs.append((MLPRegressor(device="cpu", **settings), neural_network.MLPRegressor(**settings), diabetes[0], two))
    for ours, theirs, X, y in pairs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours.fit(X, y)
            theirs.fit(X, y)
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-5 if alpha == 0.0 else 0.3)
        # scikit-learn has the parameters of the last epoch, which may not be the best.
        if alpha == 0.0 and ours.best_iteration_ == ours.n_iter_:
            for a, b in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_]):
                np.testing.assert_allclose(a, b, rtol=0.01, atol=2e-3)


def test_poisson_is_scikit_learns(diabetes):
    counts = np.round(np.exp(diabetes[1]))
    settings = {"loss": "poisson", "random_state": 1, "max_iter": 15, "batch_size": 442, "alpha": 0.0}
    ours = MLPRegressor(device="cpu", **settings).fit(diabetes[0], counts)
    theirs = neural_network.MLPRegressor(**settings).fit(diabetes[0], counts)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=2e-3)
    np.testing.assert_allclose(ours.predict(diabetes[0]), theirs.predict(diabetes[0]), rtol=0.02)


def test_scores_are_as_good_as_scikit_learns(cancer, diabetes):
    ours = classifier(max_iter=60).fit(*cancer)
    theirs = neural_network.MLPClassifier((20,), random_state=0, max_iter=60).fit(*cancer)
    assert ours.score(*cancer) >= theirs.score(*cancer) - 0.01
    assert log_loss(cancer[1], ours.predict_proba(cancer[0])) < 0.1
    assert regressor(max_iter=100).fit(*diabetes).score(*diabetes) > 0.5


def test_the_same_seed_gives_the_same_bits(moons):
    first, second = (classifier(max_iter=20).fit(*moons) for _ in range(2))
    assert np.array_equal(first.predict_proba(moons[0]), second.predict_proba(moons[0]))
    assert not np.array_equal(first.coefs_[0], classifier(max_iter=20, random_state=1).fit(*moons).coefs_[0])


def test_a_run_that_has_not_converged_warns_and_one_that_has_does_not(moons):
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(5\)"):
        classifier(max_iter=5).fit(*moons)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = classifier(tol=0.1, max_iter=300).fit(*moons)
    assert model.n_iter_ < 300 and model.best_iteration_ == model.n_iter_ - 11
    assert len(model.loss_curve_) == model.n_iter_


def test_early_stopping_holds_out_scikit_learns_rows(cancer):
    settings = {"early_stopping": True, "random_state": 5, "max_iter": 30, "n_iter_no_change": 100}
    ours = MLPClassifier(device="cpu", **settings).fit(*cancer)
    theirs = neural_network.MLPClassifier(**settings).fit(*cancer)
    # The first epochs of both have near equal parameters, so near equal scores of the same rows.
    assert abs(ours.validation_scores_[0] - theirs.validation_scores_[0]) < 0.1
    assert len(ours.validation_scores_) == 30 and ours.best_validation_score_ == max(ours.validation_scores_)
    assert ours.validation_scores_[ours.best_iteration_ - 1] == ours.best_validation_score_
    assert ours.best_loss_ is None


def test_early_stopping_of_numbers_tells_r2(diabetes):
    model = regressor(early_stopping=True, max_iter=200, learning_rate_init=0.01).fit(*diabetes)
    assert model.n_iter_ < 200 and 0.2 < model.best_validation_score_ < 1.0


def test_sample_weights_count(moons):
    X, y = moons
    weights = np.where(y == 1, 1.0, 0.0)
    assert (classifier().fit(X, y, weights).predict(X) == 1).all()
    model = regressor(max_iter=50).fit(X, y.astype(float), np.ones(len(y)))
    np.testing.assert_allclose(model.predict(X), regressor(max_iter=50).fit(X, y.astype(float)).predict(X), atol=1e-5)


def test_partial_fit_goes_on_across_a_pickle(moons):
    X, y = moons
    whole, broken = classifier(batch_size=300), classifier(batch_size=300)
    for step in range(30):
        whole.partial_fit(X, y, classes=[0, 1])
        broken.partial_fit(X, y, classes=[0, 1])
        if step == 12:
            broken = pickle.loads(pickle.dumps(broken))
    np.testing.assert_array_equal(whole.predict_proba(X), broken.predict_proba(X))
    assert whole.n_iter_ == len(whole.loss_curve_) == 30
    assert whole.loss_curve_[-1] < whole.loss_curve_[0]
    whole.partial_fit(X[:40], y[:40])
    with pytest.raises(ValueError, match="classes"):
        classifier().partial_fit(X, y)


def test_a_warm_start_goes_on_and_wants_the_same_layers(moons):
    model = classifier(warm_start=True, max_iter=5).fit(*moons)
    before = model.loss_curve_[-1]
    assert len(model.fit(*moons).loss_curve_) == 10 and model.loss_curve_[-1] < before
    with pytest.raises(ValueError, match="expected .2, 20, 1"):
        model.set_params(hidden_layer_sizes=(3,)).fit(*moons)


def test_classes_may_be_texts_and_one_alone(moons):
    X, y = moons
    model = classifier(max_iter=30).fit(X, np.where(y == 1, "yes", "no"))
    assert set(model.predict(X)) == {"no", "yes"} and list(model.classes_) == ["no", "yes"]
    alone = classifier(max_iter=3).fit(X, np.full(len(y), "it"))
    assert set(alone.predict(X)) == {"it"} and alone.predict_proba(X).shape == (len(y), 1)


def test_ensembles_and_folds(moons):
    X, y = moons
    one = classifier(max_iter=30).fit(X, y)
    several = classifier(max_iter=30, ensemble=3).fit(X, y)
    assert several.coefs_[0].shape == (3, 2, 20) and len(several.best_iteration_) == 3
    # Its first network is the one that trains alone.
    np.testing.assert_allclose(several.intercepts_[0][0], one.intercepts_[0], atol=0.3)
    folds = classifier(max_iter=60, folds=4).fit(X, y)
    assert folds.oof_prediction_.shape == (300, 2) and np.isfinite(folds.oof_prediction_).all()
    assert (folds.oof_prediction_.argmax(axis=1) == y).mean() > 0.8
    assert regressor(max_iter=20, folds=3).fit(X, y).oof_prediction_.shape == (300,)


def test_pickles_and_clones(moons):
    model = classifier(max_iter=10).fit(*moons)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(moons[0]), model.predict_proba(moons[0]))
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        clone(model).predict(moons[0])


def test_weights_are_read_only(moons):
    model = classifier(max_iter=2).fit(*moons)
    with pytest.raises(ValueError):
        model.coefs_[0][0, 0] = 1.0
    assert not hasattr(classifier(), "coefs_")


def test_an_adaptive_rate_ends_with_it(moons):
    settings = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.01, "max_iter": 3000}
    assert classifier(n_iter_no_change=2, **settings).fit(*moons).n_iter_ < 3000
    classifier(solver="sgd", learning_rate="invscaling", max_iter=5).fit(*moons)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"solver": "lbfgs"}, "solver is 'lbfgs': expected one of 'adam', 'sgd'"),
        ({"activation": "softsine"}, "activation is 'softsine'"),
        ({"alpha": -1}, "alpha is -1: expected a number of at least 0"),
        ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes is"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"shuffle": False, "batch_size": 10}, "shuffle is False"),
        ({"device": "abacus"}, "no device `abacus`"),
        ({"folds": 1}, "folds is 1"),
        ({"learning_rate_init": 1e30, "solver": "sgd"}, "diverged"),
    ],
    ids=str,
)
def test_bad_parameters_are_one_line(moons, settings, text):
    with pytest.raises(ValueError) as raised:
        classifier(**settings).fit(*moons)
    assert text in str(raised.value) and "\n" not in str(raised.value)


def test_bad_data_is_refused(moons):
    X, y = moons
    with pytest.raises(TypeError, match="[Ss]parse"):
        classifier().fit(csr_matrix(X), y)
    with pytest.raises(ValueError, match="NaN"):
        classifier().fit(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="too large"):
        regressor().fit(X, np.where(y == 1, 1e300, 0.0))
    model = classifier(max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(X[:, :1])


def test_verbose_prints_scikit_learns_lines(moons, capsys):
    model = classifier(max_iter=2, verbose=True).fit(*moons)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"Iteration {at}, loss = {loss:.8f}" for at, loss in enumerate(model.loss_curve_, 1)]
    classifier(max_iter=2, verbose="bar").fit(*moons)
    assert "100 %" in capsys.readouterr().err


def test_a_notebook_shows_the_fit(moons):
    assert "<svg" not in classifier()._repr_html_()
    html = classifier(max_iter=5).fit(*moons)._repr_html_()
    assert "<svg" in html and "epochs" in html and "</html>" not in html.split("<svg")[1]
