"""Which packages a machine lacks, decided from facts alone."""

import subprocess
from dataclasses import replace

import pytest

from cluster.errors import CannotGoOn
from cluster.host import machine, packages

ALL_COMMANDS = frozenset(
    {"runc", "nft", "ip", "mount", "nsenter", "buildah", "podman", "mmdebstrap"}
)
GOOD = machine.Facts(commands=ALL_COMMANDS)


def test_a_good_machine_lacks_nothing():
    assert packages.missing_packages(GOOD) == []


@pytest.mark.parametrize(
    ("family", "wanted"),
    [
        pytest.param("debian", ["some-data"], id="Debian has it"),
        pytest.param("fedora", [], id="Fedora does not"),
    ],
)
def test_what_only_debian_packages_is_asked_of_debian_alone(family, wanted):
    facts = replace(GOOD, family=family)
    assert packages.missing_packages(facts, debian_only=["some-data"]) == wanted


def test_a_user_with_a_cluster_needs_only_what_builds_and_runs():
    mac = machine.Facts(system="Darwin", family="unknown", is_root=False)
    assert packages.missing_packages(mac, own_cluster=True) == ["buildah", "podman"]


@pytest.mark.parametrize(
    ("change", "wanted"),
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
    ],
)
def test_missing_commands_become_packages(change, wanted):
    assert packages.missing_packages(replace(GOOD, **change)) == wanted


def test_an_unknown_distribution_is_told_debians_names():
    facts = replace(GOOD, family="unknown")
    assert "what Debian calls nftables" in packages.manual_install(facts, ["nftables"])


def test_the_browser_is_installed_where_it_is_missing(monkeypatch):
    installed = []
    monkeypatch.setattr(packages, "apt_install", installed.extend)
    packages.install_browser(replace(GOOD, commands=ALL_COMMANDS | {"chromium"}))
    assert installed == []
    packages.install_browser(GOOD)
    assert installed == ["chromium"]


def test_where_there_is_no_apt_the_user_installs_the_browser():
    with pytest.raises(CannotGoOn) as refused:
        packages.install_browser(replace(GOOD, family="fedora"))
    assert "dnf install chromium" in str(refused.value.fix)


def test_a_proxys_password_is_not_shown_while_packages_are_installed(monkeypatch, capsys):
    ran = []

    def fails(command, **_):
        ran.append(command)
        return subprocess.CompletedProcess(command, 100, stderr="")

    monkeypatch.setenv("https_proxy", "http://ann:s3cret@proxy:3128")
    monkeypatch.setattr(packages.privilege.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages.subprocess, "run", fails)
    with pytest.raises(CannotGoOn) as failed:
        packages.apt_install(["nftables"])
    assert "https_proxy" in ran[0][1]
    assert "s3cret" not in f"{ran}{failed.value}{capsys.readouterr().out}"
