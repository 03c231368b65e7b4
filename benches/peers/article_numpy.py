"""The network as the article writes it: numpy in float64, a dictionary of parameters, Z and A kept by the forward pass,
one function for each layer's backward pass, loss and accuracy recorded in every epoch."""

import time

import numpy as np

import workload

ARCHITECTURE = [
    {"input_dim": fan_in, "output_dim": fan_out, "activation": "relu"}
    for fan_in, fan_out in zip(workload.LAYERS, workload.LAYERS[1:])
]
ARCHITECTURE[-1]["activation"] = "sigmoid"


def init_layers():
    params = {}
    for i, (weight, bias) in enumerate(workload.initial_parameters(), 1):
        params[f"W{i}"], params[f"b{i}"] = weight, bias
    return params


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def relu(Z):
    return np.maximum(0, Z)


def sigmoid_backward(dA, Z):
    sig = sigmoid(Z)
    return dA * sig * (1 - sig)


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


ACTIVATIONS = {"relu": (relu, relu_backward), "sigmoid": (sigmoid, sigmoid_backward)}


def single_layer_forward(A_prev, W, b, activation):
    Z = np.dot(A_prev, W) + b
    return ACTIVATIONS[activation][0](Z), Z


def full_forward(X, params):
    memory = {}
    A = X
    for i, layer in enumerate(ARCHITECTURE, 1):
        A_prev = A
        A, Z = single_layer_forward(A_prev, params[f"W{i}"], params[f"b{i}"], layer["activation"])
        memory[f"A{i - 1}"], memory[f"Z{i}"] = A_prev, Z
    return A, memory


def get_loss(Y_hat, Y):
    m = Y.shape[0]
    return float((-1 / m * (np.dot(Y.T, np.log(Y_hat)) + np.dot((1 - Y).T, np.log(1 - Y_hat)))).item())


def get_accuracy(Y_hat, Y):
    return float(np.mean((Y_hat > 0.5) == Y))


def single_layer_backward(dA, W, Z, A_prev, activation):
    m = A_prev.shape[0]
    dZ = ACTIVATIONS[activation][1](dA, Z)
    dW = np.dot(A_prev.T, dZ) / m
    db = np.sum(dZ, axis=0) / m
    dA_prev = np.dot(dZ, W.T)
    return dA_prev, dW, db


def full_backward(Y_hat, Y, memory, params):
    grads = {}
    dA_prev = -(np.divide(Y, Y_hat) - np.divide(1 - Y, 1 - Y_hat))
    for i, layer in reversed(list(enumerate(ARCHITECTURE, 1))):
        dA_prev, grads[f"dW{i}"], grads[f"db{i}"] = single_layer_backward(
            dA_prev, params[f"W{i}"], memory[f"Z{i}"], memory[f"A{i - 1}"], layer["activation"]
        )
    return grads


def update(params, grads, learning_rate):
    for i in range(1, len(ARCHITECTURE) + 1):
        params[f"W{i}"] -= learning_rate * grads[f"dW{i}"]
        params[f"b{i}"] -= learning_rate * grads[f"db{i}"]
    return params


def train(X, Y, epochs, learning_rate):
    params = init_layers()
    loss_history, accuracy_history = [], []
    for _ in range(epochs):
        Y_hat, memory = full_forward(X, params)
        loss_history.append(get_loss(Y_hat, Y))
        accuracy_history.append(get_accuracy(Y_hat, Y))
        grads = full_backward(Y_hat, Y, memory, params)
        params = update(params, grads, learning_rate)
    return params


def main():
    epochs = workload.epochs()
    x, y, _, _ = workload.data()
    start = time.perf_counter()
    params = train(x, y, epochs, workload.LEARNING_RATE)
    seconds = time.perf_counter() - start
    layers = range(1, len(ARCHITECTURE) + 1)
    final = [(params[f"W{i}"], params[f"b{i}"]) for i in layers]
    workload.report("numpy f64, as in the article", np.__version__, epochs, seconds, final)


if __name__ == "__main__":
    main()
