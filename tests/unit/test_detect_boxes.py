"""The box finder: geometry of its input, thresholds, suppression."""

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.detect.boxes import BoxFinder, input_transform, network_input, published_scale
from pipeline.detect.loading import LoadedNetwork
from pipeline.models.faceboxes import encode, priors

SIDE = 128


class Oracle(nn.Module):
    """A stand-in for FaceBoxes that knows the boxes: the first priors give them, with these scores."""

    def __init__(self, boxes, scores):
        super().__init__()
        self.boxes, self.scores = boxes, scores

    def forward(self, x):
        prior = priors(*x.shape[2:])
        offsets, logits = np.zeros((len(prior), 4), np.float32), np.full((len(prior), 2), (9.0, -9.0))
        count = len(self.boxes)
        offsets[:count] = encode(np.asarray(self.boxes) / SIDE, prior[:count])
        odds = np.log(np.asarray(self.scores) / (1 - np.asarray(self.scores)))
        logits[:count] = np.stack([np.zeros(count), odds], axis=1)
        both = torch.from_numpy(offsets)[None], torch.from_numpy(logits)[None]
        return tuple(t.expand(len(x), -1, -1) for t in both)


def finder(boxes, scores, **settings):
    return BoxFinder(LoadedNetwork(Oracle(boxes, scores), {"side": SIDE, "settings": {}}, None), **settings)


@pytest.mark.parametrize(("height", "width"), [(128, 128), (256, 256), (200, 400), (300, 150)])
def test_boxes_come_back_in_pixels_of_the_picture(height, width):
    """The input shares the outer pixel edges of the picture's longer side; a box counts from pixel centres."""
    picture = np.zeros((height, width, 3), np.uint8)
    boxes, scores = finder([[32.0, 40.0, 96.0, 88.0]], [0.9]).find([picture])[0]
    scale = max(height, width) / SIDE
    left, top = (SIDE * scale - np.array([width, height])) / 2
    expected = [
        32 * scale - left - 0.5,
        40 * scale - top - 0.5,
        96 * scale - left - 0.5,
        88 * scale - top - 0.5,
    ]
    np.testing.assert_allclose(boxes[0], expected, atol=1e-3)
    assert np.isclose(scores[0], 0.9, atol=1e-5)


def test_network_input_is_bgr_minus_mean_and_zero_outside():
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[..., 0] = 200
    x = network_input(picture, SIDE)
    np.testing.assert_allclose(x[64, 64], [-104, -117, 200 - 123], atol=1e-4)
    assert (x[:31] == 0).all() and (x[97:] == 0).all() and (x[32:96] != 0).all()


def test_threshold_and_suppression():
    boxes = [[10, 10, 50, 50], [12, 10, 52, 50], [70, 70, 110, 110], [70, 10, 110, 50]]
    scores = [0.7, 0.9, 0.6, 0.3]
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    found, kept = finder(boxes, scores, score=0.5, overlap=0.3).find([picture])[0]
    np.testing.assert_allclose(kept, [0.9, 0.6], atol=1e-5)
    np.testing.assert_allclose(found, np.array([boxes[1], boxes[2]]) - 0.5, atol=1e-3)
    assert len(finder(boxes, scores, score=0.2, overlap=0.3).find([picture])[0][0]) == 3
    assert len(finder(boxes, scores, score=0.5, overlap=0.95).find([picture])[0][0]) == 3


def test_a_picture_without_a_face_gives_an_empty_list():
    found, scores = finder([[0, 0, 9, 9]], [0.01]).find([np.zeros((SIDE, SIDE, 3), np.uint8)])[0]
    assert found.shape == (0, 4) and scores.shape == (0,)


def test_published_shrinking():
    assert published_scale(450, 450) == 1
    assert published_scale(1440, 1080) == 0.5
    assert np.isclose(published_scale(720, 2160), 0.5)
    assert np.isclose(published_scale(1440, 4320), 0.25)


def test_whole_picture_in_the_middle():
    transform = input_transform(300, 150, SIDE)
    np.testing.assert_allclose(transform.apply(np.array([74.5, 149.5])), [63.5, 63.5])
    assert np.isclose(transform.scale, SIDE / 300)


OVERLAPPING = [[10, 10, 50, 50], [24, 10, 64, 50], [70, 70, 110, 110]]
"""The second overlaps the first by 26 / 54."""


def test_soft_suppression_lowers_scores_instead_of_dropping_boxes():
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    share = 26 / 54
    for method, weight in (("linear", 1 - share), ("gaussian", np.exp(-(share**2) / 0.5))):
        soft = finder(OVERLAPPING, [0.9, 0.8, 0.6], score=0.3, overlap=0.3, method=method)
        found, scores = soft.find([picture])[0]
        order = np.argsort([-0.9, -0.8 * weight, -0.6])
        np.testing.assert_allclose(scores, np.array([0.9, 0.8 * weight, 0.6])[order], atol=1e-4)
        np.testing.assert_allclose(found, np.array(OVERLAPPING)[order] - 0.5, atol=1e-3)
        strict = finder(OVERLAPPING, [0.9, 0.8, 0.6], score=0.55, overlap=0.3, method=method)
        assert len(strict.find([picture])[0][0]) == (3 if 0.8 * weight > 0.55 else 2)
    hard = finder(OVERLAPPING, [0.9, 0.8, 0.6], score=0.3, overlap=0.3, method="hard")
    np.testing.assert_allclose(hard.find([picture])[0][1], [0.9, 0.6], atol=1e-5)


@pytest.mark.parametrize(("plus_one", "stands"), [("auto", True), ("off", True), ("on", False)])
def test_counting_border_pixels_is_a_setting_that_shipped_weights_leave_off(plus_one, stands):
    """Without the + 1 the two boxes do not touch; with it they share a column of pixels."""
    boxes, picture = [[10, 10, 12, 12], [12, 10, 14, 12]], np.zeros((SIDE, SIDE, 3), np.uint8)
    found, _ = finder(boxes, [0.9, 0.8], score=0.3, overlap=0.0, plus_one=plus_one).find([picture])[0]
    assert len(found) == (2 if stands else 1)


class Brightness(nn.Module):
    """A stand-in for the published network: one box whose score tells the picture's mean."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, x):
        self.shapes.append(tuple(x.shape))
        count = len(priors(*x.shape[2:]))
        logits = torch.zeros(len(x), count, 2)
        logits[..., 0] = 9.0
        logits[:, 0] = torch.stack([torch.zeros(len(x)), x.mean(dim=(1, 2, 3)) / 100], dim=1)
        return torch.zeros(len(x), count, 4), logits


def test_published_weights_take_pictures_of_one_size_together_and_keep_their_order():
    rng = np.random.default_rng(0)
    sizes = [(64, 96), (128, 64), (64, 96), (1440, 960), (64, 96), (720, 480)]
    pictures = [rng.integers(0, 256, (*size, 3), np.uint8) // (k + 1) for k, size in enumerate(sizes)]
    network = Brightness()
    together = BoxFinder(LoadedNetwork(network, {"side": None, "settings": {}}, None), score=0.1, batch=2)
    found = together.find(pictures)
    assert network.shapes == [(2, 3, 64, 96), (1, 3, 64, 96), (1, 3, 128, 64), (2, 3, 720, 480)]
    for picture, (boxes, scores) in zip(pictures, found, strict=True):
        ((alone, score),) = together.find([picture])
        np.testing.assert_allclose(boxes, alone, atol=1e-3)
        np.testing.assert_allclose(scores, score, atol=1e-6)
        assert len(scores) == 1
    assert together.plus_one


def test_a_large_photo_takes_little_more_memory_than_itself():
    """6000 x 4000 pixels are 72 MB; the published network shrinks them first, the shipped one samples them."""
    import tracemalloc

    picture = np.zeros((4000, 6000, 3), np.uint8)
    for side in (None, SIDE):
        card = {"side": side, "settings": {}}
        large = BoxFinder(LoadedNetwork(Brightness(), card, None), score=0.999)
        tracemalloc.start()
        large.find([picture])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1.5 * picture.nbytes, (side, peak)
