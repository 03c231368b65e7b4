"""Estimators for data frames as they are: numbers, categories, dates, missing cells."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from . import _settings
from ._checks import WIDTHS, check, number, one_of, optional, whole_or_none
from ._html import Report
from ._table_fit import LOSSES, TableFit

_SHARE = number(lambda value: 0 <= value < 1, "a number in [0, 1)")

_RULES = {
    "preset": one_of(["plain", "tabular"]),
    "loss": optional(one_of([*LOSSES, "huber"])),
    "calibrate": optional(one_of([True, False])),
    "clip_outputs": optional(one_of([True, False])),
    "target_encoding": optional(one_of([True, False])),
    "share_weights": optional(one_of([True, False])),
    "hidden_layer_sizes": optional(WIDTHS),
    "activation": optional(one_of(_settings.ACTIVATIONS)),
    "solver": optional(one_of(_settings.SOLVERS)),
    "learning_rate_init": optional(number(lambda value: value > 0, "a positive number")),
    "alpha": optional(number(lambda value: value >= 0, "a number of at least 0")),
    "batch_size": whole_or_none(1),
    "max_iter": whole_or_none(1),
    "n_iter_no_change": whole_or_none(1),
    "tol": optional(number(lambda value: value >= 0, "a number of at least 0")),
    "effort": optional(one_of(["fast", "normal", "best"])),
    "validation_fraction": optional(_SHARE),
    "ensemble": whole_or_none(1),
    "folds": whole_or_none(2),
    "n_threads": whole_or_none(1),
}


_OF_CLASSES = {"metric": optional(one_of(["loss", "log_loss", "accuracy", "balanced_accuracy", "macro_f1", "roc_auc"]))}
_OF_NUMBERS = {"metric": optional(one_of(["loss", "rmse", "mae", "r2"]))}


class _Tabular(Report, TableFit, BaseEstimator):
    """What the two have in common. A parameter that is None is decided by the preset and the data."""

    def fit(self, X, y, sample_weight=None):
        """Learns `y` of the columns of `X`: a frame of pandas, polars or pyarrow, or an array."""
        metrics = _OF_CLASSES if hasattr(type(self), "predict_proba") else _OF_NUMBERS
        check(self, {name: rule for name, rule in _RULES.items() if hasattr(self, name)} | metrics)
        return self._fit_table(X, y, sample_weight)

    def save(self, path):
        """Writes the model's file, which the command `mlp` takes, too, and `load` reads."""
        check_is_fitted(self)
        self._model.save(path)

    def _rows(self, X):
        check_is_fitted(self)
        return self._predict_table(X)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


class TabularClassifier(ClassifierMixin, _Tabular):
    """Classes of rows of a data frame.

    Frames are taken as they are: numbers, texts and truth values as categories, dates, missing cells. `preset` is "tabular", RealMLP's
    recipe with folds, which `mlp train` takes for files, or "plain", a smaller network. A parameter that is None is decided by the preset
    and the data. `metric` is what the model is to be good at, and `effort` ("fast", "normal", "best") how much networks and epochs of the
    tabular preset may take. Other parameters have scikit-learn's names; `dropout`, `class_weight` ("balanced" or a weight for each class),
    `calibrate` (temperatures), `target_encoding` (of columns of many rare categories), `share_weights` (of the networks of each
    fold) and those of `MLPClassifier` that are not scikit-learn's come beside them.
    """

    def __init__(
        self,
        preset="tabular",
        *,
        hidden_layer_sizes=None,
        activation=None,
        solver=None,
        learning_rate_init=None,
        alpha=None,
        batch_size=None,
        max_iter=None,
        n_iter_no_change=None,
        tol=None,
        metric=None,
        effort=None,
        validation_fraction=None,
        dropout=None,
        class_weight=None,
        calibrate=None,
        target_encoding=None,
        ensemble=None,
        folds=None,
        share_weights=None,
        random_state=None,
        device="auto",
        n_threads=None,
        verbose=False,
    ):
        self.preset = preset
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.metric = metric
        self.effort = effort
        self.validation_fraction = validation_fraction
        self.dropout = dropout
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.target_encoding = target_encoding
        self.ensemble = ensemble
        self.folds = folds
        self.share_weights = share_weights
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads
        self.verbose = verbose

    def predict(self, X):
        """The most probable class of each row."""
        return self.classes_[self._rows(X).argmax(axis=1)]

    def predict_proba(self, X):
        """The probability of each class, in the order of `classes_`."""
        return self._rows(X)

    def predict_log_proba(self, X):
        """The logarithms of `predict_proba`."""
        return np.log(self._rows(X))


class TabularRegressor(RegressorMixin, _Tabular):
    """Numbers for rows of a data frame.

    Its parameters are those of `TabularClassifier` that numbers have, `loss`, and `clip_outputs`: whether predictions are kept within the
    least and the largest `y` of the fit, as the tabular preset has it.
    """

    def __init__(
        self,
        preset="tabular",
        *,
        loss=None,
        hidden_layer_sizes=None,
        activation=None,
        solver=None,
        learning_rate_init=None,
        alpha=None,
        batch_size=None,
        max_iter=None,
        n_iter_no_change=None,
        tol=None,
        metric=None,
        effort=None,
        validation_fraction=None,
        dropout=None,
        clip_outputs=None,
        target_encoding=None,
        ensemble=None,
        folds=None,
        share_weights=None,
        random_state=None,
        device="auto",
        n_threads=None,
        verbose=False,
    ):
        self.preset = preset
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.metric = metric
        self.effort = effort
        self.validation_fraction = validation_fraction
        self.dropout = dropout
        self.clip_outputs = clip_outputs
        self.target_encoding = target_encoding
        self.ensemble = ensemble
        self.folds = folds
        self.share_weights = share_weights
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads
        self.verbose = verbose

    def predict(self, X):
        """The number of each row."""
        return self._rows(X).ravel()

    def predict_interval(self, X, coverage=0.9):
        """The lower and the upper end of an interval around the number of each row, [rows, 2].

        It covers the truth of this share of new rows at the least, if they are drawn as those that the networks held out, for validation or in
        folds: conformal prediction. `coverage` is a whole percentage, from 0.5 to 0.99.
        """
        percent = round(100 * coverage) if isinstance(coverage, Real) else 0
        if not (50 <= percent <= 99 and abs(percent - 100 * coverage) < 1e-9):
            raise ValueError(
                f"TabularRegressor: coverage is {coverage!r}: expected a whole percentage from 0.5 to 0.99"
            )
        return self._model.intervals(self.predict(X), percent)
