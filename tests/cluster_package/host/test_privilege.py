import pytest

from cluster.errors import CannotGoOn
from cluster.host import privilege


def test_sudo_keeps_the_cache_the_proxy_and_the_arguments():
    environment = {"PATH": "/bin", "XDG_CACHE_HOME": "/c", "https_proxy": "p", "SECRET": "s"}
    command = privilege.sudo_command(["up", "--name", "x"], environment, "/venv/python")
    assert command[0] == "sudo"
    assert {"XDG_CACHE_HOME=/c", "https_proxy=p"} <= set(command)
    assert "PYTHONDONTWRITEBYTECODE=1" in command, "no file of root's stays in the checkout"
    assert command[-6:] == ["/venv/python", "-m", "cluster", "up", "--name", "x"]
    assert not [argument for argument in command if "SECRET" in argument]


def test_the_command_is_shown_before_it_runs(monkeypatch, capsys, tmp_path):
    order = []
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege.shutil, "which", lambda _: "/usr/bin/sudo")
    monkeypatch.setattr(privilege.os, "chdir", lambda _: None)
    monkeypatch.setattr(privilege.os, "execvp", lambda *_: order.append(capsys.readouterr().out))
    privilege.become_root(["down"])
    assert order[0].startswith("As root: sudo env")


def test_no_sudo_is_a_sentence(monkeypatch):
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege.shutil, "which", lambda _: None)
    with pytest.raises(CannotGoOn, match=r"needs root.*no sudo.*install sudo"):
        privilege.become_root(["up"])
