import pytest

from tfjob_operator import config
from tfjob_operator.__main__ import parse_flags


def test_without_a_file_the_defaults_hold():
    read = config.read(None)
    assert (read.service_type, read.accelerators, read.tf_image) == (
        "Headless",
        {},
        "localhost/fashion-mnist:1.2.0",
    )
    assert "tf.distribute.Server" in read.server_script


def test_the_file_is_read(tmp_path):
    script, file = tmp_path / "server.py", tmp_path / "config.yaml"
    script.write_text("print(1)")
    file.write_text(
        f"grpcServerFilePath: {script}\n"
        "tfImage: mine\nserviceType: ClusterIP\nclusterDomain: cluster.local\n"
        "accelerators: {nvidia.com/gpu: {envVars: [{name: A, value: 1}]}}\n"
    )
    read = config.read(file, workers=3)
    assert (read.server_script, read.tf_image, read.service_type) == (
        "print(1)",
        "mine",
        "ClusterIP",
    )
    assert (read.cluster_domain, read.workers) == ("cluster.local", 3)
    assert read.accelerators["nvidia.com/gpu"].env_vars[0].value == 1


def test_what_is_left_empty_has_its_default(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("accelerators:\ntfImage: ''\nserviceType:\ngrpcServerFilePath: ''\n")
    assert config.read(file) == config.read(None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: [", id="no YAML"),
        pytest.param("- a", id="no mapping"),
        pytest.param("accelerators: [gpu]", id="accelerators that are a list"),
        pytest.param("accelerators: {gpu: {volumes: [{name: lib}]}}", id="a volume without a path"),
        pytest.param(
            "accelerators: {gpu: {envvars: []}}", id="a field within that is spelt wrongly"
        ),
        pytest.param("servicetype: ClusterIP", id="a field that is spelt wrongly"),
        pytest.param("serviceType: NodePort", id="a kind of Service that replicas cannot have"),
        pytest.param("grpcServerFilePath: /nowhere/at/all", id="a script that is not there"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_sentence(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"the controller config file .* cannot be used: "):
        config.read(file)


@pytest.mark.parametrize("spelling", ["--controller-config-file", "--controller_config_file"])
def test_the_flag_of_2017_is_accepted(spelling):
    assert str(parse_flags([f"{spelling}=/etc/config/x"]).controller_config_file) == "/etc/config/x"
