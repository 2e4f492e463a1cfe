"""A cluster that the user has: what is read of it, and how images reach it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from cluster.errors import CannotGoOn
from cluster.workshop import foreign

IMAGE = "localhost/fashion-mnist:1.2.0"


def kubeconfig(folder: Path, context: str = "kind-class", **cluster) -> Path:
    config = {
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443", **cluster}}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return path


def test_kind_is_known_by_its_context_and_loads_an_archive(tmp_path):
    own = foreign.read(kubeconfig(tmp_path, "kind-class"))
    assert foreign.load_commands(own, IMAGE, Path("/a.tar"), "podman") == [
        ["kind", "load", "image-archive", "/a.tar", "--name", "class"]
    ]


def test_minikube_is_known_by_its_extension_under_any_profile(tmp_path):
    extension = {"name": "cluster_info", "extension": {"provider": "minikube.sigs.k8s.io"}}
    own = foreign.read(kubeconfig(tmp_path, "my-profile", extensions=[extension]))
    assert foreign.load_commands(own, IMAGE, Path("/a.tar"), "podman") == [
        ["minikube", "image", "load", "/a.tar", "--profile", "my-profile"]
    ]


def test_a_class_without_a_registry_takes_no_image_and_the_sentence_says_so(tmp_path):
    extension = {"name": "tfjob-workshop", "extension": {"provider": foreign.CLASS}}
    own = foreign.read(kubeconfig(tmp_path, "ann", extensions=[extension]))
    with pytest.raises(CannotGoOn, match="REGISTRY="):
        foreign.load_commands(own, IMAGE, Path("/a.tar"), "podman")


def test_any_other_cluster_gets_images_through_the_registry_that_the_user_names(tmp_path):
    own = foreign.read(kubeconfig(tmp_path, "prod"), registry="localhost:5000/class")
    commands = foreign.load_commands(own, IMAGE, Path("/a.tar"), "buildah")
    pushed = next(command for command in commands if "push" in command)
    assert pushed[-1] == "localhost:5000/class/fashion-mnist:1.2.0"
    assert "--tls-verify=false" in pushed
    remote = foreign.read(kubeconfig(tmp_path, "prod"), registry="images.example:5000")
    commands = foreign.load_commands(remote, IMAGE, Path("/a"), "buildah", ["sudo", "buildah"])
    assert all(command[:2] == ["sudo", "buildah"] for command in commands)
    assert any("--tls-verify=true" in command for command in commands)


def test_docker_pushes_what_it_has_loaded(tmp_path):
    own = foreign.read(kubeconfig(tmp_path, "prod"), registry="localhost:5000")
    verbs = [command[1] for command in foreign.load_commands(own, IMAGE, Path("/a"), "docker")]
    assert verbs == ["load", "tag", "push"]


def test_a_cluster_that_needs_a_registry_says_so_before_anything_is_remembered(tmp_path):
    with pytest.raises(CannotGoOn, match="REGISTRY="):
        foreign.adopt(tmp_path / "lab", kubeconfig(tmp_path, "prod"), "", assume_yes=True)
    assert foreign.remembered(tmp_path / "lab") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a: [", "not YAML", id="broken YAML"),
        pytest.param("just words", "not a kubeconfig", id="not a mapping"),
        pytest.param("clusters: []", "use-context", id="no current context"),
        pytest.param(
            json.dumps({"current-context": "a", "contexts": [{"name": "b"}]}),
            "use-context",
            id="a current context that is not there",
        ),
    ],
)
def test_a_file_that_is_no_kubeconfig_gets_one_sentence(tmp_path, text, words):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(CannotGoOn, match=words):
        foreign.read(path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"contexts": [{"name": "a", "context": "c"}]}, id="a context"),
        pytest.param({"clusters": [{"name": "c", "cluster": "s"}]}, id="a cluster"),
        pytest.param({"clusters": "c", "contexts": 1}, id="sections"),
        pytest.param({"current-context": ["a"]}, id="the current context"),
    ],
)
def test_a_part_that_is_no_mapping_is_as_if_it_were_not_there(tmp_path, change):
    config = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": "s"}}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    assert foreign.read(tmp_path / "config").server == "s"
    (tmp_path / "config").write_text(json.dumps({**config, **change}))
    with pytest.raises(CannotGoOn, match="use-context"):
        foreign.read(tmp_path / "config")


@pytest.mark.parametrize("extensions", [[{"name": "x", "extension": None}], ["x"], "x", None])
def test_an_extension_that_is_empty_is_nobodys(tmp_path, extensions):
    own = foreign.read(kubeconfig(tmp_path, "prod", extensions=extensions))
    assert own.provider == "registry"


def test_a_kubeconfig_that_is_no_text_gets_a_sentence(tmp_path):
    (tmp_path / "config").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CannotGoOn, match="is not YAML"):
        foreign.read(tmp_path / "config")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CannotGoOn, match="nowhere"):
        foreign.read(tmp_path / "nowhere")


def test_a_registry_with_an_option_in_it_is_refused(tmp_path):
    with pytest.raises(CannotGoOn, match="REGISTRY"):
        foreign.read(kubeconfig(tmp_path), registry="--authfile=/etc/shadow")


def test_the_choice_is_asked_once_and_remembered(tmp_path, monkeypatch):
    answers = iter(["y"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    lab, config = tmp_path / "lab", kubeconfig(tmp_path)
    first = foreign.adopt(lab, config, "", assume_yes=False)
    again = foreign.adopt(lab, config, "", assume_yes=False)
    assert first == again == foreign.remembered(lab)


def test_labs_that_agree_at_once_all_remember(tmp_path):
    config = kubeconfig(tmp_path)
    with ThreadPoolExecutor(20) as pool:
        adopted = list(pool.map(lambda _: foreign.adopt(tmp_path, config, "", True), range(40)))
    assert set(adopted) == {foreign.remembered(tmp_path)}


def test_declining_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(SystemExit, match="Nothing was changed"):
        foreign.adopt(tmp_path / "lab", kubeconfig(tmp_path), "", assume_yes=False)
    assert foreign.remembered(tmp_path / "lab") is None
