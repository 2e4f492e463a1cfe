"""Paints a picture with a small network: what the hyper-parameter sweep of module 7 trains.

    python -m painting.train --help

The network learns which colour is where, (x, y) → (red, green, blue), from one picture. It takes
seconds, and one sees at once which hyper-parameters are good. Modules: `train` is the command line
and the loop, `model` the network, `picture` what it paints. Options, log and summaries are made
with the helpers of `fashion_mnist`.
"""
