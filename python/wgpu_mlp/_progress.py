"""What is told of a run while it goes on."""

import sys
import time


def reports(verbose):
    """What the engine calls ten times a second and after each epoch, for scikit-learn's `verbose`, or for `"bar"`."""
    if verbose == "bar":
        return Bar(), None
    return None, lines if verbose else None


def lines(replica, epoch, loss, _accuracy, validation, _validation_accuracy):
    """scikit-learn's line of an epoch."""
    network = f"Network {replica}, iteration" if replica else "Iteration"
    held_out = "" if validation is None else f", validation loss = {validation:.8f}"
    print(f"{network} {epoch}, loss = {loss:.8f}{held_out}")


class Bar:
    """A bar that is drawn over itself: in a notebook in its cell, else on stderr."""

    WIDTH = 30

    def __init__(self):
        self.began = time.monotonic()
        self.display = None

    def __call__(self, step, steps, loss):
        done = int(self.WIDTH * step / steps)
        seconds = time.monotonic() - self.began
        text = f"{'█' * done}{'░' * (self.WIDTH - done)} {100 * step // steps:3d} % loss {loss:.4g} {seconds:.0f} s"
        if in_notebook():
            self.in_cell(text)
        else:
            print(f"\r{text}", end="\n" if step == steps else "", file=sys.stderr, flush=True)

    def in_cell(self, text):
        from IPython.display import HTML, display

        shown = HTML(f"<code>{text}</code>")
        if self.display is None:
            self.display = display(shown, display_id=True)
        else:
            self.display.update(shown)


def in_notebook():
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"
