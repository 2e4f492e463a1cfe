"""A class: its list of names, what a learner gets, and the key to it."""

import pytest
import yaml

from cluster.errors import CannotGoOn
from cluster.workshop import classroom, foreign
from cluster.workshop.classroom import Share
from validator.cluster import CLASS_LABEL


def test_names_stand_on_lines_and_comments_do_not_count():
    assert classroom.names_in("\ufeff# spring\nann\r\n\n  bob-2 \n") == ["ann", "bob-2"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "it holds no name: write one on each line, such as ann", id="empty"),
        pytest.param("# ann", "it holds no name", id="only a comment"),
        pytest.param("ann\nAnn Lee", 'line 2: "Ann Lee" cannot be.*; write ann-lee', id="capitals"),
        pytest.param("Zoë", "write zoe", id="an accent"),
        pytest.param("李", "use letters, digits and hyphens", id="no letter that is left"),
        pytest.param("ann_lee@x.org", "write ann-lee-x-org", id="an address"),
        pytest.param("ann\n\nann", "line 3: ann is on line 1 already", id="twice"),
        pytest.param("kube-system", "a namespace of the cluster's own", id="the system's"),
        pytest.param("default", "a namespace of the cluster's own", id="default"),
        pytest.param("x" * 41, "write x{40}$", id="too long"),
        pytest.param("A\nB", "line 1: .*; line 2: ", id="each line has its sentence"),
    ],
)
def test_a_name_that_cannot_be_a_namespace_gets_a_sentence(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        classroom.names_in(text)


def test_a_share_is_the_learners_quota():
    quota = next(o for o in objects() if o["kind"] == "ResourceQuota")
    hard = quota["spec"]["hard"]
    assert (hard["requests.cpu"], hard["requests.memory"]) == ("2", "3Gi")
    assert hard["requests.nvidia.com/gpu"] == hard["requests.alpha.kubernetes.io/nvidia-gpu"] == "1"


def test_a_learner_gets_all_rights_at_home_and_outside_only_what_reads():
    bound = {
        (o["roleRef"]["name"], o["metadata"].get("namespace")) for o in objects() if "roleRef" in o
    }
    assert bound == {
        ("admin", "ann"),
        (classroom.LEARNER, "ann"),
        (classroom.VALIDATOR, None),
        (classroom.LOOKS, None),
        (f"{classroom.VALIDATOR}-operator", classroom.OPERATOR_NAMESPACE),
    }
    (looks,) = (o for o in classroom.shared_objects() if o["metadata"]["name"] == classroom.LOOKS)
    assert {verb for rule in looks["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_the_objects_of_two_learners_never_meet():
    names = [key(o) for learner in ("ann", "bob") for o in classroom.objects_for(learner, Share())]
    assert len(names) == len(set(names))


def test_a_namespace_that_was_there_before_is_a_stranger():
    mine = {"metadata": {"name": "ann", "labels": {classroom.LABEL: "learner"}}}
    other = {"metadata": {"name": "bob", "labels": {"team": "b"}}}
    bare = {"metadata": {"name": "chi"}}
    assert classroom.strangers(["ann", "bob", "chi", "new"], [mine, other, bare]) == ["bob", "chi"]


def test_the_validator_finds_the_class_by_the_label_of_its_namespaces():
    assert CLASS_LABEL == classroom.LABEL


@pytest.mark.parametrize("registry", ["", "images.example:5000/class"])
def test_make_lab_knows_a_learners_key_and_where_the_images_are(tmp_path, registry):
    cluster = {"server": "https://10.0.0.1:6443", "certificate-authority-data": "Q0E=", "x": 1}
    config = classroom.kubeconfig_for("ann", cluster, "token", registry)
    assert config["clusters"][0]["cluster"].keys() == {
        "server", "certificate-authority-data", "extensions"}  # fmt: skip
    file = tmp_path / "ann.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    own = foreign.read(file)
    assert (own.provider, own.registry, own.context) == (foreign.CLASS, registry, "class-ann")
    name = foreign.image_name(own, "localhost/fashion-mnist:1")
    assert name == (f"{registry}/fashion-mnist:1" if registry else "localhost/fashion-mnist:1")


def test_a_key_that_names_no_registry_but_an_option_is_refused(tmp_path):
    config = classroom.kubeconfig_for("ann", {"server": "https://x"}, "token", "--authfile=/x")
    file = tmp_path / "ann.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(CannotGoOn, match="not of the form"):
        foreign.read(file)


def objects():
    return classroom.objects_for("ann", Share(cpus="2", memory="3Gi", gpus="1"))


def key(item):
    return item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]
