"""The kinds that the operator reads or writes, and the API paths that serve them."""

from kube_runtime.kube import CONFIG_MAPS, DEPLOYMENTS, JOBS, PODS, SERVICES, Resource

API_VERSION, KIND = "tensorflow.org/v1alpha1", "TfJob"
TFJOBS = Resource(KIND, f"/apis/{API_VERSION}", "tfjobs")
POD_GROUP_VERSIONS = {
    "kubernetes": "scheduling.k8s.io/v1beta1",
    "volcano": "scheduling.volcano.sh/v1beta1",
}


def by_kind(gang_scheduling: str) -> dict[str, Resource]:
    """Resources by kind."""
    kinds = [TFJOBS, JOBS, SERVICES, CONFIG_MAPS, DEPLOYMENTS, PODS]
    if version := POD_GROUP_VERSIONS.get(gang_scheduling):
        kinds.append(Resource("PodGroup", f"/apis/{version}", "podgroups"))
    return {each.kind: each for each in kinds}
