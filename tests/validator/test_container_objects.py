"""docker and podman print nearly the same of an image and of a container; here both become alike.

`engines/` has what podman 4.3.1 and Docker 20.10.24, both Debian's, have printed for the same
image, less what is of one machine.
"""

import json
from pathlib import Path

import pytest

from validator import container_engine, container_objects
from validator.snapshot import time_at

HERE = Path(__file__).parent / "engines"
BOTH = pytest.mark.parametrize("engine", ["docker", "podman"])


def printed(engine, kind):
    return json.loads((HERE / f"{engine}-{kind}.json").read_text())[0]


@BOTH
def test_an_image_says_what_it_starts_and_as_whom(engine):
    made = container_objects.image(printed(engine, "image"))
    assert made["metadata"]["name"] == "module1-ex1"
    assert made["spec"]["entrypoint"] == ["python", "/app/main.py"]
    assert made["spec"]["user"] == "10001:10001"
    assert len(made["spec"]["layers"]) == 2
    assert made["status"]["size"] > 900_000_000


@BOTH
def test_a_container_says_how_it_ended_and_of_which_image(engine):
    made = container_objects.container(printed(engine, "container"))
    image = container_objects.image(printed(engine, "image"))
    assert made["metadata"]["name"] == "module1-ex1"
    assert made["spec"]["args"] == ["--max-steps", "100"]
    assert made["spec"]["commandLine"] == ["python", "/app/main.py", "--max-steps", "100"]
    assert (made["status"]["state"], made["status"]["exitCode"]) == ("exited", 0)
    assert time_at(made, "status", "startedAt") < time_at(made, "status", "finishedAt")
    assert made["spec"]["imageId"] == image["metadata"]["uid"]


def test_a_name_without_a_registry_stays_so():
    """Docker keeps `module1-ex1:v1` as it was typed; podman puts localhost/ before it."""
    assert container_objects.image(printed("docker", "image"))["spec"]["names"] == [
        "module1-ex1:v1"
    ]


def test_a_container_that_never_started_has_no_times():
    raw = printed("podman", "container")
    raw["State"].update(StartedAt="0001-01-01T00:00:00Z", FinishedAt="0001-01-01T00:00:00Z")
    assert "startedAt" not in container_objects.container(raw)["status"]


T = "2026-01-31T12:00:00.123456789"


@pytest.mark.parametrize(
    ("written", "log"),
    [
        pytest.param(
            f"{T}Z step 1\n{T}Z step 2\n", f"{T}Z step 1\n{T}Z step 2\n", id="whole lines"
        ),
        pytest.param(f"{T}Z step 1{T}Z \n", f"{T}Z step 1\n", id="the end of a line by itself"),
        pytest.param(f"{T}Z No module {T}Z named x\n", f"{T}Z No module named x\n", id="two parts"),
        pytest.param(f"{T}+01:00 x\n", f"{T}+01:00 x\n", id="another time zone"),
        pytest.param(f"{T}Z \n", "", id="an empty line"),
    ],
)
def test_a_line_of_a_log_has_one_time(written, log):
    assert container_objects.log(written) == log


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"Config": 1, "RepoTags": "x", "Size": None}])
def test_whatever_an_engine_prints_becomes_an_object(raw):
    assert container_objects.image(raw)["kind"] == "Image"
    assert container_objects.container(raw)["kind"] == "Container"


def _engine(tmp_path, monkeypatch, body):
    (tmp_path / "docker").write_text(f"#!/bin/sh\n{body}")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    data = {"objects": {"images": ["old"]}, "missing": {}, "logs": {}}
    container_engine.read_into(data)
    return data


def test_an_engine_that_does_not_answer_accuses_nobody(tmp_path, monkeypatch):
    data = _engine(tmp_path, monkeypatch, "echo 'permission denied: docker.sock' >&2; exit 1")
    assert "permission denied" in data["missing"]["engine"]["message"]
    assert data["objects"] == {}


def test_without_a_docker_that_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    data = {"objects": {}, "missing": {}, "logs": {}}
    container_engine.read_into(data)
    assert "no `docker` on PATH" in data["missing"]["engine"]["message"]


def test_only_what_belongs_to_module_1_is_read(tmp_path, monkeypatch):
    images = (
        "case $2 in ls) echo sha256:1 bank-account:v1; echo sha256:2 localhost/module1-ex1:v1;;"
    )
    body = (
        f"echo $* >> {tmp_path}/asked\n"
        f"case $1 in --version) echo Docker;; ps) echo 9 bank-db bank-account:v1;; image) {images}"
        f" inspect) cat {HERE}/docker-image.json;; esac;; esac"
    )
    data = _engine(tmp_path, monkeypatch, body)
    asked = (tmp_path / "asked").read_text()
    assert "image inspect sha256:2\n" in asked
    assert "container inspect" not in asked
    assert data["objects"]["engine"][0]["metadata"]["name"] == "docker"
