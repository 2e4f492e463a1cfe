"""The local Kubernetes of the workshop: `python -m cluster --help`.

Imports nothing: `cluster.host` runs before the virtual environment exists.
"""
