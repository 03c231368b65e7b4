"""scikit-learn's settings as the engine's."""

import json
import math

from . import _engine

# The names of activations and of solvers, scikit-learn's first.
ACTIVATIONS = list(dict.fromkeys(["identity", "logistic", "tanh", "relu", *_engine.activations()]))
SOLVERS = list(dict.fromkeys(["adam", "sgd", *_engine.optimizers()]))

# More epochs than any run has.
NEVER = 2**32 - 1


def activation(name):
    """The engine's name of an activation."""
    return "sigmoid" if name == "logistic" else name


def loss_scales(loss, outputs):
    """What scikit-learn's loss is of the engine's, and what its gradient is.

    The engine's is the mean over rows and outputs. scikit-learn's is half the squared error, its gradient is summed over outputs, and so
    are its cross entropies and its Poisson deviance.
    """
    if loss == "mean_squared_error":
        return 0.5, outputs / 2
    return (1.0, 1.0) if loss == "softmax_cross_entropy" else (float(outputs), float(outputs))


def optimizer(estimator, gradient, weight_of_step):
    """The optimiser: `gradient` is what scikit-learn's gradient is of the engine's, `weight_of_step` the weight of a step's rows."""
    name, rule = estimator.solver, estimator.solver
    if name == "sgd" and estimator.momentum > 0:
        rule = "nesterov" if estimator.nesterovs_momentum else "momentum"
    plain = rule in ("sgd", "momentum", "nesterov")
    return {
        "rule": "adam" if rule == "adamw" else rule,
        # Steps of these rules are proportional to the gradient, those of the others do not depend on its scale.
        "learning_rate": estimator.learning_rate_init * (gradient if plain else 1.0),
        "beta_1": estimator.momentum if plain else estimator.beta_1,
        "beta_2": estimator.beta_2,
        "epsilon": estimator.epsilon if plain else estimator.epsilon / gradient,
        "weight_decay": 0.01 if rule == "adamw" else 0.0,
        "l2": estimator.alpha / weight_of_step / gradient,
    }


def schedule(estimator):
    """The schedule of the learning rate, and the rate below which an adaptive one ends the run."""
    if estimator.solver != "sgd" or estimator.learning_rate == "constant":
        return {"name": "constant"}, None
    if estimator.learning_rate == "invscaling":
        return {"name": "inverse-scaling", "power": estimator.power_t}, None
    least = 1e-6
    floor = min(1.0, least / estimator.learning_rate_init / 5)
    return {
        "name": "plateau",
        "factor": 0.2,
        "patience": patience(estimator) or NEVER,
        "min_delta": estimator.tol,
        "floor": floor,
    }, least


def patience(estimator):
    """Epochs without an improvement that are tolerated; None for any number."""
    return None if math.isinf(estimator.n_iter_no_change) else int(estimator.n_iter_no_change)


def config(estimator, rows, gradient, weight, stopping, epochs, seed):
    """A network's configuration for so many training rows with a mean weight."""
    batch = min(200 if estimator.batch_size == "auto" else estimator.batch_size, rows)
    named, least_rate = schedule(estimator)
    return {
        "epochs": epochs,
        "batch": "Full" if batch == rows else {"Rows": batch},
        "optimizer": optimizer(estimator, gradient, batch * weight),
        "seed": seed,
        "schedule": named,
        "dropout": [],
        "early_stopping": stopping,
    }, least_rate


def replicas(config, ensemble, folds):
    """All networks as the engine's JSON: an ensemble of each fold, each with its own seed."""
    ranges = [None] if folds is None else [{"start": start, "end": end} for start, end in folds]
    all_of_them = [
        {"config": {**config, "seed": config["seed"] + at * ensemble + number}, "fold": fold}
        for at, fold in enumerate(ranges)
        for number in range(ensemble)
    ]
    return json.dumps(all_of_them)
