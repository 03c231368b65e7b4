"""The training in JAX, float32: `scan` is one jitted program for all epochs of a part, a scan over the steps in it; `step` is a
jitted step called from Python. State is donated."""

import functools
import os

import workload

options = workload.arguments(["scan", "step"])
os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[options.device]
try:
    import jax
    import jax.numpy as jnp

    device = jax.devices()[0]
except (ImportError, RuntimeError, AssertionError) as error:  # the last is how a missing CUDA plugin shows
    workload.skip(f"JAX has no {options.device} here: {error!r}")
jax.config.update("jax_default_matmul_precision", "highest")  # f32, not TF32


def loss_of(parameters, x, y):
    a = x
    for weight, bias in parameters[:-1]:
        a = jax.nn.relu(a @ weight + bias)
    weight, bias = parameters[-1]
    z = a @ weight + bias
    if z.shape[1] == 1:
        return jnp.mean(jax.nn.softplus(z) - z * y)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y, axis=1)[:, 0])


def update(case, parameters, state, grads):
    rate = case["learning_rate"]
    if case["optimizer"] == "sgd":
        return jax.tree.map(lambda p, g: p - rate * g, parameters, grads), state
    m, v, t = state
    t += 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    c1, c2 = 1 - 0.9**t, 1 - 0.999**t
    step = lambda p, m, v: p - rate * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)
    return jax.tree.map(step, parameters, m, v), (m, v, t)


class Trainer:
    def __init__(self, case, x, y, parameters):
        self.case, self.key = case, jax.random.key(0)
        self.x = jnp.asarray(x)
        self.y = jnp.asarray(y, jnp.float32 if case["layers"][-1] == 1 else jnp.int32)
        parameters = jax.tree.map(jnp.array, parameters)
        zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
        self.state = parameters, (zeros(), zeros(), jnp.float32(0))

    def train(self, epochs):
        steps = self.case["rows"] // self.case["batch"]
        self.key, key = jax.random.split(self.key)
        if options.variant == "scan":
            self.state, losses = self.program(self.state, key, self.x, self.y, epochs)
        else:
            losses = []
            for key in jax.random.split(key, epochs) if steps > 1 else [None] * epochs:
                order = self.order(key) if steps > 1 else None
                for i in range(steps):
                    self.state, loss = self.step(self.state, self.x, self.y, order, i)
                    losses.append(loss)
        jax.block_until_ready((self.state, losses))

    @functools.partial(jax.jit, static_argnums=0)
    def order(self, key):
        return jax.random.permutation(key, self.case["rows"])

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
    def step(self, state, x, y, order, i):
        batch = self.case["batch"]
        if order is not None:
            chosen = jax.lax.dynamic_slice(order, (i * batch,), (batch,))
            x, y = x[chosen], y[chosen]
        loss, grads = jax.value_and_grad(loss_of)(state[0], x, y)
        return update(self.case, *state, grads), loss

    @functools.partial(jax.jit, static_argnums=(0, 5), donate_argnums=1)
    def program(self, state, key, x, y, epochs):
        steps = self.case["rows"] // self.case["batch"]

        def epoch(state, key):
            order = self.order(key) if steps > 1 else None
            return jax.lax.scan(lambda state, i: self.step(state, x, y, order, i), state, jnp.arange(steps))

        return jax.lax.scan(epoch, state, jax.random.split(key, epochs))

    def parameters(self):
        return self.state[0]


class Product:
    def __init__(self, a, b):
        self.a, self.b, self.multiply = jnp.asarray(a), jnp.asarray(b), jax.jit(jnp.matmul)

    def run(self, count):
        for _ in range(count):
            self.c = self.multiply(self.a, self.b)
        self.c.block_until_ready()

    def result(self):
        return jax.device_get(self.c)


if __name__ == "__main__":
    name = workload.device_name() if options.device == "cpu" else device.device_kind
    product = Product if options.variant == "scan" else None  # one product is the same in both
    workload.main(options, f"JAX, {options.variant}", jax.__version__, name, Trainer, product)
