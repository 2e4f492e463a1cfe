"""The chart with both major versions of Helm, and before a real API server."""

import pytest
import yaml

from cluster.programs import binaries, recipes

CHART = "operator/chart"
# Helm 3 knows no cluster here, and takes a Kubernetes version of its own.
KUBERNETES = ("--kube-version", recipes.KUBERNETES_VERSION)
DRY_RUN = ("apply", "--server-side", "--force-conflicts", "--dry-run=server")
OPTIONS = [
    pytest.param([], id="no option"),
    pytest.param(["namespace={namespace}"], id="one namespace"),
    pytest.param(["namespace={namespace}", "nameOverride=second"], id="a second one beside it"),
    pytest.param(["rbac.install=false", "cloud=gke"], id="roles that others made"),
    pytest.param(
        [
            "cloud=azure",
            "gangScheduling=kubernetes",
            "networkPolicy.enabled=true",
            "networkPolicy.namespaces={{{namespace}}}",
            "podDisruptionBudget.enabled=true",
            "image.digest=sha256:" + "0" * 64,
        ],
        id="what a platform team switches on",
    ),
]


@pytest.fixture(scope="module")
def helm3():
    """Helm 3, built on first use; `helm` on PATH is Helm 4."""
    return str(binaries.ensure(["helm3"]) / "helm3")


def render(cluster, helm, namespace, options):
    settings = (option.format(namespace=namespace) for option in options)
    flags = [flag for setting in settings for flag in ("--set", setting)]
    command = (helm, "template", "tf-job", CHART, "--namespace", namespace, *KUBERNETES, *flags)
    return cluster.run(*command).stdout


def objects(text):
    return list(filter(None, yaml.safe_load_all(text)))


@pytest.mark.parametrize("options", OPTIONS)
def test_helm_3_renders_what_helm_4_renders(cluster, helm3, options):
    assert cluster.run(helm3, "version", "--short").stdout.startswith("v3.")
    assert cluster.run("helm", "version", "--short").stdout.startswith("v4.")
    with_3, with_4 = (objects(render(cluster, helm, "ml", options)) for helm in (helm3, "helm"))
    assert with_3
    assert with_3 == with_4


def test_helm_3_finds_nothing_and_refuses_a_value_that_is_misspelt(cluster, helm3):
    assert "0 chart(s) failed" in cluster.run(helm3, "lint", "--strict", CHART).stdout
    command = (helm3, "template", CHART, *KUBERNETES, "--set", "clout=azure")
    refused = cluster.run(*command, check=False)
    assert refused.returncode
    assert "clout" in refused.stderr


@pytest.mark.parametrize("options", OPTIONS)
def test_the_api_server_accepts_all_that_is_rendered(cluster, operator_release, namespace, options):
    text = render(cluster, "helm", namespace, options)
    accounts = [obj for obj in objects(text) if obj["kind"] == "ServiceAccount"]
    here = ("--namespace", namespace, "--filename", "-")
    cluster.kubectl("apply", *here, input=yaml.safe_dump_all(accounts))  # Pods need theirs
    done = cluster.kubectl(*DRY_RUN, *here, input=text)
    answered = done.stdout.strip().splitlines()
    assert len(answered) == len(objects(text))
    assert all(line.endswith("serverside-applied (server dry run)") for line in answered)


def test_the_api_server_would_refuse_an_unknown_field(cluster, operator_release, namespace):
    text = render(cluster, "helm", namespace, []).replace("serviceAccountName:", "accountName:")
    here = ("--namespace", namespace, "--filename", "-")
    done = cluster.kubectl(*DRY_RUN, *here, input=text, check=False)
    assert done.returncode
    assert "accountName" in done.stderr
