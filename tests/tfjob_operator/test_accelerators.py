import copy

import pytest
from msgspec import ValidationError, convert

from tests.tfjob_operator.builders import parsed, replica, template
from tfjob_operator import accelerators, resources
from tfjob_operator.accelerators import Accelerator
from tfjob_operator.config import Config

GPU = "alpha.kubernetes.io/nvidia-gpu"
CONFIGURED = {
    GPU: {
        "envVars": [
            {"name": "LD_LIBRARY_PATH", "value": "/usr/lib/nvidia"},
            {"name": "N", "value": 1},
        ],
        "volumes": [
            {"name": "lib", "hostPath": "/usr/lib/nvidia-384", "mountPath": "/usr/lib/nvidia"}
        ],
    },
    "nvidia.com/gpu": {},
    "empty.example/none": None,
}
PARSED = convert(CONFIGURED, dict[str, Accelerator | None])


def mounted(resources_, pod=None, container=None):
    pod, container = pod or {}, container or {}
    container["resources"] = resources_
    accelerators.mount(pod, container, PARSED)
    return pod, container


@pytest.mark.parametrize("kind", ["limits", "requests"])
def test_a_resource_brings_its_folders_and_environment(kind):
    pod, container = mounted({kind: {GPU: 1}})
    assert pod["volumes"] == [{"name": "lib", "hostPath": {"path": "/usr/lib/nvidia-384"}}]
    assert container["volumeMounts"] == [{"name": "lib", "mountPath": "/usr/lib/nvidia"}]
    assert container["env"] == [
        {"name": "LD_LIBRARY_PATH", "value": "/usr/lib/nvidia"},
        {"name": "N", "value": "1"},  # a number in the file is text in a Pod
    ]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="nothing asked"),
        pytest.param({"limits": {"cpu": 1}}, id="no accelerator asked"),
        pytest.param({"limits": {"nvidia.com/gpu": 1}}, id="a device plugin's, which brings none"),
        pytest.param({"limits": {"empty.example/none": 1}}, id="an empty entry"),
        pytest.param({"limits": None}, id="limits that are null"),
    ],
)
def test_nothing_else_brings_anything(asked):
    pod, container = mounted(asked)
    assert pod == {}
    assert set(container) == {"resources"}


def test_it_is_brought_once_though_asked_twice_and_applied_twice():
    pod, container = mounted({"limits": {GPU: 1}, "requests": {GPU: 1}})
    once = copy.deepcopy((pod, container))
    accelerators.mount(pod, container, PARSED)
    assert (pod, container) == once


def test_what_the_user_mounted_by_hand_stays():
    by_hand = {"volumeMounts": [{"name": "mine", "mountPath": "/usr/lib/nvidia"}]}
    _, container = mounted({"limits": {GPU: 1}}, container=by_hand)
    assert container["volumeMounts"] == [{"name": "mine", "mountPath": "/usr/lib/nvidia"}]


def test_only_the_container_tensorflow_gets_them_and_the_tfjob_stays_as_it_was():
    pod = template()
    for name in ("tensorflow", "sidecar"):
        if name == "sidecar":
            pod["spec"]["containers"].append({"name": name, "image": "x"})
        pod["spec"]["containers"][-1]["resources"] = {"limits": {GPU: 1}}
    job = parsed(replica("MASTER", template=pod))
    before = copy.deepcopy(job)
    config = Config(accelerators=PARSED)
    made = resources.batch_job(job, job.replicas[0], 0, config)["spec"]["template"]["spec"]
    assert "volumeMounts" in made["containers"][0]
    assert "volumeMounts" not in made["containers"][1]
    assert made["containers"][0]["env"][-1]["name"] == "TF_CONFIG"
    assert job == before


def test_a_config_that_lacks_a_field_is_an_error():
    with pytest.raises(ValidationError, match=r"missing required field `hostPath`"):
        convert({"volumes": [{"name": "lib"}]}, Accelerator)
