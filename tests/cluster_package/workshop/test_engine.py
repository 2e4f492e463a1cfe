import json
import os
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster import paths
from cluster.host import machine
from cluster.images import builders
from cluster.workshop import engine

SAYS_PODMAN = 'test "$1" = --version && echo podman version 4 && exit 0\n'


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH, and a checkout without a lab."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "env").symlink_to("/usr/bin/env")
    monkeypatch.setattr(paths, "STATE", tmp_path / "lab")
    monkeypatch.setattr(engine.privilege, "search_path", lambda: str(folder))
    monkeypatch.setattr(engine, "_probe", lambda scratch: scratch / "probe.tar")
    monkeypatch.setenv("PATH", str(folder))

    def program(name, body):
        (folder / name).write_text(f"#!/bin/sh\n{body}")
        (folder / name).chmod(0o755)

    return program


def test_a_docker_whose_engine_answers_is_taken(programs):
    programs("docker", "echo docker $1")
    programs("podman", SAYS_PODMAN)
    assert "is docker" in _said()
    assert _answer("ps") == "docker ps"


def test_a_docker_without_its_engine_leaves_the_place_to_podman(programs):
    programs("docker", 'test "$1" = --version || exit 1')
    programs("podman", SAYS_PODMAN + "echo podman $1")
    assert "is podman" in _said()
    assert _answer("ps") == "podman ps"


def test_nothing_is_tried_in_tmp_which_may_forbid_programs(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(engine.tempfile, "tempdir", str(tmp_path / "nowhere"))
    programs("docker", "echo docker $1")
    assert "is docker" in _said()


def test_podman_gets_our_settings_only_where_it_runs_nothing_with_its_own(programs):
    programs("podman", SAYS_PODMAN + 'test "$1" = run -a -z "$CONTAINERS_CONF" && exit 1; exit 0')
    _said()
    assert str(engine.settings_file()) in engine.link().read_text()


def test_podman_under_the_name_of_docker_does_not_build_the_workshops_images(programs):
    programs("docker", SAYS_PODMAN)
    assert machine.is_podman("docker")
    assert not builders._works("docker")


def test_what_is_tried_runs_as_the_user_of_the_sample_image(tmp_path, monkeypatch):
    """Rootless podman runs root's images without /etc/subuid, and no others."""
    (tmp_path / "nvidia-smi").write_bytes(b"x")
    monkeypatch.setattr(engine.binaries, "folder", lambda: tmp_path)
    with tarfile.open(engine._probe(tmp_path)) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))
        config = json.load(archive.extractfile(manifest[0]["Config"]))
    dockerfile = (paths.CHECKOUT / "sample-image/Dockerfile").read_text()
    assert f"USER {config['config']['User']}\n" in dockerfile


def test_what_leads_there_is_not_found_as_what_it_leads_to(programs, tmp_path, monkeypatch):
    engine.folder().mkdir(parents=True)
    engine.link().write_text("#!/bin/sh\n")
    engine.link().chmod(0o755)
    monkeypatch.setattr(engine.privilege, "search_path", lambda: str(engine.folder()))
    assert engine.on_path("docker") is None


def test_it_is_tried_once(programs):
    programs("docker", "exit 0")
    assert _said()
    assert _said() == ""


def test_commands_that_look_at_once_try_it_once(programs):
    programs("docker", "exit 0")
    said = []
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: engine.ensure(said.append), range(20)))
    assert len([line for line in said if line.startswith("Looking")]) == 1


def test_a_machine_without_any_says_what_to_install(programs):
    with pytest.raises(engine.CannotGoOn, match="install podman"):
        _said()


def test_root_needs_no_sudo_and_a_user_has_it_tried_last(programs, monkeypatch):
    programs("podman", SAYS_PODMAN)
    programs("sudo", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [each.name for each in engine.candidates()] == ["podman"] * 2 + ["sudo podman"] * 2
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [each.name for each in engine.candidates()] == ["podman"] * 2


def _said():
    said = []
    engine.ensure(said.append)
    return " ".join(said)


def _answer(*words):
    done = subprocess.run([engine.link(), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
