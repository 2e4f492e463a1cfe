"""The local Kubernetes of the workshop: `python -m cluster --help`.

Imports nothing: `host.machine` runs before the virtual environment exists.
"""
