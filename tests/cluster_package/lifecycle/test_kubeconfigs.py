"""A kubeconfig of ours is read as we wrote it, and as kubectl writes it again."""

import json

import pytest
import yaml

from cluster.errors import CannotGoOn
from cluster.lifecycle import api, kubeconfigs

CONFIG = {
    "clusters": [
        {
            "name": "c",
            "cluster": {"server": "https://10.0.0.1:6443", "certificate-authority-data": ""},
        }
    ],
    "users": [{"name": "u", "user": {"client-certificate-data": "", "client-key-data": ""}}],
}


@pytest.mark.parametrize("written", [json.dumps, yaml.safe_dump], ids=["ours", "kubectl's"])
def test_it_is_read_whoever_wrote_it_last(tmp_path, written):
    file = tmp_path / "kubeconfig"
    file.write_text(written(CONFIG))
    assert kubeconfigs.read(file) == CONFIG


@pytest.mark.parametrize("text", ["", "{", "a: [", "[]", "{}", "clusters: []\nusers: []"])
def test_what_is_no_kubeconfig_gets_a_sentence(tmp_path, text):
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(CannotGoOn, match="is no kubeconfig any more; `python -m cluster restart`"):
        kubeconfigs.read(file)


def test_a_file_that_another_user_owns_is_no_api(tmp_path):
    with api.from_kubeconfig(tmp_path / "not-there", 1) as server:
        assert server is None
