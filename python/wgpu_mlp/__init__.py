"""Multilayer perceptrons on any GPU and on the CPU, with scikit-learn's interface.

`MLPClassifier` and `MLPRegressor` are scikit-learn's, with its names and defaults; `TabularClassifier` and `TabularRegressor` take
data frames as they are, with categories, dates and missing cells. `load` reads a model of the command `mlp`, and `save` writes one.
"""

from ._engine import __version__, devices
from ._files import load
from ._mlp import MLPClassifier, MLPRegressor
from ._search import EnsembleSearch
from ._tabular import TabularClassifier, TabularRegressor

__all__ = [
    "EnsembleSearch",
    "MLPClassifier",
    "MLPRegressor",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "devices",
    "load",
]
