"""Find the names of workloads in a text: the names that Kubernetes hangs random letters on.

A Pod is named after the Job, Deployment or DaemonSet that made it. `compare` takes letters for
random only behind such a name, so that it has to know them. They are found where pages, manifests
and kubectl write them:

    job.batch/example-job created          kind and name with a slash
    kubectl delete tfjob one two           a kind behind a verb of kubectl, then names
    helm install example chart             a release, after which charts name what they make
    metadata: {name: example-job}          any `name:` of a manifest
"""

import re

_KIND = (
    r"(?:cronjob|daemonset|deployment|deploy|job|replicaset|rs|statefulset|sts|tfjob)s?"
    r"(?:\.[a-z0-9.]+)?"
)
_NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_SLASHED = re.compile(rf"(?<![\w/.-]){_KIND}/({_NAME})")
_LISTED = re.compile(rf"\bkubectl [^\n|;&]*?(?<![\w.-]){_KIND}((?: +{_NAME})+)")
_RELEASE = re.compile(rf"\bhelm (?:install|upgrade)(?: --install)? ({_NAME})(?= )")
_MANIFEST = re.compile(rf"(?:^|[\s{{,-])name: [\"']?({_NAME})[\"']?(?=[\s,}}]|$)", re.MULTILINE)


def workloads(text: str) -> set[str]:
    """Every name in the text that a Pod may be named after."""
    listed = (name for names in _LISTED.findall(text) for name in names.split())
    found = (pattern.findall(text) for pattern in (_SLASHED, _RELEASE, _MANIFEST))
    return {*listed, *(name for names in found for name in names)}
