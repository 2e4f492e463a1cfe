"""What a machine must have, decided from facts alone."""

from dataclasses import replace

import pytest

from cluster import host
from cluster.errors import CannotGoOn

ALL_COMMANDS = frozenset(
    {"runc", "nft", "ip", "mount", "nsenter", "buildah", "podman", "mmdebstrap"}
)
GOOD = host.Facts(commands=ALL_COMMANDS)


def test_a_good_machine_has_no_problem_and_lacks_nothing():
    assert host.problems(GOOD) == []
    assert host.missing_packages(GOOD, for_tests=True) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"system": "Darwin"}, ["Darwin", "make lab KUBECONFIG"], id="not Linux"),
        pytest.param({"architecture": "riscv64"}, ["riscv64", "x86_64"], id="no wheel for it"),
        pytest.param({"kernel": (4, 19)}, ["4.19", "5.13"], id="an old kernel"),
        pytest.param({"python": (3, 9)}, ["3.9", "3.11"], id="an old Python"),
        pytest.param({"filesystems": frozenset()}, ["modprobe overlay"], id="no overlay"),
        pytest.param(
            {"cgroup_controllers": frozenset({"cpu", "pids"})}, ["memory"], id="no memory cgroup"
        ),
        pytest.param(
            {"spaces": (host.Space("/x", 2 << 30, 3 << 30),)},
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
    (sentence,) = host.problems(replace(GOOD, **change))
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_a_user_with_a_cluster_needs_only_python_and_what_builds_and_runs():
    mac = host.Facts(
        system="Darwin", family="unknown", spaces=(host.Space("/", 0, 1),), is_root=False
    )
    assert host.problems(mac, own_cluster=True) == []
    assert host.missing_packages(mac, own_cluster=True) == ["buildah", "podman"]


@pytest.mark.parametrize(
    ("change", "packages"),
    [
        pytest.param({"commands": ALL_COMMANDS - {"nft"}}, ["nftables"], id="no nft"),
        pytest.param(
            {"commands": ALL_COMMANDS - {"runc"} | {"crun"}}, [], id="crun serves as well as runc"
        ),
        pytest.param(
            {"commands": ALL_COMMANDS - {"buildah", "podman"}, "docker_works": True},
            [],
            id="a running docker builds images, and runs containers",
        ),
        pytest.param(
            {"commands": ALL_COMMANDS - {"buildah", "podman"}},
            ["buildah", "podman"],
            id="podman is the learner's, and buildah builds as before",
        ),
        pytest.param({"python_has_venv": False}, ["python3.11-venv"], id="Debian without venv"),
        pytest.param(
            {"python_has_venv": False, "python": (3, 12)},
            ["python3.12-venv"],
            id="a Python beside the distribution's own needs its own venv",
        ),
        pytest.param(
            {"commands": ALL_COMMANDS - {"ip"}, "family": "fedora"},
            ["iproute"],
            id="Fedora has names of its own",
        ),
        pytest.param({"has_test_data": False}, ["dataset-fashion-mnist"], id="no data for tests"),
    ],
)
def test_missing_commands_become_packages(change, packages):
    assert host.missing_packages(replace(GOOD, **change), for_tests=True) == packages


@pytest.mark.parametrize(
    ("text", "family"),
    [
        pytest.param('ID=debian\nVERSION_ID="12"', "debian", id="Debian"),
        pytest.param('ID=linuxmint\nID_LIKE="ubuntu debian"', "debian", id="Mint is like Debian"),
        pytest.param('ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora", id="Rocky"),
        pytest.param("ID=manjaro\nID_LIKE=arch", "arch", id="Manjaro"),
        pytest.param('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "suse", id="openSUSE"),
        pytest.param("ID=nixos", "unknown", id="NixOS"),
        pytest.param("", "unknown", id="no os-release at all"),
    ],
)
def test_the_family_of_a_distribution_comes_from_os_release(text, family):
    assert host.family_of(text) == family


def test_an_unknown_distribution_is_told_debians_names():
    facts = replace(GOOD, family="unknown")
    assert "what Debian calls nftables" in host.manual_install(facts, ["nftables"])


def test_the_browser_is_installed_where_it_is_missing(monkeypatch):
    installed = []
    monkeypatch.setattr(host, "apt_install", installed.extend)
    host.install_browser(replace(GOOD, commands=ALL_COMMANDS | {"chromium"}))
    assert installed == []
    host.install_browser(GOOD)
    assert installed == ["chromium"]


def test_where_there_is_no_apt_the_user_installs_the_browser():
    with pytest.raises(CannotGoOn) as refused:
        host.install_browser(replace(GOOD, family="fedora"))
    assert "dnf install chromium" in str(refused.value.fix)


def test_controllers_are_read_from_either_cgroup_version():
    assert host.cgroup_controllers("cpu io memory pids\n", "") >= {"cpu", "memory", "pids"}
    v1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t2\t1\nmemory\t4\t9\t0\n"
    assert host.cgroup_controllers(None, v1) == {"cpu"}


def test_this_machine_passes_its_own_check():
    assert host.problems(host.facts()) == []
