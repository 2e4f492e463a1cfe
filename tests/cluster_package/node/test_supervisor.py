"""What the first process of a node starts, and what it asks before that."""

from collections import Counter

import pytest

from cluster.node import supervisor
from cluster.node.components import API_READY, Component

WANTED = [
    Component("first", ("/bin/first",)),
    Component("needs-port", ("/bin/needs-port",), after=2379),
    Component("second", ("/bin/second",), after=API_READY),
    Component("third", ("/bin/third",), after=API_READY),
]


@pytest.mark.parametrize(
    ("there", "started"),
    [
        pytest.param((), ["first"], id="nothing is there"),
        pytest.param((2379,), ["first", "needs-port"], id="a port"),
        pytest.param((API_READY,), ["first", "second", "third"], id="the API server is ready"),
    ],
)
def test_what_can_run_is_started_in_order_and_each_need_is_asked_for_once(
    monkeypatch, there, started
):
    asked, ran = Counter(), []

    def is_there(needed):
        asked[needed] += 1
        return needed is None or needed in there

    def start(slot):
        ran.append(slot.component.name)
        slot.pid = 1

    monkeypatch.setattr(supervisor, "is_there", is_there)
    monkeypatch.setattr(supervisor, "start", start)
    supervisor.Supervisor(WANTED).start_all()
    assert ran == started
    assert asked == {None: 1, 2379: 1, API_READY: 1}


def test_what_runs_is_not_started_again_nor_asked_for(monkeypatch):
    one = supervisor.Supervisor(WANTED)
    for slot in one.slots:
        slot.pid = 1
    monkeypatch.setattr(supervisor, "is_there", pytest.fail)
    one.start_all()
