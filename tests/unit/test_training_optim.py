"""Schedules as functions of the update, optimisers by name, files of weights."""

import math

import numpy as np
import pytest
import torch

from pipeline.config import TrainingSettings
from pipeline.records import FacemillError
from pipeline.training.checkpoints import (
    initial_network,
    load_weights,
    parameter_count,
    save_state,
    save_weights,
)
from pipeline.training.optim import learning_rate, make_optimiser, total_updates


def rates(updates=100, per_epoch=10.0, **values):
    settings = TrainingSettings(lr=0.01, **{"warmup": 0, **values})
    return np.array([learning_rate(update, updates, per_epoch, settings) for update in range(updates)])


def test_constant_rates_stay():
    assert (rates(schedule="constant") == 0.01).all()


def test_steps_halve_every_so_many_epochs():
    found = rates(schedule="step", step_epochs=2.5)
    np.testing.assert_allclose(found[[0, 24, 25, 49, 50, 99]], 0.01 * 0.5 ** np.array([0, 0, 1, 1, 2, 3]))


def test_cosine_falls_from_the_rate_to_zero():
    found = rates(schedule="cosine")
    assert found[0] == 0.01 and found[50] == pytest.approx(0.005)
    assert found[99] == pytest.approx(0.005 * (1 + math.cos(math.pi * 0.99)))
    assert (np.diff(found) < 0).all()


def test_the_schedule_of_synergynet():
    """Spec landmarks_synergynet_2dasl 3.4: 0.2 in epochs 1 to 5, full to 48, 0.2 to 64, 0.04 to 80."""
    found = rates(
        800, schedule="milestones", milestones=[48, 64], step_factor=0.2, warmup_epochs=5, warmup_factor=0.2
    )
    epochs = found.reshape(80, 10)
    assert (epochs == epochs[:, :1]).all()
    expected = np.repeat([0.2, 1, 0.2, 0.04], [5, 43, 16, 16])
    np.testing.assert_allclose(epochs[:, 0], 0.01 * expected)


def test_exponential_decay_goes_through_the_cuts_of_steps():
    found = rates(schedule="exponential", step_epochs=2.5, step_factor=0.5)
    np.testing.assert_allclose(found, 0.01 * 0.5 ** (np.arange(100) / 25))


def test_warm_up_epochs_come_before_any_schedule_and_after_a_linear_rise():
    found = rates(schedule="constant", warmup=50, warmup_epochs=3)
    np.testing.assert_allclose(found[:10], 0.0002 * np.arange(1, 11))
    np.testing.assert_allclose(found[[10, 29, 30]], [0.002, 0.002, 0.01])


def test_nesterov_and_amsgrad_reach_their_optimisers():
    value = [torch.nn.Parameter(torch.zeros(1))]
    sgd = make_optimiser(value, TrainingSettings(optimiser="sgd", nesterov=True, weight_decay=5e-4))
    adam = make_optimiser(value, TrainingSettings(optimiser="adam", amsgrad=True))
    assert sgd.param_groups[0]["nesterov"] and sgd.param_groups[0]["momentum"] == 0.9
    assert adam.param_groups[0]["amsgrad"]


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_warm_up_rises_to_the_rate_within_a_tenth_of_the_budget(schedule):
    found = rates(schedule=schedule, warmup=50)
    np.testing.assert_allclose(found[:10], 0.001 * np.arange(1, 11))
    assert found[10] == 0.01


def test_epochs_count_updates_by_batch_size():
    assert total_updates(TrainingSettings(updates=7), 100) == 7
    assert total_updates(TrainingSettings(epochs=1.5, batch_size=8), 100) == 19


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("rmsprop", torch.optim.RMSprop), ("sgd", torch.optim.SGD)]
)
def test_each_optimiser_lowers_a_parabola(name, kind):
    value = torch.nn.Parameter(torch.tensor([3.0]))
    optimiser = make_optimiser([value], TrainingSettings(optimiser=name, lr=0.05))
    assert type(optimiser) is kind
    for _ in range(20):
        optimiser.zero_grad()
        value.square().sum().backward()
        optimiser.step()
    assert abs(value.item()) < 2.5


def test_a_model_that_learns_nothing_is_refused():
    with pytest.raises(FacemillError, match="parameters"):
        make_optimiser([], TrainingSettings())


def test_weights_files_are_equal_to_the_byte_and_bring_their_metadata(tmp_path):
    model = torch.nn.Linear(3, 2)
    metadata = {"model": "prn", "b": 2, "a": [1, {"z": None}]}
    digests = {save_weights(tmp_path / f"{k}.safetensors", model.state_dict(), metadata) for k in range(2)}
    turned = dict(reversed(model.state_dict().items()))
    digests.add(save_weights(tmp_path / "2.safetensors", turned, dict(reversed(metadata.items()))))
    assert len(digests) == 1
    other = torch.nn.Linear(3, 2)
    assert load_weights(tmp_path / "0.safetensors", other) == metadata
    assert torch.equal(other.weight, model.weight)


def test_half_precision_weights_fill_a_float32_model(tmp_path):
    model = torch.nn.Linear(3, 2)
    save_weights(tmp_path / "w", {name: value.half() for name, value in model.state_dict().items()}, {})
    other = torch.nn.Linear(3, 2)
    load_weights(tmp_path / "w", other)
    assert other.weight.dtype == torch.float32
    torch.testing.assert_close(other.weight, model.weight, atol=1e-3, rtol=1e-3)


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    save_weights(tmp_path / "w", torch.nn.Linear(3, 2).state_dict(), {})
    with pytest.raises(FacemillError, match=r"'weight' is \(2, 3\).*needs \(5, 3\)"):
        load_weights(tmp_path / "w", torch.nn.Linear(3, 5))
    with pytest.raises(FacemillError, match=r"no tensor '0\.weight'"):
        load_weights(tmp_path / "w", torch.nn.Sequential(torch.nn.Linear(3, 2)))
    with pytest.raises(FacemillError, match="has no 'bias'"):
        load_weights(tmp_path / "w", torch.nn.Linear(3, 2, bias=False))


def test_files_that_are_no_weights_are_refused(tmp_path):
    (tmp_path / "w").write_bytes(b"not weights")
    for name in ("w", "missing"):
        with pytest.raises(FacemillError, match="cannot read weights"):
            load_weights(tmp_path / name, torch.nn.Linear(1, 1))


def test_a_warm_start_takes_the_weights_of_a_file(tmp_path):
    keywords = {"width": 1, "size": 32}
    fresh = initial_network("prn", keywords, 3)
    save_weights(tmp_path / "w", fresh.state_dict(), {})
    warm = initial_network("prn", keywords, 4, str(tmp_path / "w"))
    cold = initial_network("prn", keywords, 4)
    assert torch.equal(warm.last.conv.weight, fresh.last.conv.weight)
    assert not torch.equal(cold.last.conv.weight, fresh.last.conv.weight)
    assert parameter_count(warm) == sum(p.numel() for p in warm.parameters())


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    save_state(tmp_path, "key", {"update": 1})
    before = (tmp_path / "state.pt").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(FacemillError, match="no space left"):
        save_state(tmp_path, "key", {"update": 2})
    assert (tmp_path / "state.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
