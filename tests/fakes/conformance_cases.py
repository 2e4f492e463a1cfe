"""The cases of the conformance table; each name is a sentence about Kubernetes."""

import asyncio
from typing import Any

from kube_runtime.kube import CONFIG_MAPS, JOBS, PODS, SERVICES, ApiError, Request
from tests.fakes.conformance import FAIL_ON_1, NAMESPACES, Bench, config_map, job, owner, tf_job
from tfjob_api.spec import TFJOBS


async def a_created_object_has_uid_version_and_time(b: Bench) -> None:
    meta = (await b.create(CONFIG_MAPS, config_map("a")))["metadata"]
    assert meta["uid"]
    assert meta["creationTimestamp"].endswith("Z")
    assert int(meta["resourceVersion"]) > 0


async def a_second_create_is_409_already_exists(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a"))
    error = await b.refused(b.create(CONFIG_MAPS, config_map("a")))
    assert (error.status, error.reason) == (409, "AlreadyExists")
    assert str(error) == 'configmaps "a" already exists'


async def a_missing_object_is_404_by_name(b: Bench) -> None:
    error = await b.refused(b.get(JOBS, "a"))
    assert (error.status, error.reason) == (404, "NotFound")
    assert str(error) == 'jobs.batch "a" not found'
    assert (await b.refused(b.delete(JOBS, "a"))).status == 404


async def generate_name_gives_each_its_own(b: Bench) -> None:
    body = {"metadata": {"generateName": "event-"}}
    names = {(await b.create(CONFIG_MAPS, body))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("event-") for name in names)


async def a_write_from_an_old_version_is_409_conflict(b: Bench) -> None:
    old = await b.create(CONFIG_MAPS, config_map("a"))
    await b.patch(CONFIG_MAPS, "a", {"data": {"key": "new"}})
    error = await b.refused(b.put(CONFIG_MAPS, old))
    assert (error.status, error.reason) == (409, "Conflict")
    assert "the object has been modified" in str(error)


async def a_write_that_changes_nothing_keeps_the_version(b: Bench) -> None:
    old = await b.create(CONFIG_MAPS, config_map("a"))
    new = await b.patch(CONFIG_MAPS, "a", {"data": {"key": "value"}})
    assert new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]


async def a_merge_patch_removes_what_is_null(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a"))
    new = await b.patch(CONFIG_MAPS, "a", {"data": {"key": None, "other": "x"}})
    assert new["data"] == {"other": "x"}


async def a_patch_that_names_another_uid_is_refused(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    change = {"metadata": {"uid": "11111111-2222-4333-8444-555555555555"}}
    error = await b.refused(b.patch(JOBS, "a", {**change, "spec": {"suspend": True}}))
    assert (error.status, error.reason) == (422, "Invalid")
    assert str(error).endswith("field is immutable")
    assert not (await b.get(JOBS, "a"))["spec"].get("suspend")


async def generation_counts_changes_of_the_spec_only(b: Bench) -> None:
    created = await b.create(JOBS, job("a", suspend=True))
    labelled = await b.patch(JOBS, "a", {"metadata": {"labels": {"x": "y"}}})
    changed = await b.patch(JOBS, "a", {"spec": {"parallelism": 2}})
    generations = [obj["metadata"]["generation"] for obj in (created, labelled, changed)]
    assert generations == [1, 1, 2]


async def a_tf_jobs_status_is_written_only_through_its_subresource(b: Bench) -> None:
    created = await b.create(TFJOBS, {**tf_job("a"), "status": {"phase": "Done"}})
    assert "phase" not in created.get("status", {})
    patched = await b.patch(TFJOBS, "a", {"status": {"phase": "Done"}})
    assert "phase" not in patched.get("status", {})
    body = {"status": {"phase": "Done"}, "spec": {"runPolicy": {"suspend": True}}}
    patched = await b.patch(TFJOBS, "a", body, "status")
    assert patched["status"]["phase"] == "Done"
    assert not patched["spec"].get("runPolicy", {}).get("suspend")
    assert patched["metadata"]["generation"] == 1


async def a_tf_jobs_status_is_replaced_without_its_spec(b: Bench) -> None:
    made = await b.create(TFJOBS, tf_job("a"))
    body = {key: made[key] for key in ("apiVersion", "kind")} | {"metadata": identity(made)}
    told = await b.client.update(TFJOBS, body | {"status": {"phase": "Creating"}}, "status")
    body["metadata"] = identity(told)
    new = await b.client.update(TFJOBS, body | {"status": {"state": "Failed"}}, "status")
    assert new["status"] == {"state": "Failed"}
    assert new["spec"] == made["spec"]
    assert new["metadata"]["generation"] == 1


async def a_status_of_an_old_version_or_of_another_uid_is_409(b: Bench) -> None:
    made = await b.create(TFJOBS, tf_job("a"))
    body = {key: made[key] for key in ("apiVersion", "kind")} | {"status": {"phase": "Done"}}
    await b.client.update(TFJOBS, body | {"metadata": identity(made)}, "status")
    old = body | {"metadata": identity(made), "status": {"phase": "Creating"}}
    other = body | {"metadata": identity(await b.get(TFJOBS, "a")) | {"uid": "another"}}
    for wrong in (old, other):
        error = await b.refused(b.client.update(TFJOBS, wrong, "status"))
        assert (error.status, error.reason) == (409, "Conflict")


def identity(obj: Any) -> Any:
    """What of the metadata says which object, in which version, is meant."""
    return {key: obj["metadata"][key] for key in ("namespace", "name", "uid", "resourceVersion")}


async def an_unknown_field_of_a_tf_jobs_status_is_pruned(b: Bench) -> None:
    await b.create(TFJOBS, tf_job("a"))
    patched = await b.patch(TFJOBS, "a", {"status": {"phase": "Done", "nonsense": 1}}, "status")
    assert "nonsense" not in patched["status"]


async def an_unknown_replica_type_is_422(b: Bench) -> None:
    body = tf_job("a")
    body["spec"]["replicaSpecs"][0]["tfReplicaType"] = "BOSS"
    error = await b.refused(b.create(TFJOBS, body))
    assert (error.status, error.reason) == (422, "Invalid")
    assert 'spec.replicaSpecs[0].tfReplicaType: Unsupported value: "BOSS"' in str(error)


async def a_negative_number_of_replicas_is_422(b: Bench) -> None:
    body = tf_job("a")
    body["spec"]["replicaSpecs"][0]["replicas"] = -1
    error = await b.refused(b.create(TFJOBS, body))
    assert error.status == 422
    assert "spec.replicaSpecs[0].replicas" in str(error)


async def deleting_another_uid_is_409(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a"))
    wrong = {"uid": "00000000-0000-4000-8000-00000000ffff"}
    error = await b.refused(b.client.delete(CONFIG_MAPS, b.namespace, "a", wrong["uid"]))
    assert (error.status, error.reason) == (409, "Conflict")
    assert await b.get(CONFIG_MAPS, "a")


async def a_list_selects_by_labels(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a", labels={"x": "1", "y": ""}))
    await b.create(CONFIG_MAPS, config_map("b", labels={"x": "2"}))
    for selector, wanted in {"x=1": ["a"], "x!=1,x": ["b"], "y": ["a"], "x in (1,2)": ["a", "b"],
                             "x,!y": ["b"], "x notin (1),x": ["b"]}.items():  # fmt: skip
        listed = await b.listing(CONFIG_MAPS, labelSelector=selector)
        assert [obj["metadata"]["name"] for obj in listed["items"]] == wanted, selector


async def _events(b: Bench, count: int, **query: str) -> list[tuple[str, str]]:
    """(type, name) of the first events of a watch of ConfigMaps."""
    seen: list[tuple[str, str]] = []
    async with asyncio.timeout(30):
        async for event in b.client.watch(CONFIG_MAPS, b.namespace, query):
            if event["type"] == "BOOKMARK":
                continue
            seen.append((event["type"], event["object"].get("metadata", {}).get("name", "")))
            if len(seen) == count:
                break
    return seen


async def a_watch_tells_what_happened_since_a_version_in_order(b: Bench) -> None:
    version = (await b.listing(CONFIG_MAPS))["metadata"]["resourceVersion"]
    await b.create(CONFIG_MAPS, config_map("w"))
    await b.patch(CONFIG_MAPS, "w", {"data": {"key": "new"}})
    await b.delete(CONFIG_MAPS, "w")
    seen = await _events(b, 3, resourceVersion=version, fieldSelector="metadata.name=w")
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


async def a_watch_is_told_of_what_leaves_its_selector(b: Bench) -> None:
    version = (await b.listing(CONFIG_MAPS))["metadata"]["resourceVersion"]
    await b.create(CONFIG_MAPS, config_map("w"))
    await b.patch(CONFIG_MAPS, "w", {"metadata": {"labels": {"in": "yes"}}})
    await b.patch(CONFIG_MAPS, "w", {"metadata": {"labels": {"in": None}}})
    seen = await _events(b, 2, resourceVersion=version, labelSelector="in=yes")
    assert seen == [("ADDED", "w"), ("DELETED", "w")]


async def a_watch_begins_with_all_that_is_there_if_that_is_asked_for(b: Bench) -> None:
    for name in ("a", "b"):
        await b.create(CONFIG_MAPS, config_map(name, labels={"in": "yes"}))
    await b.create(CONFIG_MAPS, config_map("out"))
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    seen = []
    async with asyncio.timeout(30):
        watch = b.client.watch(CONFIG_MAPS, b.namespace, {**query, "labelSelector": "in=yes"})
        async for event in watch:
            meta = event["object"]["metadata"]
            is_bookmark, is_marked = event["type"] == "BOOKMARK", bool(meta.get("annotations"))
            if is_bookmark and not is_marked:
                continue  # an ordinary one, which may come at any time
            seen.append((event["type"], meta.get("name"), is_marked))
            if is_bookmark:
                await b.create(CONFIG_MAPS, config_map("c", labels={"in": "yes"}))
            if meta.get("name") == "c":
                break
    assert sorted(seen[:2]) == [("ADDED", "a", False), ("ADDED", "b", False)]
    assert seen[2:] == [("BOOKMARK", None, True), ("ADDED", "c", False)]


async def a_watch_from_a_forgotten_version_is_410(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a"))
    b.forget_history()
    old = {"resourceVersion": "1"}
    try:
        events = [event async for event in b.client.watch(CONFIG_MAPS, b.namespace, old)]
        code = events[0]["object"]["code"]
    except ApiError as error:
        code = error.status
    assert code == 410


async def the_children_of_a_deleted_owner_go(b: Bench) -> None:
    parent = await b.create(CONFIG_MAPS, config_map("parent"))
    await b.create(SERVICES, service("child", ownerReferences=[owner(parent)]))
    await b.delete(CONFIG_MAPS, "parent")
    await b.gone(SERVICES, "child")


async def the_child_of_an_earlier_owner_of_the_same_name_goes(b: Bench) -> None:
    first = await b.create(CONFIG_MAPS, config_map("parent"))
    await b.delete(CONFIG_MAPS, "parent")
    await b.create(CONFIG_MAPS, config_map("parent"))
    await b.create(CONFIG_MAPS, config_map("child", ownerReferences=[owner(first)]))
    await b.gone(CONFIG_MAPS, "child")


async def a_child_stays_while_one_of_its_owners_does(b: Bench) -> None:
    owners = [await b.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
    body = config_map("child", ownerReferences=[owner(obj) for obj in owners])
    await b.create(CONFIG_MAPS, body)
    await b.delete(CONFIG_MAPS, "one")
    await b.create(CONFIG_MAPS, config_map("marker", ownerReferences=[owner(owners[0])]))
    await b.gone(CONFIG_MAPS, "marker")
    assert await b.get(CONFIG_MAPS, "child")


async def a_foreground_deletion_waits_for_the_children(b: Bench) -> None:
    parent = await b.create(CONFIG_MAPS, config_map("parent"))
    block = owner(parent, controller=True, blockOwnerDeletion=True)
    meta: dict[str, Any] = {"ownerReferences": [block], "finalizers": ["example.com/hold"]}
    await b.create(CONFIG_MAPS, config_map("child", **meta))
    await b.delete(CONFIG_MAPS, "parent", propagationPolicy="Foreground")

    async def child_is_going() -> bool:
        return "deletionTimestamp" in (await b.get(CONFIG_MAPS, "child"))["metadata"]

    await b.until(child_is_going)
    assert "deletionTimestamp" in (await b.get(CONFIG_MAPS, "parent"))["metadata"]
    await b.patch(CONFIG_MAPS, "child", {"metadata": {"finalizers": None}})
    await b.gone(CONFIG_MAPS, "parent")


async def a_job_makes_one_pod_with_its_labels_and_its_owner(b: Bench) -> None:
    created = await b.create(JOBS, job("a"))
    meta = (await b.pod("a"))["metadata"]
    assert meta["labels"]["role"] == "test"
    assert meta["labels"]["job-name"] == "a"
    assert meta["labels"]["controller-uid"] == created["metadata"]["uid"]
    assert meta["name"].startswith("a-")
    assert meta["ownerReferences"][0] | {"controller": True} == meta["ownerReferences"][0]
    assert meta["ownerReferences"][0]["uid"] == created["metadata"]["uid"]
    assert len(await b.pods("a")) == 1


async def a_job_is_complete_when_its_pod_succeeds(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    await b.end(await b.pod("a"), 0)
    await b.condition("a", "Complete")
    status = (await b.get(JOBS, "a"))["status"]
    assert status["succeeded"] == 1
    assert status["completionTime"]
    kinds = [c["type"] for c in status["conditions"]]
    assert kinds == ["SuccessCriteriaMet", "Complete"]


async def an_exit_code_in_the_policy_fails_the_job_at_once(b: Bench) -> None:
    await b.create(JOBS, job("a", podFailurePolicy=FAIL_ON_1))
    pod = await b.pod("a")
    await b.end(pod, 1)
    failed = await b.condition("a", "Failed")
    assert failed["reason"] == "PodFailurePolicy"
    name = f"{b.namespace}/{pod['metadata']['name']}"
    assert failed["message"] == (
        f"Container tensorflow for pod {name} failed with exit code 1 matching FailJob rule at "
        "index 1"
    )
    kinds = [c["type"] for c in (await b.get(JOBS, "a"))["status"]["conditions"]]
    assert kinds == ["FailureTarget", "Failed"]


async def another_exit_code_gives_a_new_pod_after_ten_seconds(b: Bench) -> None:
    await b.create(JOBS, job("a", podFailurePolicy=FAIL_ON_1))
    await b.end(await b.pod("a"), 137)
    start = asyncio.get_running_loop().time()
    await b.pod("a", count=2)
    assert 8 < asyncio.get_running_loop().time() - start < 20
    assert (await b.get(JOBS, "a"))["status"]["failed"] == 1


async def the_back_off_limit_fails_the_job(b: Bench) -> None:
    await b.create(JOBS, job("a", backoffLimit=0))
    await b.end(await b.pod("a"), 137)
    failed = await b.condition("a", "Failed")
    assert failed["reason"] == "BackoffLimitExceeded"
    assert failed["message"] == "Job has reached the specified backoff limit"


async def a_disrupted_pod_does_not_count_when_the_policy_ignores_it(b: Bench) -> None:
    await b.create(JOBS, job("a", backoffLimit=0, podFailurePolicy=FAIL_ON_1))
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    await b.end(await b.pod("a"), 137, [disrupted])
    await b.pod("a", count=2)
    assert not (await b.get(JOBS, "a"))["status"].get("failed")


async def a_suspended_job_has_no_pod(b: Bench) -> None:
    await b.create(JOBS, job("a", suspend=True))
    await b.condition("a", "Suspended")
    assert await b.pods("a") == []
    await b.patch(JOBS, "a", {"spec": {"suspend": False}})
    await b.pod("a")
    await b.condition("a", "Suspended", "False")


async def suspending_a_job_deletes_its_pod(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    await b.pod("a")
    await b.patch(JOBS, "a", {"spec": {"suspend": True}})

    async def none() -> bool:
        return not await b.pods("a")

    await b.until(none)


async def a_terminating_pod_is_not_replaced_when_the_policy_is_failed(b: Bench) -> None:
    body = job("a", podReplacementPolicy="Failed")
    body["spec"]["template"]["metadata"]["finalizers"] = ["example.com/hold"]
    await b.create(JOBS, body)
    name = (await b.pod("a"))["metadata"]["name"]
    await b.delete(PODS, name)
    await asyncio.sleep(2)
    assert len(await b.pods("a")) == 1
    await b.patch(PODS, name, {"metadata": {"finalizers": None}})


async def a_job_deleted_without_a_policy_orphans_its_pod(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    name = (await b.pod("a"))["metadata"]["name"]
    await b.delete(JOBS, "a")
    await b.gone(JOBS, "a")
    assert not (await b.get(PODS, name))["metadata"].get("ownerReferences")


async def a_job_deleted_in_the_background_takes_its_pod(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    name = (await b.pod("a"))["metadata"]["name"]
    await b.delete(JOBS, "a", propagationPolicy="Background")
    await b.gone(PODS, name)


async def an_unknown_field_of_a_container_is_400_when_strict(b: Bench) -> None:
    body = job("a")
    body["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    error = await b.refused(b.create(JOBS, body, fieldValidation="Strict"))
    assert (error.status, error.reason) == (400, "BadRequest")
    assert str(error) == (
        'Job in version "v1" cannot be handled as a Job: strict decoding error: '
        'unknown field "spec.template.spec.containers[0].imagee"'
    )


async def a_number_in_args_is_400(b: Bench) -> None:
    body = job("a")
    body["spec"]["template"]["spec"]["containers"][0]["args"] = ["--max-steps", 500]
    error = await b.refused(b.create(JOBS, body, fieldValidation="Strict"))
    assert (error.status, error.reason) == (400, "BadRequest")
    assert str(error).startswith('Job in version "v1" cannot be handled as a Job: json: cannot')
    assert "unmarshal number into Go struct field" in str(error)
    assert str(error).endswith("of type string")


async def a_container_without_an_image_is_422(b: Bench) -> None:
    body = job("a")
    del body["spec"]["template"]["spec"]["containers"][0]["image"]
    error = await b.refused(b.create(JOBS, body))
    assert (error.status, error.reason) == (422, "Invalid")
    assert "spec.template.spec.containers[0].image: Required value" in str(error)


async def a_policy_for_failures_wants_pods_that_never_restart(b: Bench) -> None:
    body = job("a", podFailurePolicy=FAIL_ON_1)
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    error = await b.refused(b.create(JOBS, body))
    assert error.status == 422
    assert 'only "Never" is supported when podFailurePolicy is specified' in str(error)


async def a_jobs_template_is_immutable(b: Bench) -> None:
    await b.create(JOBS, job("a"))
    change = {"spec": {"template": {"metadata": {"labels": {"role": "other"}}}}}
    error = await b.refused(b.patch(JOBS, "a", change))
    assert error.status == 422
    assert "field is immutable" in str(error)


async def a_service_name_over_63_characters_is_422(b: Bench) -> None:
    error = await b.refused(b.create(SERVICES, service("a" * 64)))
    assert (error.status, error.reason) == (422, "Invalid")
    assert "metadata.name: Invalid value" in str(error)


async def a_service_name_with_a_dot_is_422(b: Bench) -> None:
    error = await b.refused(b.create(SERVICES, service("a.b")))
    assert (error.status, error.reason) == (422, "Invalid")


async def nothing_is_created_in_a_namespace_that_is_missing(b: Bench) -> None:
    nowhere = Bench(b.client, b.namespace + "-nowhere")
    error = await b.refused(nowhere.create(CONFIG_MAPS, config_map("a")))
    assert (error.status, error.reason) == (404, "NotFound")
    assert str(error) == f'namespaces "{nowhere.namespace}" not found'


async def a_deleted_namespace_takes_all_in_it(b: Bench) -> None:
    await b.create(CONFIG_MAPS, config_map("a", finalizers=["example.com/hold"]))
    await b.client.send(Request("DELETE", NAMESPACES.path(name=b.namespace)))
    error = await b.refused(b.create(CONFIG_MAPS, config_map("b")))
    assert (error.status, error.reason) == (403, "Forbidden")
    assert "because it is being terminated" in str(error)
    assert error.causes == {"NamespaceTerminating"}
    await b.patch(CONFIG_MAPS, "a", {"metadata": {"finalizers": None}})
    await b.gone(CONFIG_MAPS, "a")


def service(name: str, **meta: Any) -> dict[str, Any]:
    spec = {"clusterIP": "None", "selector": {"x": "y"}, "ports": [{"name": "p", "port": 2222}]}
    return {"metadata": {"name": name, **meta}, "spec": spec}


CASES = {
    name.replace("_", " "): value
    for name, value in list(globals().items())
    if asyncio.iscoroutinefunction(value) and not name.startswith("_")
}
# A real server forgets after five minutes and nobody can make it; a test does not wait for that.
ONLY_FAKE = {"a watch from a forgotten version is 410"}
