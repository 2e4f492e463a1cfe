"""One watch for ever: what it begins with, and how it goes on."""

import asyncio

from kube_runtime.index import Index
from kube_runtime.kube import PODS, Kube
from kube_runtime.reflector import Reflector
from tests.fakes import virtual_time

END = {"k8s.io/initial-events-end": "true"}


class Watches:
    """A transport with a script: per watch a list of events, after which it breaks."""

    def __init__(self, *scripts):
        self.scripts, self.asked = list(scripts), []

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
