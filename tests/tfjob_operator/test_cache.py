import pytest

from tests.kube_runtime.builders import Listener, obj
from tfjob_operator.cache import Cache, stored_view


def test_pods_and_warnings_reach_the_tfjob_through_their_job():
    children, pods = Listener(), Listener()
    cache = Cache(Listener(), children, pods)
    cache.jobs.upsert(obj("job", 1, "tfjob"))
    cache.pods.upsert(obj("pod", 2, "job"))
    cache.pods.upsert(obj("stray", 3, "someone-elses-job"))
    for version, minute, message in ((4, 10, "exceeded quota"), (5, 9, "violates PodSecurity")):
        meta = {"uid": f"e{version}", "resourceVersion": str(version)}
        seen = {"lastTimestamp": f"2026-01-01T00:{minute:02}:00Z", "message": message}
        cache.warnings.upsert({"metadata": meta, "involvedObject": {"uid": "job"}, **seen})
    observed = cache.children("tfjob")
    assert [owner for owner, *_ in pods] == ["tfjob"]
    assert children[-1] == ("tfjob", None, False)
    assert list(observed.jobs) == ["name-job"]
    assert [pod.name for pod in observed.pods["job"]] == ["name-pod"]
    assert observed.warnings == {"job": ("2026-01-01T00:10:00Z", "exceeded quota")}  # the newest


JOB_LABELS = {
    "batch.kubernetes.io/controller-uid": "job",
    "batch.kubernetes.io/job-name": "name-job",
}


def going(uid, version, job="job", **status):
    """A Pod that is being deleted, with the annotation that says whose it is."""
    meta = {"annotations": {"tensorflow.org/tfjob-uid": "tfjob"}}
    meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    pod = obj(uid, version, job, metadata=meta, status=status)
    pod["metadata"]["ownerReferences"][0]["name"] = f"name-{job}"
    return pod


def test_a_pod_that_outlives_its_job_is_known_to_the_tfjob_until_it_is_gone():
    pods = Listener()
    cache = Cache(Listener(), Listener(), pods)
    cache.jobs.upsert(obj("job", 1, "tfjob"))
    cache.pods.upsert(going("pod", 2))
    assert cache.children("tfjob").leftovers == {}
    cache.jobs.delete("job")
    assert list(cache.children("tfjob").leftovers) == ["name-job"]
    del pods[:]
    cache.pods.delete("pod")
    assert [owner for owner, *_ in pods] == ["tfjob"]
    assert cache.children("tfjob").leftovers == {}


def test_so_is_it_by_an_operator_that_was_started_later_and_an_ended_one_holds_nothing():
    cache = Cache(Listener(), Listener(), Listener())
    cache.pods.upsert(going("pod", 2))
    cache.pods.upsert(going("ended", 3, "other", phase="Failed"))
    assert list(cache.children("tfjob").leftovers) == ["name-job"]


def test_of_the_pods_that_lost_their_owner_those_that_nobody_has_deleted_come_first():
    cache = Cache(Listener(), Listener(), Listener())
    for uid, version in (("a", 2), ("b", 3), ("c", 4)):
        orphan = going(uid, version)
        orphan["metadata"] |= {"ownerReferences": [], "labels": JOB_LABELS}
        if uid == "b":
            del orphan["metadata"]["deletionTimestamp"]
        cache.pods.upsert(orphan)
    observed = cache.children("tfjob")
    assert list(observed.leftovers) == ["name-job"]
    assert observed.orphans == {"name-b": "b"}


@pytest.mark.parametrize("kind", ["services", "config_maps", "pod_groups"])
def test_a_deleted_child_wakes_its_tfjob(kind):
    jobs = Listener()
    cache = Cache(Listener(), jobs, Listener())
    index = getattr(cache, kind)
    index.upsert(obj("s", 1))
    assert list(getattr(cache.children("tfjob"), kind)) == ["name-s"]
    index.delete("s")
    assert jobs == [("tfjob", None, False), ("tfjob", None, True)]
    assert not getattr(cache.children("tfjob"), kind)


KINDS = ["jobs", "services", "config_maps", "pod_groups", "deployments"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_that_somebody_changed_wakes_its_tfjob_and_is_named(kind):
    heard = Listener()
    cache = Cache(Listener(), heard, Listener())
    index = getattr(cache, kind)
    index.upsert(obj("s", 1))
    assert cache.children("tfjob").altered == ()
    del heard[:]
    entry = {"manager": "kubectl-edit", "fieldsV1": {"f:data": {"f:x": {}}}}
    index.upsert(obj("s", 2, metadata={"managedFields": [entry]}))
    assert [each[::2] for each in heard] == [("tfjob", False)]
    named = next(name for name, each in cache.children_by_kind.items() if each is index)
    assert cache.children("tfjob").altered == (f"{named} name-s: kubectl-edit changed data.x",)


def test_a_tfjob_is_kept_without_what_no_pass_reads():
    noise = {"managedFields": [{"manager": "kubectl"}], "annotations": {"a": "b"}}
    encoded = stored_view(
        {"metadata": {"name": "j", "uid": "u", **noise}, "spec": {"a": 1}}
    ).encoded
    assert encoded == b'{"metadata":{"name":"j","uid":"u"},"spec":{"a":1},"status":null}'
