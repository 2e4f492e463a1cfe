"""Why an image cannot be had; the messages are those of containerd and the kubelet of 1.37."""

import pytest

from tests.validator import world
from tests.validator.world import forbid, later, pod_status, spoiled, waiting
from validator.diagnosis import of_tfjob
from validator.tfjobs import same_image
from validator.verdicts import Verdict

WRONG, CONVERGING = Verdict.WRONG, Verdict.CONVERGING
PULL = 'Back-off pulling image "x": ErrImagePull: failed to pull and unpack image "x": '
# A node without a way out, as that of the workshop's own cluster.
ALONE = PULL + (
    "failed to resolve image: failed to do request: Head "
    '"https://registry.example/v2/x/manifests/1": dial tcp: lookup registry.example on [::1]:53: '
    "read udp [::1]:49740->[::1]:53: read: connection refused"
)
NOT_FOUND = PULL + "failed to resolve reference: registry.example/x:1: not found"
HICCUP = PULL + "failed to do request: EOF"
DENIED = PULL + "pull access denied, repository does not exist or may require authorization"


def finding(image, reason="ImagePullBackOff", message=ALONE, policy="IfNotPresent", *changes):
    def asks(data):
        mine = data["objects"]["pods"][0]["spec"]["containers"][0]
        mine.update(image=image, imagePullPolicy=policy)

    seen = spoiled(pod_status(waiting(reason, message), phase="Pending"), asks, *changes)
    return of_tfjob(seen, seen.items("tfjobs")[0])


@pytest.mark.parametrize(
    ("image", "more", "cause", "found", "fix"),
    [
        pytest.param(
            world.IMAGE, {"policy": "Always"}, "image.pull-policy",
            "is on the cluster, but the Pod insists on pulling it again (imagePullPolicy: Always)",
            "Drop `imagePullPolicy`", id="the image is there, and the manifest insists on a pull",
        ),
        pytest.param(
            "localhost/fashion-mnist", {"policy": "Always"}, "image.no-tag",
            "has no tag, which means latest", f"Set `image: {world.IMAGE}`", id="no tag",
        ),
        pytest.param(
            "localhost/fashion-mnist:latest", {"policy": "Always"}, "image.no-tag",
            "has the tag latest", f"Set `image: {world.IMAGE}`", id="the tag latest",
        ),
        pytest.param(
            "localhost/fashion-mnits:1.2.0", {}, "image.misspelled",
            f"is not on this cluster, but {world.IMAGE} is", f"Set `image: {world.IMAGE}`",
            id="two letters swapped",
        ),
        pytest.param(
            "localhost/fashion-mnist:1.2.1", {}, "image.misspelled",
            f"but {world.IMAGE} is", f"Set `image: {world.IMAGE}`", id="another version",
        ),
        pytest.param(
            "fashion-mnist:1.2.0", {}, "image.prefix",
            f"but {world.IMAGE} is", f"Set `image: {world.IMAGE}`", id="no localhost/ before it",
        ),
        pytest.param(
            "fashion-mnist", {"policy": "Always"}, "image.prefix",
            f"but {world.IMAGE} is", f"Set `image: {world.IMAGE}`", id="neither prefix nor tag",
        ),
        pytest.param(
            "tfjob-workshop/fashion-mnist:1.0.0", {}, "image.prefix",
            f"but {world.IMAGE} is", f"Set `image: {world.IMAGE}`", id="another prefix",
        ),
        pytest.param(
            "fashion-mnits:1.2.0", {}, "image.misspelled",
            f"but {world.IMAGE} is", f"Set `image: {world.IMAGE}`", id="no prefix, and a slip",
        ),
        pytest.param(
            "busybox:1.36", {}, "image.absent", "busybox:1.36 is not on this cluster",
            "python -m cluster load busybox:1.36", id="an image that the cluster never had",
        ),
        pytest.param(
            "busybox", {"policy": "Always"}, "image.absent", "busybox is not on this cluster",
            "Correct `image`", id="no tag, of an image that is not there under any",
        ),
        pytest.param(
            "no/such:1", {"reason": "ErrImageNeverPull", "policy": "Never",
                          "message": 'Container image "no/such:1" is not present with pull policy '
                          "of Never"},
            "image.absent", "is not on this cluster (ErrImageNeverPull", "Correct `image`",
            id="an image that may not be pulled",
        ),
        pytest.param(
            "TFJob/Fashion:1", {"reason": "InvalidImageName", "message": "must be lowercase"},
            "image.invalid", "image name TFJob/Fashion:1 is not valid", "lower-case letters",
            id="capital letters",
        ),
        pytest.param(
            "example.com/private/x:1", {"message": DENIED}, "image.absent", "pull access denied",
            "push it to a registry", id="a registry that wants a login",
        ),
    ],
)  # fmt: skip
def test_why_an_image_cannot_be_had(image, more, cause, found, fix):
    said = finding(image, **more)
    assert (said.verdict, said.cause) == (WRONG, cause), said
    assert found in said.found, said
    assert fix in said.next_step, said


@pytest.mark.parametrize(
    ("message", "seconds", "verdict"),
    [
        pytest.param(HICCUP, 20, CONVERGING, id="a registry that hiccups"),
        pytest.param(HICCUP, 70, WRONG, id="for more than a minute"),
        pytest.param(NOT_FOUND, 1, WRONG, id="a registry that does not have it"),
        pytest.param(DENIED, 1, WRONG, id="a registry that refuses"),
        pytest.param(ALONE, 1, WRONG, id="a cluster that cannot pull at all"),
    ],
)
def test_a_pull_that_may_succeed_is_on_its_way_for_a_minute(message, seconds, verdict):
    said = finding("example.com/x:1", "ErrImagePull", message, "IfNotPresent", later(seconds))
    assert said.verdict is verdict
    assert verdict is WRONG or said.since


def test_no_second_try_finds_an_image_of_localhost():
    refused = PULL + 'Head "http://localhost/v2/x/manifests/1": dial tcp 127.0.0.1:80: refused'
    assert finding("localhost/mine:v1", "ErrImagePull", refused).verdict is WRONG


def test_a_name_is_the_same_image_under_the_registry_that_a_runtime_adds():
    assert same_image("registry.example/library/busybox:1", "busybox:1")
    assert same_image("busybox/busybox:1", "registry.example/busybox/busybox:1")
    assert not same_image("localhost/busybox:1", "busybox:1")
    assert not same_image("one.example/busybox:1", "two.example/busybox:1")


def test_the_image_of_another_node_is_not_called_absent():
    """The kubelet pulled for want of it, whatever the policy: no hint about the policy either."""
    said = finding(world.IMAGE, message=NOT_FOUND)
    assert said.cause == "image.absent"
    assert "cannot be pulled" in said.found


def test_without_the_right_to_read_nodes_no_image_is_called_absent():
    said = finding("busybox:1.36", "ErrImagePull", ALONE, "Always", forbid("nodes"))
    assert "cannot be pulled" in said.found
    assert "not on this cluster" not in said.found
