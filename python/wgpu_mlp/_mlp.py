"""scikit-learn's MLPs on the engine."""

import math
import warnings
from numbers import Real

import numpy as np
from scipy.special import xlogy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _engine, _settings
from ._checks import WIDTHS, check, is_whole, layers, number, one_of, optional, refuse, whole, whole_or_none
from ._files import label_of, save_arrays, target_name
from ._handles import Handles
from ._html import Report
from ._progress import reports
from ._table_fit import TableFit
from ._threads import threads

_SHARE = number(lambda value: 0 <= value < 1, "a number in [0, 1)")
_POSITIVE = number(lambda value: value > 0, "a positive number")
_FROM_0 = number(lambda value: value >= 0, "a number of at least 0")
_BOOL = one_of([True, False])

_RULES = {
    "hidden_layer_sizes": WIDTHS,
    "activation": one_of(_settings.ACTIVATIONS),
    "solver": one_of(_settings.SOLVERS),
    "alpha": _FROM_0,
    "batch_size": (lambda value: value == "auto" or is_whole(value, 1), "'auto' or a number of rows of at least 1"),
    "learning_rate": one_of(["constant", "invscaling", "adaptive"]),
    "learning_rate_init": _POSITIVE,
    "power_t": _FROM_0,
    "max_iter": whole(1),
    "shuffle": _BOOL,
    "tol": _FROM_0,
    "verbose": (lambda value: value == "bar" or isinstance(value, (bool, Real)), "True, False or 'bar'"),
    "warm_start": _BOOL,
    "momentum": _SHARE,
    "nesterovs_momentum": _BOOL,
    "early_stopping": _BOOL,
    "validation_fraction": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _POSITIVE,
    "n_iter_no_change": (
        lambda value: is_whole(value, 1) or value == math.inf,
        "a whole number of at least 1, or infinity",
    ),
    "preset": one_of(["plain", "tabular"]),
    "ensemble": whole(1),
    "folds": whole_or_none(2),
    "metric": optional(one_of(["loss", "accuracy"])),
    "n_threads": whole_or_none(1),
}


class _MLP(Report, TableFit, BaseEstimator):
    """What the two have in common. Every class has its own list of parameters, as scikit-learn wants it."""

    def _fit(self, X, y, sample_weight, incremental=False):
        check(self, _RULES)
        if self.preset != "plain":
            if incremental:
                refuse(self, "preset", "'plain' for partial_fit")
            return self._fit_table(X, y, sample_weight)
        vars(self).pop("_model", None)
        is_first = not hasattr(self, "_widths") or not (self.warm_start or incremental)
        name = target_name(y)
        X, targets = self._validate(X, y, incremental, is_first)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        for setting in ("ensemble", "folds"):
            if incremental and getattr(self, setting) not in (1, None):
                refuse(self, setting, "the default for partial_fit, which trains one network")
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True).astype(np.float32)
        widths = [X.shape[1], *layers(self.hidden_layer_sizes), self._outputs(targets)]
        if not is_first and widths != self._widths:
            raise ValueError(f"the layers are {widths}: expected {self._widths}, those of the fit to go on from")
        rng = check_random_state(self.random_state)
        networks = self.ensemble * (self.folds or 1)
        if is_first:
            self._begin(widths, networks, rng, name)
        elif len(self._parameters) != networks * self._each():
            refuse(self, "ensemble", "as many networks as in the fit to go on from")
        if incremental:
            self._learn_part(X, targets, sample_weight, rng)
        else:
            self._learn(X, targets, sample_weight, rng)
        self.t_ += len(X)
        return self

    def _begin(self, widths, networks, rng, name):
        """Draws the first parameters, as scikit-learn does, and forgets what was before."""
        self._widths, self._activation = widths, _settings.activation(self.activation)
        self._parameters = np.concatenate([draw(widths, self.activation, rng) for _ in range(networks)] or [()])
        self._target_name = name
        self._handles = Handles()
        self.n_layers_, self.n_outputs_ = len(widths), widths[-1]
        self.out_activation_ = self._out_activation()
        self.n_iter_, self.t_, self.loss_curve_ = 0, 0, []
        self.best_loss_, self.best_iteration_ = None, None
        self.validation_scores_ = self.best_validation_score_ = None

    def _each(self):
        """How many parameters a network has."""
        return sum((inputs + 1) * outputs for inputs, outputs in zip(self._widths, self._widths[1:]))

    def _shape(self):
        return self._widths, self._activation, self._loss_name()

    def _learn(self, X, targets, weights, rng):
        validation, folds = None, None
        if self.folds:
            order, folds = self._folds(targets, rng)
            X, targets, weights = X[order], targets[order], None if weights is None else weights[order]
        elif self.early_stopping:
            X, targets, weights, validation = self._hold_out(X, targets, weights, rng)
        loss_scale, gradient_scale = _settings.loss_scales(self._loss_name(), self.n_outputs_)
        rows = len(X) - (max(end - start for start, end in folds) if folds else 0)
        seed = int(rng.randint(np.iinfo(np.int32).max))
        stopping, score = self._stopping(validation, loss_scale)
        mean_weight = 1.0 if weights is None else float(weights.mean())
        config, least_rate = _settings.config(
            self, rows, gradient_scale, mean_weight or 1.0, stopping, int(self.max_iter), seed
        )
        replicas = _settings.replicas(config, self.ensemble, folds)
        if self.shuffle is False and config["batch"] != "Full":
            refuse(self, "shuffle", f"True, or a batch_size of all {rows} rows: batches are drawn anew for every epoch")
        network = self._network(replicas, X, targets, weights, validation)
        network.set_parameters(self._parameters)
        epochs, is_finished, interrupted = network.fit(reports(self.verbose), least_rate)
        has_stopped = self._take(network, epochs, loss_scale, score, targets)
        # The network in training goes, and with it its copy of the rows.
        self._handles = Handles()
        self._load()
        if folds:
            self._keep_out_of_fold(X, order, folds)
        if interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=3)
        elif is_finished and not has_stopped:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _network(self, replicas, X, targets, weights, validation=None):
        names = self.device, threads(self.n_threads)
        return _engine.Network(*names, *self._shape(), replicas, X, targets, weights, validation)

    def _load(self):
        """Loads the networks for predictions, so that these change nothing."""
        self._handles.predict(self, self._shape(), self._parameters, np.zeros((1, self._widths[0]), np.float32), False)

    def _hold_out(self, X, targets, weights, rng):
        """scikit-learn's rows for validation."""
        stratify = targets[:, 0] if self._is_stratified() else None
        parts = [X, targets] + ([] if weights is None else [weights])
        split = train_test_split(*parts, random_state=rng, test_size=self.validation_fraction, stratify=stratify)
        if len(split[1]) < 2:
            refuse(self, "validation_fraction", f"enough of {len(X)} rows for a validation set of at least 2")
        return split[0], split[2], None if weights is None else split[4], (split[1], split[3])

    def _folds(self, targets, rng):
        """The rows in an order of folds, one behind the other, and where each begins and ends."""
        kind = StratifiedKFold if self._is_stratified() else KFold
        if self.folds > len(targets):
            refuse(self, "folds", f"at most the number of rows, {len(targets)}")
        split = kind(self.folds, shuffle=True, random_state=int(rng.randint(2**31 - 1)))
        held_out = [fold for _, fold in split.split(targets, targets[:, 0])]
        ends = np.cumsum([0, *map(len, held_out)]).tolist()
        return np.concatenate(held_out), list(zip(ends, ends[1:]))

    def _stopping(self, validation, loss_scale):
        """The rule of early stopping, and what makes a score of an epoch on the rows for validation."""
        patience, metric = _settings.patience(self), self._metric()
        adaptive = self.solver == "sgd" and self.learning_rate == "adaptive"
        rule = {"patience": None if adaptive or patience is None else patience + 1, "monitor": metric}
        if validation is None:
            # Folds are judged by their loss, and without rows for validation the training rows are.
            rule["monitor"] = metric if self.folds else "loss"
            return {**rule, "min_delta": self.tol / (1.0 if metric == "accuracy" else loss_scale)}, None
        if metric == "accuracy":
            return {**rule, "min_delta": self.tol}, lambda loss, accuracy: accuracy
        scale, score = self._validation_score(validation[1], loss_scale)
        return {**rule, "min_delta": self.tol / scale}, score

    def _take(self, network, epochs, loss_scale, score, targets):
        """Takes over what a run came to; whether it has ended before its last epoch."""
        parameters, ends = network.parameters(), network.ends()
        good = [not (diverged and best is None) for best, diverged in ends]
        if not any(good):
            raise ValueError("every network diverged: use a lower learning_rate_init, or smaller data values")
        self._parameters = parameters.reshape(len(ends), -1)[good].ravel()
        self._kept = [number for number, is_good in enumerate(good) if is_good]
        of_network = [[epoch for epoch in epochs if epoch[0] == number] for number in self._kept]
        lengths = [len(each) for each in of_network]
        longest = max(lengths)
        constant = self._loss_constant(targets)
        means = [np.mean([each[at][2] for each in of_network if at < len(each)]) for at in range(longest)]
        self.loss_curve_ = [*self.loss_curve_, *(float(mean * loss_scale + constant) for mean in means)]
        self.n_iter_ = longest
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else math.nan
        best = [ends[number][0] for number in self._kept]
        self.best_iteration_ = best[0] if len(best) == 1 else best
        if score is None:
            self.best_loss_ = min(self.loss_curve_, default=math.nan)
        else:
            scores = [[score(loss, accuracy) for *_, loss, accuracy in each] for each in of_network]
            means = [np.mean([each[at] for each in scores if at < len(each)]) for at in range(longest)]
            self.validation_scores_ = [float(mean) for mean in means]
            self.best_validation_score_ = max(self.validation_scores_, default=math.nan)
            self.best_loss_ = None
        # Whether early stopping has ended the run of each network.
        patience = _settings.patience(self)
        return patience is not None and all(one and length - one > patience for length, one in zip(lengths, best))

    def _learn_part(self, X, targets, weights, rng):
        """An epoch on these rows, with the optimiser's state of the last call."""
        loss_scale, gradient_scale = _settings.loss_scales(self._loss_name(), self.n_outputs_)
        network = self._handles.network
        if network is None:
            mean_weight = 1.0 if weights is None else float(weights.mean())
            seed = int(rng.randint(np.iinfo(np.int32).max))
            config, _ = _settings.config(self, len(X), gradient_scale, mean_weight or 1.0, None, 1, seed)
            network = self._network(_settings.replicas(config, 1, None), X, targets, weights)
            network.set_parameters(self._parameters)
            if self._handles.state is not None:
                network.adopt(self._handles.state)
        loss = network.partial_fit(X, targets, weights)
        self._handles = Handles(network)
        self._parameters, self._kept = network.parameters(), [0]
        self.n_iter_ += 1
        self.loss_ = loss * loss_scale + self._loss_constant(targets)
        self.loss_curve_ = [*self.loss_curve_, self.loss_]
        self.best_loss_ = min(self.loss_curve_)
        self._load()

    def _predict_all(self, X, pair):
        """Probabilities or numbers [rows, outputs]."""
        check_is_fitted(self)
        if hasattr(self, "_model"):
            return self._predict_table(X)
        # As scikit-learn's, predictions have the rows' type.
        dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        return self._handles.predict(self, self._shape(), self._parameters, X, pair).astype(dtype, copy=False)

    def _keep_out_of_fold(self, X, order, folds):
        """What is predicted of each row by the networks that did not learn it."""
        each, pair = self._each(), self._is_pair()
        all_rows = np.full((len(X), 2 if pair else self.n_outputs_), np.nan)
        for fold, (start, end) in enumerate(folds):
            own = [place for place, network in enumerate(self._kept) if network // self.ensemble == fold]
            if own:
                parameters = self._parameters.reshape(-1, each)[own].ravel()
                held_out = np.ascontiguousarray(X[start:end])
                all_rows[order[start:end]] = Handles().predict(self, self._shape(), parameters, held_out, pair)
        self.oof_prediction_ = self._as_predicted(all_rows)

    @property
    def coefs_(self):
        """The weights [inputs, outputs] of each layer; of several networks [networks, inputs, outputs]. They cannot be written."""
        return self._tensors()[0]

    @property
    def intercepts_(self):
        """The biases of each layer, alike."""
        return self._tensors()[1]

    def _tensors(self):
        if not hasattr(self, "_widths"):
            raise AttributeError(f"{type(self).__name__} has no parameters before it is fitted")
        networks = self._parameters.reshape(-1, self._each())
        networks = networks[0] if len(networks) == 1 else networks
        weights, biases, start = [], [], 0
        for inputs, outputs in zip(self._widths, self._widths[1:]):
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            weights.append(networks[..., start:middle].reshape(*networks.shape[:-1], inputs, outputs))
            biases.append(networks[..., middle:end])
            start = end
        for tensor in (*weights, *biases):
            tensor.flags.writeable = False
        return weights, biases

    def save(self, path):
        """Writes the model's file, which the command `mlp` takes, too, and `load` reads."""
        check_is_fitted(self)
        if hasattr(self, "_model"):
            return self._model.save(path)
        return save_arrays(self, path, self._labels())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


def check_parameters(estimator):
    """Checks the parameters of an estimator that a search trains."""
    check(estimator, _RULES)
    plain = {"preset": "plain", "ensemble": 1, "folds": None, "early_stopping": False, "warm_start": False}
    for setting, default in plain.items():
        if getattr(estimator, setting) != default:
            refuse(estimator, setting, "the default in a search that trains networks side by side")


def begin_network(estimator, arrays, y):
    """Draws the first parameters of a network for rows and targets; the generator for what is drawn next."""
    X, targets = arrays
    rng = check_random_state(estimator.random_state)
    outputs = estimator._outputs(targets)
    estimator._begin([X.shape[1], *layers(estimator.hidden_layer_sizes), outputs], 1, rng, target_name(y))
    return rng


def draw(widths, activation, rng):
    """scikit-learn's first parameters, draw for draw (Glorot and Bengio 2010)."""
    factor = 2.0 if activation == "logistic" else 6.0
    parts = []
    for inputs, outputs in zip(widths, widths[1:]):
        bound = np.sqrt(factor / (inputs + outputs))
        parts.append(rng.uniform(-bound, bound, (inputs, outputs)).ravel())
        parts.append(rng.uniform(-bound, bound, outputs))
    return np.concatenate(parts).astype(np.float32)


class MLPClassifier(ClassifierMixin, _MLP):
    """scikit-learn's `MLPClassifier` on the engine, with its parameters and defaults.

    Its own are `device` ("auto", "cpu", "gpu", a number of `devices()` or a part of a name), `preset` ("plain", or "tabular" for data
    frames as `TabularClassifier` takes them), `ensemble` (networks that predict together), `folds` (a network for each fold, which holds
    it out), `metric` (what early stopping looks at, "loss" or "accuracy") and `n_threads`. `activation` and `solver` take the engine's
    names besides. `max_fun` is of no use: there is no L-BFGS.
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        device="auto",
        preset="plain",
        ensemble=1,
        folds=None,
        metric=None,
        n_threads=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.device = device
        self.preset = preset
        self.ensemble = ensemble
        self.folds = folds
        self.metric = metric
        self.n_threads = n_threads

    def fit(self, X, y, sample_weight=None):
        """Learns the classes `y`, or an indicator for each of several labels, of the rows `X`."""
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Trains for one epoch on these rows. The first call has to name all classes, unless each of `y` is several labels."""
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self.classes_ = (
                np.arange(np.shape(y)[1]) if type_of_target(y).startswith("multilabel") else unique_labels(classes)
            )
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """The most probable class of each row; of several labels those that are more probable than not."""
        probabilities = self._predict_all(X, self._is_fitted_pair())
        if self._is_multilabel:
            return (probabilities > 0.5).astype(int)
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(probabilities))
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X):
        """The probability of each class, in the order of `classes_`; of several labels that of each."""
        probabilities = self._predict_all(X, self._is_fitted_pair())
        is_single = not self._is_multilabel and len(self.classes_) == 1
        return np.ones((len(probabilities), 1), dtype=probabilities.dtype) if is_single else probabilities

    def predict_log_proba(self, X):
        """The logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _validate(self, X, y, incremental, is_first):
        X, y = validate_data(self, X, y, multi_output=True, dtype=np.float32, order="C", reset=is_first)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError("Multioutput target data is not supported: expected one column of classes, or indicators")
        is_multilabel = kind == "multilabel-indicator"
        found = np.arange(y.shape[1]) if is_multilabel else np.unique(y)
        if is_first and not incremental:
            self.classes_ = found
        elif self.warm_start and not incremental and not np.array_equal(found, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously got "
                f"{self.classes_}, `y` has {found}"
            )
        elif len(np.setdiff1d(found, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )
        self._is_multilabel = is_multilabel
        if is_multilabel:
            return X, np.ascontiguousarray(y, dtype=np.float32)
        # Two classes have one output, the probability of the second; the index of the class stands in one column anyway.
        return X, np.searchsorted(self.classes_, y).astype(np.float32).reshape(-1, 1)

    def _outputs(self, targets):
        if self._is_multilabel:
            return targets.shape[1]
        return 1 if len(self.classes_) <= 2 else len(self.classes_)

    def _loss_name(self):
        is_multiclass = not self._is_multilabel and len(self.classes_) > 2
        return "softmax_cross_entropy" if is_multiclass else "binary_cross_entropy"

    def _out_activation(self):
        return "softmax" if self._loss_name() == "softmax_cross_entropy" else "logistic"

    def _is_pair(self):
        return not self._is_multilabel and len(self.classes_) == 2

    def _is_fitted_pair(self):
        check_is_fitted(self)
        return self._is_pair()

    def _is_stratified(self):
        # Of more classes scikit-learn's rows for validation are not.
        return not self._is_multilabel and (bool(self.folds) or len(self.classes_) <= 2)

    def _metric(self):
        return self.metric or ("accuracy" if self.early_stopping else "loss")

    def _validation_score(self, _targets, loss_scale):
        return loss_scale, lambda loss, accuracy: -loss * loss_scale

    def _loss_constant(self, _targets):
        return 0.0

    def _as_predicted(self, rows):
        return rows

    def _labels(self):
        if self._is_multilabel or len(self.classes_) == 1:
            return None
        return {"classes": [label_of(value) for value in self.classes_]}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, _MLP):
    """scikit-learn's `MLPRegressor` on the engine, with its parameters and defaults.

    Its own are those of `MLPClassifier`; `metric` is "loss".
    """

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        device="auto",
        preset="plain",
        ensemble=1,
        folds=None,
        metric=None,
        n_threads=None,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.device = device
        self.preset = preset
        self.ensemble = ensemble
        self.folds = folds
        self.metric = metric
        self.n_threads = n_threads

    def fit(self, X, y, sample_weight=None):
        """Learns the numbers `y`, one or several of each row."""
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        """Trains for one epoch on these rows."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """The number of each row, or its numbers."""
        return self._as_predicted(self._predict_all(X, False))

    def _validate(self, X, y, _incremental, is_first):
        check(self, {"loss": one_of(list(_LOSSES)), "metric": optional(one_of(["loss"]))})
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float32, order="C", reset=is_first)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        with np.errstate(over="ignore"):
            targets = np.ascontiguousarray(y, dtype=np.float32).reshape(len(y), -1)
        if not np.isfinite(targets).all():
            raise ValueError("y contains a number that is infinity or too large for dtype('float32')")
        return X, targets

    def _outputs(self, targets):
        return targets.shape[1]

    def _loss_name(self):
        return _LOSSES[self.loss]

    def _out_activation(self):
        return "exp" if self.loss == "poisson" else "identity"

    def _is_pair(self):
        return False

    def _is_stratified(self):
        return False

    def _metric(self):
        return "loss"

    def _validation_score(self, targets, loss_scale):
        """R² by the mean squared error; of counts less their loss."""
        variance = float(targets.var(axis=0).mean())
        if self.loss == "poisson" or variance == 0.0:
            return loss_scale, lambda loss, accuracy: -loss * loss_scale
        return 1.0 / variance, lambda loss, accuracy: 1.0 - loss / variance

    def _loss_constant(self, targets):
        """What a Poisson deviance has beside the part that depends on the network."""
        if self.loss != "poisson":
            return 0.0
        y = targets.astype(np.float64)
        return float((xlogy(y, y) - y).mean() * targets.shape[1])

    def _as_predicted(self, rows):
        return rows.ravel() if rows.shape[1] == 1 else rows

    def _labels(self):
        return {} if self.n_outputs_ == 1 else None


_LOSSES = {"squared_error": "mean_squared_error", "poisson": "poisson"}
