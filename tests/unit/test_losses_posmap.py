"""The position-map losses against sums done by hand."""

import numpy as np
import pytest
import torch

from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.registry import LOSSES


def maps(seed=0, size=4):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(2, 3, size, size, generator=random), torch.rand(2, 3, size, size, generator=random)


def weights(size=4):
    out = np.full((size, size), 3.0)
    out[0], out[1, 1], out[2, 2] = 0, 16, 4
    return out


@pytest.mark.parametrize(("name", "power"), [("posmap_norm", 0.5), ("posmap_squared", 1.0)])
def test_it_is_the_weighted_mean_over_texels(name, power):
    prediction, truth = maps()
    squared = ((prediction - truth).numpy().astype(np.float64) ** 2).sum(axis=1)
    expected = (squared**power * weights()).sum((1, 2)).mean() / weights().sum()
    losses = LOSSES[name](weights())(prediction, truth)
    assert list(losses.parts) == ["position"]
    assert losses.total.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["posmap_norm", "posmap_squared"])
def test_texels_without_weight_and_the_scale_of_the_mask_do_not_matter(name):
    prediction, truth = maps()
    before = LOSSES[name](weights())(prediction, truth).total
    prediction[:, :, 0] += 5
    assert LOSSES[name](10 * weights())(prediction, truth).total.item() == pytest.approx(before.item())
    prediction[:, :, 1, 1] += 5
    assert LOSSES[name](weights())(prediction, truth).total > before


def test_a_perfect_map_has_a_finite_gradient():
    prediction, _ = maps()
    guess = prediction.clone().requires_grad_()
    LOSSES["posmap_norm"](weights())(guess, prediction).total.backward()
    assert torch.equal(guess.grad, torch.zeros_like(guess))


def test_bfloat16_maps_are_compared_in_float32():
    prediction, truth = maps()
    losses = LOSSES["posmap_norm"](weights())(prediction.bfloat16(), truth)
    assert losses.total.dtype == torch.float32


def test_the_total_is_the_sum_of_the_parts():
    losses = Losses({"a": torch.tensor(1.5), "b": torch.tensor(2.25)})
    assert losses.total.item() == 3.75


@pytest.mark.parametrize(
    "mask", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.full((4, 4), -1.0), np.ones(4)]
)
def test_a_useless_mask_is_refused(mask):
    with pytest.raises(FacemillError, match="loss weights"):
        LOSSES["posmap_norm"](mask)
