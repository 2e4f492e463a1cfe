from dataclasses import replace

import pytest

from cluster.workshop import table


def test_make_lab_builds_no_image_of_one_module_alone():
    assert set(table.ON_DEMAND) == set(table.IMAGES) - set(table.WORKSHOP)
    assert not set(table.ON_DEMAND) & set(table.WORKSHOP)


def test_a_node_as_of_today_counts_gpus_under_one_name():
    assert table.wants(table.OPTIONS).gpus.old_name == table.GPU_NAME_2017
    assert table.wants(replace(table.OPTIONS, today=True)).gpus.old_name == ""


@pytest.mark.parametrize("count", [0, 2])
def test_the_user_chooses_how_many_gpus_there_are(count):
    assert table.wants(replace(table.OPTIONS, gpus=count)).gpus.count == count
