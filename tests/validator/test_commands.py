"""Commands of a fix: right for the learner's cluster, and safe to paste."""

import shlex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.validator import tiny
from validator.commands import for_cluster, pastable, split
from validator.snapshot import Snapshot

FLAGS = ["--kubeconfig=/x/k", "--context=lab", "--namespace=ann"]
ALL = " --kubeconfig=/x/k --context=lab --namespace=ann"
NO_NAMESPACE = " --kubeconfig=/x/k --context=lab"
NAMES = st.text(st.characters(exclude_characters="\x00"), min_size=1)


def command(line, flags=FLAGS, groups=()):
    cluster = Snapshot(tiny.data(flags=list(flags), groups=list(groups)))
    return for_cluster(f"$ {line}", cluster).removeprefix("$ ")


def test_words_stay_as_they_are():
    cluster = Snapshot(tiny.data(flags=FLAGS))
    assert for_cluster("Run kubectl get nodes; it's  safe.", cluster) == (
        "Run kubectl get nodes; it's  safe."
    )


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        pytest.param("kubectl delete tfjob x", ALL, id="kubectl gets all of them"),
        pytest.param("python -m validator module5", ALL, id="so does the validator"),
        pytest.param("python {checkout}/my-module7-ex2.py", ALL, id="so does the search"),
        pytest.param("python /x/solution/search.py --no-gpu", ALL, id="and its solution"),
        pytest.param(
            "sh {checkout}/modules/8-jupyter/hub.sh start learner1 gpu", ALL, id="so do scripts"
        ),
        pytest.param("python -m cluster up", "", id="other programs get none"),
        pytest.param("python {checkout}/main.py", "", id="not every file is the search"),
        pytest.param("cp a b", "", id="nor does the shell"),
        pytest.param("sh -c ls", "", id="nor does what stands behind sh -c"),
        pytest.param("kubectl get nodes", NO_NAMESPACE, id="nodes have no namespace"),
        pytest.param("kubectl describe node/x", NO_NAMESPACE, id="one node has none"),
        pytest.param("kubectl create namespace bob", NO_NAMESPACE, id="a namespace has none"),
        pytest.param(
            "kubectl wait --for=condition=Established crd/tfjobs.tensorflow.org",
            NO_NAMESPACE,
            id="a CRD has none",
        ),
        pytest.param("kubectl cluster-info", NO_NAMESPACE, id="the cluster itself has none"),
        pytest.param("kubectl get pods -A", NO_NAMESPACE, id="all namespaces are asked"),
        pytest.param("kubectl get pods -n bob", NO_NAMESPACE, id="a short flag names one"),
        pytest.param("kubectl get pods --namespace bob", NO_NAMESPACE, id="a long flag names one"),
        pytest.param("kubectl get nodes,pods", ALL, id="of several kinds one has a namespace"),
        pytest.param("kubectl logs my-node-0", ALL, id="a Pod is called like a node"),
        pytest.param("kubectl describe pod nodes", ALL, id="a Pod is called nodes"),
        pytest.param("kubectl logs namespace", ALL, id="a Pod is called namespace"),
        pytest.param("kubectl", ALL, id="there is no verb"),
        pytest.param("kubectl get", ALL, id="there is no kind"),
        pytest.param(
            "kubectl get pods --context=other",
            " --kubeconfig=/x/k --namespace=ann",
            id="a flag that is given is not given twice",
        ),
    ],
)
def test_a_command_gets_the_flags_that_it_needs(line, flags):
    assert command(line) == line + flags


def test_helm_has_another_name_for_the_context():
    assert command("helm status tf-job") == (
        "helm status tf-job --kubeconfig=/x/k --kube-context=lab --namespace=ann"
    )
    assert command("helm list -A") == "helm list -A --kubeconfig=/x/k --kube-context=lab"


def test_flags_stand_before_the_program_that_runs_in_a_pod():
    assert command("kubectl exec p -- ls -n", ["--namespace=ann"]) == (
        "kubectl exec p --namespace=ann -- ls -n"
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("kubectl get tfjobs", "kubectl get tfjobs.tensorflow.org"),
        ("kubectl delete tfjob x", "kubectl delete tfjobs.tensorflow.org x"),
        ("kubectl get tfjobs,pods", "kubectl get tfjobs.tensorflow.org,pods"),
        ("kubectl get pods,tfjobs", "kubectl get pods,tfjobs.tensorflow.org"),
        ("kubectl wait --for condition=x tfjob/y",
         "kubectl wait --for condition=x tfjobs.tensorflow.org/y"),
        ("kubectl delete pod tfjob", "kubectl delete pod tfjob"),
        ("kubectl logs tfjob", "kubectl logs tfjob"),
        ("kubectl get pod/my-tfjob", "kubectl get pod/my-tfjob"),
        ("helm install tfjob x", "helm install tfjob x"),
    ],
)  # fmt: skip
def test_beside_kubeflow_the_full_name_of_our_tfjobs_is_written(line, shown):
    assert command(line, (), ["kubeflow.org", "tensorflow.org"]) == shown
    assert command(line, (), ["tensorflow.org"]) == line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("kubectl get tfjobs,jobs,pods", "kubectl get jobs,pods"),
        ("kubectl get pods,tfjobs -w", "kubectl get pods -w"),
        ("kubectl get tfjobs", "kubectl get tfjobs"),
        ("kubectl logs tfjob", "kubectl logs tfjob"),
    ],
)
def test_before_the_operator_has_brought_tfjobs_no_list_of_kinds_names_them(line, shown):
    assert command(line, (), ["batch"]) == shown
    assert command(line, ()) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(
            """kubectl patch job x --patch '{"spec":  {"suspend": false}}'""",
            """kubectl patch job x --patch '{"spec":  {"suspend": false}}'""",
            id="quotes and the spaces in them survive",
        ),
        pytest.param(
            """kubectl patch job x --patch='{"a": 1}'""",
            """kubectl patch job x --patch='{"a": 1}'""",
            id="of a flag only the value is quoted",
        ),
        pytest.param("kubectl logs x;reboot", "kubectl logs 'x;reboot'", id="a semicolon"),
        pytest.param("kubectl logs x | sh", "kubectl logs x '|' sh", id="a pipe"),
        pytest.param("kubectl logs x || id", "kubectl logs x '||' id", id="a second command"),
        pytest.param("kubectl logs x && id", "kubectl logs x '&&' id", id="another one"),
        pytest.param("kubectl logs `id`", "kubectl logs '`id`'", id="a backtick"),
        pytest.param("kubectl logs $(id)", "kubectl logs '$(id)'", id="a substitution"),
        pytest.param("kubectl logs x\nid", "kubectl logs x id", id="a line break"),
        pytest.param("kubectl logs o'brien", """kubectl logs 'o'"'"'brien'""", id="an odd quote"),
        pytest.param(
            "test -e {checkout}/a || cp {checkout}/b {checkout}/a",
            "test -e {checkout}/a || cp {checkout}/b {checkout}/a",
            id="behind a test a second command may stand",
        ),
    ],
)
def test_a_shell_takes_every_word_as_it_is(line, shown):
    assert command(line, ()) == shown


@settings(deadline=None)
@given(NAMES.filter(lambda name: not name.startswith("-")))
@example("namespace")
@example("tfjob")
def test_whatever_a_name_holds_it_stays_one_word(name):
    line = command(f"kubectl logs {shlex.quote(name)}")
    assert shlex.split(line) == ["kubectl", "logs", name, *FLAGS]


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_a_command_that_a_shell_can_read(text):
    once = pastable(text)
    assert shlex.split(once) == split(text)
    assert pastable(once) == once


@pytest.mark.parametrize(
    ("root", "shown"),
    [
        pytest.param("", "cp a.yaml --to=b.yaml", id="in the checkout"),
        pytest.param("../../", "cp ../../a.yaml --to=../../b.yaml", id="below it"),
        pytest.param(
            "/my labs/", "cp '/my labs/a.yaml' --to='/my labs/b.yaml'", id="a path with a space"
        ),
        pytest.param("$x/", "cp '$x/a.yaml' --to='$x/b.yaml'", id="a path like a variable"),
    ],
)
def test_paths_lead_from_the_current_folder(root, shown):
    assert pastable("cp {checkout}/a.yaml --to={checkout}/b.yaml", root) == shown
