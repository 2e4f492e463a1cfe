"""``--watch``: one list and one watch per kind, and nothing is asked while nothing changes."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cluster.waits import wait_until
from tests.conftest import CHECKOUT
from tests.validator.api_server import ApiServer, Handler, serve
from validator import cluster, exercises, followed, watcher, watching  # noqa: F401
from validator.engine import EXERCISES, grade
from validator.kubeconfig import NoCluster, connect
from validator.verdicts import EXIT_CODES, Verdict

HONEST = Path(__file__).parent / "cheat_snapshots" / "honest" / "5.1-abbreviated.json"
TRAINING = [EXERCISES["5.1"]]
# Long enough that a poll would show, short enough to wait for.
QUIET_SECONDS = 1.0
# A tenth of it on an idle machine.
SOON_SECONDS = 6.0
MANY_SECONDS = 60.0
versions = itertools.count(100)


class World:
    """A recorded cluster, served: the learner's namespace is ``learner``."""

    def __init__(self, api: ApiServer, folder: Path) -> None:
        self.api, self.data = api, json.loads(HONEST.read_text())
        self.kubeconfig = api.kubeconfig(folder)
        self.connection = connect(str(self.kubeconfig), None, None)
        self.tfjob, self.job, self.pod = (
            copy.deepcopy(self.data["objects"][kind][-1]) for kind in ("tfjobs", "jobs", "pods")
        )
        (self.log_key,) = self.data["logs"]
        self.log = self.data["logs"][self.log_key]["head"] + self.data["logs"][self.log_key]["tail"]
        api.default = 404
        for label, (path, _) in {**cluster.LISTS, **cluster.OF_OPERATOR}.items():
            section, kind = cluster.place(label)
            items = self.data[section].get(kind, [])
            namespace = "tf-job-system" if label in cluster.OF_OPERATOR else "learner"
            self.answer(path, items, namespace)
        for kind, (path, _) in cluster.NEAR_MISSES.items():
            if kind not in cluster.LISTS:
                self.answer(path, [])
        api.answers["/api/v1/namespaces/learner"] = "{}"
        api.answers["/apis"] = json.dumps({"groups": [{"name": g} for g in self.data["groups"]]})
        api.answers[self.log_path] = self.log

    def answer(self, path: str, items: list, namespace: str = "learner") -> None:
        where = urlsplit(path.replace("{ns}", namespace)).path
        body = {"metadata": {"resourceVersion": "10"}, "items": items}
        self.api.answers[where] = json.dumps(body)

    def path(self, kind: str) -> str:
        return urlsplit(cluster.LISTS[kind][0].replace("{ns}", "learner")).path

    @property
    def log_path(self) -> str:
        pod = self.log_key.partition("/")[0]
        return f"/api/v1/namespaces/learner/pods/{pod}/log"

    def nothing_made(self) -> World:
        for kind in ("tfjobs", "jobs", "pods", "events"):
            self.answer(cluster.LISTS[kind][0], [])
        return self

    def trains(self, lines: int = 4) -> World:
        """The TfJob of the recording, on its way."""
        steps = [line for line in self.log.splitlines() if re.search(r"Z step \d+/", line)]
        begun = self.log[: self.log.index(steps[0])]
        self.begun = begun + "".join(f"{line}\n" for line in steps[:lines])
        self.rest = [*steps[lines:], *self.log[self.log.index(steps[-1]) :].splitlines()[1:]]
        for item in (self.tfjob, self.job):
            item["status"] = {
                "runtimeId": self.tfjob["status"].get("runtimeId"),
                "state": "Running",
            }
        (status,) = self.pod["status"]["containerStatuses"]
        started = status["state"]["terminated"]["startedAt"]
        status["state"] = {"running": {"startedAt": started}}
        self.pod["status"]["phase"] = "Running"
        for kind, item in (("tfjobs", self.tfjob), ("jobs", self.job), ("pods", self.pod)):
            self.answer(cluster.LISTS[kind][0], [item])
        self.api.answers[self.log_path] = self.begun
        return self

    def tell(self, kind: str, change: str, item: dict) -> None:
        item = copy.deepcopy(item)
        item.setdefault("metadata", {})["resourceVersion"] = str(next(versions))
        self.api.tell(self.path(kind), {"type": change, "object": item})

    def ends(self) -> None:
        """The rest of the log, and then everything as it was recorded."""
        self.api.tell(self.log_path, *self.rest)
        self.api.end(self.log_path)
        self.api.answers[self.log_path] = self.log
        for kind in ("pods", "jobs", "tfjobs"):
            item = self.data["objects"][kind][-1]
            self.answer(cluster.LISTS[kind][0], [item])
            self.tell(kind, "MODIFIED", item)

    def until_watched(self) -> None:
        """Until the watches and the log that is followed are open."""
        end = time.monotonic() + SOON_SECONDS
        while not {self.path("pods"), self.log_path} <= set(self.api.streams):
            assert time.monotonic() < end, self.api.streams
            time.sleep(0.01)
        time.sleep(0.1)

    def until_open(self, *watchings: watching.Watching) -> None:
        """Until the server holds every watch and every log that these have asked for."""
        wanted = sum(len(each._streams()) for each in watchings)
        wait_until(lambda: len(self.api.streams) == wanted)

    def watch(self, timeout: float | None = 20.0, patience: float = 0.3) -> Watched:
        return Watched(self, timeout, patience)


class Watched:
    """A watch that runs in the background; ``shown`` has (verdict, found) of each change."""

    def __init__(self, world: World, timeout: float | None, patience: float) -> None:
        self.shown: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.code: int | None = None
        self.error: BaseException | None = None
        short = dict.fromkeys(watcher.PATIENCE_SECONDS, patience)

        def show(grades, seen, last, final):
            finding = grades[0].finding
            self.notes = seen.data.get("notes", [])
            now = (grades[0].verdict.value, finding.found if finding else "")
            if not self.shown or self.shown[-1] != now:
                self.shown.append(now)
            return str(now)

        def run():
            try:
                self.code = watcher.watch(world.connection, TRAINING, timeout, show, short)
            except Exception as error:
                self.error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def until(self, words: str, seconds: float = SOON_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not any(words in " ".join(each) for each in self.shown):
            assert time.monotonic() < end, (words, self.shown, self.error)
            time.sleep(0.01)

    def end(self, seconds: float = 15.0) -> int | None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), self.shown
        return self.code


@pytest.fixture
def world(tmp_path, monkeypatch):
    # Every watch opens a dozen connections at one moment.
    monkeypatch.setattr(ThreadingHTTPServer, "request_queue_size", 512)
    with serve() as api:
        yield World(api, tmp_path)


def quiet(api: ApiServer, seconds: float = QUIET_SECONDS) -> int:
    """How many requests arrive meanwhile, once those that were sent before have arrived."""
    for _ in range(50):
        before = api.requests
        time.sleep(0.1)
        if api.requests == before:
            break
    time.sleep(seconds)
    return api.requests - before


def lists_and_watches(api: ApiServer, paths: list[str]) -> tuple[list[int], list[int]]:
    asked = [[full for path, full, _ in api.seen if path == one] for one in paths]
    watches = [sum("watch=true" in full for full in each) for each in asked]
    return [len(each) - n for each, n in zip(asked, watches, strict=True)], watches


def settled(api: ApiServer) -> int:
    """How many requests have arrived, once none has arrived for a second."""
    end = time.monotonic() + MANY_SECONDS
    while quiet(api, 1.0):
        assert time.monotonic() < end, api.seen
    return api.requests


def test_one_list_and_one_watch_per_kind_and_then_no_request(world):
    seen = world.trains().watch()
    world.until_watched()
    assert quiet(world.api) == 0
    kinds = [kind for kind in cluster.LISTS if kind in TRAINING[0].reads]
    paths = [world.path(kind) for kind in kinds]
    assert lists_and_watches(world.api, paths) == ([1] * len(kinds), [1] * len(kinds))
    follows = [full for _, full, _ in world.api.seen if "follow=true" in full]
    assert len(follows) == 1
    world.ends()
    seen.end()


def test_thirty_learners_ask_thirty_times_as_much_and_nothing_while_it_is_quiet(world, monkeypatch):
    # Three hundred threads that look whether their client is still there are slow.
    patient = lambda self, path: self.api.told(path).get(timeout=60)  # noqa: E731
    monkeypatch.setattr(Handler, "_next", patient)
    world.nothing_made()
    alone = watching.Watching(world.connection, TRAINING)
    world.until_open(alone)
    one = settled(world.api)
    others = [watching.Watching(world.connection, TRAINING) for _ in range(29)]
    world.until_open(alone, *others)
    assert settled(world.api) == 30 * one
    for each in [alone, *others]:
        each.wait(0.02)
    assert settled(world.api) == 30 * one
    for each in [alone, *others]:
        each.close()


def test_a_change_is_seen_within_a_second_and_the_new_log_is_followed(world):
    seen = world.nothing_made().watch(patience=10)
    seen.until("no TfJob", 2.0)
    world.trains()
    for kind, item in (("tfjobs", world.tfjob), ("jobs", world.job), ("pods", world.pod)):
        world.tell(kind, "ADDED", item)
    seen.until("step 200/500")
    world.api.tell(world.log_path, *world.rest[:1])
    seen.until("step 250/500")
    world.ends()
    assert seen.end() == EXIT_CODES[Verdict.DONE]
    assert sum("follow=true" in full for _, full, _ in world.api.seen) == 1


def test_a_training_that_ends_is_never_wrong_on_its_way(world):
    """The TfJob may say that it has succeeded before its Pod and its log do."""
    seen = world.trains().watch()
    seen.until("step ")
    world.api.answers[world.log_path] = world.log
    for kind in ("tfjobs", "pods"):
        world.answer(cluster.LISTS[kind][0], [world.data["objects"][kind][-1]])
    world.tell("tfjobs", "MODIFIED", world.data["objects"]["tfjobs"][-1])
    time.sleep(0.5)
    world.tell("pods", "MODIFIED", world.data["objects"]["pods"][-1])
    assert seen.end() == EXIT_CODES[Verdict.DONE]
    assert not [each for each in seen.shown if each[0] == "wrong"]


def test_a_lease_that_is_renewed_asks_for_nothing(world):
    with_operator = watching.Watching(world.connection, [EXERCISES["5.0"]])
    world.until_open(with_operator)
    before = world.api.requests
    (lease,) = world.data["operator"]["leases"]
    path = next(p for p, _, _ in world.api.seen if p.endswith("/leases"))
    for _ in range(3):
        world.api.tell(path, {"type": "MODIFIED", "object": lease})
        assert with_operator.wait(2.0)
    assert world.api.requests == before
    with_operator.close()


def test_an_operator_installed_meanwhile_is_found_in_its_namespace(world):
    operator = copy.deepcopy(world.data["operator"])
    crd = cluster.LISTS["customresourcedefinitions"][0]
    world.answer(cluster.LISTS["operator deployments"][0], [])
    world.answer(crd, [])
    world.api.answers[world.path("tfjobs")] = 404
    seen = watching.Watching(world.connection, [EXERCISES["5.0"]])
    assert grade(seen.snapshot(), ["5.0"])[0].verdict is Verdict.NOT_STARTED
    world.answer(cluster.LISTS["operator deployments"][0], operator["deployments"])
    world.answer(cluster.LISTS["tfjobs"][0], [])
    defined = world.data["objects"]["customresourcedefinitions"][0]
    world.tell("customresourcedefinitions", "ADDED", defined)
    world.tell("operator deployments", "ADDED", operator["deployments"][0])
    seen.wait(2.0)
    result = grade(seen.snapshot(), ["5.0"])[0]
    # The lease of the recording is old by now.
    assert result.verdict is Verdict.DONE or result.finding.id == "runs.lease", result.finding
    seen.close()


def test_a_kind_that_is_served_late_is_asked_for_again(world, monkeypatch):
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.05)
    world.api.answers[world.path("tfjobs")] = 404
    seen = watching.Watching(world.connection, TRAINING)
    defined = world.data["objects"]["customresourcedefinitions"][0]
    world.tell("customresourcedefinitions", "ADDED", defined)
    assert seen.wait(1.0)
    assert "tfjobs" in seen.data["missing"]
    world.answer(cluster.LISTS["tfjobs"][0], [])
    seen.wait(1.0)
    assert "tfjobs" not in seen.data["missing"]
    assert quiet(world.api, 0.3) == 0
    seen.close()


def test_a_version_that_is_too_old_is_read_again(world, monkeypatch):
    monkeypatch.setattr(watching, "ANEW_SECONDS", 0.0)
    seen = world.nothing_made().watch(patience=10)
    seen.until("no TfJob", 2.0)
    world.trains()
    gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
    world.api.tell(world.path("pods"), {"type": "ERROR", "object": gone})
    seen.until("step ")
    world.ends()
    assert seen.end() == EXIT_CODES[Verdict.DONE]


def test_a_watch_that_the_server_ends_goes_on_from_where_it_was(world, monkeypatch):
    monkeypatch.setattr(followed, "SHORT_SECONDS", 0.0)
    seen = watching.Watching(world.nothing_made().connection, TRAINING)
    world.tell("pods", "ADDED", world.pod)
    assert seen.wait(2.0)
    version = seen.data["objects"]["pods"][0]["metadata"]["resourceVersion"]
    world.api.end(world.path("pods"))
    seen.wait(0.5)
    time.sleep(0.1)
    opened = [full for path, full, _ in world.api.seen if path == world.path("pods")]
    assert f"resourceVersion={version}&" in opened[-1]
    lists = [full for full in opened if "watch=true" not in full]
    assert len(lists) == 1
    seen.close()


def test_a_server_that_restarts_is_found_again(world, monkeypatch):
    monkeypatch.setattr(watching, "ANEW_SECONDS", 0.0)
    monkeypatch.setattr(watcher, "CONNECT_AGAIN_SECONDS", 0.05)
    seen = world.trains().watch(patience=20)
    world.until_watched()
    world.api.answers[world.log_path] = world.log
    for kind in ("pods", "jobs", "tfjobs"):
        world.answer(cluster.LISTS[kind][0], [world.data["objects"][kind][-1]])
    refusals = iter([NoCluster("no answer", "Wait."), NoCluster("no answer", "Wait.")])
    honest = watching.read_with

    def restarting(api, chosen):
        for refusal in refusals:
            raise refusal
        return honest(api, chosen)

    monkeypatch.setattr(watching, "read_with", restarting)
    # As a connection that is lost: the stream ends in the middle of an answer.
    world.api.tell(world.path("pods"), "BROKEN")
    assert seen.end() == EXIT_CODES[Verdict.DONE]


def test_who_may_not_watch_gets_the_lists_read_again(world, monkeypatch):
    monkeypatch.setattr(watching, "READ_AGAIN_SECONDS", 0.3)
    refuse_watches(world, monkeypatch)
    seen = world.nothing_made().watch(patience=10)
    seen.until("no TfJob", 2.0)
    time.sleep(0.5)
    assert "no permission to watch" in seen.notes[0]
    assert "pods" in seen.notes[0]
    world.trains()
    seen.until("step ", 2.0)
    before = world.api.requests
    time.sleep(0.65)
    kinds = len([kind for kind in cluster.LISTS if kind in TRAINING[0].reads])
    assert world.api.requests - before <= 3 * (kinds + 8)
    world.ends()
    assert seen.end() == EXIT_CODES[Verdict.DONE]


def refuse_watches(world, monkeypatch):
    """As for a Role with get and list alone."""
    honest = Handler.do_GET

    def refusing(self):
        if "watch=true" in self.path:
            self.api.seen.append((urlsplit(self.path).path, self.path, ""))
            body = json.dumps({"kind": "Status", "message": "cannot watch"}).encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            honest(self)

    monkeypatch.setattr(Handler, "do_GET", refusing)


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_is_too_busy_for_a_watch_is_not_asked_all_the_time(
    world, monkeypatch, status
):
    monkeypatch.setattr(watching, "ANEW_SECONDS", 0.2)
    honest = Handler.do_GET

    def busy(self):
        if "watch=true" in self.path:
            self.api.seen.append((urlsplit(self.path).path, self.path, ""))
            self.send_error(status)
        else:
            honest(self)

    monkeypatch.setattr(Handler, "do_GET", busy)
    seen = world.nothing_made().watch(timeout=1.0, patience=10)
    assert seen.end() == EXIT_CODES[Verdict.NOT_STARTED]
    lists = [f for p, f, _ in world.api.seen if p == world.path("pods") and "watch" not in f]
    assert len(lists) <= 7


def test_done_ends_it_at_once(world):
    begun = time.monotonic()
    assert world.watch().end() == EXIT_CODES[Verdict.DONE]
    assert time.monotonic() - begun < SOON_SECONDS


def test_wrong_ends_it_at_once_after_one_more_look(world, monkeypatch):
    monkeypatch.setattr(watching, "ANEW_SECONDS", 0.0)
    tfjob = copy.deepcopy(world.data["objects"]["tfjobs"][-1])
    tfjob["spec"]["replicaSpecs"][0]["replicas"] = 2
    world.answer(cluster.LISTS["tfjobs"][0], [tfjob])
    begun = time.monotonic()
    assert world.watch().end() == EXIT_CODES[Verdict.WRONG]
    assert time.monotonic() - begun < SOON_SECONDS
    path = world.path("tfjobs")
    assert len([f for p, f, _ in world.api.seen if p == path and "watch" not in f]) == 2


def test_not_started_ends_it_when_patience_ends(world):
    begun = time.monotonic()
    assert world.nothing_made().watch(patience=0.5).end() == EXIT_CODES[Verdict.NOT_STARTED]
    assert 0.4 < time.monotonic() - begun < 0.5 + SOON_SECONDS


def test_blocked_ends_it_when_patience_ends(world):
    world.nothing_made().answer(cluster.LISTS["operator deployments"][0], [])
    assert world.watch(patience=0.3).end() == EXIT_CODES[Verdict.BLOCKED]


def test_the_patience_is_thirty_seconds():
    assert set(watcher.PATIENCE_SECONDS.values()) == {30.0}
    assert Verdict.CONVERGING not in watcher.PATIENCE_SECONDS


def test_timeout_ends_it_with_the_verdict_of_that_moment(world):
    begun = time.monotonic()
    assert world.trains().watch(timeout=0.7).end() == EXIT_CODES[Verdict.CONVERGING]
    assert 0.6 < time.monotonic() - begun < 0.7 + SOON_SECONDS


def test_no_cluster_at_the_beginning_is_told_at_once(world):
    world.connection = replace(world.connection, server="http://127.0.0.1:9")
    seen = world.watch()
    seen.end()
    assert seen.error is not None


def run_watch(world, *more: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "validator", "module5", "--exercise", "1", "--watch", *more]
    env = {**os.environ, "WORKSHOP_PROGRESS": str(world.kubeconfig.parent / "progress.json")}
    argv += ["--kubeconfig", str(world.kubeconfig)]
    return subprocess.Popen(
        argv, cwd=CHECKOUT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_ctrl_c_ends_it_at_once(world):
    running = run_watch(world.trains())
    while not world.api.streams:
        time.sleep(0.05)
    time.sleep(0.3)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    assert running.wait(5) == 130
    assert time.monotonic() - begun < SOON_SECONDS
    assert running.stderr.read() == ""


def test_a_log_of_a_watch_has_a_line_for_each_change(world):
    running = run_watch(world.trains(), "--plain")
    while not any(path == world.log_path for path in world.api.streams):
        time.sleep(0.05)
    world.api.tell(world.log_path, *world.rest[:1])
    time.sleep(0.5)
    world.ends()
    said, errors = running.communicate(timeout=10)
    assert running.returncode == 0
    assert "step 250/500" in said
    assert said.rstrip().splitlines()[-1].strip().startswith("[x]") or "done" in said
    assert errors == ""
