"""The two commands as most people type them: as an ordinary user, who has sudo."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.images import store
from cluster.node import addresses
from cluster.workshop import table
from tests import users
from tests.users import User, said


@pytest.fixture(scope="module")
def user(cluster) -> Iterator[User]:
    """Somebody who has typed `make lab`. `cluster` has made the programs and images."""
    with users.user_with_sudo() as made:
        users.give_checkout(made)
        printed = said(made, "make lab")
        assert "source .lab/activate" in printed
        assert "As root: sudo" in printed, "what root does is shown"
        yield made


def test_the_lab_works_without_root(user):
    printed = said(
        user, ". .lab/activate && id -u && kubectl get nodes && helm list && docker version"
    )
    assert printed.splitlines()[1] == str(uid(user))
    assert "lab-node" in printed


def test_a_proxy_that_the_machine_exports_is_not_asked_for_the_node(user):
    """Nobody answers there. It is what a firm's machine exports, and cannot reach the node."""
    proxy = "export HTTPS_PROXY=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9"
    said(user, f"{proxy}; . .lab/activate && kubectl get nodes && helm list")
    judged = user.shell(f"{proxy}; . .lab/activate && python -m validator module0")
    assert "✔ Its API answers" in judged.stdout, judged.stderr


def test_each_verb_asks_for_root_itself(user):
    image = table.WORKSHOP[1]
    for verb in ("status", "list", f"load {image}", "check", "stop", "start --bare", "shell id"):
        said(user, f". .lab/activate && python -m cluster {verb}")
    for verb in ("logs etcd", "export logs all.tar.gz", "kubeconfig --merge"):
        said(user, f". .lab/activate && python -m cluster {verb}")
    exported = said(user, "tar --extract --to-stdout --file all.tar.gz --wildcards 'lab/pods/*'")
    assert "CoreDNS-" in exported
    said(user, "kubectl=$(ls -d ~/.cache/tfjob-workshop/bin/*/kubectl); $kubectl get nodes")


def test_an_image_that_the_user_built_reaches_the_node(user):
    """Whatever `docker` is here: podman keeps the user's images where root does not look."""
    dockerfile = r"printf 'FROM scratch\nCOPY LICENSE /\n'"
    build = (
        f"{dockerfile} > ~/Dockerfile && docker build --tag localhost/mine:v1 --file ~/Dockerfile ."
    )
    said(user, f". .lab/activate && {build} && python -m cluster load localhost/mine:v1")
    listed = said(
        user, f". .lab/activate && python -m cluster shell -- {CTR} --namespace k8s.io images ls"
    )
    assert "localhost/mine:v1" in listed


def test_what_the_user_may_need_belongs_to_the_user(user):
    """All but the inside of the node, also after a `sudo make lab`; a second one does nothing."""
    said(user, "make lab")
    said(user, "sudo make lab")
    said(user, "make lab")
    inside = [user.checkout / ".lab" / "clusters" / "lab" / part for part in NODES_OWN]
    assert strangers(user, leave_out=[*inside, layers(user)]) == []


def test_tests_run_as_root_and_leave_no_file_of_roots(user):
    """Some of those that need root most, on the user's own cluster."""
    chosen = " ".join(f"tests/{name}.py" for name in TESTS)
    said(user, f"TEST_CLUSTER=lab KEEP_CLUSTER=1 make test PYTEST_ARGS='-q {chosen}'")
    assert strangers(user, leave_out=[user.checkout / ".lab", layers(user)]) == []


TESTS = (
    "cluster/test_metrics",
    "cluster_package/node/test_check",
    "cluster_package/lifecycle/test_up",
)
CTR = f"{addresses.BIN}/ctr"
NODES_OWN = ("var", "etc", "pki", "root", "drivers", "node.json", "gpus.json")


def test_down_leaves_only_unpacked_layers_of_roots_and_clean_leaves_nothing(user):
    said(user, "make down")
    assert strangers(user, leave_out=[layers(user)]) == []
    said(user, "make clean")
    assert not (user.checkout / ".lab").exists()
    assert not (user.checkout / ".venv").exists()
    assert not user.cache.exists()


def layers(user: User) -> Path:
    """The unpacked images. Their files have the owners that a container sees."""
    return user.cache / store.FOLDER.name


def uid(user: User) -> int:
    return pwd.getpwnam(user.name).pw_uid


def strangers(user: User, leave_out: list[Path]) -> list[str]:
    """Files in the home that are not the user's."""
    found = []
    for folder, folders, files in os.walk(user.home):
        here = Path(folder)
        folders[:] = [name for name in folders if here / name not in leave_out]
        names = [name for name in [*folders, *files] if here / name not in leave_out]
        found += [str(here / n) for n in names if (here / n).lstat().st_uid != uid(user)]
    return found
