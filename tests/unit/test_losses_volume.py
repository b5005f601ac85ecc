"""The volume loss against a dense twin in double precision, and its gradient checked numerically."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pipeline.losses import volume
from pipeline.losses.volume import Occupancy, volume_entropy, volume_overlap

D, H, W = 9, 4, 5


def case(seed=0, batch=2, runs=2):
    """Logits and runs; some columns empty, some whole, some beyond the ends, some inside one slice."""
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.uniform(0, D, (batch, H, W, 2 * runs)), axis=-1)
    columns = ends.reshape(batch, H, W, runs, 2).transpose(0, 3, 1, 2, 4).copy()
    columns[:, :, 0, 0] = 0
    columns[:, 0, 0, 1] = [0, D]
    columns[:, 1:, 0, 1] = 4.0
    columns[:, 0, 0, 2] = [3.2, 3.7]
    columns[:, 1:, 0, 2] = [5, 5]
    return rng.normal(0, 4, (batch, D, H, W)), columns


def covered_slowly(runs):
    """Occupancy (B, D, H, W) one voxel after the other."""
    out = np.zeros((len(runs), D, H, W))
    for index in np.ndindex(*out.shape):
        b, z, y, x = index
        out[index] = sum(max(0.0, min(end, z + 1) - max(first, z)) for first, end in runs[b, :, y, x])
    return out


def entropy_slowly(logits, runs):
    share = 1 / (1 + np.exp(-logits))
    target = covered_slowly(runs)
    return -(target * np.log(share) + (1 - target) * np.log1p(-share)).mean()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chunk", [1, 100, 1 << 20])
def test_the_loss_equals_its_twin(seed, chunk, monkeypatch):
    monkeypatch.setitem(volume.CHUNK, "cpu", chunk)
    logits, runs = case(seed)
    found = volume_entropy(torch.tensor(logits, dtype=torch.float32), torch.tensor(runs, dtype=torch.float32))
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(entropy_slowly(logits, runs), rel=1e-5)


@pytest.mark.parametrize("several", [1, 2, 4])
def test_occupancy_equals_its_twin(several):
    _, runs = case(3, runs=several)
    occupancy = Occupancy(torch.tensor(runs))
    found = torch.cat([occupancy.of(0, 4), occupancy.of(4, D)], dim=1)
    np.testing.assert_allclose(found, covered_slowly(runs), atol=1e-12)


def test_the_gradient_is_that_of_the_loss():
    logits, runs = case(4)
    logits, runs = torch.tensor(logits, requires_grad=True), torch.tensor(runs)
    assert torch.autograd.gradcheck(lambda x: 3 * volume_entropy(x, runs), logits)
    target = torch.tensor(covered_slowly(runs.numpy()))
    expected = torch.autograd.grad(F.binary_cross_entropy_with_logits(logits, target), logits)[0]
    loss = volume_entropy(logits, runs)
    for _ in range(2):
        torch.testing.assert_close(torch.autograd.grad(loss, logits, retain_graph=True)[0], expected)


def test_extreme_logits_stay_finite():
    runs = torch.zeros(1, 1, 1, 2, 2)
    runs[0, 0, 0, 0] = torch.tensor([0.0, 2.0])
    logits = torch.tensor([[[[500.0, -500.0]], [[-90.0, 90.0]]]], requires_grad=True)
    loss = volume_entropy(logits, runs)
    loss.backward()
    assert loss.item() == pytest.approx(45.0)
    torch.testing.assert_close(logits.grad, torch.tensor([[[[0.0, 0.0]], [[-0.25, 0.25]]]]))


def test_bf16_logits_lose_nothing_but_their_own_digits():
    logits, runs = case(5)
    rounded = torch.tensor(logits).bfloat16()
    found = volume_entropy(rounded, torch.tensor(runs))
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(entropy_slowly(rounded.double().numpy(), runs), rel=1e-5)


def test_overlap_counts_voxels():
    logits, runs = case(6)
    both, either = volume_overlap(torch.tensor(logits), torch.tensor(runs))
    inside, true = logits > 0, covered_slowly(runs) >= 0.5
    np.testing.assert_array_equal(both, (inside & true).sum((1, 2, 3)))
    np.testing.assert_array_equal(either, (inside | true).sum((1, 2, 3)))
