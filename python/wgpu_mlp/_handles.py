"""What an estimator holds of the engine. A pickle holds none of it but the state from which `partial_fit` goes on."""

from . import _engine
from ._threads import threads

# Rows for which a GPU keeps buffers; a call may have more.
ROWS = 4096


class Handles:
    """The networks in training, and the loaded ones that predict."""

    def __init__(self, network=None, state=None):
        self.network = network
        self.state = state
        self.predictor = None

    def __reduce__(self):
        state = self.state if self.network is None else self.network.state()
        return Handles, (None, state)

    def predict(self, estimator, shape, parameters, x, pair):
        """Predictions of rows; the networks are loaded once for a device."""
        key = (estimator.device, threads(estimator.n_threads))
        if self.predictor is None or self.predictor[0] != key:
            self.predictor = key, _engine.Predictor(*key, *shape, parameters, ROWS)
        return self.predictor[1].predict(x, pair)
