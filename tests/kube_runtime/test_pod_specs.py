import pytest

from kube_runtime import pod_specs


@pytest.mark.parametrize("field", ["requests", "limits"])
@pytest.mark.parametrize(
    ("amount", "names"),
    [
        *(pytest.param(each, ["gpu"], id=f"{each!r} of it") for each in (1, "1", "500m", "0.5Gi")),
        *(pytest.param(each, [], id=f"{each!r} of it") for each in (0, "0", "0.0", "0Ki", "0e3")),
        pytest.param(None, [], id="no amount"),
    ],
)
def test_a_container_requests_what_is_more_than_zero(field, amount, names):
    assert pod_specs.requested({"resources": {field: {"gpu": amount}}}) == names


def test_a_variable_is_added_once_and_the_containers_own_stays():
    container = {"env": [{"name": "A", "value": "own"}]}
    for name in ("A", "B", "B"):
        pod_specs.add_variable(container, name, "new")
    assert container["env"] == [{"name": "A", "value": "own"}, {"name": "B", "value": "new"}]


def test_two_containers_share_a_volume_and_another_of_its_name_stays():
    pod, one, two = {"volumes": [{"name": "lib", "emptyDir": {}}]}, {}, {}
    for container in (one, two):
        pod_specs.mount_read_only(pod, container, "/lib", "lib", {"hostPath": {"path": "/usr"}})
    assert pod["volumes"] == [
        {"name": "lib", "emptyDir": {}},
        {"name": "lib-2", "hostPath": {"path": "/usr"}},
    ]
    assert (
        one == two == {"volumeMounts": [{"name": "lib-2", "mountPath": "/lib", "readOnly": True}]}
    )
    assert pod_specs.mount_at(one, "/lib/")["name"] == "lib-2"


@pytest.mark.parametrize(
    ("folder", "written"), [("/logs", ["/logs", "/tmp"]), ("/tmp", ["/tmp"]), ("", ["/tmp"])]
)
def test_there_is_one_tmp_to_write_to(folder, written):
    mounts = [{"name": "data", "mountPath": folder}] if folder else []
    pod = pod_specs.restricted_spec({"name": "tensorboard"}, {}, mounts, [])
    assert [m["mountPath"] for m in pod["containers"][0]["volumeMounts"]] == written
    assert len(pod["volumes"]) == (folder != "/tmp")
