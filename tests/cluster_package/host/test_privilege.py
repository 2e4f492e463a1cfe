import subprocess

import pytest

from cluster.errors import CannotGoOn
from cluster.host import privilege


def test_sudo_keeps_the_cache_the_proxy_and_the_arguments():
    environment = {"PATH": "/bin", "XDG_CACHE_HOME": "/c", "https_proxy": "p", "SECRET": "s"}
    command = privilege.sudo_command(["up", "--name", "x"], environment, "/venv/python")
    assert command[:2] == ["sudo", "--preserve-env=XDG_CACHE_HOME,https_proxy"]
    assert "PYTHONDONTWRITEBYTECODE=1" in command, "no file of root's stays in the checkout"
    assert command[-6:] == ["/venv/python", "-m", "cluster", "up", "--name", "x"]
    assert not [argument for argument in command if "SECRET" in argument]


def test_a_password_is_neither_shown_nor_in_the_list_of_processes():
    secret = "http://ann:s3cret@proxy:3128"
    environment = {"PATH": "/bin", "HTTPS_PROXY": secret, "PIP_INDEX_URL": secret}
    command = privilege.sudo_command(["up"], environment, "/venv/python")
    assert "s3cret" not in " ".join(command)
    assert "HTTPS_PROXY" in command[1]


@pytest.mark.skipif(
    subprocess.run(["sh", "-c", "sudo -n true"], capture_output=True).returncode != 0,
    reason="no sudo that asks for no password",
)
def test_sudo_keeps_what_is_named(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ann:s3cret@proxy:3128")
    command = [*privilege.sudo(["https_proxy"]), "-n", "printenv", "https_proxy"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "http://ann:s3cret@proxy:3128\n"


def test_the_command_is_shown_before_it_runs(monkeypatch, capsys, tmp_path):
    order = []
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege.shutil, "which", lambda _: "/usr/bin/sudo")
    monkeypatch.setattr(privilege.os, "chdir", lambda _: None)
    monkeypatch.setattr(privilege.os, "execvp", lambda *_: order.append(capsys.readouterr().out))
    privilege.become_root(["down"])
    assert order[0].startswith("As root: sudo ")


def test_no_sudo_is_a_sentence(monkeypatch):
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege.shutil, "which", lambda _: None)
    with pytest.raises(CannotGoOn, match=r"needs root.*no sudo.*install sudo"):
        privilege.become_root(["up"])
