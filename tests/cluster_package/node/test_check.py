"""What a machine refuses, and the fix that is right for it. A stand-in plays each machine."""

import os
import subprocess
import sys

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.node import attempts, check

ACT = "from cluster.node import check\nfrom cluster.errors import explained\n"
ACT += "with explained(): check.machine()\n"


def run(prefix, environment=None, code=ACT):
    command = [*prefix, sys.executable, "-c", code]
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(
        command, cwd=paths.CHECKOUT, env=environment, capture_output=True, text=True
    )
    return done.stderr


def test_this_machine_passes_and_keeps_nothing(tmp_path):
    before = sorted(os.listdir("/sys/class/net"))
    check.machine()
    assert sorted(os.listdir("/sys/class/net")) == before
    assert not [path for path in paths.STATE.iterdir() if path.name.startswith(".check-")]
    assert not [
        m for m, _ in attempts.cgroups.here() for _ in (m / "tfjob-workshop").glob("check-*")
    ]


@pytest.fixture
def container(tmp_path):
    """A mark by which docker's containers are known."""
    mark = tmp_path / "dockerenv"
    mark.touch()
    return (
        f"from pathlib import Path\nfrom cluster.node import check\n"
        f"check.CONTAINER_SIGNS = (Path({str(mark)!r}),)\n"
    )


def test_a_container_without_rights_is_told_of_privileged(container):
    said = run(
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"], code=container + ACT
    )
    assert "does not let root make namespaces: operation not permitted" in said
    assert "--privileged" in said
    assert "make lab KUBECONFIG=FILE" in said
    assert "Traceback" not in said


def test_a_cache_on_a_file_system_without_programs(tmp_path):
    mounted = ["unshare", "--mount", "sh", "-c"]
    script = 'mount -t tmpfs -o noexec x "$0" && exec "$@"'
    said = run([*mounted, script, str(tmp_path)], {"XDG_CACHE_HOME": str(tmp_path)})
    assert "cannot be run: permission denied" in said
    assert "not mounted with noexec" in said


@pytest.mark.parametrize(
    ("tool", "says", "sentence"),
    [
        pytest.param("ip", "Error: Unknown device type.", "modprobe veth", id="no veth"),
        pytest.param("nft", "Error: Could not process rule", "nft_numgen", id="no nftables"),
    ],
)
def test_a_kernel_that_lacks_a_module(tmp_path, tool, says, sentence):
    (tmp_path / tool).write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 2\n")
    (tmp_path / tool).chmod(0o755)
    said = run([], {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert says in said
    assert sentence in said


def test_a_tool_that_fails_without_a_word(tmp_path):
    (tmp_path / "nft").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "nft").chmod(0o755)
    said = run([], {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert "nftables rules cannot be made: `nft` says: exit 3" in said


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        pytest.param("int('x')", "ValueError: invalid literal", id="a fault of our own"),
        pytest.param("sys.exit(5)", "SystemExit: 5", id="an exit"),
        pytest.param("subprocess.run('false', check=True)", "exit status 1", id="a program"),
        pytest.param("os.kill(os.getpid(), 9)", "ended without a word", id="killed"),
        pytest.param("os.stat('/\\udcff')", "no such file", id="a name that is not UTF-8"),
    ],
)
def test_whatever_ends_an_attempt_is_a_reason_and_its_child_does_nothing_else(attempt, reason):
    code = "import os, subprocess, sys\nfrom cluster.node import attempts\n"
    code += f"sys.exit('end: ' + attempts.in_child(lambda: {attempt}))"
    said = run([], code=code)
    assert reason in said
    assert said.count("\n") == said.count("end: ") == 1


@pytest.mark.parametrize("word", ["fib", "numgen", "dnat", "masquerade", "ct state", "reject"])
def test_a_kernel_that_lacks_one_kind_of_rule(tmp_path, word):
    refuse = f"#!/bin/sh\n! grep '{word}' >&2\n"
    (tmp_path / "nft").write_text(refuse)
    (tmp_path / "nft").chmod(0o755)
    said = run([], {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert "nftables rules cannot be made: `nft` says: add rule" in said


def test_a_kernel_whose_modules_are_gone_wants_a_reboot(tmp_path, monkeypatch):
    """Arch after an update: the running kernel's modules were removed."""
    monkeypatch.setattr(check, "MODULES", tmp_path)
    monkeypatch.setattr(check, "in_container", lambda: False)
    assert "are gone: reboot" in check.fix_for_kernel("else")("no such device")


def test_a_checkout_and_a_fallback_without_overlay(tmp_path, monkeypatch):
    monkeypatch.setattr(attempts.linux, "mount", refuse_overlay)
    assert "invalid argument" in attempts.in_child(attempts.overlay)


def refuse_overlay(source, target, kind="", flags=0, data=""):
    if kind == "overlay":
        raise OSError(22, "Invalid argument", "overlay")


def test_a_home_on_which_root_is_nobody(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "/srv/ann/.lab")

    monkeypatch.setattr(attempts.os, "chown", refuse)
    assert "permission denied" in attempts.in_child(attempts.state)


def test_a_runtime_that_the_node_does_not_see(tmp_path, monkeypatch):
    """Nix, Linuxbrew: /opt and /nix are not in the node."""
    (tmp_path / "runc").write_text("#!/bin/sh\n")
    (tmp_path / "runc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "is outside of /usr/" in attempts.in_child(attempts.runtime)


def test_the_first_refusal_is_raised_with_reason_and_fix(monkeypatch):
    def refuse():
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(check, "PROBES", (check.Probe("no x", refuse, lambda _: "buy y"),))
    with pytest.raises(CannotGoOn, match=r"no x: operation not permitted; buy y"):
        check.machine()


@pytest.mark.parametrize(
    ("release", "fix"),
    [
        pytest.param("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=22.04", "python3.11-venv", id="22.04"),
        pytest.param("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04", "python3-venv", id="24.04"),
        pytest.param('ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"', "dnf install", id="RHEL 9"),
        pytest.param('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "zypper", id="openSUSE"),
        pytest.param("ID=arch", "pacman", id="Arch"),
        pytest.param("ID=nixos", "package manager", id="one that nobody knows"),
    ],
)
def test_where_a_python_comes_from(tmp_path, release, fix):
    (tmp_path / "os-release").write_text(release)
    command = ["sh", str(paths.CHECKOUT / "cluster/host/python.sh"), str(tmp_path / "os-release")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert fix in done.stdout
