"""What a snapshot file must not hold."""

import pytest

from validator.redaction import redact


@pytest.mark.parametrize(
    ("node", "gone"),
    [
        pytest.param(
            {"name": "DB_PASSWORD", "value": "hunter2"}, "hunter2", id="an environment value"
        ),
        pytest.param({"name": "API_KEY", "value": "abc123"}, "abc123", id="a key"),
        pytest.param({"args": ["--token", "s3cr3t"]}, "s3cr3t", id="an option's next word"),
        pytest.param({"args": ["--api-key=s3cr3t"]}, "s3cr3t", id="an option with ="),
        pytest.param("using password: hunter2 now", "hunter2", id="a log line"),
        pytest.param("Authorization: Bearer abcdef123456", "abcdef123456", id="a header in a log"),
        pytest.param(
            {"kubectl.kubernetes.io/last-applied-configuration": "anything"},
            "anything",
            id="kubectl's copy of the manifest",
        ),
    ],
)
def test_a_secret_is_taken_out(node, gone):
    assert gone not in str(redact({"deep": [node]}))


@pytest.mark.parametrize(
    "node",
    [
        pytest.param({"name": "TF_CONFIG", "value": '{"cluster": {}}'}, id="TF_CONFIG"),
        pytest.param({"args": ["--max-steps", "500"]}, id="the training's options"),
        pytest.param("step 100/500 loss 0.5123 accuracy 0.8125", id="a step line"),
        pytest.param({"replicas": 1, "ready": True, "none": None}, id="numbers and truth values"),
    ],
)
def test_what_the_checks_read_stays(node):
    assert redact(node) == node
