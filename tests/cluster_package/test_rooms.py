import importlib.util
import re

import pytest

from cluster import paths

FOLDER = paths.CHECKOUT / "cluster"
OF_THE_WORKSHOP = re.compile("fashion|tf-?job-operator|notebook|sample-image|module [0-9]", re.I)


@pytest.mark.parametrize("part", ["host", "programs", "node", "images", "lifecycle"])
def test_only_the_workshops_own_part_knows_what_it_wants(part):
    files = [*(FOLDER / part).glob("*.py"), *(FOLDER / part).glob("*/*.yaml")]
    knowing = [file.name for file in files if OF_THE_WORKSHOP.search(file.read_text())]
    assert files
    assert knowing == []


def test_make_calls_modules_that_are_there():
    makefile = (paths.CHECKOUT / "Makefile").read_text()
    called = set(re.findall(r"-m (cluster[.\w]*)", makefile))
    assert len(called) > 2
    assert [name for name in called if importlib.util.find_spec(name) is None] == []
