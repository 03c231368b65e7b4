"""Arrays are read where they lie where their type allows it."""

import numpy as np
import pytest
from sklearn.utils.validation import validate_data

from wgpu_mlp import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_rows_of_f32_are_not_copied(moons):
    X = np.ascontiguousarray(moons[0], dtype=np.float32)
    model = MLPClassifier(device="cpu", max_iter=2).fit(X, moons[1])
    checked = validate_data(model, X, dtype=np.float32, order="C", reset=False)
    assert np.shares_memory(checked, X)
    predictor = model._handles.predictor[1]
    # In place: what is written there afterwards is seen.
    first = predictor.predict(X, True)
    X[:] = 0.0
    assert not np.array_equal(predictor.predict(X, True), first)
    with pytest.raises(ValueError, match="C order"):
        predictor.predict(np.asfortranarray(X), True)
    with pytest.raises(TypeError):
        predictor.predict(X.astype(np.float64), True)
