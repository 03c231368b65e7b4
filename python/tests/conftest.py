"""What several tests use. All of them train on the CPU unless they say so."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, make_moons
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def moons():
    return make_moons(300, noise=0.2, random_state=0)


@pytest.fixture(scope="session")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="session")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


@pytest.fixture(scope="session")
def people():
    """Columns of a frame with everything: numbers, categories, truth values, dates, missing cells; and a class and a number."""
    rng = np.random.default_rng(0)
    rows = 300
    age, city = rng.integers(18, 80, rows).astype(float), rng.choice(["Bern", "Oslo", "Rome"], rows)
    member = rng.random(rows) < 0.5
    joined = np.datetime64("2020-01-01") + rng.integers(0, 1000, rows)
    score = age / 20 + (city == "Oslo") * 2 + member + rng.normal(0, 0.1, rows)
    age[::17] = np.nan
    cities = [None if row % 23 == 0 else str(name) for row, name in enumerate(city)]
    label = np.where(score > np.median(score), "high", "low")
    return {"age": age, "city": cities, "member": member, "joined": joined.astype("datetime64[ns]")}, label, score
