"""An API server in memory: the verbs of the Kubernetes API over a Store, without a network.

``handle`` answers one request at once; transport.FakeTransport adds time, watches, authorisation
and faults. Everything that a caller could tell from the real server in the cases that the
conformance table lists is a bug here.
"""

from collections.abc import Mapping
from typing import Any

from kube_runtime.kube import Request, Response
from tests.fakes import admission, patches, refusals, schema
from tests.fakes.objects import JOBS, RESOURCES, TFJOBS, Object, Resource, key, matches
from tests.fakes.refusals import Refused
from tests.fakes.store import Store

_BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Target:
    """What a path names: resource, namespace, name ("" for a collection) and subresource."""

    def __init__(self, path: str):
        parts = path.strip("/").split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        self.namespace: str | None = None
        if rest[0] == "namespaces" and len(rest) > 2:
            self.namespace, rest = rest[1], rest[2:]
        self.resource = _BY_PATH.get((group, version, rest[0]))
        if self.resource is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        self.name = rest[1] if len(rest) > 1 else ""
        self.subresource = rest[2] if len(rest) > 2 else ""


def verb(request: Request) -> str:
    """The verb that RBAC and the audit log speak of: get, list, watch, create …"""
    if request.method != "GET":
        return VERBS[request.method]
    if Target(request.path).name:
        return "get"
    return "watch" if request.query.get("watch") == "true" else "list"


class ApiServer:
    """Answers requests. ``crd_schema`` is the openAPIV3Schema of the TfJob, if it is to count."""

    def __init__(self, store: Store, crd_schema: dict[str, Any] | None = None):
        self.store, self.crd_schema = store, crd_schema

    def handle(self, request: Request) -> Response:
        """Answer one request; refusals are answers too."""
        try:
            target = Target(request.path)
            return getattr(self, "_" + verb(request))(target, request)
        except Refused as refused:
            return Response(refused.code, refused.status, refused.headers)

    # ------------------------------------------------------------------ reading

    def _get(self, target: Target, request: Request) -> Response:
        return Response(200, self._read(target))

    def _read(self, target: Target) -> Object:
        return self.store.get(target.resource, target.namespace or "", target.name)

    def _list(self, target: Target, request: Request) -> Response:
        items, version = self.selection(target, request.query)
        head = {"kind": f"{target.resource.kind}List", "apiVersion": target.resource.api_version}
        meta = {"resourceVersion": str(version)}
        return Response(200, {**head, "metadata": meta, "items": items})

    def selection(self, target: Target, query: Mapping[str, str]) -> tuple[list[Object], int]:
        """What a list or the beginning of a watch shows, and the version at which it is so."""
        items = self.store.all(target.resource, target.namespace)
        return [obj for obj in items if selected(obj, query)], self.store.version

    # ------------------------------------------------------------------ writing

    def _create(self, target: Target, request: Request) -> Response:
        obj, resource = patches.merge({}, request.body or {}), target.resource
        if resource.namespaced:
            obj["metadata"].setdefault("namespace", target.namespace)
            admission.check_namespace(self.store, resource, obj)
        admission.admit(resource, obj, strict=request.query.get("fieldValidation") == "Strict")
        if resource is TFJOBS:
            obj.pop("status", None)
        return Response(201, self.store.create(resource, self._structural(resource, obj)))

    def _update(self, target: Target, request: Request) -> Response:
        return self._write(target, patches.merge({}, request.body or {}))

    def _patch(self, target: Target, request: Request) -> Response:
        old = self._read(target)
        apply = patches.json_patch if "json-patch" in request.content_type else patches.merge
        new = apply(old, request.body)
        if new["metadata"].get("resourceVersion") == old["metadata"]["resourceVersion"]:
            new["metadata"].pop("resourceVersion")
        if (uid := new["metadata"]["uid"]) != old["metadata"]["uid"]:
            cause = f'metadata.uid: Invalid value: "{uid}": field is immutable'
            raise refusals.invalid(target.resource, target.name or "", cause)
        return self._write(target, new)

    def _write(self, target: Target, new: Object) -> Response:
        old, resource = self._read(target), target.resource
        new["metadata"].setdefault("namespace", target.namespace or "")
        if target.subresource:
            new = {**old, "metadata": new["metadata"], "status": new.get("status", {})}
        elif fault := admission.immutable_fault(resource, old, new):
            raise refusals.invalid(resource, target.name, fault)
        new = self._structural(resource, new)
        updated = self.store.update(resource, new, subresource=target.subresource)
        return Response(200, updated)

    def _delete(self, target: Target, request: Request) -> Response:
        options = request.body or {}
        propagation = options.get("propagationPolicy") or request.query.get("propagationPolicy")
        # batch/v1 keeps the default of its first days: Pods of a deleted Job are orphaned.
        default = "Orphan" if target.resource is JOBS else "Background"
        deleted = self.store.delete(
            target.resource,
            target.namespace or "",
            target.name,
            propagation=propagation or default,
            preconditions=options.get("preconditions"),
            now=options.get("gracePeriodSeconds") == 0,
        )
        return Response(200, deleted)

    def _structural(self, resource: Resource, obj: Object) -> Object:
        """Validate, prune and default by the CRD's schema, where there is one."""
        if resource is not TFJOBS or self.crd_schema is None:
            return obj
        pruned = schema.prune_object(obj, self.crd_schema)
        if found := schema.faults(pruned, self.crd_schema):
            raise refusals.invalid(resource, key(obj)[1], ", ".join(found))
        return pruned


def selected(obj: Object, query: Mapping[str, str]) -> bool:
    """Whether an object passes the labelSelector and fieldSelector of a query."""
    if not matches(obj["metadata"].get("labels"), query.get("labelSelector", "")):
        return False
    fields = {f"metadata.{name}": obj["metadata"].get(name) for name in ("name", "namespace")}
    return matches(fields, query.get("fieldSelector", ""))
