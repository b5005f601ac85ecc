"""Heat-maps as targets and their losses against slow twins, and the decoder inside networks against detection's."""

import numpy as np
import pytest
import torch

from pipeline.detect import heatmaps as numpy_heatmaps
from pipeline.losses.heatmaps import distributions, gaussians, heatmap_entropy, heatmap_mse
from pipeline.models.heatmaps import decode, from_cells, to_cells


def points(seed=0, low=-3.0, high=14.0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(low, high, (2, 4, 2)))


def test_gaussians_are_what_their_formula_says_cell_by_cell():
    places = points()
    found = gaussians(places, 12, 1.5).numpy()
    for (face, landmark, row, column), value in np.ndenumerate(found):
        x, y = places[face, landmark].tolist()
        assert value == pytest.approx(np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 1.5**2)), rel=1e-9)


def test_a_landmark_that_nobody_knows_paints_nothing():
    places = points()
    places[0, 1] = float("nan")
    painted = gaussians(places, 12, 1.5)
    assert (painted[0, 1] == 0).all() and (painted[0, 0] > 0).all()


@pytest.mark.parametrize("kind", ["mse", "entropy"])
def test_losses_against_a_slow_twin_a_scalar_a_stack(kind):
    random = np.random.default_rng(1)
    stacks = [torch.from_numpy(random.normal(0, 1, (2, 4, 6, 6))) for _ in range(3)]
    places = points(2, 0, 5)
    if kind == "mse":
        target = gaussians(places, 6, 1.0)
        found = heatmap_mse(stacks, target)
        slow = [
            np.mean([(a - b) ** 2 for a, b in zip(m.flatten(), target.flatten(), strict=True)])
            for m in stacks
        ]
    else:
        target = distributions(places, 6, 1.0)
        found = heatmap_entropy(stacks, target)
        slow = []
        for maps in stacks:
            terms = []
            for logits, wanted in zip(
                maps.reshape(8, 36).numpy(), target.reshape(8, 36).numpy(), strict=True
            ):
                chance = np.exp(logits) / np.exp(logits).sum()
                terms.append(-(wanted * np.log(chance)).sum())
            slow.append(np.mean(terms))
    assert len(found) == 3 and all(loss.dtype == torch.float32 for loss in found)
    np.testing.assert_allclose([float(loss) for loss in found], slow, rtol=1e-5)


@pytest.mark.parametrize("kind", ["mse", "entropy"])
def test_gradients_of_the_losses(kind):
    random = np.random.default_rng(3)
    maps = torch.from_numpy(random.normal(0, 1, (1, 2, 5, 5))).requires_grad_()
    target = (gaussians if kind == "mse" else distributions)(points(4, 0, 4)[:1, :2], 5, 1.0)
    loss = (heatmap_mse if kind == "mse" else heatmap_entropy)([maps], target)[0]
    loss.backward()
    for place in [(0, 0, 1, 2), (0, 1, 4, 4), (0, 0, 0, 0)]:
        values = []
        for step in (-1e-2, 1e-2):
            moved = maps.detach().clone()
            moved[place] += step
            values.append(float((heatmap_mse if kind == "mse" else heatmap_entropy)([moved], target)[0]))
        assert (values[1] - values[0]) / 2e-2 == pytest.approx(float(maps.grad[place]), abs=2e-4)


def test_bf16_maps_are_compared_in_float32():
    target = gaussians(points(5, 0, 5).float(), 6, 1.0)
    loss = heatmap_mse([target.to(torch.bfloat16)], target)[0]
    assert loss.dtype == torch.float32 and 0 < loss < 1e-4


def test_the_decoder_in_networks_is_detections_own_to_the_last_digits():
    random = np.random.default_rng(6)
    maps = random.normal(0, 1, (3, 5, 9, 11)).astype(np.float32)
    maps[0, 0] = 0
    maps[0, 1] = -1
    maps[1, 0, 8, 10] = 50
    wanted, _ = numpy_heatmaps.decode(maps)
    np.testing.assert_allclose(decode(torch.from_numpy(maps)).numpy(), wanted, atol=2e-6)


def test_decoded_gaussians_are_where_they_were_painted():
    places = points(7, 3, 28)
    found = decode(gaussians(places, 32, 1.0))
    assert (found - places).abs().max() < 0.07


def test_cells_and_pixels_share_their_outer_edges():
    assert to_cells(-0.5, 4) == -0.5 and to_cells(127.5, 4) == 31.5
    assert from_cells(to_cells(17.3, 4), 4) == pytest.approx(17.3)
