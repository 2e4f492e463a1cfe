"""The house rules that a machine can check: lint, import direction, types, clean texts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
IMPORT_ROOTS = os.pathsep.join(
    str(CHECKOUT / folder) for folder in ("", "operator", "sample-image")
)
# Composed, so that this file does not contain what it forbids.
REGISTRY_HOSTS = re.compile(
    "|".join(["docker" + r"\.io", "ghcr" + r"\.io", "gcr" + r"\.io", "quay" + r"\.io"])
    + "|"
    + "|".join(["pypi" + r"\.org", "files\\.python" + "hosted", "proxy\\.golang" + r"\.org"])
)


def tracked_texts() -> list[tuple[str, str]]:
    """(path, text) of every file under version control that is text."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    found = []
    for name in filter(None, names):
        content = (CHECKOUT / name).read_bytes() if (CHECKOUT / name).is_file() else b""
        if b"\0" not in content[:8000]:
            found.append((name, content.decode("utf-8", "replace")))
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": IMPORT_ROOTS}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check"], id="ruff finds nothing"),
        pytest.param(["ruff", "format", "--check"], id="every file is formatted"),
        pytest.param(["lint-imports", "--no-cache"], id="imports point one way"),
        pytest.param(["mypy"], id="types hold"),
    ],
)
def test_the_linters_are_content(command):
    done = run(str(BIN / command[0]), *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_are_sound():
    from cluster.programs import binaries

    program = binaries.ensure(["actionlint"]) / "actionlint"
    # Its own rules alone: other linters are not on every machine.
    done = run(str(program), "-no-color", "-shellcheck=", "-pyflakes=")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_a_registrys_host():
    hits = [
        f"{name}: {match.group()}"
        for name, text in tracked_texts()
        if not name.endswith(("go.sum", "LICENSE"))
        for match in [REGISTRY_HOSTS.search(text)]
        if match
    ]
    assert hits == []


def test_no_file_holds_an_absolute_path_of_one_machine():
    machine_path = re.compile(r"/(?:home|Users)/[a-z][\w.-]+/|/ro" + "ot/(?!\\.)|/wo" + "rk/")
    hits = [
        f"{name}: {match.group()}"
        for name, text in tracked_texts()
        for match in [machine_path.search(text)]
        if match and "/home/kubernetes/" not in match.group()
    ]
    assert hits == []


def test_one_version_is_named_everywhere():
    from cluster.workshop.table import IMAGES

    ours = re.compile(r"localhost/(?:fashion-mnist|tf-job-operator|notebook):\d[\d.]*\d")
    # Tests of other versions name them; the recorded worlds have the workshop's.
    named = {
        (name, image)
        for name, text in tracked_texts()
        if not re.match(r"tests/.*\.py$", name)
        for image in ours.findall(text)
    }
    other = [f"{name}: {image}" for name, image in named if image not in IMAGES]
    assert other == [], "cluster/workshop/table.py has no such version"


def test_an_image_says_its_own_version():
    from cluster.workshop.table import IMAGES

    for image, source in IMAGES.sources.items():
        text = (source.context / "Dockerfile").read_text()
        said = re.search(r'org\.opencontainers\.image\.version="([^"]*)"', text)
        assert said is None or said[1] == image.rpartition(":")[2], f"{source.folder}/Dockerfile"


def test_pinned_requirements_are_those_of_pyproject():
    import tomllib

    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = (CHECKOUT / "requirements.txt").read_text().lower()
    for requirement in wanted:
        name = re.split(r"[=<>;\[ ]", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", pinned, re.MULTILINE), f"run make pins: {name}"


def test_what_a_dockerfile_copies_is_not_ignored():
    from cluster.workshop.table import IMAGES

    for folder in (source.context for source in IMAGES.sources.values()):
        copied = re.findall(r"^COPY (?!--from)([\w.]+) ", (folder / "Dockerfile").read_text(), re.M)
        ignored = folder / ".dockerignore"
        let_in = set(ignored.read_text().splitlines()) if ignored.exists() else set()
        assert not let_in or {f"!{name}" for name in copied} <= let_in, folder.name
