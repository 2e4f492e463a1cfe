"""Why an image cannot be had: its name, its tag, its pull policy, or a registry."""

from __future__ import annotations

from validator.case import Case
from validator.hints import LOAD, edit_distance, one_line
from validator.snapshot import Object, created, text
from validator.tfjobs import images_of_nodes, repository, same_image, tag
from validator.verdicts import Finding, wrong

PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable")
# What no second try changes. The last one is what a node without a way out says, as the local one.
_FINAL = (
    *("not found", "invalid", "unauthorized", "denied", "manifest unknown", "no match for"),
    *("present with pull policy of never", "[::1]:53"),
)
# So many letters may differ in a name that was meant to be one that the node has.
_LARGEST_SLIP = 3


def pull_trouble(
    case: Case, pod: Object, container: Object, reason: str, message: str
) -> Finding | None:
    """The finding for an image that a container waits for.

    What a second try may change is on its way at first: a registry that hiccups.
    """
    image = text(container, "image") or "?"
    there = images_of_nodes(case.cluster)
    has_it = any(same_image(name, image) for name in there)
    finding = (
        _no_tag(image, there)
        or _policy(image, text(container, "imagePullPolicy"), has_it)
        or _prefix(image, there)
        or _near(image, there)
        or _absent(image, reason, message, lacks_it=bool(there) and not has_it)
    )
    # Nobody serves images under localhost: they are built here, and loaded.
    final = any(words in message.lower() for words in _FINAL) or not message or _is_local(image)
    return finding if final else case.graced(finding, created(pod))


def _policy(image: str, policy: str, has_it: bool) -> Finding | None:
    if not has_it or policy != "Always":
        return None
    return wrong(
        "image.pull-policy",
        f"image {image} is on the cluster, but the Pod insists on pulling it again "
        f"(imagePullPolicy: {policy})",
        "the image that the cluster has: the workshop's own cluster does not pull images",
        "Drop `imagePullPolicy` from the manifest, or set it to IfNotPresent.",
        redo=True,
    )


def _no_tag(image: str, there: list[str]) -> Finding | None:
    if tag(image) not in ("", "latest"):
        return None
    shown = _shortest([n for n in there if same_image(repository(n), repository(image))])
    if not shown:
        return None
    said = "has no tag, which means latest" if not tag(image) else "has the tag latest"
    return wrong(
        "image.no-tag",
        f"image {image} {said}: Kubernetes pulls such an image each time",
        f"an image with its version: {shown}",
        f"Set `image: {shown}`.",
        redo=True,
    )


def _near(image: str, there: list[str]) -> Finding | None:
    """A name that differs by a few letters from one that a node has."""
    slips = [(edit_distance(image, _like(image, name)), name) for name in there]
    slip, near = min(slips, default=(_LARGEST_SLIP + 1, ""))
    shown = _without_registry(near)
    if 0 < slip <= _LARGEST_SLIP:
        return wrong(
            "image.misspelled",
            f"image {image} is not on this cluster, but {shown} is",
            "an image that the cluster has",
            f"Set `image: {shown}`.",
            redo=True,
        )
    return None


def _prefix(image: str, there: list[str]) -> Finding | None:
    """The name of an image that a node has, with another prefix or none."""
    wanted = repository(image)
    if any(same_image(repository(name), wanted) for name in there):
        return None
    shown = _shortest([name for name in there if _last(repository(name)) == _last(wanted)])
    if not shown:
        return None
    return wrong(
        "image.prefix",
        f"image {image} is not on this cluster, but {shown} is",
        f"the whole name, {shown}: what stands before the last slash belongs to it, and a name "
        "without any is looked for in a public registry",
        f"Set `image: {shown}`.",
        redo=True,
    )


def _is_local(image: str) -> bool:
    return image.startswith("localhost/")


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _like(image: str, name: str) -> str:
    """The node's name for an image with as many parts as the learner's: no registry before it."""
    return "/".join(name.split("/")[-len(image.split("/")) :])


def _shortest(names: list[str]) -> str:
    tagged = [n for n in names if "@" not in n]
    return _without_registry(min(tagged, key=len)) if tagged else ""


def _without_registry(name: str) -> str:
    first, slash, rest = name.partition("/")
    return rest if slash and "." in first else name


def _absent(image: str, reason: str, message: str, lacks_it: bool) -> Finding:
    """Where the nodes' images are not known, or another node has it: that it cannot be pulled."""
    # That nothing answers is no news: at localhost nothing serves, and the node has no way out.
    tells = message and "[::1]:53" not in message and not _is_local(image)
    why = f"{reason}: {one_line(message)}" if tells else reason
    state = "is not on this cluster" if lacks_it else "cannot be pulled"
    return wrong(
        "image.absent",
        f"image {image} {state} ({why})",
        "an image that the cluster has",
        "Correct `image` in the manifest. If the name is right, build the image and load it:",
        f"$ {LOAD.replace('IMAGE', image)}",
        "On a cluster of your own, push it to a registry that the nodes can reach.",
        redo=True,
    )
