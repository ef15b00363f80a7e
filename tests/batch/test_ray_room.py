import logging

import pytest

from batch.ray_room import check_room
from catalog.errors import ConfigError

SMALL, CARDS = {"CPU": 4.0}, {"CPU": 16.0, "GPU": 8.0}


def check(nodes, workers=1, cpus=1.0, gpus=0.0, may_grow=False):
    check_room(nodes, workers=workers, cpus_per_worker=cpus, gpus_per_worker=gpus, may_grow=may_grow)


@pytest.mark.parametrize(
    ("nodes", "asked", "line"),
    [
        ([SMALL], {"workers": 32, "gpus": 1.0}, "asks for 1 GPU a worker, this cluster has none: 0 would be valid"),
        ([CARDS], {"gpus": 9.0}, "asks for 9 GPUs a worker, no machine has more than 8: that or less"),
        ([SMALL, SMALL], {"cpus": 5.0}, "asks for 5 CPUs a worker, no machine has more than 4"),
        ([CARDS, CARDS], {"workers": 32, "gpus": 1.0}, r"16 GPUs and 32 CPUs, room for 16; 16 or fewer would be valid"),
        # 0.4 of a card fits twice on each; 3 do not fit on one and a fifth.
        ([CARDS], {"workers": 17, "gpus": 0.4, "cpus": 0.5}, "room for 16; 16 or fewer"),
        # 3 CPUs fit once on each machine of 4, whatever they have together.
        ([SMALL, SMALL], {"workers": 3, "cpus": 2.5}, "room for 2; 2 or fewer"),
        ([SMALL], {"workers": 4}, r"leave no CPU to decode on: .* below 0.75, would be valid"),
    ],
)
def test_what_could_only_wait_for_ever_is_one_line(nodes, asked, line):
    with pytest.raises(ConfigError, match=line) as caught:
        check(nodes, **asked)
    assert "\n" not in str(caught.value)


def test_what_fits_is_let_through():
    check([SMALL], workers=3)
    check([CARDS] * 4, workers=32, gpus=1.0)
    check([CARDS], workers=16, gpus=0.5, cpus=0.5)
    check([CARDS], workers=2, gpus=4.0)
    check([SMALL], workers=1000, cpus=0.0)


def test_a_cluster_that_may_grow_is_waited_for_with_one_warning(caplog):
    with caplog.at_level(logging.WARNING):
        check([SMALL], workers=32, gpus=1.0, may_grow=True)
    [record] = caplog.records
    assert "this cluster has none" in record.getMessage()
