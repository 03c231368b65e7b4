"""Models as files: those of the command `mlp`, both ways."""

import numpy as np

from . import _engine


def label_of(value):
    """A class or a category as a text, as the command writes it: whole numbers without a point, true and false."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def classes_of(labels):
    """The classes of a model's labels: whole numbers, truth values or texts, as all of them are."""
    if all(label.lstrip("-").isdigit() and str(int(label)) == label for label in labels):
        return np.array([int(label) for label in labels])
    if [label.lower() for label in labels] == ["false", "true"]:
        return np.array([False, True])
    return np.array(labels)


def target_name(y):
    """The name of a series; `y` where it has none."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else "y"


def save_arrays(estimator, path, labels):
    """Writes an estimator that was fitted on arrays. `labels` of classes; None where the command has no such target."""
    columns = {}
    if labels is not None:
        names = getattr(estimator, "feature_names_in_", None)
        names = [f"x{at}" for at in range(estimator.n_features_in_)] if names is None else [str(name) for name in names]
        target = estimator._target_name
        while target in names:
            target += "_"
        columns = {"names": names, "target": target, **labels}
    _engine.Model.of_arrays(*estimator._shape(), estimator._parameters, **columns).save(path)


def load(path):
    """An estimator with the model of a file, or of a folder that `mlp train --out` wrote: a `TabularClassifier` or `TabularRegressor`,
    or an `MLPClassifier` or `MLPRegressor` where it takes its numbers as they are.
    """
    from ._mlp import MLPClassifier, MLPRegressor
    from ._tabular import TabularClassifier, TabularRegressor

    model = _engine.Model.load(path)
    if model.features is None:
        raise ValueError(
            f"{path}: the model takes no tables, and says nothing of its features: it cannot be loaded here"
        )
    *hidden, last = model.activations
    is_array = model.is_plain and len(set(hidden)) <= 1 and last == "identity"
    if not is_array or model.loss not in _LOSSES:
        estimator = TabularClassifier() if model.classes else TabularRegressor()
        return estimator._take_model(model)
    widths, activation = model.widths, hidden[0] if hidden else "relu"
    settings = {"hidden_layer_sizes": tuple(widths[1:-1]), "activation": activation, "ensemble": model.networks}
    if model.classes:
        estimator = MLPClassifier(**settings)
        estimator.classes_, estimator._is_multilabel = classes_of(model.classes), False
    else:
        estimator = MLPRegressor(_LOSSES[model.loss], **settings)
    estimator.n_features_in_ = len(model.features)
    if model.features != [f"x{at}" for at in range(len(model.features))]:
        estimator.feature_names_in_ = np.array(model.features, dtype=object)
    estimator._begin(widths, 0, None, model.target)
    estimator._parameters, estimator._kept = model.parameters, list(range(model.networks))
    return estimator


# The losses of scikit-learn's MLPs.
_LOSSES = {
    "binary_cross_entropy": None,
    "softmax_cross_entropy": None,
    "mean_squared_error": "squared_error",
    "poisson": "poisson",
}
