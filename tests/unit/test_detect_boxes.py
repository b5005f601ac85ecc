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
