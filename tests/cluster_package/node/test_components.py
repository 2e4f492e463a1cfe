import json
import tomllib

import pytest

from cluster.node import addresses, components, configuration
from cluster.node.drivers import Driver
from cluster.node.gpus import Gpus

ALL = {c.name: c for c in components.components("10.213.0.2")}


def flags(name):
    return dict(
        argument.removeprefix("--").partition("=")[::2] for argument in ALL[name].command[1:]
    )


@pytest.mark.parametrize("name", ALL)
def test_each_component_is_started_under_its_own_name(name):
    assert ALL[name].command[0] == f"{addresses.BIN}/{name}"


def test_the_gpus_are_there_before_the_kubelet_looks_at_its_pods():
    """The API server is asked after both: while it starts, an answer may take a second."""
    names = list(ALL)
    waiting = [name for name, each in ALL.items() if each.after == components.API_READY]
    assert names.index("node-addons") < names.index("kubelet") < min(map(names.index, waiting))


@pytest.mark.parametrize(
    ("name", "flag", "value"),
    [
        pytest.param("kube-apiserver", "authorization-mode", "Node,RBAC", id="RBAC decides"),
        pytest.param(
            "kube-apiserver",
            "kubelet-certificate-authority",
            f"{addresses.PKI}/ca.crt",
            id="the API server checks the kubelet",
        ),
        pytest.param("etcd", "client-cert-auth", "", id="etcd asks for a certificate"),
        pytest.param("kube-proxy", "conntrack-max-per-core", "0", id="the host's limits stay"),
        pytest.param("kubelet", "node-ip", "10.213.0.2", id="the node has the given address"),
        pytest.param(
            "kube-controller-manager",
            "use-service-account-credentials",
            "",
            id="each controller has its own rights",
        ),
        pytest.param(
            "kube-apiserver",
            "runtime-config",
            "scheduling.k8s.io/v1beta1=true",
            id="PodGroups are served",
        ),
        pytest.param(
            "metrics-server",
            "kubelet-certificate-authority",
            f"{addresses.PKI}/ca.crt",
            id="metrics-server checks the kubelet",
        ),
        pytest.param("metrics-server", "bind-address", "10.213.0.2", id="where its Service points"),
    ],
)
def test_flags(name, flag, value):
    assert flags(name)[flag] == value


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
def test_all_who_must_know_groups_of_pods_do(name):
    assert flags(name)["feature-gates"] == "GenericWorkload=true"


def test_no_component_skips_checking_certificates():
    text = " ".join(argument for c in ALL.values() for argument in c.command)
    assert "insecure" not in text
    assert "token-auth-file" not in text


def test_the_kubelet_asks_the_api_server_who_may_use_it():
    config = json.loads(configuration.kubelet_config("tfjob-workshop/abc"))
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authentication"]["webhook"] == {"enabled": True}
    assert config["authorization"] == {"mode": "Webhook"}


def test_pods_live_in_the_clusters_own_cgroup():
    config = json.loads(configuration.kubelet_config("tfjob-workshop/abc"))
    assert config["cgroupRoot"] == "/tfjob-workshop/abc"


def test_loaded_images_are_never_collected():
    config = json.loads(configuration.kubelet_config("x"))
    assert config["imageGCHighThresholdPercent"] == 100


@pytest.mark.parametrize(
    ("may_lower", "restricted"),
    [
        pytest.param(True, False, id="with CAP_SYS_RESOURCE scores are set as asked"),
        pytest.param(False, True, id="without CAP_SYS_RESOURCE they are kept within bounds"),
    ],
)
def test_oom_scores(may_lower, restricted):
    config = tomllib.loads(configuration.containerd_config("/usr/sbin/runc", may_lower))
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is restricted
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/usr/sbin/runc"


def test_pods_are_connected_point_to_point():
    config = json.loads(configuration.cni_config())
    assert [plugin["type"] for plugin in config["plugins"]] == ["ptp", "portmap"]


def test_a_node_without_gpus_simulates_none_for_claims_either():
    none = Gpus(0, claimable=("40Gi",))
    given = {c.name: c.command for c in components.components("", none)}
    assert {"--gpus=0", "--gpu-claimable="} <= set(given["node-addons"])


def test_the_gpus_addon_is_given_what_was_handed_in():
    handed = Gpus(2, 100, "old.example/gpu", ("40Gi", "80Gi"), Driver(home="/driver"))
    given = {c.name: c.command for c in components.components("", handed)}
    assert {
        "--gpus=2",
        "--gpu-memory=100",
        "--gpu-old-name=old.example/gpu",
        "--gpu-claimable=40Gi,80Gi",
        "--gpu-driver=/driver",
    } <= set(given["node-addons"])
