"""What a cluster is called, and what it can do."""

import json

import pytest

from modules import here
from modules.here import Here, facts


def node(name, **allocatable):
    names = {key.replace("_", "/"): value for key, value in allocatable.items()}
    return {"metadata": {"name": name}, "status": {"allocatable": {"cpu": "2", **names}}}


LOCAL = {"nvidia.com_gpu": "4", "alpha.kubernetes.io_nvidia-gpu": "4"}
LAB = frozenset({"gpu", "gpu-2017", "local"})


@pytest.mark.parametrize(
    ("context", "namespace", "nodes", "wanted"),
    [
        pytest.param(
            "workshop", "default", [node("lab-node", **LOCAL)],
            Here({}, LAB), id="the lab",
        ),
        pytest.param(
            "workshop", "docs-5", [node("test-node", **LOCAL)],
            Here({"test-node": "lab-node", "docs-5": "default"}, LAB),
            id="a test's place",
        ),
        pytest.param(
            "kind-kind", "", [node("one"), node("two")],
            Here({"one": "lab-node", "two": "lab-node"}, frozenset({"no-gpu"})),
            id="a cluster of one's own",
        ),
        pytest.param(
            "class", "", [node("one", **{"nvidia.com_gpu": "0"})],
            Here({"one": "lab-node"}, frozenset({"no-gpu"})), id="a node whose GPUs are gone",
        ),
        pytest.param(
            "class", "", [node("one", **{"alpha.kubernetes.io_nvidia-gpu": "1"})],
            Here({"one": "lab-node"}, frozenset({"gpu", "gpu-2017"})),
            id="a GPU as of 2017",
        ),
        pytest.param(
            "class", "", [node("one", **{"nvidia.com_gpu": "1"})],
            Here({"one": "lab-node"}, frozenset({"gpu", "gpu-today"})), id="a GPU as of today",
        ),
        pytest.param("", "", [], Here(), id="nothing that answers"),
    ],
)  # fmt: skip
def test_names_and_abilities_follow_from_what_the_cluster_says(context, namespace, nodes, wanted):
    assert facts(context, namespace, nodes) == wanted


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A kubectl that knows a context and its nodes."""

    def install(context, nodes):
        config = {"current-context": context, "contexts": [{"context": {"namespace": "mine"}}]}
        (tmp_path / "config").write_text(json.dumps(config))
        (tmp_path / "get").write_text(json.dumps({"items": nodes}))
        program = tmp_path / "kubectl"
        program.write_text(f'#!/bin/bash\ncat "{tmp_path}/$1"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return install


def test_the_cluster_is_asked_by_kubectl(kubectl):
    kubectl("workshop", [node("lab-node", **LOCAL)])
    assert here.look() == Here({"mine": "default"}, LAB)


@pytest.mark.parametrize(
    ("ability", "code", "said"),
    [
        pytest.param("local", 0, "", id="it can"),
        pytest.param("gpu", 1, "Not run here: this cluster has no GPUs.\n", id="it cannot"),
    ],
)
def test_the_command_line_answers_for_one_ability(kubectl, capsys, ability, code, said):
    kubectl("workshop", [node("lab-node")])
    assert here.main([ability]) == code
    assert capsys.readouterr().out == said


def test_a_cluster_whose_first_answer_is_lost_is_asked_again(kubectl, tmp_path):
    kubectl("workshop", [node("lab-node", **LOCAL)])
    program = tmp_path / "kubectl"
    first = f'mkdir "{tmp_path}/asked-$1" 2>&- && exit 1\n'
    program.write_text(program.read_text().replace("\n", "\n" + first, 1))
    assert here.look() == Here({"mine": "default"}, LAB)


@pytest.mark.parametrize(
    ("nodes", "answers"),
    [
        pytest.param([node("one", **LOCAL)], True, id="with GPUs"),
        pytest.param([node("one")], True, id="without"),
        pytest.param([], False, id="no node was seen"),
    ],
)
def test_a_cluster_answers_if_it_names_a_node(nodes, answers):
    assert facts("workshop", "", nodes).answers == answers


def test_a_machine_without_kubectl_can_do_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert here.look() == Here()


def test_of_several_abilities_all_have_to_hold(kubectl, capsys):
    kubectl("class", [node("one", **LOCAL)])
    assert here.main(["gpu", "gpu-2017"]) == 0
    assert here.main(["gpu", "local"]) == 1
    assert "not the workshop's local cluster" in capsys.readouterr().out
