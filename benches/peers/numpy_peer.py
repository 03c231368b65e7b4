"""The training as fast as numpy does it: float32, every array allocated once and written with out=, one matrix product a
layer for z and one for both gradients: the bias is the last row of the weight, its input a column of ones."""

import numpy as np

import workload


class Trainer:
    def __init__(self, case, x, y, parameters, dtype=np.float32):
        rows, batch, layers = case["rows"], case["batch"], case["layers"]
        self.case, self.random, self.steps, self.losses = case, np.random.default_rng(0), 0, []
        self.depth = len(layers) - 1
        sizes = [(i + 1) * o for i, o in zip(layers, layers[1:])]
        self.flat, self.grad, self.m, self.v, self.scratch = (np.zeros(sum(sizes), dtype) for _ in range(5))
        self.wb, self.dwb = (
            [part.reshape(-1, o) for part, o in zip(np.split(flat, np.cumsum(sizes)[:-1]), layers[1:])]
            for flat in (self.flat, self.grad)
        )
        for wb, (weight, bias) in zip(self.wb, parameters):
            wb[:-1], wb[-1] = weight, bias
        self.data = np.hstack([x, np.ones((rows, 1))]).astype(dtype)  # the ones come along when rows are gathered
        self.targets = y.astype(dtype if layers[-1] == 1 else np.intp)
        self.full = [np.ones((batch, n + 1), dtype) for n in layers[:-1]]  # a layer's input and the ones
        if batch == rows:
            self.full[0], self.y = self.data, self.targets
        else:
            self.y = np.empty((batch, 1), self.targets.dtype)
        self.a = [full[:, :-1] for full in self.full]
        self.dz = [np.empty((batch, n), dtype) for n in layers[1:]]
        self.live = [np.empty((batch, n), bool) for n in layers[1:-1]]
        self.row, self.every = np.empty((batch, 1), dtype), np.arange(batch)

    def train(self, epochs):
        rows, batch = self.case["rows"], self.case["batch"]
        for _ in range(epochs):
            order = self.random.permutation(rows) if batch < rows else None
            for start in range(0, rows, batch):
                if order is not None:
                    chosen = order[start : start + batch]
                    np.take(self.data, chosen, axis=0, out=self.full[0], mode="clip")
                    np.take(self.targets, chosen, axis=0, out=self.y, mode="clip")
                self.step()

    def step(self):
        full, a, dz, wb = self.full, self.a, self.dz, self.wb
        for k in range(self.depth - 1):
            np.matmul(full[k], wb[k], out=a[k + 1])
            np.maximum(a[k + 1], 0, out=a[k + 1])
        z = dz[-1]
        np.matmul(full[-1], wb[-1], out=z)
        self.losses.append(self.sigmoid(z) if z.shape[1] == 1 else self.softmax(z))
        z *= z.dtype.type(1 / len(z))
        for k in reversed(range(self.depth)):
            np.matmul(full[k].T, dz[k], out=self.dwb[k])
            if k > 0:
                np.matmul(dz[k], wb[k][:-1].T, out=dz[k - 1])
                np.greater(a[k], 0, out=self.live[k - 1])
                np.multiply(dz[k - 1], self.live[k - 1], out=dz[k - 1])
        self.sgd() if self.case["optimizer"] == "sgd" else self.adam()

    def sigmoid(self, z):
        """Leaves sigma(z) - y in z, and returns the mean loss, log(1 + e^-z) + z (1 - y)."""
        np.subtract(1, self.y, out=self.row)
        loss = np.mean(np.multiply(z, self.row, out=self.row))
        np.negative(z, out=z)
        np.exp(z, out=z)
        np.add(z, 1, out=z)
        loss += np.mean(np.log(z, out=self.row))
        np.reciprocal(z, out=z)
        np.subtract(z, self.y, out=z)
        return loss

    def softmax(self, z):
        """Leaves softmax(z) - onehot(y) in z, and returns the mean loss."""
        np.subtract(z, np.max(z, axis=1, keepdims=True, out=self.row), out=z)
        right = np.mean(z[self.every, self.y[:, 0]])
        np.exp(z, out=z)
        np.sum(z, axis=1, keepdims=True, out=self.row)
        np.divide(z, self.row, out=z)
        z[self.every, self.y[:, 0]] -= 1
        return np.mean(np.log(self.row, out=self.row)) - right

    def sgd(self):
        np.multiply(self.grad, self.grad.dtype.type(self.case["learning_rate"]), out=self.grad)
        np.subtract(self.flat, self.grad, out=self.flat)

    def adam(self):
        self.steps += 1
        real = self.flat.dtype.type
        c1, c2 = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        g, m, v, t = self.grad, self.m, self.v, self.scratch
        m *= real(0.9)
        m += np.multiply(g, real(0.1), out=t)
        v *= real(0.999)
        g *= g
        v += np.multiply(g, real(0.001), out=t)
        np.sqrt(np.multiply(v, real(1 / c2), out=t), out=t)
        t += real(1e-8)
        np.divide(m, t, out=t)
        t *= real(self.case["learning_rate"] / c1)
        self.flat -= t

    def parameters(self):
        return [(wb[:-1], wb[-1]) for wb in self.wb]


class Product:
    def __init__(self, a, b):
        self.a, self.b, self.c = a, b, np.empty((len(a), b.shape[1]), a.dtype)

    def run(self, count):
        for _ in range(count):
            np.matmul(self.a, self.b, out=self.c)

    def result(self):
        return self.c


if __name__ == "__main__":
    options = workload.arguments()
    if options.device != "cpu":
        workload.skip("numpy has no GPU")
    workload.main(options, "numpy f32", np.__version__, workload.device_name(), Trainer, Product)
