"""Depth of landmarks: what the network is shown, and what becomes of its answer."""

import face_alignment.utils as library
import numpy as np
import pytest
import torch
from torch import nn

from pipeline.detect import depth, fan
from pipeline.detect.loading import LoadedNetwork


def test_the_whole_pixel_planes_are_the_librarys():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 64, (1, 68, 2)) + rng.choice([0.25, 0.5, 0.75], (1, 68, 2))
    points = (4 * cells).astype(np.float32)
    points[0, :6] = [[1, 1], [3, 255], [253, 2], [256, 256], [0, 40], [40, -1]]
    found = depth.library_planes(points)[0]
    for plane, point in zip(found, torch.from_numpy(points[0]), strict=True):
        expected = np.zeros((256, 256), np.float32)
        if point[0] > 0 and point[1] > 0:
            expected = library.draw_gaussian(expected, point, 2)
        np.testing.assert_array_equal(plane, expected)
    assert (found[4:6] == 0).all() and (found[:4].max(axis=(1, 2)) > 0.1).all()


def test_the_float_planes_are_the_same_at_whole_places_inside():
    points = np.random.default_rng(1).integers(8, 250, (2, 68, 2)).astype(np.float32)
    np.testing.assert_allclose(depth.planes(points), depth.library_planes(points), atol=1e-6)
    assert (depth.planes(np.array([[[-0.5, 9], [9, 0.0]]])) == 0).all()


def test_the_float_planes_follow_their_landmarks():
    points = np.random.default_rng(2).uniform(20, 230, (1, 68, 2))
    heat = depth.planes(points)[0].astype(np.float64)
    pixels = np.arange(256)
    total = heat.sum(axis=(1, 2))
    centre = np.stack([heat.sum(axis=1) @ pixels, heat.sum(axis=2) @ pixels], axis=1) / total[:, None]
    np.testing.assert_allclose(centre, points[0] - 1, atol=0.15)


class Reader(nn.Module):
    """A stand-in that answers how red the crop is where each landmark is painted, and how much is painted."""

    def forward(self, x):
        return 100 * (x[:, 3:] * x[:, :1]).sum((-1, -2)) / x[:, 3:].sum((-1, -2))


class Painter(nn.Module):
    """A stand-in for FAN whose peaks stand where the crop is green."""

    def forward(self, x):
        return [nn.functional.avg_pool2d(x[:, 1:2], 4).repeat(1, 68, 1, 1)]


def finder(side=256, batch=16, **settings):
    network = depth.DepthFinder(LoadedNetwork(Reader(), {}, None), batch)
    return fan.LandmarkFinder(
        LoadedNetwork(Painter(), {"side": side}, None), depth=network, batch=batch, **settings
    )


def scene(x, y, size):
    """A red ramp with a green dot on it, and the box of a face about the dot."""
    picture = np.zeros((400, 420, 3), np.uint8)
    picture[..., 0] = np.arange(420) / 2
    picture[y - 2 : y + 3, x - 2 : x + 3, 1] = 255
    return picture, np.array([x - size, y - size, x + size, y + size], np.float64)


@pytest.mark.parametrize("decode", ["subpixel", "quarter", "library"])
@pytest.mark.parametrize("side", [256, 128])
def test_depth_is_in_pixels_of_the_picture_whatever_the_crops_side(decode, side):
    for x, y, size in ((150, 160, 60), (260, 230, 90)):
        picture, box = scene(x, y, size)
        _, _, found = finder(side, decode=decode).find([picture], [box])
        answer = 100 * (x / 2) / 255  # pixels of a crop of 256
        square = 200 * (4 * size) / 195
        np.testing.assert_allclose(found, answer * square / 256, rtol=0.03)


@pytest.mark.parametrize("decode", ["subpixel", "library"])
def test_batches_do_not_change_depth(decode):
    scenes = [scene(140 + 11 * k, 150 + 7 * k, 50 + 9 * k) for k in range(5)]
    pictures, boxes = (list(each) for each in zip(*scenes, strict=True))
    together = finder(decode=decode).find(pictures, boxes)
    apart = finder(decode=decode, batch=2).find(pictures, boxes)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.ptp(together[2]) > 10
