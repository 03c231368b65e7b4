"""scikit-learn's tools over the processes of a Dask cluster on this machine."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from wgpu_mlp import MLPClassifier

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")
def test_a_search_over_two_workers(moons):
    model = MLPClassifier(device="cpu", random_state=0, max_iter=20, n_threads=1)
    grid = {"hidden_layer_sizes": [(5,), (10,)], "alpha": [1e-4, 1.0]}
    alone = GridSearchCV(model, grid, cv=2).fit(*moons)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client, joblib.parallel_config("dask"):
        assert len(client.scheduler_info()["workers"]) == 2
        spread = GridSearchCV(model, grid, cv=2).fit(*moons)
    np.testing.assert_array_equal(spread.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
