"""A search whose networks train side by side: all candidates on all folds are replicas of one trainer."""

import json
import time

import numpy as np
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from . import _engine, _settings
from ._mlp import _MLP, begin_network, check_parameters
from ._progress import reports
from ._threads import threads

# Parameters in which the networks of one trainer may differ; one trainer takes those that have all others alike.
OWN = {
    "alpha",
    "learning_rate_init",
    "learning_rate",
    "power_t",
    "momentum",
    "beta_1",
    "beta_2",
    "epsilon",
    "max_iter",
    "random_state",
}


def _refits(name):
    return available_if(
        lambda search: bool(search.refit) and hasattr(getattr(search, "best_estimator_", search.estimator), name)
    )


class EnsembleSearch(MetaEstimatorMixin, BaseEstimator):
    """scikit-learn's `GridSearchCV` for `MLPClassifier` and `MLPRegressor`, whose networks train at the same time.

    `param_grid` is a grid, or with `n_iter` lists and distributions of which so many candidates are drawn. Candidates that differ in
    learning rates, penalties and other numbers alone are trained together, on all folds. `cv` holds out each row once, as `KFold` does.
    A network ends when the loss of its training rows has not fallen by more than `tol` for `n_iter_no_change` epochs, as scikit-learn's
    do, and has the parameters of then: to keep those that are best on the rows that judge it would flatter it.
    """

    def __init__(
        self, estimator, param_grid, *, n_iter=None, scoring=None, refit=True, cv=None, random_state=None, verbose=False
    ):
        self.estimator = estimator
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.scoring = scoring
        self.refit = refit
        self.cv = cv
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Trains and judges all candidates, and the best once more on all rows."""
        if not isinstance(self.estimator, _MLP):
            raise TypeError(f"the estimator is {type(self.estimator).__name__}: expected MLPClassifier or MLPRegressor")
        candidates = self._candidates()
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        held_out = [test for _, test in cv.split(X, y)]
        order = np.concatenate(held_out)
        if len(order) != len(np.unique(order)) or len(order) != np.shape(X)[0]:
            raise ValueError(f"cv is {cv}: expected one that holds out each row once, as KFold and StratifiedKFold do")
        scorer = check_scoring(self.estimator, self.scoring)
        scores, seconds = np.empty((len(candidates), len(held_out))), np.empty((len(candidates), 2))
        for group in groups(self.estimator, candidates):
            began = time.perf_counter()
            fitted = train(self.estimator, [candidates[place] for place in group], X, y, held_out, self.verbose)
            seconds[group, 0] = (time.perf_counter() - began) / (len(group) * len(held_out))
            for place, networks in zip(group, fitted):
                began = time.perf_counter()
                for fold, (network, rows) in enumerate(zip(networks, held_out)):
                    scores[place, fold] = scorer(network, _safe_indexing(X, rows), _safe_indexing(y, rows))
                seconds[place, 1] = (time.perf_counter() - began) / len(held_out)
        self.scorer_, self.n_splits_, self.multimetric_ = scorer, len(held_out), False
        self._keep(candidates, scores, seconds)
        if self.refit:
            began = time.perf_counter()
            self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_).fit(X, y)
            self.refit_time_ = time.perf_counter() - began
            self.n_features_in_ = self.best_estimator_.n_features_in_
        return self

    def _candidates(self):
        if self.n_iter is None:
            return list(ParameterGrid(self.param_grid))
        return list(ParameterSampler(self.param_grid, self.n_iter, random_state=check_random_state(self.random_state)))

    def _keep(self, candidates, scores, seconds):
        """scikit-learn's table of results."""
        means = scores.mean(axis=1)
        worst = np.nan_to_num(means, nan=-np.inf)
        self.cv_results_ = {
            "mean_fit_time": seconds[:, 0],
            "std_fit_time": np.zeros(len(candidates)),
            "mean_score_time": seconds[:, 1],
            "std_score_time": np.zeros(len(candidates)),
        }
        for name in sorted({name for candidate in candidates for name in candidate}):
            column = np.ma.MaskedArray(np.empty(len(candidates), dtype=object), mask=True)
            for place, candidate in enumerate(candidates):
                if name in candidate:
                    column[place] = candidate[name]
            self.cv_results_[f"param_{name}"] = column
        self.cv_results_["params"] = candidates
        self.cv_results_.update({f"split{fold}_test_score": scores[:, fold] for fold in range(scores.shape[1])})
        self.cv_results_["mean_test_score"], self.cv_results_["std_test_score"] = means, scores.std(axis=1)
        self.cv_results_["rank_test_score"] = rankdata(-worst, method="min").astype(np.int32)
        self.best_index_ = int(worst.argmax())
        self.best_params_, self.best_score_ = candidates[self.best_index_], float(means[self.best_index_])

    def score(self, X, y):
        """The best estimator's, by `scoring`."""
        check_is_fitted(self, "best_estimator_")
        return self.scorer_(self.best_estimator_, X, y)

    @_refits("predict")
    def predict(self, X):
        """The best estimator's."""
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.predict(X)

    @_refits("predict_proba")
    def predict_proba(self, X):
        """The best estimator's."""
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.predict_proba(X)

    @property
    def classes_(self):
        """The best estimator's."""
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_.classes_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        own = self.estimator.__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags, tags.regressor_tags = (
            own.estimator_type,
            own.classifier_tags,
            own.regressor_tags,
        )
        return tags


def groups(estimator, candidates):
    """The places of candidates that one trainer takes."""
    found = {}
    for place, candidate in enumerate(candidates):
        settings = {**estimator.get_params(deep=False), **candidate}
        # Steps with a momentum of 0 are another rule's.
        alike = {name: value for name, value in settings.items() if name not in OWN}
        key = repr(sorted(alike.items())) + str(settings["momentum"] > 0)
        found.setdefault(key, []).append(place)
    return list(found.values())


def train(estimator, candidates, X, y, held_out, verbose):
    """Trains candidates of one shape on all folds; a fitted estimator for each fold of each candidate."""
    estimators = [
        [clone(estimator).set_params(**candidate, verbose=False) for _ in held_out] for candidate in candidates
    ]
    order, ends = np.concatenate(held_out), np.cumsum([0, *map(len, held_out)]).tolist()
    replicas, parameters, rules, arrays = [], [], [], None
    for of_candidate in estimators:
        for fold, model in enumerate(of_candidate):
            check_parameters(model)
            rows, targets = model._validate(X, y, False, True)
            arrays = (rows, targets) if arrays is None else arrays
            rng = begin_network(model, arrays, y)
            scale, gradient = _settings.loss_scales(model._loss_name(), model.n_outputs_)
            fewest = len(order) - max(map(len, held_out))
            seed = int(rng.randint(np.iinfo(np.int32).max))
            config, _ = _settings.config(model, fewest, gradient, 1.0, None, int(model.max_iter), seed)
            replicas.append({"config": config, "fold": {"start": ends[fold], "end": ends[fold + 1]}})
            parameters.append(model._parameters)
            rules.append((model.tol / scale, _settings.patience(model) or _settings.NEVER))
    first = estimators[0][0]
    names = first.device, threads(first.n_threads)
    rows, targets = (np.ascontiguousarray(values[order]) for values in arrays)
    network = _engine.Network(*names, *first._shape(), json.dumps(replicas), rows, targets)
    network.set_parameters(np.concatenate(parameters))
    epochs, _, interrupted = network.fit(reports(verbose), None, rules)
    if interrupted:
        raise KeyboardInterrupt
    each = network.parameters().reshape(len(replicas), -1)
    for place, (best, diverged) in enumerate(network.ends()):
        model = estimators[place // len(held_out)][place % len(held_out)]
        # One that diverged predicts nothing: it has the worst score there is.
        model._parameters = np.full_like(each[place], np.nan) if diverged and best is None else each[place]
        model._kept, model.n_iter_ = [0], sum(1 for epoch in epochs if epoch[0] == place)
    return estimators
