"""What every peer shares: the data, the split, the initial parameters, and the one line of JSON it prints at its end.

A peer adds only its own way to run the training. All are judged alike: the parameters they end with go through one
float64 forward pass here.
"""

import argparse
import json

import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

LAYERS = [2, 25, 50, 50, 25, 1]  # relu on the hidden layers, sigmoid on the last
LEARNING_RATE = 0.01
EPOCHS = 10_000
SEED = 1105


def epochs():
    """The number of epochs, from the command line of a peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    return parser.parse_args().epochs


def data():
    """Train and test rows in float64: x as [rows, 2], y as [rows, 1]; 900 rows and 100."""
    x, y = make_moons(1000, noise=0.2, random_state=100)
    y = y.reshape(-1, 1).astype(np.float64)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.1, random_state=42)
    return x_train, y_train, x_test, y_test


def initial_parameters():
    """[(weight [in, out], bias [out])] in float64, drawn layer by layer: the weight, then the bias."""
    np.random.seed(SEED)
    return [
        (np.random.randn(fan_in, fan_out) / 10, np.random.randint(1, 10, size=fan_out) / 100)
        for fan_in, fan_out in zip(LAYERS, LAYERS[1:])
    ]


def loss_and_accuracy(parameters, x, y):
    """Mean binary cross entropy (natural log, from the logits) and the share of rows right at threshold 0.5."""
    a = x
    for weight, bias in parameters:
        z = a @ np.asarray(weight, np.float64) + np.asarray(bias, np.float64)
        a = np.maximum(z, 0)
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
    return float(loss), float(np.mean((z > 0) == (y > 0.5)))


def report(name, version, epochs, seconds, parameters, compile_seconds=None):
    """Prints the peer's result as one line of JSON. `parameters` as initial_parameters() has them."""
    x_train, y_train, x_test, y_test = data()
    train_loss, _ = loss_and_accuracy(parameters, x_train, y_train)
    test_loss, test_accuracy = loss_and_accuracy(parameters, x_test, y_test)
    result = {"name": name, "version": version, "epochs": epochs, "seconds": seconds}
    if compile_seconds is not None:
        result["compile_seconds"] = compile_seconds
    result |= {
        "train_loss": train_loss,
        "test_loss": test_loss,
        "test_log10_loss": test_loss / np.log(10),
        "test_accuracy": test_accuracy,
    }
    print(json.dumps(result))
