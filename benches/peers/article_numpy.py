"""The network as the article writes it: numpy in float64, a dictionary of parameters, Z and A kept by the forward pass,
one function for each layer's backward pass, loss and accuracy recorded in every epoch. The article's work alone."""

import numpy as np

import workload

ARCHITECTURE = [
    {"input_dim": fan_in, "output_dim": fan_out, "activation": "relu"}
    for fan_in, fan_out in zip(workload.ARTICLE, workload.ARTICLE[1:])
]
ARCHITECTURE[-1]["activation"] = "sigmoid"


def init_layers():
    params = {}
    for i, (weight, bias) in enumerate(workload.first_parameters(workload.ARTICLE, article=True), 1):
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


class Trainer:
    def __init__(self, case, x, y, parameters):
        self.X, self.Y, _, _ = workload.moons()  # float64, as the parameters
        self.params, self.learning_rate = init_layers(), case["learning_rate"]
        self.loss_history, self.accuracy_history = [], []

    def train(self, epochs):
        for _ in range(epochs):
            Y_hat, memory = full_forward(self.X, self.params)
            self.loss_history.append(get_loss(Y_hat, self.Y))
            self.accuracy_history.append(get_accuracy(Y_hat, self.Y))
            grads = full_backward(Y_hat, self.Y, memory, self.params)
            self.params = update(self.params, grads, self.learning_rate)

    def parameters(self):
        return [(self.params[f"W{i}"], self.params[f"b{i}"]) for i in range(1, len(ARCHITECTURE) + 1)]


if __name__ == "__main__":
    options = workload.arguments()
    if options.device != "cpu":
        workload.skip("numpy has no GPU")
    workload.main(
        options,
        "numpy f64, the article's",
        np.__version__,
        workload.device_name(),
        Trainer,
        supports=lambda case: case["name"] == "W1",
    )
