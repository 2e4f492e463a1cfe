from kube_runtime.changes import Deletion, deletions


def test_all_objects_of_a_kind_are_deleted_by_uid_but_for_the_one_that_is_kept():
    uids = {"a": "uid-a", "b": "uid-b"}
    assert deletions("Service", uids) == (
        Deletion("Service", "a", "uid-a"),
        Deletion("Service", "b", "uid-b"),
    )
    assert deletions("Service", uids, kept="a") == (Deletion("Service", "b", "uid-b"),)
