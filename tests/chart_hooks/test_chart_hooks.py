import asyncio
import re
from pathlib import Path

import pytest

from chart_hooks import __main__ as chart_hooks
from kube_runtime.kube import Kube, Response
from tests.fakes import virtual_time
from tests.fakes.paths import CHART


class Shows:
    """A transport that shows one status after another, the last for ever."""

    def __init__(self, *statuses):
        self.statuses, self.asked = list(statuses), []

    async def send(self, request):
        self.asked.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Response(200, {"metadata": {"name": "x"}, "status": status})


def told(kind):
    return {"phase": "Done", "reason": "why", "conditions": [{"type": kind, "status": "True"}]}


def wait_for(*statuses):
    return virtual_time.run(chart_hooks.wait_for(Kube(Shows(*statuses)), "lab/mnist"))


def test_waiting_ends_with_success():
    assert wait_for({}, {"phase": "Running"}, told("Succeeded")) == "TfJob lab/mnist succeeded"


def test_waiting_ends_with_the_jobs_own_reason_when_it_fails():
    with pytest.raises(RuntimeError, match="TfJob lab/mnist failed: why"):
        wait_for(told("Failed"))


def test_waiting_ends_some_time_and_says_what_it_saw_last():
    with pytest.raises(RuntimeError, match="did not succeed in 240 s: it is Running"):
        wait_for({"phase": "Running"})


def test_a_crd_is_applied_by_the_server(tmp_path):
    file = tmp_path / "crd.yaml"
    file.write_text("metadata: {name: tfjobs.tensorflow.org}")
    transport = Shows({})
    asyncio.run(chart_hooks.apply_crd(Kube(transport), file))
    (request,) = transport.asked
    assert request.path.endswith("/customresourcedefinitions/tfjobs.tensorflow.org")
    assert (request.method, request.content_type) == ("PATCH", "application/apply-patch+yaml")
    assert request.query == {"fieldManager": "helm", "force": "true"}


def command_in(template):
    """What a hook of the chart runs, after the interpreter and ``-m chart_hooks``."""
    text = (CHART / "templates" / template).read_text()
    (found,) = re.findall(r"command: \[/usr/bin/python3, -m, chart_hooks, (.*)\]", text)
    return [word.strip('"') for word in found.split(", ")]


def test_the_hooks_of_the_chart_are_spelt_as_the_program_reads_them():
    apply = chart_hooks.parse_flags(command_in("crd-upgrade.yaml"))
    assert (apply.do, apply.argument) == (chart_hooks.apply_crd, Path("/crds/tfjobs.yaml"))
    wait = chart_hooks.parse_flags(command_in("tests/small-job.yaml"))
    assert wait.do is chart_hooks.wait_for
    assert wait.argument.endswith("/test-the-cluster-takes-a-tfjob")
