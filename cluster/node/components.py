"""What runs on the node: the components' command lines, as data.

Pure: `cluster.node` runs the commands. Paths are those inside the node.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.node.addresses import (
    API_PORT,
    BIN,
    CONFIG,
    CONTAINERD_SOCKET,
    METRICS_PORT,
    NODE_NAME,
    PKI,
    POD_RANGE,
    SERVICE_RANGE,
    VOLUMES,
)
from cluster.node.gpus import NO_GPUS, Gpus

# Clients that are refused before RBAC is there wait for seconds before they ask again.
API_READY = "API server is ready"
# Several Pods start together or none: PodGroups, which 1.37 has but does not yet turn on.
GANG_SCHEDULING = "--feature-gates=GenericWorkload=true"


@dataclass(frozen=True)
class Component:
    """One process: its command, and what it needs first.

    That is the socket (a path) or the local port of another, or `API_READY`.
    """

    name: str
    command: tuple[str, ...]
    after: str | int | None = None


def components(address: str, gpus: Gpus = NO_GPUS) -> list[Component]:
    """The node's processes in the order in which they are started."""
    return [
        Component("etcd", etcd()),
        Component("containerd", (f"{BIN}/containerd", "--config", f"{CONFIG}/containerd.toml")),
        Component("kube-apiserver", api_server(address), after=2379),
        # A kubelet that looks at the Pods of before, and finds no device plugin yet, refuses those
        # with a GPU for ever.
        Component("node-addons", addons(gpus), after=CONTAINERD_SOCKET),
        Component("kubelet", kubelet(address), after=CONTAINERD_SOCKET),
        Component("kube-controller-manager", controller_manager(), after=API_READY),
        Component("kube-scheduler", scheduler(), after=API_READY),
        Component("kube-proxy", proxy(address), after=API_READY),
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
        f"--gpu-memory={gpus.memory_mib}",
        f"--gpu-old-name={gpus.old_name}",
        f"--gpu-claimable={','.join(gpus.claimable if gpus.count else ())}",
        f"--gpu-driver={gpus.driver.home}",
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
