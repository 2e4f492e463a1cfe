"""What a node consists of: namespaces, mounts, network, components. `python -m cluster.node`."""
