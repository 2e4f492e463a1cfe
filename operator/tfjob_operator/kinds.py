"""The kinds of object that the operator owns or makes, and where they are served."""

from kube_runtime.kube import CONFIG_MAPS, DEPLOYMENTS, JOBS, SERVICES, Resource

API_VERSION, KIND = "tensorflow.org/v1alpha1", "TfJob"
TFJOBS = Resource(KIND, f"/apis/{API_VERSION}", "tfjobs")
BY_KIND = {each.kind: each for each in (TFJOBS, JOBS, SERVICES, CONFIG_MAPS, DEPLOYMENTS)}
