import copy

import pytest
from msgspec import ValidationError, convert

from tests.tfjob_api.builders import parsed, replica, template
from tfjob_operator import accelerators
from tfjob_operator.accelerators import Accelerator
from tfjob_operator.config import Config
from tfjob_operator.resources import Factory

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
    assert pod["volumes"] == [{"name": "tfjob-lib", "hostPath": {"path": "/usr/lib/nvidia-384"}}]
    assert container["volumeMounts"] == [
        {"name": "tfjob-lib", "mountPath": "/usr/lib/nvidia", "readOnly": True}
    ]
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
        *(
            pytest.param({"limits": {GPU: amount}}, id=f"an amount of {amount!r}")
            for amount in (0, "0", "0.0", "0Ki", "0e3", None)
        ),
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


@pytest.mark.parametrize("path", ["/usr/lib/nvidia", "/usr/lib/nvidia/"])
def test_what_the_user_mounted_by_hand_stays_and_a_sentence_says_so(path):
    by_hand = {"volumeMounts": [{"name": "mine", "mountPath": path}]}
    pod, container = mounted({"limits": {GPU: 1}}, container=by_hand)
    assert container["volumeMounts"] == [{"name": "mine", "mountPath": path}]
    assert pod == {}
    assert [*accelerators.hidden_folders(container, PARSED)] == [
        "/usr/lib/nvidia is the template's own volume 'mine', so the node's "
        "/usr/lib/nvidia-384 is not mounted there"
    ]


@pytest.mark.parametrize("name", ["lib", "tfjob-lib"])
def test_a_users_volume_of_the_same_name_hides_no_drivers(name):
    own = {"name": name, "emptyDir": {}}
    pod, container = mounted({"limits": {GPU: 1}}, pod={"volumes": [own]})
    drivers = {"path": "/usr/lib/nvidia-384"}
    assert pod["volumes"][0] == own
    assert pod["volumes"][1]["hostPath"] == drivers
    assert container["volumeMounts"][0]["name"] == pod["volumes"][1]["name"] != name
    assert [*accelerators.hidden_folders({"resources": {"limits": {GPU: 1}}}, PARSED)] == []


def test_only_the_container_tensorflow_gets_them_and_the_tfjob_stays_as_it_was():
    pod = template()
    for name in ("tensorflow", "sidecar"):
        if name == "sidecar":
            pod["spec"]["containers"].append({"name": name, "image": "x"})
        pod["spec"]["containers"][-1]["resources"] = {"limits": {GPU: 1}}
    job = parsed(replica("MASTER", template=pod))
    before = copy.deepcopy(job)
    config = Config(accelerators=PARSED)
    master = Factory(job, config).batch_job(job.replica_specs[0], 0).build()
    made = master["spec"]["template"]["spec"]
    assert "volumeMounts" in made["containers"][0]
    assert "volumeMounts" not in made["containers"][1]
    assert made["containers"][0]["env"][-1]["name"] == "TF_CONFIG"
    assert job == before


def test_a_config_that_lacks_a_field_is_an_error():
    with pytest.raises(ValidationError, match=r"missing required field `hostPath`"):
        convert({"volumes": [{"name": "lib"}]}, Accelerator)
