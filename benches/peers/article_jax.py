"""The same training in JAX: float32 on the CPU, the whole loop over the epochs one jitted program. Compiling it is timed
apart. No loss is computed on the way."""

import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

import workload


def loss(parameters, x, y):
    a = x
    for weight, bias in parameters[:-1]:
        a = jax.nn.relu(a @ weight + bias)
    weight, bias = parameters[-1]
    z = a @ weight + bias
    return jnp.mean(jax.nn.softplus(z) - z * y)


def train(parameters, x, y, epochs):
    def step(_, parameters):
        grads = jax.grad(loss)(parameters, x, y)
        return jax.tree.map(lambda p, g: p - workload.LEARNING_RATE * g, parameters, grads)

    return jax.lax.fori_loop(0, epochs, step, parameters)


def main():
    epochs = workload.epochs()
    x, y, _, _ = workload.data()
    arguments = jax.tree.map(lambda v: jnp.asarray(v, jnp.float32), (workload.initial_parameters(), x, y))

    start = time.perf_counter()
    program = jax.jit(train, static_argnums=3).lower(*arguments, epochs).compile()
    compile_seconds = time.perf_counter() - start

    start = time.perf_counter()
    final = jax.block_until_ready(program(*arguments))
    seconds = time.perf_counter() - start
    workload.report("JAX f32, jitted loop", jax.__version__, epochs, seconds, final, compile_seconds)


if __name__ == "__main__":
    main()
