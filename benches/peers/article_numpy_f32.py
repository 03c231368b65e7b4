"""The same training as fast as numpy does it: float32, every array allocated once and written with out=, one matrix
product a layer for Z and one for both gradients (the bias is the last row of the weight, its input a column of ones).
No loss is computed on the way."""

import time

import numpy as np

import workload


def train(x, y, epochs, learning_rate):
    """Returns [(weight [in, out], bias [out])]."""
    rows = len(x)
    depth = len(workload.LAYERS) - 1
    wb = [np.vstack([w, b]).astype(np.float32) for w, b in workload.initial_parameters()]  # [in + 1, out]
    w = [p[:-1] for p in wb]
    grad = [np.empty_like(p) for p in wb]
    full = [np.ones((rows, n + 1), np.float32) for n in workload.LAYERS[:-1]]  # a layer's input and the ones
    a = [f[:, :-1] for f in full]
    a[0][:] = x
    dz = [np.empty((rows, n), np.float32) for n in workload.LAYERS[1:]]
    live = [np.empty((rows, n), bool) for n in workload.LAYERS[1:-1]]
    out = np.empty((rows, 1), np.float32)
    y = y.astype(np.float32)
    scale = np.float32(learning_rate / rows)  # put on the last dZ, it makes every gradient the step itself

    for _ in range(epochs):
        for k in range(depth - 1):
            np.matmul(full[k], wb[k], out=a[k + 1])
            np.maximum(a[k + 1], 0, out=a[k + 1])
        np.matmul(full[-1], wb[-1], out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.add(out, 1, out=out)
        np.reciprocal(out, out=out)

        np.subtract(out, y, out=dz[-1])
        np.multiply(dz[-1], scale, out=dz[-1])
        for k in reversed(range(depth)):
            np.matmul(full[k].T, dz[k], out=grad[k])
            if k > 0:
                np.matmul(dz[k], w[k].T, out=dz[k - 1])
                np.greater(a[k], 0, out=live[k - 1])
                np.multiply(dz[k - 1], live[k - 1], out=dz[k - 1])
            np.subtract(wb[k], grad[k], out=wb[k])
    return [(p[:-1], p[-1]) for p in wb]


def main():
    epochs = workload.epochs()
    x, y, _, _ = workload.data()
    start = time.perf_counter()
    final = train(x, y, epochs, workload.LEARNING_RATE)
    seconds = time.perf_counter() - start
    workload.report("numpy f32, in place", np.__version__, epochs, seconds, final)


if __name__ == "__main__":
    main()
