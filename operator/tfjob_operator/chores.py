"""What the chart's hooks ask of the image, which has no shell and no kubectl: one call, then exit.

``__main__`` runs one of these instead of the operator when its flag is given.
"""

import asyncio
from pathlib import Path

import yaml

from . import status
from .kube import TFJOBS, ApiError, Kube, Request, Resource

CRD = "CustomResourceDefinition"
CRDS = Resource(CRD, "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions")
APPLY = "application/apply-patch+yaml"
WAIT_SECONDS = 240


async def apply_crd(kube: Kube, path: Path) -> str:
    """Server-side apply of one CRD: what Helm does not do on upgrade."""
    crd = yaml.safe_load(path.read_text())
    query = {"fieldManager": "tf-job-operator", "force": "true"}
    address = CRDS.path(name=crd["metadata"]["name"])
    applied = await kube.send(Request("PATCH", address, query, crd, APPLY))
    return f"applied {applied['metadata']['name']}"


async def wait_for(kube: Kube, job: str) -> str:
    """Wait until a TfJob (namespace/name) has succeeded.

    Raises: RuntimeError with the job's own reason if it fails, or takes too long.
    """
    namespace, name = job.split("/")
    told = "it has no status"
    for _ in range(WAIT_SECONDS):
        try:
            current = (await kube.get(TFJOBS, namespace, name)).get("status") or {}
        except (ApiError, OSError) as error:
            current, told = {}, str(error)
        if status.condition(current, "Failed").get("status") == "True":
            raise RuntimeError(f"TfJob {job} failed: {current['reason']}")
        if status.condition(current, "Succeeded").get("status") == "True":
            return f"TfJob {job} succeeded"
        told = f"it is {current['phase']}" if current.get("phase") else told
        await asyncio.sleep(1)
    raise RuntimeError(f"TfJob {job} did not succeed in {WAIT_SECONDS} s: {told}")
