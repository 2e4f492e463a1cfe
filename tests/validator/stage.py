"""Plays the cases on a real cluster: sets each up, asks the validator, cleans up.

Works with anything that has the ``run`` and ``kubectl`` of the ``cluster`` fixture.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.validator.cases import Case
from validator.verdicts import EXIT_CODES, Verdict

# For the solution: starting TensorFlow, 500 steps and 10,000 test images beside other trainings.
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Said:
    """What the validator said of one exercise: exit code, found, next step."""

    exit_code: int
    found: str
    hint: str


def ask(cluster: Any, case: Case, namespace: str, watch: bool = True) -> Said:
    """Run the validator on one exercise, until it cannot change any more if ``watch``."""
    module, number = case.exercise.split(".")
    command = [sys.executable, "-m", "validator", f"module{module}", "--exercise", number]
    command += ["--namespace", namespace, "--output", "json"]
    command += ["--watch"] if watch and case.verdict in (Verdict.WRONG, Verdict.DONE) else []
    done = cluster.run(*command, check=False, timeout=PATIENCE_SECONDS)
    document = json.loads(done.stdout)
    checks = document["exercises"][0]["checks"]
    last = next((c for c in checks if c["verdict"] not in ("done", None)), {})
    return Said(done.returncode, last.get("found", ""), last.get("next", ""))


@contextmanager
def played(cluster: Any, case: Case) -> Iterator[str]:
    """The namespace to check, with what the case's learner made."""
    name = f"case-{case.name}-{uuid.uuid4().hex[:6]}"
    other = f"{name}-other"
    spaces = [name, other] if case.name == "wrong-namespace" else [name]
    try:
        for space in spaces:
            cluster.kubectl("create", "namespace", space)
        if case.manifest:
            cluster.kubectl("apply", "--namespace", spaces[-1], "-f", str(case.manifest))
        yield name
    finally:
        cluster.kubectl("delete", "namespace", *spaces, "--wait=false", "--ignore-not-found")


def expect(case: Case, said: Said) -> None:
    """Assert that the validator said what the case wants."""
    assert said.exit_code == EXIT_CODES[case.verdict], said
    assert case.found in said.found, said
    assert case.hint in said.hint, said
