"""Fits and predictions by the engine's pipeline for tables: it splits, encodes, trains and judges, as the command does."""

import inspect
import json
import warnings

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from . import _engine
from ._checks import layers, refuse
from ._files import classes_of, label_of, target_name
from ._frames import columns_of, table_of
from ._progress import reports
from ._settings import activation
from ._threads import threads

# The engine's losses by scikit-learn's names, besides its own.
LOSSES = {"squared_error": "mean_squared_error", "absolute_error": "mean_absolute_error", "poisson": "poisson"}

# The engine's names of an estimator's parameters, with what makes its values of theirs.
_SETTINGS = {
    "hidden_layer_sizes": ("hidden", lambda value: ",".join(map(str, layers(value))) or "none"),
    "activation": ("activation", activation),
    "solver": ("optimizer", str),
    "learning_rate_init": ("learning_rate", float),
    "beta_1": ("beta_1", float),
    "beta_2": ("beta_2", float),
    "epsilon": ("epsilon", float),
    "alpha": ("alpha", float),
    "batch_size": ("batch", str),
    "max_iter": ("epochs", int),
    "n_iter_no_change": ("patience", int),
    "tol": ("min_delta", float),
    "metric": ("metric", str),
    "effort": ("effort", str),
    "validation_fraction": ("validation_fraction", float),
    "loss": ("loss", lambda value: LOSSES.get(value, value)),
    "dropout": ("dropout", lambda value: [float(rate) for rate in np.atleast_1d(value)]),
    "ensemble": ("ensemble", int),
    "folds": ("folds", int),
}


class TableFit:
    """What estimators do with tables. A parameter that has its default is decided by the preset."""

    def _said(self):
        """The parameters that were said, as the engine's settings."""
        defaults = {
            name: parameter.default for name, parameter in inspect.signature(type(self).__init__).parameters.items()
        }
        said = {}
        for name, (own, convert) in _SETTINGS.items():
            value = getattr(self, name, None)
            if value is not None and value != defaults.get(name):
                said[own] = convert(value)
        return said

    def _fit_table(self, X, y, sample_weight):
        name = target_name(y)
        columns, are_names = columns_of(X)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        taken = set(columns)
        name, weight = free(name, taken), None
        columns = dict(columns)
        is_classifier = hasattr(type(self), "predict_proba")
        if is_classifier:
            check_classification_targets(y)
            classes, codes = np.unique(y, return_inverse=True)
            if len(classes) < 2:
                raise ValueError(f"y has one class, {classes[0]!r}: expected two or more")
        table = table_of(columns)
        if is_classifier:
            table.add_texts(name, [label_of(value) for value in classes], codes.astype(np.int64))
        else:
            table.add_numbers(name, np.asarray(y, dtype=np.float64))
        if sample_weight is not None:
            weight = free("sample_weight", {*taken, name})
            table.add_numbers(weight, _check_sample_weight(sample_weight, y, dtype=np.float64))
        task = "regression" if not is_classifier else "binary" if len(classes) == 2 else "multiclass"
        weights = getattr(self, "class_weight", None)
        if isinstance(weights, dict):
            weights = [(label_of(value), float(each)) for value, each in weights.items()]
        elif weights not in (None, "balanced"):
            refuse(self, "class_weight", "'balanced', or a weight for each class")
        settings = {
            "target": name,
            "task": task,
            "preset": self.preset,
            "seed": int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
            "calibrate": getattr(self, "calibrate", None),
            "clip_outputs": getattr(self, "clip_outputs", None),
            "target_encoding": getattr(self, "target_encoding", None),
            "share_weights": getattr(self, "share_weights", None),
            "weight_column": weight,
            "balanced": weights == "balanced",
            "class_weight": weights if isinstance(weights, list) else [],
            **self._said(),
        }
        names = self.device, threads(self.n_threads)
        fit = _engine.fit_table(*names, json.dumps(settings), table, reports(self.verbose))
        self._take_columns(list(columns), are_names)
        self._take_model(fit.model, classes if is_classifier else None)
        self._take_fit(fit, len(y))
        if fit.interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=3)
        return self

    def _take_columns(self, names, are_names):
        self.n_features_in_ = len(names)
        if are_names:
            self.feature_names_in_ = np.array(names, dtype=object)
        else:
            vars(self).pop("feature_names_in_", None)

    def _take_model(self, model, classes=None):
        """Takes over a model, of a fit or of a file."""
        vars(self).pop("_widths", None)
        self._model = model
        if not hasattr(self, "n_features_in_"):
            self._take_columns(model.features, True)
        if model.classes:
            self.classes_ = classes_of(model.classes) if classes is None else classes
            of_model = {label: place for place, label in enumerate(model.classes)}
            places = (
                [of_model.get(label_of(value)) for value in self.classes_]
                if classes is not None
                else list(range(len(model.classes)))
            )
            if None in places or len(places) != len(of_model):
                raise ValueError(f"two of the classes {list(self.classes_)} are spellings of one: rename them")
            self._places = np.array(places)
            self._is_multilabel = False
        return self

    def _take_fit(self, fit, rows):
        self.hints_ = fit.hints
        self.metrics_ = json.loads(fit.metrics)
        networks = sorted({epoch[0] for epoch in fit.epochs})
        of_network = [[epoch for epoch in fit.epochs if epoch[0] == number] for number in networks]
        self.n_iter_ = max(map(len, of_network), default=0)
        means = lambda at: [
            float(np.mean([each[epoch][at] for each in of_network if epoch < len(each)]))
            for epoch in range(self.n_iter_)
        ]
        self.loss_curve_ = means(2)
        has_validation = any(epoch[4] is not None for epoch in fit.epochs)
        self.validation_curve_ = means(4) if has_validation else None
        self.best_iteration_ = fit.best_epoch
        vars(self).pop("oof_prediction_", None)
        if fit.out_of_fold is not None:
            out = fit.out_of_fold.reshape(rows, -1)
            self.oof_prediction_ = out[:, self._places] if hasattr(type(self), "predict_proba") else out.ravel()

    def _predict_table(self, X):
        """Probabilities in the order of `classes_`, or numbers [rows, 1]."""
        columns, are_names = columns_of(X)
        if not are_names and len(columns) != self.n_features_in_:
            raise ValueError(
                f"X has {len(columns)} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input"
            )
        wanted = self._model.features
        if not are_names and hasattr(self, "feature_names_in_"):
            # Without names the columns are those of the fit in their order.
            columns = dict(zip(self.feature_names_in_, columns.values()))
        # A column that is not there is the engine's error.
        used = {name: column for name, column in columns.items() if name in wanted} or columns
        found = self._model.predict(self.device, threads(self.n_threads), table_of(used))
        return found[:, self._places] if self._model.classes else found


def free(name, taken):
    """A name that no column has."""
    while name in taken:
        name += "_"
    return name
