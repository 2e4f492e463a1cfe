import pytest

from cluster.lifecycle import export


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        pytest.param("token: abc123", "token: ", "abc123", id="a token"),
        pytest.param("Authorization: Basic abc", "Authorization: ", "abc", id="a header"),
        pytest.param("proxy http://ann:pw@proxy:3128", "http://ann:", "pw@", id="a proxy"),
        pytest.param(
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb",
            "a\n(left out)\nb",
            "MHc",
            id="a key",
        ),
        pytest.param(f"x eyJ{'a' * 20}.bbb.ccc y", "x (left out) y", "eyJ", id="a signed token"),
    ],
)
def test_secrets_are_left_out(text, kept, gone):
    said = export.redacted(text)
    assert kept in said
    assert gone not in said


def test_what_is_no_secret_stays():
    text = "E1125 kubelet: pod default/x: no such image localhost/x:1"
    assert export.redacted(text) == text


def test_a_merged_cluster_has_names_of_its_own_and_takes_over_no_context():
    ours = {"clusters": [{"name": "workshop", "cluster": {"server": "s"}}]}
    ours["users"] = [{"name": "admin", "user": {"token": "t"}}]
    found = export.renamed(ours, "workshop-lab")
    assert "current-context" not in found
    assert found["contexts"][0]["context"]["cluster"] == "workshop-lab"
    assert found["clusters"][0] == {"name": "workshop-lab", "cluster": {"server": "s"}}
