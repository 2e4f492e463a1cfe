import re
from pathlib import Path

import pytest

from cluster.errors import CannotGoOn
from cluster.images import bases, builders

CONTEXT, ARCHIVE = Path("context"), Path("out.tar")
IMAGE = "localhost/x:1.0.0"


@pytest.mark.parametrize(
    ("image", "full"),
    [
        pytest.param("debian:bookworm-slim", "library/debian:bookworm-slim", id="official image"),
        pytest.param("learner/x:1", "learner/x:1", id="an organisation's image"),
    ],
)
def test_a_short_name_is_the_default_registrys(image, full):
    assert builders.full_reference(image) == f"{builders.DEFAULT_REGISTRY}/{full}"


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("localhost/x:1", id="localhost"),
        pytest.param("127.0.0.1:5000/x:1", id="a host with a port"),
        pytest.param("registry.example/x/y:1", id="a host with a dot"),
    ],
)
def test_a_name_with_a_registry_stays(image):
    assert builders.full_reference(image) == image


@pytest.mark.parametrize("builder", builders.BUILDERS)
def test_an_image_is_exported_under_the_name_that_it_was_built_as(builder):
    build = builders.build_command(builder, IMAGE, CONTEXT, has_bundle=False)
    export = builders.export_command(builder, IMAGE, ARCHIVE)
    tag = build[build.index("--tag") + 1]
    assert any(re.search(rf"(^|:){re.escape(tag)}$", argument) for argument in export)


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_the_hosts_certificates_reach_the_build(builder):
    text = " ".join(builders.build_command(builder, IMAGE, CONTEXT, has_bundle=True))
    assert f"--volume={builders.bundle()}:{builders.BUNDLE_IN_BUILD}:ro" in text
    assert f"--build-arg=PIP_CERT={builders.BUNDLE_IN_BUILD}" in text


@pytest.mark.parametrize("builder", builders.BUILDERS)
def test_a_host_without_certificates_builds_without_them(builder):
    assert "PIP_CERT" not in " ".join(
        builders.build_command(builder, IMAGE, CONTEXT, has_bundle=False)
    )


def test_buildah_leaves_the_systems_store_alone():
    for command in (
        builders.build_command("buildah", IMAGE, CONTEXT, has_bundle=True),
        builders.export_command("buildah", IMAGE, ARCHIVE),
        *bases.import_commands("buildah", Path("root.tar"), "debian:bookworm-slim"),
    ):
        assert command[1] == "--root"


def test_a_failure_tells_what_was_tried_and_what_the_tool_said():
    with pytest.raises(CannotGoOn, match=r"(?s)building x failed:.*no such thing"):
        builders.run(["sh", "-c", "echo no such thing >&2; exit 3"], "building x")


def test_a_client_without_its_engine_is_no_builder(tmp_path, monkeypatch):
    for name, code in (("docker", 1), ("buildah", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    builders.find.cache_clear()
    try:
        assert builders.find() == "buildah"
    finally:
        builders.find.cache_clear()
