"""`make lab KUBECONFIG=…`: the workshop on a cluster that the user already has.

The local cluster's kubeconfig plays the stranger's. `kind` and `minikube` are recorders on PATH;
the registry is a real one, on loopback.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from cluster.programs import binaries
from cluster.workshop import table

CHECKOUT = Path(__file__).resolve().parents[2]
RECORDER = '#!/bin/sh\necho "$(basename "$0") $*" >> "$RECORD"\n'


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the working tree with a `.lab` of its own and the tests' Python packages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    copy = tmp_path / "checkout"
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    return copy


@pytest.fixture
def strangers_kubeconfig(cluster, tmp_path):
    """Writes the test cluster's kubeconfig with its context under another name."""

    def write(context: str) -> Path:
        config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
        config["contexts"][0]["name"] = config["current-context"] = context
        path = tmp_path / "strangers-config"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.fixture
def make_lab(checkout, tmp_path):
    """Runs `make lab` in the copy as a user would; .record holds what kind and minikube got."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("kind", "minikube"):
        (tools / name).write_text(RECORDER)
        (tools / name).chmod(0o755)

    def run(*variables: str, check: bool = True, **environment: str):
        done = subprocess.run(
            ["make", "lab", *variables],
            cwd=checkout,
            env={
                **{k: v for k, v in os.environ.items() if k not in ("KUBECONFIG", "MAKEFLAGS")},
                "PATH": f"{tools}:{os.environ['PATH']}",
                "RECORD": str(tmp_path / "record"),
                **environment,
            },
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=900,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    run.record = tmp_path / "record"
    return run


@pytest.mark.parametrize(
    ("context", "pattern"),
    [
        pytest.param("kind-class", r"kind load image-archive \S+ --name class", id="kind"),
        pytest.param("minikube", r"minikube image load \S+ --profile minikube", id="minikube"),
    ],
)
def test_images_reach_kind_and_minikube_by_their_own_commands(
    make_lab, checkout, strangers_kubeconfig, context, pattern
):
    done = make_lab(f"KUBECONFIG={strangers_kubeconfig(context)}", "YES=1")
    recorded = make_lab.record.read_text()
    assert len(re.findall(pattern, recorded)) == 2, recorded
    for archive in re.findall(r"\S+\.tar\S*", recorded):
        assert Path(archive).stat().st_size > 1_000_000
    assert "source .lab/activate" in done.stdout
    assert not (checkout / ".lab" / "clusters").exists(), "no local cluster was started"


def test_the_choice_is_remembered_and_the_environment_speaks_to_that_cluster(
    make_lab, checkout, strangers_kubeconfig
):
    make_lab(f"KUBECONFIG={strangers_kubeconfig('kind-class')}", "YES=1")
    make_lab()
    shell = subprocess.run(
        ["bash", "-c", "source .lab/activate >/dev/null && kubectl config current-context"],
        cwd=checkout,
        capture_output=True,
        text=True,
    )
    assert shell.stdout.strip() == "kind-class", shell.stderr


def test_nothing_happens_to_a_cluster_that_nobody_agreed_to(
    make_lab, checkout, strangers_kubeconfig
):
    done = make_lab(f"KUBECONFIG={strangers_kubeconfig('prod')}", check=False)
    assert done.returncode != 0
    assert "YES=1" in done.stdout + done.stderr
    assert "prod" in done.stdout
    assert not (checkout / ".lab" / "own-cluster.json").exists()


def test_a_real_registry_holds_the_images_afterwards(
    make_lab, checkout, strangers_kubeconfig, registry
):
    done = make_lab(
        f"KUBECONFIG={strangers_kubeconfig('prod')}", "YES=1", f"REGISTRY={registry}/class"
    )
    for named in table.WORKSHOP:
        image, version = named.removeprefix("localhost/").split(":")
        url = f"http://{registry}/v2/class/{image}/tags/list"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert json.load(answer)["tags"] == [version]
        assert f"{registry}/class/{image}:{version}" in done.stdout


@pytest.fixture
def registry(tmp_path):
    """host:port of a real registry on loopback, ended afterwards."""
    binaries.ensure(["registry"])
    log = tmp_path / "registry.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [str(binaries.folder() / "registry"), "-port", "0"], stderr=output
        ) as server,
    ):
        deadline = time.monotonic() + 10
        while not (port := re.search(r"on port (\d+)", log.read_text())):
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.05)
        yield f"localhost:{port.group(1)}"
        server.terminate()
