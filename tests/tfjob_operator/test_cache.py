import pytest

from tests.kube_runtime.builders import Told, obj
from tfjob_operator.cache import BEHIND, Cache, pack


def test_pods_and_warnings_reach_the_tfjob_through_their_job():
    pods = Told()
    cache = Cache(Told(), Told(), pods)
    cache.jobs.put(obj("job", 1, "tfjob"))
    cache.pods.put(obj("pod", 2, "job"))
    cache.pods.put(obj("stray", 3, "someone-elses-job"))
    warning = {"metadata": {"uid": "e", "resourceVersion": "4"}, "message": "exceeded quota"}
    cache.warnings.put(warning | {"involvedObject": {"uid": "job"}})
    observed = cache.children("tfjob")
    assert [owner for owner, *_ in pods] == ["tfjob", "tfjob"]
    assert list(observed.jobs) == ["name-job"]
    assert [pod.name for pod in observed.pods["job"]] == ["name-pod"]
    assert observed.warnings == {"job": "exceeded quota"}


def test_the_job_controller_is_behind_while_many_jobs_have_no_pod():
    cache = Cache(Told(), Told(), Told())

    def is_behind():
        return cache.children("tfjob").job_controller_is_behind

    for number in range(BEHIND + 1):
        cache.jobs.put(obj(f"job-{number}", 1, f"tfjob-{number}"))
    assert is_behind()
    cache.pods.put(obj("pod", 2, "job-0"))
    assert not is_behind()
    cache.jobs.put(obj("job-0", 3, "tfjob-0", status={"failed": 1}))
    assert not is_behind()
    cache.jobs.put(obj("another", 4, "tfjob"))
    assert is_behind()
    cache.jobs.remove("job-1")
    assert not is_behind()
    cache.jobs.put(obj("suspended", 5, "tfjob", spec={"suspend": True}))
    assert not is_behind()


@pytest.mark.parametrize("kind", ["services", "deployments"])
def test_a_deleted_service_or_deployment_wakes_its_tfjob(kind):
    jobs = Told()
    cache = Cache(Told(), jobs, Told())
    index = getattr(cache, kind)
    index.put(obj("s", 1))
    assert jobs == []
    assert list(getattr(cache.children("tfjob"), kind)) == ["name-s"]
    index.remove("s")
    assert jobs == [("tfjob", None, True)]
    assert not getattr(cache.children("tfjob"), kind)


def test_a_tfjob_is_kept_without_what_no_pass_reads():
    noise = {"managedFields": [{"manager": "kubectl"}], "annotations": {"a": "b"}}
    packed = pack({"metadata": {"name": "j", "uid": "u", **noise}, "spec": {"a": 1}})
    assert packed == b'{"metadata":{"name":"j","uid":"u"},"spec":{"a":1},"status":null}'
