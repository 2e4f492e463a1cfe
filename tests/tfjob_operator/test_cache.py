from tfjob_operator.cache import BEHIND, Cache, Index, pack


def obj(uid, version, owner="tfjob", **fields):
    meta = {
        "uid": uid,
        "name": f"name-{uid}",
        "resourceVersion": str(version),
        "ownerReferences": [{"uid": owner, "controller": True}],
    }
    return {"metadata": {**meta, **fields.pop("metadata", {})}, **fields}


class Told(list):
    def __call__(self, owner, view, deleted):
        self.append((owner, view, deleted))


def index():
    told = Told()
    made = Index(
        lambda o: o.get("phase"), lambda o: o["metadata"]["ownerReferences"][0]["uid"], told
    )
    return made, told


def test_what_a_pass_could_notice_is_told_and_nothing_else():
    made, told = index()
    made.put(obj("a", 1, phase="Pending"))
    made.put(obj("a", 2, phase="Pending"))
    made.put(obj("a", 3, phase="Running"))
    made.remove("a")
    made.remove("a")
    assert told == [
        ("tfjob", "Pending", False),
        ("tfjob", "Running", False),
        ("tfjob", "Running", True),
    ]


def test_older_news_never_replace_newer_ones():
    made, _ = index()
    made.put(obj("a", 5, phase="Running"))
    made.put(obj("a", 4, phase="Pending"))
    assert made.of("tfjob") == {"a": "Running"}


def test_fault_10_a_successor_of_the_same_name_is_another_object():
    made, _ = index()
    made.put(obj("old", 1, "old-job", phase="Failed"))
    made.put(obj("new", 2, "new-job", phase="Running"))
    assert (made.of("old-job"), made.of("new-job")) == ({"old": "Failed"}, {"new": "Running"})


def test_our_own_write_is_seen_before_the_watch_tells():
    made, _ = index()
    made.version = 5
    made.put_own(obj("a", 6, phase="Pending"))
    assert made.of("tfjob") == {"a": "Pending"}


def test_our_own_write_does_not_bring_back_what_the_watch_saw_go():
    made, _ = index()
    made.version = 9
    made.put_own(obj("a", 6, phase="Pending"))
    assert made.of("tfjob") == {}


def test_a_new_list_forgets_what_it_does_not_have_unless_it_is_newer():
    made, _ = index()
    for uid, version in (("kept", 1), ("gone", 2), ("newer", 12)):
        made.put(obj(uid, version))
    made.keep_only({"kept"}, 10)
    assert set(made.of("tfjob")) == {"kept", "newer"}


def test_an_object_without_an_owner_is_nobodys():
    made, told = Index(lambda o: o, lambda o: "", Told()), Told()
    made.put(obj("a", 1))
    assert (made.owners(), told) == ([], [])


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


def test_a_deleted_service_wakes_its_tfjob():
    jobs = Told()
    cache = Cache(Told(), jobs, Told())
    cache.services.put(obj("s", 1))
    assert jobs == []
    cache.services.remove("s")
    assert jobs == [("tfjob", None, True)]


def test_a_tfjob_is_kept_without_what_no_pass_reads():
    noise = {"managedFields": [{"manager": "kubectl"}], "annotations": {"a": "b"}}
    packed = pack({"metadata": {"name": "j", "uid": "u", **noise}, "spec": {"a": 1}})
    assert packed == b'{"metadata":{"name":"j","uid":"u"},"spec":{"a":1},"status":null}'
