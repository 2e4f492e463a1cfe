"""One watch for ever: what it begins with, and how it goes on."""

import asyncio

import pytest

from kube_runtime.index import Index
from kube_runtime.kube import PODS, ApiError, Kube, Response
from kube_runtime.reflector import Reflector
from tests.fakes import virtual_time

END = {"k8s.io/initial-events-end": "true"}


class Watches:
    """A transport with a script: per watch a list of events, after which it breaks."""

    def __init__(self, *scripts):
        self.scripts, self.asked, self.lists = list(scripts), [], []

    async def send(self, request):
        """A list, in two pages."""
        self.lists.append(dict(request.query))
        if "continue" in request.query:
            items = [event("", 2, "b")["object"]]
            return Response(200, {"items": items, "metadata": {"resourceVersion": "5"}})
        items = [event("", 1, "a")["object"]]
        meta = {"resourceVersion": "5", "continue": "more"}
        return Response(200, {"items": items, "metadata": meta})

    async def stream(self, request):
        self.asked.append(dict(request.query))
        if not self.scripts:
            await asyncio.Event().wait()
        for event in self.scripts.pop(0):
            yield event
        raise ConnectionError("broken")


def event(kind, version, name="", annotations=None):
    meta = {"name": name, "uid": name, "resourceVersion": str(version)}
    return {"type": kind, "object": {"metadata": meta | {"annotations": annotations or {}}}}


def followed(*scripts):
    """(UIDs in the index, whether it is synced, the queries) after these watches."""

    async def run():
        transport = Watches(*scripts)
        index = Index(lambda obj: obj, lambda obj: "owner", lambda *_: None)
        reflector = Reflector(Kube(transport), "", PODS, {}, index)
        task = asyncio.ensure_future(reflector.run())
        await asyncio.sleep(60)
        task.cancel()
        return sorted(index.of("owner")), reflector.synced.is_set(), transport.asked

    return virtual_time.run(run())


def test_it_is_synced_when_all_that_is_there_was_told():
    begun = [event("ADDED", 3, "a"), event("BOOKMARK", 5, annotations=END)]
    assert followed(begun)[:2] == (["a"], True)


def test_a_watch_that_broke_goes_on_where_it_was():
    begun = [event("ADDED", 3, "a"), event("BOOKMARK", 5, annotations=END), event("ADDED", 7, "b")]
    uids, _, asked = followed(begun, [event("ADDED", 9, "c")])
    assert uids == ["a", "b", "c"]
    assert [query.get("resourceVersion") for query in asked] == [None, "7", "9"]
    assert [query.get("sendInitialEvents") for query in asked] == ["true", None, None]


def test_a_watch_that_broke_in_its_beginning_begins_again():
    whole = [event("ADDED", 4, "b"), event("BOOKMARK", 6, annotations=END)]
    uids, synced, asked = followed([event("ADDED", 3, "a")], whole)
    assert (uids, synced) == (["b"], True)
    assert [query.get("sendInitialEvents") for query in asked] == ["true", "true", None]


def test_after_a_forgotten_version_what_is_gone_is_forgotten_too():
    begun = [event("ADDED", 3, "a"), event("BOOKMARK", 5, annotations=END)]
    expired = [{"type": "ERROR", "object": {"code": 410, "message": "too old"}}]
    again = [event("ADDED", 8, "b"), event("BOOKMARK", 9, annotations=END)]
    assert followed(begun, expired, again)[0] == ["b"]


def test_nobody_ends_the_beginning_by_an_annotation_of_his_own():
    hostile = [event("ADDED", 3, "a", annotations=END)]
    assert followed(hostile)[1] is False


class Server(Watches):
    """A transport of which every watch does the same."""

    def __init__(self, watch):
        super().__init__()
        self.watch = watch

    async def stream(self, request):
        self.asked.append(dict(request.query))
        async for found in self.watch(request):
            yield found


def watched(transport, seconds=60):
    """(the reflector, UIDs in its index) after some time with a transport."""

    async def run():
        index = Index(lambda obj: obj, lambda obj: "owner", lambda *_: None)
        reflector = Reflector(Kube(transport), "", PODS, {}, index)
        task = asyncio.ensure_future(reflector.run())
        await asyncio.sleep(seconds)
        task.cancel()
        return reflector, sorted(index.of("owner"))

    return virtual_time.run(run())


async def ends_at_once(request):
    if "sendInitialEvents" in request.query:
        yield event("BOOKMARK", 5, annotations=END)


def test_a_watch_that_ends_at_once_is_opened_again_with_longer_and_longer_pauses():
    server = Server(ends_at_once)
    watched(server, seconds=600)
    assert 20 < len(server.asked) < 80


async def has_no_end(request):
    if "sendInitialEvents" in request.query:
        yield event("ADDED", 3, "a")
    await asyncio.sleep(100)


def test_a_streaming_list_without_its_end_is_listed_in_pages_instead():
    server = Server(has_no_end)
    reflector, uids = watched(server, seconds=150)
    assert (uids, reflector.synced.is_set()) == (["a", "b"], True)
    assert [query.get("continue") for query in server.lists] == [None, "more"]
    assert server.asked[-1]["resourceVersion"] == "5"


async def knows_no_streaming_list(request):
    if "sendInitialEvents" in request.query:
        raise ApiError(Response(422, {"message": "sendInitialEvents is forbidden"}))
    await asyncio.sleep(100)
    yield event("BOOKMARK", 9)


def test_so_is_it_with_an_api_server_that_knows_none():
    reflector, uids = watched(Server(knows_no_streaming_list))
    assert (uids, reflector.synced.is_set()) == (["a", "b"], True)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param(403, "you may not watch pods", id="by a missing right"),
        pytest.param(404, "404 page not found", id="because the cluster has no such API"),
    ],
)
def test_a_watch_that_is_refused_is_a_warning_once_and_says_why(caplog, code, why):
    async def is_refused(request):
        raise ApiError(Response(code, {"message": why}))
        yield

    reflector, _ = watched(Server(is_refused))
    assert (reflector.settled.is_set(), reflector.synced.is_set()) == (True, False)
    assert reflector.refusal == why
    assert [each.levelname for each in caplog.records].count("WARNING") == 1
