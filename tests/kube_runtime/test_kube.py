import asyncio

import pytest

from kube_runtime.kube import JOBS, PODS, ApiError, Kube, Response
from tfjob_api.spec import TFJOBS


class Answers:
    """A transport that answers from a list and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def send(self, request):
        self.asked.append(request)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        pytest.param(PODS.path(), "/api/v1/pods", id="all of the core group"),
        pytest.param(JOBS.path("lab"), "/apis/batch/v1/namespaces/lab/jobs", id="a namespace's"),
        pytest.param(
            TFJOBS.path("lab", "j", "status"),
            "/apis/tensorflow.org/v1alpha1/namespaces/lab/tfjobs/j/status",
            id="a subresource",
        ),
    ],
)
def test_paths_are_those_of_the_api(path, wanted):
    assert path == wanted


def test_a_refusal_is_told_in_the_servers_words_with_the_time_to_wait():
    answer = Response(429, {"message": "too many", "reason": "Too"}, {"retry-after": "7"})
    with pytest.raises(ApiError, match="too many") as caught:
        asyncio.run(Kube(Answers(answer)).get(PODS, "lab", "p"))
    assert (caught.value.status, caught.value.retry_after_seconds) == (429, 7)


def test_a_refusal_without_words_tells_its_number():
    assert str(ApiError(Response(502))) == "the API server answered 502"


def test_a_creation_is_strict():
    transport = Answers(Response(201, {}))
    asyncio.run(Kube(transport).create(JOBS, {"metadata": {"namespace": "lab", "name": "j"}}))
    assert dict(transport.asked[0].query) == {"fieldValidation": "Strict"}


def test_a_change_is_merged_into_the_object():
    transport = Answers(Response(200, {"kind": "Job"}))
    change = {"metadata": {"uid": "uid-1"}, "spec": {"suspend": True}}
    assert asyncio.run(Kube(transport).patch(JOBS, "lab", "j", change)) == {"kind": "Job"}
    asked = transport.asked[0]
    assert (asked.method, asked.body, asked.path) == ("PATCH", change, JOBS.path("lab", "j"))
    assert asked.content_type == "application/merge-patch+json"


def test_a_deletion_means_one_object_and_no_successor():
    transport = Answers(Response(200, {}))
    asyncio.run(Kube(transport).delete(JOBS, "lab", "j", "uid-1"))
    assert transport.asked[0].body["preconditions"] == {"uid": "uid-1"}


class Slow:
    """A transport that notes how many requests are under way at the same time."""

    def __init__(self):
        self.now = self.most = 0

    async def send(self, request):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return Response(200, {})


def test_creations_are_bounded_and_status_writes_never_wait_for_them():
    async def run():
        transport = Slow()
        kube = Kube(transport, max_in_flight=3)
        body = {"metadata": {"namespace": "lab", "name": "j"}}
        await asyncio.gather(*(kube.create(JOBS, body) for _ in range(20)))
        creations, transport.most = transport.most, 0
        await asyncio.gather(*(kube.update(TFJOBS, body, "status") for _ in range(20)))
        return creations, transport.most

    assert asyncio.run(run()) == (3, 20)
