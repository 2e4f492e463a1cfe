import pytest

from cluster.images import bases


@pytest.mark.parametrize(
    ("dockerfile", "wanted"),
    [
        pytest.param("FROM debian:bookworm-slim\n", ["debian:bookworm-slim"], id="one stage"),
        pytest.param("FROM a AS build\nFROM b\nCOPY --from=build / /", ["a", "b"], id="two stages"),
        pytest.param("FROM a AS build\nFROM build", ["a"], id="a stage on a stage"),
        pytest.param("from --platform=linux/amd64 a", ["a"], id="an option before the name"),
        pytest.param("FROM scratch\n", [], id="nothing to pull"),
        pytest.param("# FROM x\nFROM a\nFROM a\n", ["a"], id="comments and repetitions"),
    ],
)
def test_base_images(dockerfile, wanted):
    assert bases.base_images(dockerfile) == wanted
