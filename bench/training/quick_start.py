"""TensorFlow's own quick-start model for beginners, on the same data, to compare with.

Source: the tutorial "TensorFlow 2 quickstart for beginners": one hidden layer of 128,
dropout 0.2, Adam, five epochs of batches of 32. Prints its figures as JSON.
"""

import json
import time

STARTED = time.perf_counter()

# The program's settings of TensorFlow must come first.
import fashion_mnist.train  # noqa: E402, F401

# isort: split
import keras  # noqa: E402

from fashion_mnist import data  # noqa: E402


def measure() -> dict:
    """Returns: seconds from the start of the process, and the test accuracy."""
    train, test = data.load_train(), data.load_test()
    layers = keras.layers
    network = keras.Sequential(
        [
            layers.Input((data.SIDE, data.SIDE, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    network.fit(train.images / 255.0, train.labels, epochs=5, verbose=0)
    _, accuracy = network.evaluate(test.images / 255.0, test.labels, verbose=0)
    return {"seconds": time.perf_counter() - STARTED, "accuracy": accuracy}


if __name__ == "__main__":
    print(json.dumps(measure()))
