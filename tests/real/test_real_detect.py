"""FaceBoxes with its published weights through our code, against stored reference outputs and known scenes."""

import numpy as np
import pytest

from pipeline.detect.boxes import BoxFinder
from pipeline.detect.loading import load_faceboxes
from pipeline.io.images import read_picture


@pytest.fixture(scope="module")
def finder(data):
    return BoxFinder(load_faceboxes(str(data / "weights" / "FaceBoxesProd.pth")), score=0.2)


def test_boxes_are_those_of_3ddfa_v2(data, finder, labels):
    reference = np.load(data / "aflw2000-dev" / "reference" / "outputs.npz")["faceboxes_dets"]
    for k in range(0, 400, 20):
        expected = reference[k][~np.isnan(reference[k][:, 0])]
        picture = read_picture(
            data / "aflw2000-dev" / "images" / f"{str(labels['names'][k]).split('.')[0]}.jpg"
        )
        boxes, scores = finder.find([picture])[0]
        assert len(boxes) == len(expected)
        np.testing.assert_allclose(boxes, expected[:, :4], atol=5e-3)
        np.testing.assert_allclose(scores, expected[:, 4], atol=1e-4)


@pytest.mark.parametrize(("scene", "faces"), [("trump_hillary", 2), ("emma", 3), ("grass", 0)])
def test_scenes(data, finder, scene, faces):
    _, scores = finder.find([read_picture(data / "scenes" / f"{scene}.jpg")])[0]
    assert (scores > 0.5).sum() == faces
