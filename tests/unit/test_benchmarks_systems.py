"""The rates of the systems, on a small network."""

from dataclasses import replace

import pytest
import training_world as world

from benchmarks import systems
from pipeline.stages import train


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "load_face_model", lambda **block: world.dome())
    job = world.job(tmp_path)
    return lambda: train.prepare(job["inputs"], job["settings"], 3, "models.prn")


def test_the_share_is_that_of_all_operations_at_the_measured_rate(prepared):
    found = systems.measure("prn", prepared(), "fp32", 0.05, 2e9, workers=0)
    assert found.batch == world.TRAINING["batch_size"] and found.side == world.SIDE
    assert found.share == pytest.approx(found.operations * found.training / 2e9)
    assert found.answers > 0 and found.made is None and found.memory == 0
    assert len(found.cells()) == len(systems.Figures.HEADS)


def test_a_network_twice_as_wide_has_more_than_twice_the_operations(prepared):
    one, other = (prepared() for _ in range(2))
    keywords = {"width": 2, "size": world.SIDE, "bn_momentum": 0.1}
    other = replace(other, network=train.initial_network("prn", keywords, 3, None))
    small, large = (systems.measure("prn", each, "fp32", 0.02, 1e9, workers=0) for each in (one, other))
    assert 2 * small.operations < large.operations


def test_batches_made_by_processes_are_counted(prepared):
    assert systems.made_by(prepared(), 2, 0.2) > 0


def test_the_rate_is_a_median_of_the_rounds_that_count():
    calls = []
    assert systems.seconds_of(lambda: calls.append(1), "cpu", 0.0) >= 0
    assert len(calls) == systems.WARM + 3
