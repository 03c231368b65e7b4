"""A run beside Python: signals, threads, processes. Nothing here is decided by how fast it goes."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.datasets import make_moons

from wgpu_mlp import MLPClassifier, TabularClassifier, _engine, devices

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Far more epochs than any test waits for.
ENDLESS = 10**9


def endless(**settings):
    return MLPClassifier(
        **{"device": "cpu", "random_state": 0, "max_iter": ENDLESS, "n_iter_no_change": float("inf"), **settings}
    )


@pytest.fixture
def interrupted(monkeypatch):
    """Ends the run by Ctrl-C after some steps, from another thread, which has its turns while the engine trains; tells when."""
    steps, told = queue.SimpleQueue(), []
    # A shell's background jobs ignore Ctrl-C, and what they start does so, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def send():
        while steps.get() < 200:
            pass
        told.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    # A function in C, which runs no Python: the engine itself has to look for the signal.
    for module in ("_mlp", "_table_fit"):
        monkeypatch.setattr(f"wgpu_mlp.{module}.reports", lambda verbose: (steps.put, None))
    thread = threading.Thread(target=send)
    thread.start()
    yield told
    print(f"ended {time.monotonic() - told[0]:.2f} s after the interrupt")
    thread.join()
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"ensemble": 2}], ids=str)
def test_an_interrupt_ends_a_run_and_keeps_what_was_learned(moons, interrupted, settings):
    with pytest.warns(UserWarning, match="Training interrupted by user."):
        model = endless(**settings).fit(*moons)
    assert 1 <= model.n_iter_ < ENDLESS and len(model.loss_curve_) == model.n_iter_
    assert model.score(*moons) > 0.6


def test_an_interrupt_ends_a_run_on_a_table(moons, interrupted):
    with pytest.warns(UserWarning, match="Training interrupted by user."):
        model = TabularClassifier("plain", max_iter=ENDLESS, device="cpu", random_state=0).fit(*moons)
    assert model.score(*moons) > 0.6


def test_an_exception_of_a_report_ends_the_run(moons, monkeypatch):
    def fail(*_):
        raise RuntimeError("no more")

    monkeypatch.setattr("wgpu_mlp._mlp.reports", lambda verbose: (None, fail))
    with pytest.raises(RuntimeError, match="no more"):
        endless().fit(*moons)


def test_threads_train_beside_each_other(moons):
    """Several at a time, on one pool of threads, give what each gives alone."""
    alone = [
        MLPClassifier(device="cpu", random_state=seed, max_iter=15).fit(*moons).predict_proba(moons[0])
        for seed in range(4)
    ]
    found = [None] * 4

    def fit(seed):
        found[seed] = MLPClassifier(device="cpu", random_state=seed, max_iter=15).fit(*moons).predict_proba(moons[0])

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, found):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_trains():
    """It has none of its parent's threads, and starts its own."""
    program = """
import os, sys
import pandas as pd
from sklearn.datasets import make_moons
from wgpu_mlp import MLPClassifier, TabularClassifier
X, y = make_moons(100, noise=0.2, random_state=0)
def train():
    MLPClassifier(device="cpu", max_iter=3).fit(X, y).predict(X)
    return TabularClassifier("plain", max_iter=3, device="cpu", random_state=0).fit(pd.DataFrame(X, columns=["a", "b"]), y).predict_proba(X)[0, 0]
before = train()
child = os.fork()
if child == 0:
    os._exit(0 if train() == before else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_number_of_threads_changes_no_bits():
    X, y = make_moons(2000, noise=0.2, random_state=0)
    one, two = (
        MLPClassifier(device="cpu", random_state=0, max_iter=3, n_threads=n).fit(X, y).predict_proba(X) for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert _engine.device_name("cpu", 3) == "CPU, 3 threads"


def test_a_gpu_learns_what_the_cpu_does(moons):
    """On the first adapter there is, software too."""
    if not devices():
        pytest.skip("no GPU adapter, not even Mesa's software Vulkan")
    on_gpu, on_cpu = (
        MLPClassifier((8,), device=device, random_state=0, max_iter=20).fit(*moons) for device in ("gpu", "cpu")
    )
    np.testing.assert_allclose(on_gpu.predict_proba(moons[0]), on_cpu.predict_proba(moons[0]), atol=1e-3)
