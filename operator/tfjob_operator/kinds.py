"""The kinds of object that the operator owns or makes, and where they are served."""

from kube_runtime.kube import CONFIG_MAPS, DEPLOYMENTS, JOBS, PODS, SERVICES, Resource

API_VERSION, KIND = "tensorflow.org/v1alpha1", "TfJob"
TFJOBS = Resource(KIND, f"/apis/{API_VERSION}", "tfjobs")
POD_GROUP_VERSIONS = {
    "kubernetes": "scheduling.k8s.io/v1beta1",
    "volcano": "scheduling.volcano.sh/v1beta1",
}


def pod_groups(gang_scheduling: str) -> Resource:
    """Where the PodGroups of a gang scheduler are served."""
    return Resource("PodGroup", f"/apis/{POD_GROUP_VERSIONS[gang_scheduling]}", "podgroups")


def by_kind(gang_scheduling: str) -> dict[str, Resource]:
    """Every kind that the operator reads or writes, by its name."""
    kinds = [TFJOBS, JOBS, SERVICES, CONFIG_MAPS, DEPLOYMENTS, PODS]
    kinds += [pod_groups(gang_scheduling)] if gang_scheduling else []
    return {each.kind: each for each in kinds}
