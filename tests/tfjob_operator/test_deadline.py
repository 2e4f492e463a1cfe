import pytest

from kube_runtime.times import FOREVER
from tests.tfjob_api.builders import parsed
from tests.tfjob_operator.builders import NOW, ago
from tfjob_operator import deadline


@pytest.mark.parametrize(
    ("policy", "status", "left"),
    [
        pytest.param({"activeDeadlineSeconds": 60}, {"startTime": ago(20)}, 40, id="it may run on"),
        pytest.param(
            {"activeDeadlineSeconds": 2**63 - 1},
            {"startTime": ago(0)},
            float(2**63 - 1),
            id="it may run for longer than dates reach",
        ),
        pytest.param({"activeDeadlineSeconds": 60}, {"startTime": ago(90)}, -30, id="it is over"),
        pytest.param({"activeDeadlineSeconds": 60}, {}, FOREVER, id="without a start, no end"),
        pytest.param(
            {"activeDeadlineSeconds": 60, "suspend": True},
            {"startTime": ago(90)},
            FOREVER,
            id="about to be paused",
        ),
        pytest.param({}, {"startTime": ago(9999)}, FOREVER, id="without a deadline, no end"),
    ],
)
def test_a_deadline_counts_from_the_start(policy, status, left):
    assert deadline.seconds_to_deadline(parsed(runPolicy=policy, status=status), NOW) == left


@pytest.mark.parametrize(
    ("policy", "status", "left"),
    [
        pytest.param(
            {"ttlSecondsAfterFinished": 60}, {"completionTime": ago(20)}, 40, id="it stays a while"
        ),
        pytest.param(
            {"ttlSecondsAfterFinished": 0}, {"completionTime": ago(0)}, 0, id="0 is at once"
        ),
        pytest.param({"ttlSecondsAfterFinished": 60}, {}, FOREVER, id="what runs stays"),
        pytest.param({}, {"completionTime": ago(9999)}, FOREVER, id="without a ttl it stays"),
    ],
)
def test_a_ttl_counts_from_the_end(policy, status, left):
    assert deadline.seconds_to_deletion(parsed(runPolicy=policy, status=status), NOW) == left


@pytest.mark.parametrize(
    ("ended", "left"),
    [
        pytest.param(ago(0), 5, id="the others may end by themselves"),
        pytest.param(ago(8), -3, id="they had their time"),
        pytest.param(None, 0, id="when it ended nobody knows"),
    ],
)
def test_cleaning_up_gives_time(ended, left):
    job = parsed(status={"completionTime": ended})
    assert deadline.seconds_to_cleanup(job, NOW) == left
