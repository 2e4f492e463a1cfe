"""Drives the operator against a control plane on loopback and prints what 100 to 5,000 jobs cost.

``python -m bench.operator`` is the entry; bench/README.md has the figures and how to read them.
"""
