"""Trains a small convolutional network on Fashion-MNIST, alone or as a TfJob.

    python -m fashion_mnist.train --help
    python -m fashion_mnist.predict --help

Modules: `train` and `predict` are the command lines; `training` the loop; `model` and `data` what
it trains and on what. None of them knows Kubernetes: a TfJob reaches the program
through the environment variable TF_CONFIG alone.
"""
