import pytest

from kube_runtime import process


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        pytest.param(
            "search lab.svc.cluster.example svc.cluster.example cluster.example\noptions ndots:5\n",
            "cluster.example",
            id="a Pod's own",
        ),
        pytest.param("search lan\nnameserver 10.0.0.1\n", "cluster.local", id="a host's"),
        pytest.param("", "cluster.local", id="an empty one"),
    ],
)
def test_the_search_line_says_the_clusters_domain(tmp_path, text, domain):
    file = tmp_path / "resolv.conf"
    file.write_text(text)
    assert process.cluster_domain(file) == domain
    assert process.cluster_domain(tmp_path / "none") == "cluster.local"
