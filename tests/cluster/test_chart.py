"""What the chart renders: the values of the workshop, the options of a platform team."""

import shutil

import pytest
import yaml

from cluster.paths import CHECKOUT

CHART = "operator/chart"
TEST_JOB, TEST_POD = "test-the-cluster-takes-a-tfjob", "test-the-operator-runs-the-tfjob"
GPU = "alpha.kubernetes.io/nvidia-gpu"
AZURE = {
    "lib": ("/usr/lib/nvidia-384", "/usr/lib/nvidia"),
    "bin": ("/usr/lib/nvidia-384/bin", "/usr/local/nvidia/bin"),
    "libcuda": ("/usr/lib/x86_64-linux-gnu/libcuda.so.1",) * 2,
}
GKE = {
    "lib": ("/home/kubernetes/bin/nvidia/lib", "/usr/local/nvidia/lib64"),
    "bin": ("/home/kubernetes/bin/nvidia/bin", "/usr/local/bin/nvidia"),
}


@pytest.fixture
def render(cluster):
    """Render the chart with --set flags; gives the objects by kind and name."""

    def rendered(*settings, check=True):
        flags = [flag for setting in settings for flag in ("--set", setting)]
        done = cluster.run("helm", "template", "tf-job", CHART, *flags, check=check)
        if done.returncode:
            return done.stderr
        objects = filter(None, yaml.safe_load_all(done.stdout))
        return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}

    return rendered


def config_of(objects):
    found = objects["ConfigMap", "tf-job-operator-config"]["data"]["controller_config_file.yaml"]
    return yaml.safe_load(found)


def pod_of(objects):
    return objects["Deployment", "tf-job-operator"]["spec"]["template"]["spec"]


def test_helm_lint_finds_nothing(cluster):
    done = cluster.run("helm", "lint", "--strict", CHART, "--set", "cloud=azure")
    assert "0 chart(s) failed" in done.stdout


@pytest.mark.parametrize(
    ("cloud", "volumes"),
    [
        pytest.param("azure", AZURE, id="azure"),
        pytest.param("gke", GKE, id="gke"),
        pytest.param("", {}, id="no cloud"),
    ],
)
def test_the_cloud_chooses_the_driver_folders(render, cloud, volumes):
    accelerators = config_of(render(f"cloud={cloud}"))["accelerators"]
    found = accelerators.get(GPU, {}).get("volumes", [])
    assert {v["name"]: (v["hostPath"], v["mountPath"]) for v in found} == volumes
    assert accelerators["nvidia.com/gpu"] == {}


def test_azure_names_the_library_path_of_2017(render):
    assert config_of(render("cloud=azure"))["accelerators"][GPU]["envVars"] == [
        {"name": "LD_LIBRARY_PATH", "value": "/usr/lib/nvidia:/usr/lib/x86_64-linux-gnu"}
    ]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        pytest.param("cloud=azur", "/cloud", id="a cloud that is none"),
        pytest.param("clout=azure", "clout", id="a value that is misspelt"),
        pytest.param("replicas=two", "/replicas", id="a count that is a word"),
        pytest.param("image.digest=abc", "/image/digest", id="a digest that is none"),
    ],
)
def test_the_schema_refuses(render, setting, sentence):
    assert sentence in render(setting, check=False)


@pytest.mark.parametrize("flag", ["--port=9090", "--port", "--namespace=ml", "--lease-name=x"])
def test_a_flag_that_other_objects_depend_on_is_refused_with_a_sentence(render, flag):
    refused = render(f"extraArgs={{--workers=9,{flag}}}", check=False)
    assert f"extraArgs: {flag} is for the chart to set" in refused


def test_other_flags_reach_the_operator(render):
    arguments = pod_of(render("extraArgs={--workers=9}"))["containers"][0]["args"]
    assert arguments[-1] == "--workers=9"


def test_an_accelerator_may_be_empty_and_its_variables_may_be_numbers(render):
    escaped = GPU.replace(".", r"\.")
    objects = render("cloud=azure", f"accelerators.{escaped}=null")
    assert config_of(objects)["accelerators"][GPU] is None
    variable = "accelerators.tpu.envVars[0]"
    objects = render(f"{variable}.name=CHIPS", f"{variable}.value=4")
    assert config_of(objects)["accelerators"]["tpu"]["envVars"] == [{"name": "CHIPS", "value": 4}]


def test_another_chart_can_switch_it_on_and_off(cluster, tmp_path):
    shutil.copytree(CHECKOUT / CHART, tmp_path / "charts" / "tf-job-operator-chart")
    dependency = {"name": "tf-job-operator-chart", "version": "*"}
    dependency["condition"] = "tf-job-operator-chart.enabled"
    parent = {"apiVersion": "v2", "name": "parent", "version": "1.0.0"}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump({**parent, "dependencies": [dependency]}))
    for enabled in ("true", "false"):
        flags = ("--set", f"global.team=ml,tf-job-operator-chart.enabled={enabled}")
        done = cluster.run("helm", "template", "platform", str(tmp_path), *flags)
        assert ("kind: Deployment" in done.stdout) is (enabled == "true")


def test_the_notes_say_where_a_tfjob_has_no_effect(cluster):
    command = ("helm", "install", "dry", CHART, "--dry-run=client")
    sentence = "It watches the namespace ml only: a TfJob in another namespace gets no status."
    assert sentence in cluster.run(*command, "--set", "namespace=ml").stdout
    assert "gets no status" not in cluster.run(*command).stdout


def test_a_digest_stands_in_for_the_tag(render):
    digest = "sha256:" + "0" * 64
    image = pod_of(render(f"image.digest={digest}"))["containers"][0]["image"]
    assert image == f"localhost/tf-job-operator@{digest}"


def test_the_names_are_those_of_2017(render):
    objects = render()
    deployment = objects["Deployment", "tf-job-operator"]
    assert deployment["metadata"]["labels"]["name"] == "tf-job-operator"
    container = pod_of(objects)["containers"][0]
    assert container["volumeMounts"] == [{"name": "config-volume", "mountPath": "/etc/config"}]
    assert container["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        pytest.param("podDisruptionBudget.enabled=true", "PodDisruptionBudget", id="a budget"),
        pytest.param("serviceMonitor.enabled=true", "ServiceMonitor", id="a monitor"),
    ],
)
def test_an_option_is_there_when_asked_for_and_only_then(render, setting, kind):
    assert kind in {found for found, _ in render(setting)}
    assert kind not in {found for found, _ in render()}


def test_rbac_can_be_left_to_others(render):
    objects = render("rbac.install=false")
    kinds = {kind for kind, name in objects if name == "tf-job-operator"}
    assert kinds == {"ServiceAccount", "Deployment"}
    assert {kind for kind, _ in objects if kind.startswith("Cluster")} == set()
    assert ("Job", "tf-job-operator-crd") not in objects  # which could do nothing


def pod_specs(objects):
    """The Pods of the operator, of the upgrade of the CRD, and of the test (two)."""
    return [
        pod_of(objects),
        objects["Job", "tf-job-operator-crd"]["spec"]["template"]["spec"],
        objects["Pod", TEST_POD]["spec"],
        objects["TfJob", TEST_JOB]["spec"]["replicaSpecs"][0]["template"]["spec"],
    ]


def test_every_pod_of_the_image_goes_where_the_values_say(render):
    settings = "imagePullSecrets[0].name=key", "nodeSelector.pool=a", "tolerations[0].key=gpu"
    for spec in pod_specs(render(*settings)):
        assert spec["imagePullSecrets"] == [{"name": "key"}]
        assert spec["nodeSelector"] == {"pool": "a"}
        assert spec["tolerations"] == [{"key": "gpu"}]


def test_helm_test_makes_its_job_in_the_namespace_that_is_watched(render):
    objects = render("namespace=ml")
    assert objects["TfJob", TEST_JOB]["metadata"]["namespace"] == "ml"
    waits = objects["Pod", TEST_POD]["spec"]["containers"][0]["command"]
    assert waits[-1] == f"ml/{TEST_JOB}"
    assert render()["TfJob", TEST_JOB]["metadata"]["namespace"] == "default"


def test_every_container_of_the_chart_is_restricted(render):
    objects = render()
    containers = [
        container
        for obj in objects.values()
        for pod in (obj.get("spec", {}), obj.get("spec", {}).get("template", {}).get("spec", {}))
        for container in (pod or {}).get("containers", [])
    ]
    assert len(containers) == 3  # the operator, the upgrade of the CRD, the test
    for container in containers:
        context = container["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == 65532
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_where_one_namespace_is_watched_nothing_of_the_cluster_is_asked_for(render):
    objects = render("namespace=ml")
    assert {kind for kind, _ in objects if kind.startswith("Cluster")} == set()
    for kind in ("Role", "RoleBinding"):
        assert objects[kind, "tf-job-operator"]["metadata"]["namespace"] == "ml"
    assert (
        objects["Role", "tf-job-operator"]["rules"]
        == (render()["ClusterRole", "tf-job-operator"]["rules"])
    )


def test_another_name_makes_a_second_installation_that_shares_no_object(render):
    first, second = render("namespace=a"), render("namespace=b", "nameOverride=second")
    shared = {key for key in set(first) & set(second) if not key[1].startswith("test-")}
    assert shared == set()
    arguments = pod_of_deployment(second, "second")["containers"][0]["args"]
    assert "--lease-name=second" in arguments
    assert second["Role", "second-lease"]["rules"][1]["resourceNames"] == ["second"]


def pod_of_deployment(objects, name):
    return objects["Deployment", name]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("role", "verb"), [("view", "watch"), ("edit", "create"), ("admin", "delete")]
)
def test_the_roles_for_people_aggregate_to_the_clusters_own(render, role, verb):
    found = render()["ClusterRole", f"tfjob-{role}"]
    label = f"rbac.authorization.k8s.io/aggregate-to-{role}"
    assert found["metadata"]["labels"][label] == "true"
    assert verb in found["rules"][0]["verbs"]
    assert ("create" in found["rules"][0]["verbs"]) is (role != "view")


def test_gang_scheduling_brings_its_setting_and_its_right_and_is_off_by_default(render):
    assert config_of(render())["gangScheduling"] == ""
    assert ("ClusterRole", "tf-job-operator-gang") not in render()
    objects = render("gangScheduling=kubernetes")
    assert config_of(objects)["gangScheduling"] == "kubernetes"
    (rule,) = objects["ClusterRole", "tf-job-operator-gang"]["rules"]
    assert (rule["apiGroups"], rule["resources"]) == (["scheduling.k8s.io"], ["podgroups"])


def test_pods_that_end_by_themselves_have_resources_and_a_deadline(render):
    for spec in pod_specs(render())[1:]:
        assert spec["containers"][0]["resources"]["limits"]
    assert render()["Job", "tf-job-operator-crd"]["spec"]["activeDeadlineSeconds"]
    assert render()["Pod", TEST_POD]["spec"]["activeDeadlineSeconds"]


def test_network_policies_are_there_when_asked_for(render):
    assert "NetworkPolicy" not in {kind for kind, _ in render()}
    objects = render("networkPolicy.enabled=true", "networkPolicy.namespaces={ml}")
    assert {name for kind, name in objects if kind == "NetworkPolicy"} == {
        "tf-job-operator",
        "tf-job-operator-replicas",
    }


def test_the_policy_of_replicas_is_about_no_pod_but_a_tfjobs(render):
    objects = render("networkPolicy.enabled=true", "networkPolicy.namespaces={ml}")
    policy = objects["NetworkPolicy", "tf-job-operator-replicas"]["spec"]
    (peer,) = policy["ingress"][0]["from"]
    for selector in (policy["podSelector"], peer["podSelector"]):
        wanted = [(each["key"], each["operator"]) for each in selector["matchExpressions"]]
        assert wanted == [("tensorflow.org", "Exists"), ("job_type", "Exists")]
