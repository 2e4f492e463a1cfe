"""A kubeconfig of ours is read as we wrote it, and as kubectl writes it again."""

import json

import pytest
import yaml

from cluster.errors import CannotGoOn
from cluster.lifecycle import api, kubeconfigs

CONFIG = {
    "clusters": [
        {
            "name": "workshop",
            "cluster": {"server": "https://10.0.0.1:6443", "certificate-authority-data": ""},
        }
    ],
    "users": [{"name": "admin", "user": {"client-certificate-data": "", "client-key-data": ""}}],
}


@pytest.mark.parametrize("written", [json.dumps, yaml.safe_dump], ids=["ours", "kubectl's"])
def test_it_is_read_whoever_wrote_it_last(tmp_path, written):
    file = tmp_path / "kubeconfig"
    file.write_text(written(CONFIG))
    assert kubeconfigs.read(file) == CONFIG


def test_what_kind_added_to_it_is_left_aside(tmp_path):
    file = tmp_path / "kubeconfig"
    others = {"clusters": [{"name": "kind", "cluster": {"server": "s"}}], "users": [{"name": "x"}]}
    file.write_text(json.dumps({key: [*others[key], *CONFIG[key]] for key in CONFIG}))
    assert kubeconfigs.read(file) == CONFIG


OF_KIND = json.dumps({**CONFIG, "clusters": [{"name": "kind", "cluster": {"server": "s"}}]})
NO_SERVER = json.dumps({**CONFIG, "clusters": [{"name": "workshop", "cluster": {}}]})


NONE = ["", "{", "a: [", "[]", "{}", "clusters: []\nusers: []", "users: 1\nclusters: 1", "\xff"]


@pytest.mark.parametrize("text", [OF_KIND, NO_SERVER, *NONE])
def test_what_is_no_kubeconfig_gets_a_sentence(tmp_path, text):
    file = tmp_path / "kubeconfig"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(CannotGoOn, match="is no kubeconfig any more; `python -m cluster restart`"):
        kubeconfigs.read(file)


def test_a_file_that_another_user_owns_is_no_api(tmp_path):
    with api.from_kubeconfig(tmp_path / "not-there", 1) as server:
        assert server is None
