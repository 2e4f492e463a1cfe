"""The components' configuration files, as text. Pure: `lifecycle.start` writes them."""

from __future__ import annotations

import json

from cluster.node.addresses import (
    BIN,
    CONFIG,
    CONTAINERD_SOCKET,
    DNS_ADDRESS,
    PAUSE_IMAGE,
    PKI,
    POD_RANGE,
)


def kubelet_config(cgroup: str, reserved: dict[str, str] | None = None) -> str:
    """KubeletConfiguration as JSON; `cgroup` is the parent of all Pods' cgroups.

    `reserved` is what Pods do not get of the host's memory and processors.
    """
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{PKI}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{CONFIG}/resolv.conf",
        "maxPods": 500,
        # The host has to live on beside a Pod that forks or fills its memory.
        "podPidsLimit": 4096,
        "systemReserved": reserved or {"memory": "1Gi"},
        "seccompDefault": True,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        # A collected image could not be pulled again; a full disk of the host is not our Pods'.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        "syncFrequency": "10s",
        # After its restart it would say for ten seconds that there are no GPUs.
        "nodeStatusUpdateFrequency": "2s",
        "nodeStatusReportFrequency": "5m",
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
    }
    return json.dumps(config, indent=2)


def containerd_config(runtime: str, may_lower_oom_score: bool) -> str:
    """containerd's TOML; `runtime` is the path of runc or crun.

    Without CAP_SYS_RESOURCE runc cannot set the low scores that the kubelet asks for,
    and fails with "can't get final child's PID from pipe".
    """
    restrict = "false" if may_lower_oom_score else "true"
    return f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  # Loading a profile would change the host's kernel.
  disable_apparmor = true
  restrict_oom_score_adj = {restrict}

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{BIN}"]
  conf_dir = "{CONFIG}/cni"

[plugins."io.containerd.cri.v1.runtime".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "{runtime}"
  SystemdCgroup = false
"""


def cni_config() -> str:
    """A point-to-point link for each Pod: a bridge would need br_netfilter on the host."""
    address_range = [[{"subnet": POD_RANGE}]]
    addresses = {
        "type": "host-local",
        "ranges": address_range,
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni",
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": addresses},
        {"type": "portmap", "capabilities": {"portMappings": True}, "backend": "nftables"},
    ]
    config = {"cniVersion": "1.0.0", "name": "lab", "plugins": plugins}
    return json.dumps(config, indent=2)
