"""What the workshop wants of the cluster, and its own commands: `python -m cluster.workshop`."""
