"""Slots of -j that a training takes: never fewer than its threads, and no more work than the machine has cores for."""

import pytest

from pipeline.jobs.slots import cores, slots


@pytest.mark.parametrize(
    ("threads", "available", "machine", "taken"),
    [
        (1, 8, 2, 4),  # two trainings of one thread fill two cores
        (2, 8, 2, 8),  # one of two threads is alone
        (1, 3, 2, 1),
        (1, 2, 2, 1),
        (2, 2, 16, 2),
        (4, 16, 16, 4),
        (8, None, 4, 8),  # on a cluster Snakemake counts no slots of this machine
    ],
)
def test_a_training_takes_its_share_of_the_slots(threads, available, machine, taken):
    assert slots(threads, available, machine) == taken


def test_this_machine_has_a_core():
    assert cores() >= 1
