"""FAN's crop and decode in floats, against geometry."""

import face_alignment.utils as library
import numpy as np
import pytest
import torch
from torch import nn

from pipeline.detect import fan, heatmaps
from pipeline.detect.loading import LoadedNetwork
from pipeline.losses.heatmaps import gaussians
from pipeline.models.fan import DOWNSCALE
from pipeline.models.heatmaps import from_cells
from pipeline.records import FacemillError


def boxes(count, seed=0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-30, 200, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(40, 260, (count, 2))], axis=1)


def test_float_crop_is_the_square_that_the_integers_cut_from():
    for box in boxes(10, seed=4):
        centre, scale = fan.library_square(box)
        window = fan.crop_transform(box, 256).window()
        np.testing.assert_allclose((window[:2] + window[2:]) / 2, centre, atol=1e-9)
        np.testing.assert_allclose(window[2:] - window[:2], 200 * scale, atol=1e-9)
        assert np.isclose(window[2] - window[0], 1.0256 * (box[2] - box[0] + box[3] - box[1]), rtol=1e-4)


def test_the_librarys_landmarks_are_the_float_ones_cut_to_whole_pixels():
    rng = np.random.default_rng(5)
    maps = rng.random((1, 68, 64, 64)).astype(np.float32)
    box = np.array([80.3, 90.1, 260.8, 300.7])
    whole = fan.library_points(fan.library_cells(maps)[0], [fan.library_square(box)], 64)
    cells, _ = heatmaps.decode(maps, "quarter")
    exact = fan.crop_transform(box, 256).invert(from_cells(cells[0], DOWNSCALE))
    np.testing.assert_array_equal(np.trunc(exact), whole[0])


@pytest.mark.parametrize(("mode", "limit"), [("subpixel", 0.07), ("quarter", 0.26)])
def test_painted_points_are_read_back(mode, limit):
    points = np.random.default_rng(6).uniform(4, 27, (3, 68, 2))
    found, peak = heatmaps.decode(gaussians(torch.from_numpy(points), 32, sigma=1.0).numpy(), mode)
    assert np.abs(found - points).max() < limit
    assert (peak > 0.77).all()


def test_a_network_sees_crops_of_its_own_side_whatever_the_decode():
    seen = []
    network = Painter()
    network.register_forward_pre_hook(lambda module, inputs: seen.append(tuple(inputs[0].shape)))
    for mode in ("subpixel", "quarter", "library"):
        found = fan.LandmarkFinder(LoadedNetwork(network, {"side": 128}, None), mode)
        found.find([disc(131, 140)], [np.array([60.0, 50.0, 220.0, 230.0])])
    assert seen == [(1, 3, 128, 128)] * 3


def test_an_empty_heatmap_decodes_to_its_corner_without_nan():
    found, peak = heatmaps.decode(np.zeros((1, 68, 8, 8), np.float32))
    assert (found == 0).all() and (peak == 0).all()


def test_mirroring_is_the_librarys_permutation():
    maps = torch.rand(2, 68, 8, 8)
    np.testing.assert_array_equal(heatmaps.mirrored(maps.numpy()), library.flip(maps, is_label=True).numpy())


class Painter(nn.Module):
    """A stand-in for FAN that paints landmark k where the crop is red, times (k + 1) / 68."""

    def forward(self, x):
        red = nn.functional.avg_pool2d(x[:, :1] - x[:, 1:2], 4)
        return [red * (torch.arange(68.0)[:, None, None] + 1) / 68]


def finder(**settings):
    card = {"side": 128, "settings": {}}
    return fan.LandmarkFinder(LoadedNetwork(Painter(), card, None), **settings)


def disc(x, y, radius=6.0):
    rows, columns = np.mgrid[:300, :320]
    inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
    picture = np.full((300, 320, 3), 90, np.uint8)
    picture[inside] = (255, 0, 0)
    return picture


def test_a_point_comes_back_to_its_place_in_the_picture():
    box = np.array([60.0, 50.0, 220.0, 230.0])
    found, scores, depths = finder().find([disc(131.4, 140.7)], [box])
    assert np.isnan(depths).all()  # without a depth network
    np.testing.assert_allclose(found[0], np.broadcast_to([131.4, 140.7], (68, 2)), atol=0.6)
    assert scores[0, 67] > 0.3 and np.isclose(scores[0, 0] * 68, scores[0, 67], rtol=1e-3)


def test_flip_averages_two_passes_and_the_library_adds_them():
    """The painter's peak depends on the landmark's number, so the mirrored pass exchanges left and right."""
    box = np.array([60.0, 50.0, 220.0, 230.0])
    once = finder().find([disc(131, 140)], [box])[1][0]
    mean = finder(flip=True).find([disc(131, 140)], [box])[1][0]
    np.testing.assert_allclose(mean, (once + once[heatmaps.MIRRORED]) / 2, rtol=2e-2)
    library_once = finder(decode="library").find([disc(131, 140)], [box])[1][0]
    library_both = finder(decode="library", flip=True).find([disc(131, 140)], [box])[1][0]
    np.testing.assert_allclose(library_both, library_once + library_once[heatmaps.MIRRORED], rtol=5e-2)


def test_batches_do_not_change_the_answer():
    pictures = [disc(100 + 5 * k, 120) for k in range(5)]
    squares = [np.array([40.0 + 5 * k, 40.0, 180.0 + 5 * k, 200.0]) for k in range(5)]
    whole = finder(batch=16).find(pictures, squares)[0]
    np.testing.assert_array_equal(finder(batch=2).find(pictures, squares)[0], whole)


def test_grey_and_rgba_pictures_are_seen_as_rgb():
    rng = np.random.default_rng(7)
    grey = rng.integers(0, 256, (200, 220), np.uint8)
    rgb = rng.integers(0, 256, (200, 220, 3), np.uint8)
    box = np.array([40.0, 40.0, 180.0, 170.0])
    for odd, plain in (
        (grey, np.stack([grey] * 3, axis=2)),
        (grey[:, :, None], np.stack([grey] * 3, axis=2)),
        (np.dstack([rgb, grey]), rgb),
    ):
        seen = []
        network = Painter()
        network.register_forward_pre_hook(lambda module, inputs, seen=seen: seen.append(inputs[0].clone()))
        found = fan.LandmarkFinder(LoadedNetwork(network, {"side": 128}, None))
        found.find([odd], [box])
        found.find([plain], [box])
        assert torch.equal(*seen)
    with pytest.raises(FacemillError, match=r"expected a uint8 picture \(h, w, 3\), found float64"):
        finder().find([rgb / 255], [box])


def test_another_reference_makes_another_square():
    seen = {}
    for reference in (None, 165.0):
        network = Painter()
        network.register_forward_pre_hook(lambda m, inputs, r=reference: seen.update({r: inputs[0].clone()}))
        found = fan.LandmarkFinder(LoadedNetwork(network, {"side": 128}, None), reference=reference)
        found.find([disc(131, 140)], [np.array([60.0, 50.0, 220.0, 230.0])])
    red = {r: float(nn.functional.relu(x[:, 0] - x[:, 1]).sum()) for r, x in seen.items()}
    assert red[165.0] / red[None] == pytest.approx((165 / 195) ** 2, rel=0.02)
