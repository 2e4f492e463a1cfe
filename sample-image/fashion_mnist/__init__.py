"""Trains a small convolutional network on Fashion-MNIST, alone or as a TfJob, and serves it.

    python -m fashion_mnist.train --help
    python -m fashion_mnist.predict --help
    python -m fashion_mnist.serve --help
    python -m fashion_mnist.ask --help

Modules: `train`, `predict`, `serve` and `ask` are the command lines; `training` the loop; `model`
and `data` what it trains and on what; `rest_api`, `servable` and `tensors` what `serve` answers,
with what model, and how it reads requests. None of them knows Kubernetes: a TfJob reaches the
program through the environment variable TF_CONFIG alone.
"""
