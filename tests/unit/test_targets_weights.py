"""The 16:4:3:0 weight mask from the chart in use, and a user's own picture."""

import cv2
import numpy as np
import pytest
from target_cases import model

from pipeline.geometry.posmap import nearest_texels
from pipeline.records import FacemillError
from pipeline.targets.weights import face_texels, keypoint_uv, read_weights, weight_mask


@pytest.mark.parametrize("size", [32, 96])
def test_weights_of_a_chart(size):
    dome = model()
    mask = weight_mask(dome, size)
    assert mask.shape == (size, size) and mask.dtype == np.float32
    assert set(np.unique(mask)) == {0, 3, 4, 16}
    columns, rows = nearest_texels(keypoint_uv(dome), size).T
    assert (mask[rows, columns] == 16).all() and (mask == 16).sum() == len(
        set(zip(rows, columns, strict=True))
    )
    assert (mask[~face_texels(dome, size)] % 16 == 0).all()
    at = {
        name: mask[round((1 - v) * (size - 1)), round(u * (size - 1))]
        for name, (u, v) in {
            "between eye and nose": (0.44, 0.74),
            "cheek": (0.12, 0.4),
            "forehead": (0.5, 0.94),
            "rim": (0.0, 0.0),
        }.items()
    }
    assert at == {"between eye and nose": 4, "cheek": 3, "forehead": 3, "rim": 0}


def test_the_mask_is_made_once_and_nobody_changes_it():
    dome = model()
    mask = weight_mask(dome, 32)
    assert weight_mask(dome, 32) is mask
    with pytest.raises(ValueError, match="read-only"):
        mask[0, 0] = 1


def test_a_users_own_picture(tmp_path):
    grey = np.full((9, 9), 48, np.uint8)
    grey[4, 4], grey[0] = 255, 0
    cv2.imwrite(str(tmp_path / "w.png"), grey)
    same = read_weights(tmp_path / "w.png", 9)
    assert same[4, 4] == 16 and same[5, 5] == 3 and (same[0] == 0).all()
    smaller = read_weights(tmp_path / "w.png", 5)
    assert smaller[2, 2] == 16 and (smaller == 16).sum() == 1 and smaller[4, 4] == 3
    larger = read_weights(tmp_path / "w.png", 33)
    assert larger[16, 16] == 16 and larger.shape == (33, 33) and larger[20, 20] == 3
    face = np.zeros((9, 9), np.uint8)
    face[2:7, 2:7] = 255
    cv2.imwrite(str(tmp_path / "f.png"), face)
    masked = read_weights(tmp_path / "w.png", 9, tmp_path / "f.png")
    assert (masked > 0).sum() == 25


@pytest.mark.parametrize(
    ("picture", "words"),
    [(np.zeros((9, 9)), "black picture"), (np.full((9, 8), 48), "square picture, found 8 x 9")],
)
def test_pictures_that_are_no_mask_are_refused(tmp_path, picture, words):
    cv2.imwrite(str(tmp_path / "w.png"), picture.astype(np.uint8))
    with pytest.raises(FacemillError, match=words):
        read_weights(tmp_path / "w.png", 9)
