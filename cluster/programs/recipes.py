"""What `programs.binaries` builds: which Go packages, and what their programs are called.

The folders of the workspace (`cluster/programs/go/go.work`) are resolved together, so that each
dependency has one version and is compiled once. The other folders are for tests and
benchmarks, which ask for them by name; each has versions of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES_VERSION = "1.37.2"
_VERSION_PACKAGE = "k8s.io/component-base/version"
_CNI = "github.com/containernetworking/plugins/plugins"
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"
# One set of flags for all, because one `go build` builds all. The linker would leave out what
# the compiler writes for debuggers (-w); without it compiling takes a tenth less.
BUILD_FLAGS = (
    "-trimpath",
    "-buildvcs=false",
    "-gcflags=all=-dwarf=false",
    "-tags=no_btrfs,no_devmapper,no_zfs",
    f"-ldflags=-s -w -X {_VERSION_PACKAGE}.gitVersion=v{KUBERNETES_VERSION}"
    f" -X {_VERSION_PACKAGE}.gitMajor=1 -X {_VERSION_PACKAGE}.gitMinor=37",
)


@dataclass(frozen=True)
class Recipe:
    """How to build one folder of `cluster/programs/go`, and what comes out.

    `usual_minutes` is from an empty cache on two cores, for those outside of the workspace.
    """

    packages: tuple[str, ...]
    programs: tuple[str, ...]
    also_called: tuple[str, ...] = ()
    usual_minutes: float = 0.0

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.programs + self.also_called

    @property
    def in_workspace(self) -> bool:
        return not self.usual_minutes


RECIPES: dict[str, Recipe] = {
    "kubernetes": Recipe(
        ("./kubernetes",),
        ("kubernetes",),
        also_called=(
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubelet",
            "kubectl",
            "node-addons",
            "metrics-server",
        ),
    ),
    "etcd": Recipe(("go.etcd.io/etcd/server/v3",), ("etcd",)),
    "containerd": Recipe(
        (
            f"{_CONTAINERD}/containerd",
            f"{_CONTAINERD}/containerd-shim-runc-v2",
            f"{_CONTAINERD}/ctr",
        ),
        ("containerd", "containerd-shim-runc-v2", "ctr"),
    ),
    "cni": Recipe(
        (
            f"{_CNI}/main/ptp",
            f"{_CNI}/main/loopback",
            f"{_CNI}/ipam/host-local",
            f"{_CNI}/meta/portmap",
        ),
        ("ptp", "loopback", "host-local", "portmap"),
    ),
    "coredns": Recipe(("./coredns",), ("coredns",)),
    "helm": Recipe(("helm.sh/helm/v4/cmd/helm",), ("helm",)),
    "pause": Recipe(("./pause",), ("pause",)),
    "nvidia-smi": Recipe(("./nvidia-smi",), ("nvidia-smi",)),
    "kwok": Recipe(("sigs.k8s.io/kwok/cmd/kwok",), ("kwok",), usual_minutes=1.1),
    "registry": Recipe(
        ("github.com/google/go-containerregistry/cmd/registry",), ("registry",), usual_minutes=0.2
    ),
    "actionlint": Recipe(
        ("github.com/rhysd/actionlint/cmd/actionlint",), ("actionlint",), usual_minutes=0.2
    ),
    "training-operator": Recipe(
        ("github.com/kubeflow/training-operator/cmd/training-operator.v1",),
        ("training-operator.v1",),
        usual_minutes=1.8,
    ),
}
NEEDED = tuple(name for name, recipe in RECIPES.items() if recipe.in_workspace)
