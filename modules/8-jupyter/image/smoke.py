"""The image's own smoke, in the build: a notebook runs, and a server lets nobody in unasked.

The Dockerfile runs it once after it has thrown away what it takes for unused.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BIN = Path(sys.executable).parent
SERVER = "http://127.0.0.1:8888/api"
TOKEN = "smoke"
PATIENCE_SECONDS = 120
CELL = """\
%matplotlib inline
import kubernetes.client, matplotlib.pyplot as plot, optuna, tensorflow as tf
plot.plot([1, 2]); plot.title(str(tf.constant(1).numpy()))
"""
PROGRAMS = (
    "jupyterhub --version",
    "configurable-http-proxy --help",
    "jupyterhub-singleuser --help",
)


def notebook(source: str) -> dict:
    """A notebook of one cell."""
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {}}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": [{**cell, "outputs": [], "source": source}],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def status(path: str, token: str = "") -> int:
    """The status of a GET; 0 while there is no server."""
    headers = {"Authorization": f"token {token}"} if token else {}
    try:
        request = urllib.request.Request(f"{SERVER}{path}", headers=headers)
        return urllib.request.urlopen(request, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def serve() -> None:
    """Start a server, and ask it with and without the token."""
    environment = {**os.environ, "JUPYTER_TOKEN": TOKEN}
    command = [BIN / "jupyter", "lab", "--no-browser", "--allow-root"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < end and status("") != 200:
            time.sleep(0.5)
        assert status("/contents") == 403
        assert status("/contents", TOKEN) == 200
    finally:
        process.terminate()
        process.wait()


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    Path("smoke.ipynb").write_text(json.dumps(notebook(CELL)))
    subprocess.run([BIN / "jupyter", "execute", "--inplace", "smoke.ipynb"], check=True)
    assert "image/png" in Path("smoke.ipynb").read_text()
    serve()
    for program in PROGRAMS:
        name, option = program.split()
        subprocess.run([BIN / name, option], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-c", "import kubespawner"], check=True)
