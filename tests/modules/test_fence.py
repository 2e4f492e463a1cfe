"""Reading the opening of a block: attributes, and what is refused."""

import pytest

from modules.fence import Fence, read_fence, seconds


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        pytest.param("", Fence(""), id="no language"),
        pytest.param("yaml", Fence("yaml"), id="a language"),
        pytest.param('console exit="3"', Fence("console", exit_code=3), id="an exit code"),
        pytest.param(
            'console skip="needs a real GPU"',
            Fence("console", skip="needs a real GPU"),
            id="a reason with spaces",
        ),
        pytest.param('console retry="30s"', Fence("console", retry_seconds=30), id="retry"),
        pytest.param('console timeout="20m"', Fence("console", timeout_seconds=1200), id="timeout"),
        pytest.param('console only="gpu"', Fence("console", only="gpu"), id="only"),
        pytest.param(
            'console only="gpu local"', Fence("console", only="gpu local"), id="only, of two"
        ),
        pytest.param("console background", Fence("console", background=True), id="a flag"),
        pytest.param(
            'console exit="3" retry="1m" timeout="5m" only="local"',
            Fence("console", 3, retry_seconds=60, timeout_seconds=300, only="local"),
            id="four together",
        ),
        pytest.param(
            'diff edit="my-file.yaml" only="gpu"',
            Fence("diff", edit="my-file.yaml", only="gpu"),
            id="an edit",
        ),
        pytest.param('text case="5.1-x"', Fence("text", case="5.1-x"), id="a recorded case"),
    ],
)
def test_attributes_are_read(info, wanted):
    assert read_fence(info) == wanted


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        pytest.param('console skp="x"', "unknown attribute skp; a console block takes", id="typo"),
        pytest.param("console skip=x", "`skip=x` is not an attribute", id="no quotes"),
        pytest.param('console retry="30s"exit="3"', "is not an attribute", id="no space"),
        pytest.param('console retry="30"', '"30" is not a duration', id="no unit"),
        pytest.param('console timeout="0s"', '"0s" is not a duration', id="no time"),
        pytest.param('console exit="three"', "not an exit code from 0 to 255", id="a word"),
        pytest.param('console exit="256"', "not an exit code from 0 to 255", id="too large"),
        pytest.param(
            'console only="tpu"', "is none of gpu, gpu-2017, gpu-today", id="unknown ability"
        ),
        pytest.param('console skip=""', "skip needs a value", id="no reason"),
        pytest.param("console skip", "skip needs a value", id="a reason without a value"),
        pytest.param('console background="yes"', "background takes no value", id="a flag's value"),
        pytest.param('console exit="1" exit="2"', "exit stands there twice", id="twice"),
        pytest.param('console skip="x" exit="1"', "skip and exit contradict", id="skip and more"),
        pytest.param('console background exit="1"', "background and exit contradict", id="no end"),
        pytest.param('console edit="x"', "unknown attribute edit", id="an edit by commands"),
        pytest.param('yaml retry="1s"', "unknown attribute retry", id="retry of a manifest"),
        pytest.param('text only="gpu"', "only belongs to a console block", id="only of prose"),
        pytest.param('text case="x" edit="y"', "case and edit contradict", id="case and edit"),
        pytest.param('diff edit="../x"', "a file inside the checkout", id="a file outside"),
        pytest.param('diff edit="/etc/x"', "a file inside the checkout", id="an absolute path"),
        pytest.param('diff edit="$(x)"', "a file inside the checkout", id="no path"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(info, complaint):
    with pytest.raises(ValueError) as refused:
        read_fence(info)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("duration", "wanted"),
    [
        pytest.param("30s", 30, id="seconds"),
        pytest.param("20m", 1200, id="minutes"),
        pytest.param("1h", 3600, id="an hour"),
    ],
)
def test_durations_are_read(duration, wanted):
    assert seconds(duration) == wanted
