"""Which tests may run beside each other."""

import threading
from pathlib import Path

import pytest

from tests import side_by_side
from tests.cluster import lab_runs
from tests.side_by_side import group

GIB = 1 << 30
CHECKOUT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            "tests/cluster/test_docs.py::test_the_page_is_true[5-tfjob]",
            "tests/cluster/test_docs.py::test_the_page_is_true[2-kubernetes]",
            id="one file of those that need the cluster",
        ),
        pytest.param(
            "tests/cluster/test_node.py::test_down_leaves_nothing",
            "tests/cluster_package/test_network.py::test_a",
            id="both make links of the host",
        ),
        pytest.param(
            "tests/validator/test_api.py::test_a[x/y]",
            "tests/validator/checks/test_run.py::test_b",
            id="one folder",
        ),
    ],
)
def test_these_run_one_after_the_other(one, other):
    assert group(one) == group(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            "tests/cluster/test_docs.py::test_a", "tests/cluster/test_gpus.py::test_a", id="pages"
        ),
        pytest.param(
            "tests/cluster/test_gpus.py::test_a", "tests/cluster/test_chart.py::test_a", id="files"
        ),
        pytest.param("tests/bench/test_a.py::a", "tests/modules/test_a.py::a", id="folders"),
    ],
)
def test_these_may_run_beside_each_other(one, other):
    assert group(one) != group(other)


def test_every_name_in_the_tables_is_there():
    files = [path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("tests/**/*.py")]
    for beginning in sum(side_by_side.TOGETHER.values(), ()):
        assert any(file.startswith(beginning) for file in files), beginning
    assert set(side_by_side.FIRST) <= {group(file) for file in files}


def test_the_longest_groups_come_first_and_keep_their_order():
    given = [
        "tests/bench/a.py::b",
        "tests/cluster/test_docs.py::b",
        "tests/cluster/test_docs.py::a",
    ]
    assert sorted(given, key=side_by_side.rank) == [*given[1:], given[0]]


@pytest.mark.parametrize(
    ("processors", "gib", "wanted"), [(2, 16, 2), (64, 64, 2), (1, 16, 1), (8, 8, 1)]
)
def test_a_small_machine_has_one_worker(processors, gib, wanted):
    assert side_by_side.workers(processors, gib * GIB) == wanted


def test_each_worker_has_a_cluster_of_its_own():
    names = {side_by_side.cluster_name("test", worker) for worker in ("", "gw0", "gw1")}
    assert len(names) == 3
    assert "test" in names


def test_what_one_test_has_alone_another_waits_for(monkeypatch, tmp_path):
    monkeypatch.setattr(side_by_side.paths, "STATE", tmp_path)
    got = threading.Event()

    def other():
        with side_by_side.alone("port-8080"):
            got.set()

    waiting = threading.Thread(target=other)
    with side_by_side.alone("port-8080"), side_by_side.alone("port-6006"):
        waiting.start()
        assert not got.wait(0.2)
    assert got.wait(10)
    waiting.join()


def test_ports_are_those_of_commands_in_one_order():
    page = """\
```console background
$ kubectl port-forward service/a 8888:80
```

Another number, as in `kubectl port-forward service/a 9999:80`?

```console background
$ kubectl port-forward "$(kubectl get service -o name)" 6006:80
```
"""
    assert lab_runs.ports(page) == [6006, 8888]


def test_every_port_that_a_page_forwards_is_found():
    for page in CHECKOUT.glob("modules/*/README.md"):
        forwarded = page.read_text().count("\n$ kubectl port-forward ")
        assert len(lab_runs.ports(page.read_text())) == forwarded, page
