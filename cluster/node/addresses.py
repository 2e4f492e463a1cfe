"""What is called how on the node, and answers where: the same in every cluster.

Paths are those inside the node.
"""

from __future__ import annotations

NODE_NAME = "lab-node"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443
METRICS_PORT = 10251

BIN = "/opt/tfjob-workshop/bin"
PKI = "/etc/kubernetes/pki"
CONFIG = "/etc/kubernetes"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
VOLUMES = "/var/lib/volumes"

PAUSE_IMAGE = "localhost/pause:1.0.0"
COREDNS_IMAGE = "localhost/coredns:1.13.1"
