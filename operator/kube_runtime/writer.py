"""Writes the objects that a controller owns, and keeps its indexes in step.

To create what exists and to delete what is gone are successes. The responses go into the indexes,
so the next pass need not wait for a watch. Errors are raised; the controller's queue retries.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .changes import ChangeRefused, Creation, Deletion, SpecPatch
from .index import Index
from .kube import ApiError, Json, Kube, Resource, unless_gone
from .objects import READ_ERRORS, name_of, owner_uid, uid_of

# Words in the errors of admission policies and webhooks. A policy may change, so not permanent.
POLICIES = ("admission webhook", "ValidatingAdmissionPolicy", "failed calling webhook")


class CreateRejected(Exception):
    """The API server rejects an object until something in the cluster changes."""


class InvalidObject(CreateRejected):
    """The API server rejects an object for good."""


class NameTaken(CreateRejected):
    """Another object, of another owner, has the name."""


@dataclass(frozen=True)
class Writer:
    """``resources`` and ``indexes`` by kind. ``advice``: what a user can do about a taken name."""

    kube: Kube
    resources: Mapping[str, Resource]
    indexes: Mapping[str, Index]
    advice: str

    async def create_series(self, series: Iterable[Creation]) -> None:
        """Create objects in order, up to the first error."""
        for creation in series:
            create = self.repair if creation.only_repair else self.create
            try:
                await create(build_body(creation.kind, creation.name, creation.build))
            except NameTaken:
                if creation.alternative is None:
                    raise
                await self.create(creation.alternative.build())

    async def create(self, body: Json) -> None:
        """Create an object. If it exists and has the same owner, that is a success."""
        kind = body["kind"]
        try:
            made = await self.kube.create(self.resources[kind], body)
        except ApiError as error:
            if error.status != 409:
                raise classify_create_error(kind, name_of(body), error) from error
            made = await self._existing(body)
        self.indexes[kind].upsert_from_response(made)

    async def repair(self, body: Json) -> None:
        """Give an object its labels back, if it exists."""
        self._store(body["kind"], await unless_gone(self._existing(body)))

    async def _existing(self, body: Json) -> Json:
        """The object that has the name. Raises NameTaken if another owns it.

        An object of ours without its labels gets them back: watches may select by label.
        """
        kind, name, meta = body["kind"], name_of(body), body["metadata"]
        resource, namespace = self.resources[kind], meta["namespace"]
        found = await self.kube.get(resource, namespace, name)
        if owner_uid(found) != owner_uid(body):
            owner = meta["ownerReferences"][0]["kind"]
            raise NameTaken(f"{kind} {name} exists and is not owned by this {owner}; {self.advice}")
        labels, wanted = found["metadata"].get("labels") or {}, meta["labels"]
        if any(labels.get(key) != value for key, value in wanted.items()):
            change = {"metadata": {"uid": uid_of(found), "labels": wanted}}
            found = await self.kube.patch(resource, namespace, name, change)
        return found

    async def delete(self, namespace: str, what: Deletion) -> None:
        """Delete the object with this UID; none of the name is a success, another UID a 409."""
        resource, index = self.resources[what.kind], self.indexes.get(what.kind)
        foreground = what.foreground
        call = self.kube.delete(resource, namespace, what.name, what.uid, foreground=foreground)
        try:
            left = await unless_gone(call)
        except ApiError as error:
            raise classify_change_error(what.kind, what.name, error) from error
        if index and left and "deletionTimestamp" in left.get("metadata", {}):
            index.upsert_from_response(left)  # it stays for a while: finalizer or grace period
        elif index:
            index.delete_local(what.uid)

    async def patch_spec(self, namespace: str, change: SpecPatch) -> None:
        """Merge a change into the spec of an object, if it exists."""
        body = {"metadata": {"uid": change.uid}, "spec": change.spec}
        call = self.kube.patch(self.resources[change.kind], namespace, change.name, body)
        try:
            self._store(change.kind, await unless_gone(call))
        except ApiError as error:
            classify = classify_create_error if change.written_by_user else classify_change_error
            raise classify(change.kind, change.name, error) from error

    def _store(self, kind: str, obj: Json | None) -> None:
        if obj is not None:
            self.indexes[kind].upsert_from_response(obj)


def build_body(kind: str, name: str, build: Callable[[], Json]) -> Json:
    """Build the body of an object. Raises: InvalidObject if a user's template cannot be read."""
    try:
        return build()
    except READ_ERRORS as error:
        raise InvalidObject(f"{kind} {name}: a template cannot be read ({error})") from error


def rank(error: BaseException) -> int:
    """Sort key, most important first: permanent, creation rejected, change refused, transient."""
    kinds = (InvalidObject, CreateRejected, ChangeRefused)
    return next((i for i, kind in enumerate(kinds) if isinstance(error, kind)), len(kinds))


def classify_create_error(kind: str, name: str, error: ApiError) -> Exception:
    """Turn an error of a creation into CreateRejected, or return it if it is transient.

    400 and 422 mean an invalid body (permanent), unless they come from an admission policy. A
    webhook that cannot be reached causes a 500, and often for long: rejected, not transient. A 404
    that names no object (it would name the namespace) means that the cluster has no such API.
    """
    sentence = f"{kind} {name}: {error}"
    if error.status == 404 and not error.name:
        return CreateRejected(f"{kind} {name}: the cluster does not serve this kind ({error})")
    is_policy = any(word in str(error) for word in POLICIES)
    if error.status in (400, 422) and not is_policy:
        return InvalidObject(sentence)
    is_transient = error.status in (401, 404, 408, 409, 410, 429) or error.status >= 500
    if "NamespaceTerminating" in error.causes or (is_transient and not is_policy):
        return error  # a namespace that ends is transient: the owner is deleted with it
    return CreateRejected(sentence)


def classify_change_error(kind: str, name: str, error: ApiError) -> Exception:
    """Turn an error of a change or deletion into ChangeRefused, or return it if it is transient."""
    found = classify_create_error(kind, name, error)
    return ChangeRefused(str(found)) if isinstance(found, CreateRejected) else found
