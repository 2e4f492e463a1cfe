"""python -m chart_hooks: one call to the API server, then exit."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import yaml
from kubernetes.aio.config import ConfigException

from kube_runtime import conditions
from kube_runtime.kube import ApiError, Kube, Request, Resource
from kube_runtime.transport import HttpTransport, load_settings
from tfjob_api.spec import TFJOBS

CRD = "CustomResourceDefinition"
CRDS = Resource(CRD, "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions")
APPLY = "application/apply-patch+yaml"
WAIT_SECONDS = 240


def parse_flags(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chart_hooks", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    apply = verbs.add_parser("apply-crd", help="apply a CRD, which Helm does not do on upgrade")
    apply.add_argument("argument", type=Path, metavar="FILE")
    apply.set_defaults(do=apply_crd)
    wait = verbs.add_parser("wait-for", help="wait until a TfJob has succeeded")
    wait.add_argument("argument", metavar="NAMESPACE/NAME")
    wait.set_defaults(do=wait_for)
    return parser.parse_args(arguments)


async def apply_crd(kube: Kube, path: Path) -> str:
    """Server-side apply of one CRD."""
    crd = yaml.safe_load(path.read_text())
    # As Helm 4 names itself: else its next installation of another CRD ends with a conflict.
    query = {"fieldManager": "helm", "force": "true"}
    address = CRDS.path(name=crd["metadata"]["name"])
    applied = await kube.send(Request("PATCH", address, query, crd, APPLY))
    return f"applied {applied['metadata']['name']}"


async def wait_for(kube: Kube, job: str) -> str:
    """Wait until a TfJob (namespace/name) has succeeded.

    Raises: RuntimeError with the job's own reason if it fails, or takes too long.
    """
    namespace, name = job.split("/")
    last_seen = "it has no status"
    for _ in range(WAIT_SECONDS):
        try:
            current = (await kube.get(TFJOBS, namespace, name)).get("status") or {}
        except (ApiError, OSError) as error:
            current, last_seen = {}, str(error)
        if conditions.holds(current, "Failed"):
            raise RuntimeError(f"TfJob {job} failed: {current['reason']}")
        if conditions.holds(current, "Succeeded"):
            return f"TfJob {job} succeeded"
        last_seen = f"it is {current['phase']}" if current.get("phase") else last_seen
        await asyncio.sleep(1)
    raise RuntimeError(f"TfJob {job} did not succeed in {WAIT_SECONDS} s: {last_seen}")


async def run(flags: argparse.Namespace) -> None:
    async with HttpTransport(await load_settings(os.environ.get("KUBECONFIG"))) as transport:
        print(await flags.do(Kube(transport), flags.argument))


def main() -> None:
    try:
        asyncio.run(run(parse_flags()))
    except (ValueError, ConfigException, ApiError, RuntimeError, OSError) as error:
        sys.exit(f"chart_hooks: {error}")


if __name__ == "__main__":
    main()
