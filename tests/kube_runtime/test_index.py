from kube_runtime.index import Index
from tests.kube_runtime.builders import Listener, obj


def index(**more):
    result = Listener()
    made = Index(
        lambda o: o.get("phase"),
        lambda o: o["metadata"]["ownerReferences"][0]["uid"],
        result,
        **more,
    )
    return made, result


def test_what_a_pass_could_notice_is_told_and_nothing_else():
    made, result = index()
    made.upsert(obj("a", 1, phase="Pending"))
    made.upsert(obj("a", 2, phase="Pending"))
    made.upsert(obj("a", 3, phase="Running"))
    made.delete("a")
    made.delete("a")
    assert result == [
        ("tfjob", "Pending", False),
        ("tfjob", "Running", False),
        ("tfjob", "Running", True),
    ]


def test_older_news_never_replace_newer_ones():
    made, _ = index()
    made.upsert(obj("a", 5, phase="Running"))
    made.upsert(obj("a", 4, phase="Pending"))
    assert made.of("tfjob") == {"a": "Running"}


def test_fault_10_a_successor_of_the_same_name_is_another_object():
    made, _ = index()
    made.upsert(obj("old", 1, "old-job", phase="Failed"))
    made.upsert(obj("new", 2, "new-job", phase="Running"))
    assert (made.of("old-job"), made.of("new-job")) == ({"old": "Failed"}, {"new": "Running"})


def test_our_own_write_is_seen_before_the_watch_tells():
    made, _ = index()
    made.version = 5
    made.upsert_from_response(obj("a", 6, phase="Pending"))
    assert made.of("tfjob") == {"a": "Pending"}


def test_our_own_write_does_not_bring_back_what_the_watch_saw_go():
    made, _ = index()
    made.version = 9
    made.upsert_from_response(obj("a", 6, phase="Pending"))
    assert made.of("tfjob") == {}


def test_late_news_do_not_bring_back_what_we_deleted():
    made, result = index()
    made.upsert(obj("a", 1, phase="Running"))
    made.delete_local("a")
    made.upsert(obj("a", 2, phase="Failed"))
    assert (made.of("tfjob"), len(result)) == ({}, 2)
    made.delete("a")
    assert len(result) == 2


def test_what_we_deleted_and_something_holds_is_there_while_it_lasts():
    made, _ = index()
    made.upsert(obj("a", 1, phase="Running"))
    made.delete_local("a")
    going = obj("a", 2, phase="Running")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    made.upsert(going)
    assert made.of("tfjob") == {"a": "Running"}


def test_a_new_list_forgets_what_it_does_not_have_unless_it_is_newer():
    made, _ = index()
    for uid, version in (("kept", 1), ("gone", 2), ("newer", 12)):
        made.upsert(obj(uid, version))
    made.remove_missing({"kept"}, 10)
    assert set(made.of("tfjob")) == {"kept", "newer"}


def test_an_object_that_changes_its_owner_is_no_longer_the_firsts():
    made, result = index()
    made.upsert(obj("a", 1, "one", phase="Running"))
    made.upsert(obj("a", 2, "two", phase="Running"))
    assert (made.of("one"), made.of("two")) == ({}, {"a": "Running"})
    assert ("one", "Running", True) in result


def test_an_object_without_an_owner_is_nobodys():
    result = Listener()
    made = Index(lambda o: o, lambda o: "", result)
    made.upsert(obj("a", 1))
    assert (made.owners(), result) == ([], [])


def altered(uid, version, manager):
    """An object whose spec ``manager`` has written last."""
    entry = {"manager": manager, "fieldsV1": {"f:spec": {"f:suspend": {}}}}
    return obj(uid, version, phase="Running", metadata={"managedFields": [entry]})


def test_what_others_have_changed_is_known_until_it_is_put_right_or_gone():
    made, result = index(notes_changes=True)
    made.upsert(altered("a", 1, "tf-job-operator"))
    made.upsert(altered("b", 2, "tf-job-operator"))
    assert made.altered("tfjob") == []
    made.upsert(altered("a", 3, "kubectl-edit"))
    assert made.altered("tfjob") == ["name-a: kubectl-edit changed spec.suspend"]
    assert made.altered("another") == []
    assert len(result) == 3  # the view is the same, but a pass could notice
    made.upsert(altered("a", 4, "tf-job-operator"))
    assert (made.altered("tfjob"), len(result)) == ([], 4)
    made.upsert(altered("b", 5, "kubectl-edit"))
    made.delete("b")
    assert made.altered("tfjob") == []
