"""What the JSON of a script here says of a run: when, at which commit, on which machine, by which command. Without other
libraries, which would count in the memory of what a script starts."""

import datetime
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit():
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None


def head(**machine):
    """To be made before the work, whose load is not to count; `machine` is what the script knows of it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    words = [a if not a.startswith("/") else os.path.basename(a) for a in sys.argv[1:]]
    machine |= {"system": platform.platform(), "load_before": os.getloadavg()}
    return {"date": now.strftime("%Y-%m-%d"), "commit": commit(), "machine": machine, "command": " ".join([pathlib.Path(sys.argv[0]).name, *words])}
