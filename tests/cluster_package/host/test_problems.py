"""What a machine must have, decided from facts alone."""

from dataclasses import replace

import pytest

from cluster.host import machine, problems

GOOD = machine.Facts()


def test_a_good_machine_has_no_problem():
    assert problems.problems(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"system": "Darwin"}, ["Darwin", "make lab KUBECONFIG"], id="not Linux"),
        pytest.param({"architecture": "riscv64"}, ["riscv64", "x86_64"], id="no wheel for it"),
        pytest.param({"kernel": (4, 19)}, ["4.19", "5.13"], id="an old kernel"),
        pytest.param({"python": (3, 9)}, ["3.9", "3.11"], id="an old Python"),
        pytest.param({"filesystems": frozenset()}, ["modprobe overlay", "reboot"], id="no overlay"),
        pytest.param(
            {"cgroup_controllers": frozenset({"cpu", "pids"})}, ["memory"], id="no memory cgroup"
        ),
        pytest.param(
            {"spaces": (machine.Space("/x", 2 << 30, 3 << 30),)},
            ["/x", "2.0 GiB", "3.0", "XDG_CACHE_HOME"],
            id="a full disk",
        ),
        pytest.param({"is_musl": True}, ["musl", "Debian"], id="Alpine, Void"),
        pytest.param({"checkout": "/a:b"}, ["/a:b", "move it"], id="a colon in the path"),
        pytest.param(
            {"cgroup_controllers": frozenset({"cpu", "pids"}), "architecture": "aarch64"},
            ["cgroup_enable=memory cgroup_memory=1"],
            id="a Raspberry Pi",
        ),
        pytest.param({"is_root": False}, ["sudo"], id="neither root nor sudo"),
    ],
)
def test_what_no_package_can_mend_is_one_sentence_that_names_the_way_out(change, words):
    (sentence,) = problems.problems(replace(GOOD, **change))
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_with_a_cluster_of_the_users_own_only_python_matters():
    full = (machine.Space("/", 0, 1),)
    mac = machine.Facts(system="Darwin", family="unknown", spaces=full, is_root=False)
    assert problems.problems(mac, own_cluster=True) == []


def test_this_machine_passes_its_own_check():
    assert problems.problems(machine.facts()) == []
