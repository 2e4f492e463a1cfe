"""What a learner makes, kind by kind: how to find it, its Pods, its end, how to make it again."""

from __future__ import annotations

from validator import diagnosis
from validator.engine import Subject
from validator.snapshot import (
    Object,
    Snapshot,
    Unreadable,
    at,
    created,
    is_true,
    listed,
    mapping,
    name_of,
    text,
)
from validator.tfjobs import (
    SWEEP,
    pod_spec,
    replica_specs,
    replica_type,
    repository,
    same_image,
)
from validator.verdicts import Finding, converging, wrong

# The label of an EndpointSlice with the name of its Service.
SERVICE_NAME = "kubernetes.io/service-name"
# The groups: a hint names TfJobs only where the API serves them.
_PODS = frozenset({"jobs", "pods", "events", "groups"})


class TfJob(Subject):
    """A TfJob, which the operator runs."""

    kind, plural, kubectl = "TfJob", "tfjobs", "tfjob"
    reads = frozenset({"tfjobs", "groups"}) | _PODS

    def find(self, cluster: Snapshot) -> Object | None:
        """None also where TfJobs are not served: then there are none."""
        return super().find(cluster) if cluster.served("tfjobs") else None

    def templates(self, item: Object) -> list[tuple[str, Object]]:
        specs = replica_specs(item)
        return [(replica_type(s), pod_spec(s)) for s in specs if mapping(s, "template")]

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        return diagnosis.newest_pods(cluster, item)

    def ended(self, cluster: Snapshot, item: Object) -> str:
        if diagnosis.succeeded(item):
            return "well"
        return "badly" if diagnosis.failed(item) else ""

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        return diagnosis.of_tfjob(cluster, item)

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        """Without a deletion where the operator refused the spec: it tries a better one."""
        steps = super().redo(cluster, item, file)
        return steps[1:] if diagnosis.refused(item) else steps


class NotebookTfJob(TfJob):
    """A TfJob that a notebook in the cluster makes."""

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (
            f"$ kubectl delete tfjob {self.name}",
            "$ sh {checkout}/modules/8-jupyter/execute.sh {checkout}/my-train.ipynb",
        )


class Job(Subject):
    """A batch/v1 Job."""

    kind, plural, kubectl = "Job", "jobs", "job"
    reads = _PODS

    def templates(self, item: Object) -> list[tuple[str, Object]]:
        return [("Job", mapping(item, "spec", "template", "spec"))]

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        return cluster.newest_pods(item)

    def ended(self, cluster: Snapshot, item: Object) -> str:
        if is_true(item, "Complete"):
            return "well"
        return "badly" if is_true(item, "Failed") else ""

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        return diagnosis.of_job(cluster, item)


class Deployment(Subject):
    """A Deployment: it never ends, it is ready or not."""

    kind, plural, kubectl = "Deployment", "deployments", "deployment"
    reads = frozenset({"deployments", "replicasets", "pods", "events", "groups"})

    def templates(self, item: Object) -> list[tuple[str, Object]]:
        return [("Deployment", mapping(item, "spec", "template", "spec"))]

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        return diagnosis.pods_of_deployment(cluster, item)

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        return diagnosis.of_deployment(cluster, item)

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        """A Deployment takes a change as it is."""
        return (f"$ kubectl apply -f {file}",)


class Service(Subject):
    """A Service and the Pods that it leads to."""

    kind, plural, kubectl = "Service", "services", "service"
    reads = frozenset({"services", "pods"})

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        selector = mapping(item, "spec", "selector")
        if not selector:
            return []
        labelled = (p for p in cluster.items("pods") if name_of(p))
        return [p for p in labelled if selector.items() <= mapping(p, "metadata", "labels").items()]

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (f"$ kubectl apply -f {file}",)


class Claim(Subject):
    """A PersistentVolumeClaim."""

    kind, plural, kubectl = "PersistentVolumeClaim", "persistentvolumeclaims", "pvc"
    reads = frozenset({"persistentvolumeclaims", "events"})

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        return diagnosis.of_claim(cluster, item)


class Autoscaler(Subject):
    """A HorizontalPodAutoscaler."""

    kind, plural, kubectl = "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa"
    reads = frozenset({"horizontalpodautoscalers"})

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        """An autoscaler takes a change as it is."""
        return (f"$ kubectl apply -f {file}",)


class Release(Subject):
    """A Helm release: the newest of its revisions, by the labels of Helm's Secrets."""

    kind, plural, kubectl = "Helm release", "helm", "release"
    reads = frozenset({"helm"})

    def find(self, cluster: Snapshot) -> Object | None:
        return newest_revision(cluster.items("helm"), self.name)

    def objects(self, cluster: Snapshot, plural: str) -> list[Object]:
        """The objects of a kind that the release made, oldest first."""
        mark = ("metadata", "annotations", "meta.helm.sh/release-name")
        mine = [o for o in cluster.items(plural) if text(o, *mark) == self.name]
        return sorted(mine, key=lambda o: text(o, "metadata", "creationTimestamp"))

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        """The newest Pod of each of the release's Jobs, newest Job first."""
        jobs = reversed(self.objects(cluster, "jobs"))
        return [pod for job in jobs for pod in cluster.newest_pods(job)]

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        return release_trouble(item, self.name)

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return ()


class Search(Subject):
    """The TfJobs that a program of the learner's makes, known by their label ``sweep``."""

    kind, plural, kubectl = "search", "tfjobs", "tfjobs"
    reads = frozenset({"tfjobs", "groups"}) | _PODS

    @property
    def selector(self) -> str:
        """The label by which kubectl finds them."""
        return f"{SWEEP}={self.name}"

    def trials(self, cluster: Snapshot) -> list[Object]:
        """Oldest first. Raises: Unreadable."""
        found = cluster.items("tfjobs") if cluster.served("tfjobs") else []
        mine = [job for job in found if text(job, "metadata", "labels", SWEEP) == self.name]
        return sorted(mine, key=lambda job: (text(job, "metadata", "creationTimestamp"),
                                             len(name_of(job)), name_of(job)))  # fmt: skip

    def find(self, cluster: Snapshot) -> Object | None:
        """The newest of them."""
        return next(reversed(self.trials(cluster)), None)

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        return [pod for job in self.trials(cluster) for pod in diagnosis.newest_pods(cluster, job)]

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (
            f"$ kubectl delete tfjobs --selector={self.selector}",
            f"$ python {file.removesuffix('.yaml')}.py",
        )


class Lab(Subject):
    """The cluster itself: nobody makes it, so it is always found, and never ends."""

    kind, plural, kubectl = "cluster", "", ""
    reads = frozenset({"nodes", "groups", "resourceslices"})

    def find(self, cluster: Snapshot) -> Object | None:
        return {"kind": "Lab"}

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return ()


class Image(Subject):
    """An image on the cluster's nodes, under its own name."""

    kind, plural, kubectl = "image", "nodes", "image"
    reads = frozenset({"nodes"})

    def find(self, cluster: Snapshot) -> Object | None:
        """The node that has it. Raises: Unreadable."""
        for node in cluster.items("nodes"):
            images = listed(node, "status", "images")
            names = [n for i in images for n in i.get("names") or [] if isinstance(n, str)]
            if any(same_image(name, self.name) for name in names):
                return node
        return None

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (f"$ python -m cluster load {self.name}",)


class LocalImage(Subject):
    """An image in the learner's container engine, and the container that ran it.

    ``name``: the container's, and the last part of the image's name. ``reference``: the image's
    whole name.
    """

    kind, plural, kubectl = "image", "images", "image"
    reads = frozenset({"engine"})
    made_by = "build"

    def __init__(self, reference: str) -> None:
        super().__init__(repository(reference).rpartition("/")[2])
        self.reference = reference

    @property
    def context(self) -> str:
        """The learner's copy of the starter."""
        return f"{{checkout}}/my-{self.name}"

    @property
    def build(self) -> str:
        return f"docker build --tag {self.reference} {self.context}"

    def find(self, cluster: Snapshot) -> Object | None:
        """Raises: Unreadable."""
        engine_of(cluster)
        named = ((i, at(i, "spec", "names")) for i in cluster.items("images"))
        return next((i for i, n in named if isinstance(n, list) and self.reference in n), None)

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        return (f"$ {self.build}",)


def engine_of(cluster: Snapshot) -> Object:
    """The learner's container engine. Raises: Unreadable where it was not read."""
    found = cluster.items("engine")
    if not found:
        raise Unreadable("engine", 0, "it is not part of what was read")
    return found[0]


def newest_revision(secrets: list[Object], release: str) -> Object | None:
    """The newest of Helm's Secrets of a release; None for none."""
    mine = [s for s in secrets if text(s, "metadata", "labels", "name") == release]
    mine = [s for s in mine if text(s, "metadata", "labels", "owner") == "helm"]
    return max(mine, key=revision, default=None)


def revision(secret: Object) -> int:
    """The revision that one of Helm's Secrets is of; 0 where it does not say."""
    version = text(secret, "metadata", "labels", "version")
    return int(version) if version.isdecimal() and len(version) < 10 else 0


def release_trouble(secret: Object, name: str) -> Finding | None:
    """Why a release is not deployed; None when it is."""
    status = text(secret, "metadata", "labels", "status")
    if status == "deployed":
        return None
    wanted = f"Helm release {name} deployed"
    if status.startswith("pending") or status == "uninstalling":
        return converging(
            "pending",
            f"Helm release {name} is {status}",
            wanted,
            "Wait for the helm command to end. If it was interrupted, roll back, or uninstall:",
            f"$ helm rollback {name}",
            since=created(secret),
        )
    return wrong(
        status or "unknown",
        f"Helm release {name} is {status or 'in an unknown state'}",
        wanted,
        "See what Helm says, and install or upgrade again:",
        f"$ helm status {name}",
    )
