import pytest

from kube_runtime.changes import ChangeRefused, Deletion, SpecPatch
from kube_runtime.index import Index
from kube_runtime.kube import CONFIG_MAPS, ApiError, Kube, Response
from kube_runtime.objects import name_of, owned_object, owner_uid, uid_of
from kube_runtime.writer import (
    CreateRejected,
    InvalidObject,
    NameTaken,
    Writer,
    build_body,
    classify_create_error,
    rank,
)
from tests.fakes import virtual_time
from tests.fakes.cluster import FakeCluster

OWNER = {"apiVersion": "example.com/v1", "kind": "Thing", "namespace": "default", "name": "thing"}
BODY = owned_object({**OWNER, "uid": "u"}, CONFIG_MAPS, "child", {"app": "thing"}, data={"a": "b"})

GOING = {"causes": [{"reason": "NamespaceTerminating"}]}
WEBHOOK = 'admission webhook "policy.example" denied the request: no'
POLICY = "ValidatingAdmissionPolicy 'images' with binding 'all' denied request: no"
UNREACHABLE = 'Internal error occurred: failed calling webhook "policy.example": no'


class World:
    """A writer of ConfigMaps, what it has in its index, and the API server."""

    def __init__(self):
        self.index = Index(name_of, owner_uid, lambda *_: None)
        self.kube = Kube(FakeCluster().client())
        kind = CONFIG_MAPS.kind
        self.writer = Writer(self.kube, {kind: CONFIG_MAPS}, {kind: self.index}, "rename it")

    async def child(self):
        return await self.kube.get(CONFIG_MAPS, "default", "child")


def test_what_exists_and_has_the_same_owner_is_created():
    async def live():
        world = World()
        await world.writer.create(BODY)
        await world.writer.create(BODY)
        return list(world.index.of("u").values())

    assert virtual_time.run(live()) == ["child"]


def test_anothers_object_is_not_touched_and_the_error_says_what_to_do():
    async def live():
        world = World()
        other = owned_object({**OWNER, "uid": "other"}, CONFIG_MAPS, "child", {"app": "other"})
        before = await world.kube.create(CONFIG_MAPS, other)
        with pytest.raises(NameTaken) as found:
            await world.writer.create(BODY)
        return str(found.value), before == await world.child()

    sentence = "ConfigMap child exists and is not owned by this Thing; rename it"
    assert virtual_time.run(live()) == (sentence, True)


def test_labels_that_were_removed_come_back():
    async def live():
        world = World()
        await world.kube.create(
            CONFIG_MAPS, {**BODY, "metadata": {**BODY["metadata"], "labels": {}}}
        )
        await world.writer.repair(BODY)
        return (await world.child())["metadata"]["labels"]

    assert virtual_time.run(live()) == {"app": "thing"}


def test_what_is_gone_is_deleted_patched_and_repaired():
    async def live():
        world = World()
        await world.writer.create(BODY)
        uid = uid_of(await world.child())
        for _ in range(2):
            await world.writer.delete("default", Deletion("ConfigMap", "child", uid))
        await world.writer.patch_spec("default", SpecPatch("ConfigMap", "child", uid, {}))
        await world.writer.repair(BODY)
        with pytest.raises(ApiError):
            await world.child()
        return world.index.of("u")

    assert virtual_time.run(live()) == {}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(400, WEBHOOK, id="a webhook that gives no code"),
        pytest.param(422, POLICY, id="a policy"),
        pytest.param(500, UNREACHABLE, id="a webhook that cannot be called"),
    ],
)
def test_what_the_clusters_policy_refuses_is_tried_again_and_said(code, message):
    error = ApiError(Response(code, {"message": message}, {}))
    assert type(classify_create_error("Job", "j", error)) is CreateRejected


@pytest.mark.parametrize(
    ("code", "details", "meaning"),
    [
        pytest.param(422, None, InvalidObject, id="a field that it will never accept"),
        pytest.param(400, None, InvalidObject, id="a body that it cannot read"),
        pytest.param(
            403, None, CreateRejected, id="a quota, a missing right or an admission webhook"
        ),
        pytest.param(403, GOING, ApiError, id="a namespace that goes, with the owner in it"),
        pytest.param(404, {"name": "ml"}, ApiError, id="a namespace that is gone"),
        pytest.param(404, {}, CreateRejected, id="a kind that the cluster does not serve"),
        pytest.param(409, None, ApiError, id="a conflict"),
        pytest.param(429, None, ApiError, id="too many requests"),
        pytest.param(500, None, ApiError, id="a fault of its own"),
    ],
)
def test_what_a_refused_creation_means(code, details, meaning):
    body = {"message": "no", "reason": "", "details": details}
    error = ApiError(Response(code, body, {}))
    found = classify_create_error("Job", "mnist-master-abcd-0", error)
    assert type(found) is meaning
    assert "no" in str(found)


@pytest.mark.parametrize(("by_user", "meaning"), [(True, InvalidObject), (False, ChangeRefused)])
def test_a_patch_that_is_refused_is_final_if_a_user_wrote_what_it_holds(by_user, meaning):
    async def live():
        world = World()

        async def refuse(*_):
            raise ApiError(Response(422, {"message": "no such volume"}, {}))

        world.kube.patch = refuse
        change = SpecPatch("ConfigMap", "child", "u", {}, by_user)
        with pytest.raises(meaning, match="no such volume") as found:
            await world.writer.patch_spec("default", change)
        return type(found.value)

    assert virtual_time.run(live()) is meaning


def test_a_body_that_cannot_be_built_is_an_error_for_good_with_a_sentence():
    def unreadable():
        return {**["a"]}

    with pytest.raises(InvalidObject, match=r"^Job j: a template cannot be read .* not a mapping"):
        build_body("Job", "j", unreadable)
    assert build_body("Job", "j", dict) == {}


def test_of_several_errors_the_permanent_one_matters_most():
    transient, rejected, permanent = OSError(), CreateRejected(), InvalidObject()
    assert min([transient, rejected, permanent], key=rank) is permanent
    assert min([transient, rejected], key=rank) is rejected
