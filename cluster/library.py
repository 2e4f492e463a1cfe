"""A cluster for the time of a `with` block, for tests and programs:

    with Cluster("mine", state=folder, images=["localhost/model:1.0.0"]) as k:
        print(k.kubectl("get", "nodes").stdout)

It is started with the command line that users have, which asks for root where it needs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.programs import binaries

# Above the five minutes of `helm --wait` and of our waits with kubectl: what they say is more.
SECONDS = 360


class Cluster:
    """A cluster that is up inside of the block, and taken away at its end.

    `state` is the folder for its data (None: this checkout's). `images` are what
    `python -m cluster load` takes (None: what `up` loads by itself), `options` what `up` takes.
    `env` is for the programs that `run` starts. With `keep` it is left running at the end.
    """

    def __init__(
        self,
        name: str,
        *,
        state: Path | None = None,
        images: Sequence[str] | None = (),
        options: Sequence[str] = (),
        keep: bool = False,
    ) -> None:
        self.paths = paths.cluster(name, state)
        self.name = name
        self.images, self.options, self.keep = images, tuple(options), keep
        self.kubeconfig = self.paths.kubeconfig
        self.env = self.environment()

    def environment(self) -> dict[str, str]:
        """An environment in which kubectl and helm speak to this cluster."""
        folders = [str(binaries.folder()), os.environ.get("PATH", os.defpath)]
        variables = {"PATH": os.pathsep.join(folders), "KUBECONFIG": str(self.kubeconfig)}
        return {**self._of_commands(), **variables}

    def _of_commands(self) -> dict[str, str]:
        """The environment of `python -m cluster`, which finds the state by it."""
        state = {paths.STATE_VARIABLE: str(self.paths.state)} if self.paths.state else {}
        return {**os.environ, **state}

    def __enter__(self) -> Self:
        try:
            self.verb("up", *([] if self.images is None else ["--bare"]), *self.options)
            if self.images:
                self.verb("load", *self.images)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.keep:
            self.verb("down")

    def verb(self, verb: str, *arguments: str) -> None:
        """One verb of `python -m cluster` for this cluster. Raises: CannotGoOn if it fails."""
        command = [sys.executable, "-m", "cluster", verb, "--name", self.name, *arguments]
        done = subprocess.run(command, cwd=paths.CHECKOUT, env=self._of_commands())
        if done.returncode:
            raise CannotGoOn(f"`python -m cluster {verb}` failed", fix="its message is above")

    def run(
        self,
        *argv: str,
        check: bool = True,
        input: str | None = None,
        timeout: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that speaks to this cluster, from the checkout's root.

        Raises: CannotGoOn with what it wrote, if it fails and `check` is set.
        """
        done = subprocess.run(
            argv,
            input=input,
            timeout=timeout,
            env=self.env,
            cwd=paths.CHECKOUT,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            said = f"exit {done.returncode}\n{done.stdout}{done.stderr}"
            raise CannotGoOn(f"`{' '.join(argv)}` failed", said)
        return done

    def kubectl(
        self,
        *arguments: str,
        check: bool = True,
        input: str | None = None,
        timeout: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        return self.run("kubectl", *arguments, check=check, input=input, timeout=timeout)


def run_verb(*arguments: str) -> None:
    """One verb of `python -m cluster`; its own message has been shown where it fails."""
    done = subprocess.run([sys.executable, "-m", "cluster", *arguments], cwd=paths.CHECKOUT)
    if done.returncode:
        sys.exit(done.returncode)
