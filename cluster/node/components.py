"""What runs on the node: the components' command lines and configuration, as data.

Pure: `lifecycle.up` writes the files, `cluster.node` runs the commands. Paths are
those inside the node, where they are the same for every cluster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

NODE_NAME = "lab-node"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
API_PORT = 6443
METRICS_PORT = 10251
# Simulated cards: four that are asked for by number, under today's name and that of 2017,
# and two more that a ResourceClaim selects by what they are (DRA).
GPUS = 4
MOST_GPUS = 64
GPU_MEMORY_MIB = 16384
GPU_NAME = "nvidia.com/gpu"
GPU_NAME_2017 = "alpha.kubernetes.io/nvidia-gpu"
GPU_NAMES = (GPU_NAME, GPU_NAME_2017)
CLAIMABLE_GPUS = ("40Gi", "80Gi")

BIN = "/opt/tfjob-workshop/bin"
PKI = "/etc/kubernetes/pki"
CONFIG = "/etc/kubernetes"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
# Clients that are refused before RBAC is there wait for seconds before they ask again.
API_READY = "API server is ready"
VOLUMES = "/var/lib/volumes"
GPU_DRIVER = "/usr/lib/nvidia-384"
# Several Pods start together or none: PodGroups, which 1.37 has but does not yet turn on.
GANG_SCHEDULING = "--feature-gates=GenericWorkload=true"
# Composed: no text of the repository names a registry's host.
DEFAULT_REGISTRY = "docker" + ".io"
PAUSE_IMAGE = "localhost/pause:1.0.0"
COREDNS_IMAGE = "localhost/coredns:1.13.1"


@dataclass(frozen=True)
class Gpus:
    """A node's simulated GPUs: so many by number, and if any, those of `CLAIMABLE_GPUS` for DRA.

    `with_old_name` counts them under the name of 2017 as well, which no cluster of today does.
    """

    count: int = GPUS
    with_old_name: bool = True


@dataclass(frozen=True)
class Component:
    """One process: its command, and what it needs first.

    That is the socket (a path) or the local port of another, or `API_READY`.
    """

    name: str
    command: tuple[str, ...]
    after: str | int | None = None


def components(address: str, gpus: Gpus = Gpus()) -> list[Component]:
    """The node's processes in the order in which they are started."""
    return [
        Component("etcd", etcd()),
        Component("containerd", (f"{BIN}/containerd", "--config", f"{CONFIG}/containerd.toml")),
        Component("kube-apiserver", api_server(address), after=2379),
        Component("kubelet", kubelet(address), after=CONTAINERD_SOCKET),
        Component("kube-controller-manager", controller_manager(), after=API_READY),
        Component("kube-scheduler", scheduler(), after=API_READY),
        Component("kube-proxy", proxy(address), after=API_READY),
        # Its device plugin has to be there before the kubelet looks at the Pods that it had.
        Component("node-addons", addons(gpus), after=CONTAINERD_SOCKET),
        Component("metrics-server", metrics_server(address), after=API_READY),
    ]


def etcd() -> tuple[str, ...]:
    return (
        f"{BIN}/etcd",
        "--name=lab",
        "--data-dir=/var/lib/etcd",
        "--listen-client-urls=https://127.0.0.1:2379",
        "--advertise-client-urls=https://127.0.0.1:2379",
        "--listen-peer-urls=https://127.0.0.1:2380",
        "--initial-advertise-peer-urls=https://127.0.0.1:2380",
        "--initial-cluster=lab=https://127.0.0.1:2380",
        "--client-cert-auth",
        f"--trusted-ca-file={PKI}/etcd-ca.crt",
        f"--cert-file={PKI}/etcd.crt",
        f"--key-file={PKI}/etcd.key",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={PKI}/etcd-ca.crt",
        f"--peer-cert-file={PKI}/etcd.crt",
        f"--peer-key-file={PKI}/etcd.key",
        # A lab that is thrown away need not survive a power cut; this saves seconds.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def api_server(address: str) -> tuple[str, ...]:
    return (
        f"{BIN}/kube-apiserver",
        f"--advertise-address={address}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--etcd-servers=https://127.0.0.1:2379",
        f"--etcd-cafile={PKI}/etcd-ca.crt",
        f"--etcd-certfile={PKI}/kube-apiserver-etcd.crt",
        f"--etcd-keyfile={PKI}/kube-apiserver-etcd.key",
        f"--client-ca-file={PKI}/ca.crt",
        f"--tls-cert-file={PKI}/kube-apiserver.crt",
        f"--tls-private-key-file={PKI}/kube-apiserver.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/kube-apiserver-kubelet.crt",
        f"--kubelet-client-key={PKI}/kube-apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={PKI}/front-proxy.crt",
        f"--proxy-client-key-file={PKI}/front-proxy.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={PKI}/service-accounts.pub",
        f"--service-account-signing-key-file={PKI}/service-accounts.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        GANG_SCHEDULING,
        "--runtime-config=scheduling.k8s.io/v1beta1=true",
        # metrics-server then answers before kube-proxy knows its Service.
        "--enable-aggregator-routing=true",
    )


def controller_manager() -> tuple[str, ...]:
    kubeconfig = f"{PKI}/kube-controller-manager.kubeconfig"
    return (
        f"{BIN}/kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--client-ca-file={PKI}/ca.crt",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        f"--root-ca-file={PKI}/ca.crt",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        f"--service-account-private-key-file={PKI}/service-accounts.key",
        "--use-service-account-credentials",
        "--leader-elect=false",
        # With the defaults, 20 requests a second, 400 Jobs take two minutes to complete.
        "--concurrent-job-syncs=20",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        GANG_SCHEDULING,
    )


def scheduler() -> tuple[str, ...]:
    kubeconfig = f"{PKI}/kube-scheduler.kubeconfig"
    return (
        f"{BIN}/kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        GANG_SCHEDULING,
    )


def proxy(address: str) -> tuple[str, ...]:
    return (
        f"{BIN}/kube-proxy",
        f"--kubeconfig={PKI}/kube-proxy.kubeconfig",
        "--proxy-mode=nftables",
        f"--cluster-cidr={POD_RANGE}",
        f"--hostname-override={NODE_NAME}",
        f"--bind-address={address}",
        # Limits of connection tracking belong to the host; leave them as they are.
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    )


def kubelet(address: str) -> tuple[str, ...]:
    return (
        f"{BIN}/kubelet",
        f"--config={CONFIG}/kubelet.json",
        f"--kubeconfig={PKI}/kubelet.kubeconfig",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={address}",
    )


def addons(gpus: Gpus) -> tuple[str, ...]:
    return (
        f"{BIN}/node-addons",
        f"--kubeconfig={PKI}/node-addons.kubeconfig",
        f"--node={NODE_NAME}",
        f"--volumes={VOLUMES}",
        f"--gpus={gpus.count}",
        f"--gpu-memory={GPU_MEMORY_MIB}",
        f"--gpu-old-name={GPU_NAME_2017 if gpus.with_old_name else ''}",
        f"--gpu-claimable={','.join(CLAIMABLE_GPUS if gpus.count else ())}",
        f"--gpu-driver={GPU_DRIVER}",
    )


def metrics_server(address: str) -> tuple[str, ...]:
    kubeconfig = f"{PKI}/metrics-server.kubeconfig"
    return (
        f"{BIN}/metrics-server",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={address}",
        f"--secure-port={METRICS_PORT}",
        f"--tls-cert-file={PKI}/metrics-server.crt",
        f"--tls-private-key-file={PKI}/metrics-server.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        # As often as it allows: a learner looks at a training of a minute.
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",
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
