"""How many threads the engine works with."""

import os


def threads(wanted):
    """The number for the engine, 0 for one for each core.

    Without a number that of RAYON_NUM_THREADS or OMP_NUM_THREADS counts. joblib sets the latter in the processes that share a machine,
    as it does for numpy's libraries.
    """
    if wanted is not None:
        return wanted
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return int(value)
    return 0
