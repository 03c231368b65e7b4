"""scikit-learn's tools over the processes of a cluster on this machine, of Dask and of Ray: joblib's backends, so the same scores."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from wgpu_mlp import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def searched(moons):
    """A search of its own under joblib's present backend, which has to give the scores of this process alone."""

    def search():
        model = MLPClassifier(device="cpu", random_state=0, max_iter=20, n_threads=1)
        grid = {"hidden_layer_sizes": [(5,), (10,)], "alpha": [1e-4, 1.0]}
        return GridSearchCV(model, grid, cv=2).fit(*moons).cv_results_["mean_test_score"]

    alone = search()
    return lambda: np.testing.assert_array_equal(search(), alone)


def test_two_workers_of_dask(searched):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client, joblib.parallel_config("dask"):
        assert len(client.scheduler_info()["workers"]) == 2
        searched()


def test_two_workers_of_ray(searched, monkeypatch):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, object_store_memory=100 << 20)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            searched()
    finally:
        ray.shutdown()
