import json

import pytest

from cluster import files, paths
from cluster.lifecycle import export


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        pytest.param("token: abc123", "token: ", "abc123", id="a token"),
        pytest.param("Authorization: Basic abc", "Authorization: ", "abc", id="a header"),
        pytest.param("proxy http://ann:pw@proxy:3128", "http://ann:", "pw@", id="a proxy"),
        pytest.param(
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb",
            "a\n(left out)\nb",
            "MHc",
            id="a key",
        ),
        pytest.param(f"x eyJ{'a' * 20}.bbb.ccc y", "x (left out) y", "eyJ", id="a signed token"),
    ],
)
def test_secrets_are_left_out(text, kept, gone):
    said = export.redacted(text)
    assert kept in said
    assert gone not in said


def test_what_is_no_secret_stays():
    text = "E1125 kubelet: pod default/x: no such image localhost/x:1"
    assert export.redacted(text) == text


def test_a_merged_cluster_has_names_of_its_own_and_takes_over_no_context():
    ours = {"clusters": [{"name": "workshop", "cluster": {"server": "s"}}]}
    ours["users"] = [{"name": "admin", "user": {"token": "t"}}]
    found = export.renamed(ours, "workshop-lab")
    assert "current-context" not in found
    assert found["contexts"][0]["context"]["cluster"] == "workshop-lab"
    assert found["clusters"][0] == {"name": "workshop-lab", "cluster": {"server": "s"}}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's own kubeconfig; a kubectl that appends it to ours."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho ours; cat "${KUBECONFIG#*:}"\n')
    kubectl.chmod(0o755)
    monkeypatch.setattr(export.binaries, "folder", lambda: tmp_path)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("theirs\n")
    return tmp_path / ".kube/config"


@pytest.fixture
def merge(own):
    cluster = paths.Cluster("x", own.parent)
    cluster.folder.mkdir(parents=True)
    ours = {"clusters": [{"cluster": {}}], "users": [{"user": {}}]}
    cluster.kubeconfig.write_text(json.dumps(ours))
    return lambda: export.merge_kubeconfig(cluster, own, print)


def test_a_second_merge_keeps_the_kubeconfig_as_it_was_before_the_first(own, merge):
    merge()
    merge()
    assert own.read_text() == "ours\nours\ntheirs\n"
    assert own.with_name("config.before-workshop").read_text() == "theirs\n"


def test_a_merge_that_the_disk_has_no_room_for_loses_nothing(own, merge, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(files.paths, "to_disk", fail)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                merge()
    merge()
    assert own.read_text() == "ours\ntheirs\n"
    assert own.with_name("config.before-workshop").read_text() == "theirs\n"


def test_a_kubeconfig_that_is_a_link_stays_one(own, merge):
    real = own.rename(own.with_name("real"))
    own.symlink_to(real)
    merge()
    assert own.is_symlink()
    assert real.read_text() == "ours\ntheirs\n"


def test_a_merged_kubeconfig_is_for_its_owner_alone(own, merge):
    merge()
    assert {path.stat().st_mode & 0o777 for path in own.parent.glob("config*")} == {0o600}
