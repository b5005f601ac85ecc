"""The 18 points and their map, counted by hand."""

import numpy as np
import pytest
import torch

from pipeline.losses.points18 import PUBLISHED, eighteen, landmark_map

SINGLE = {
    0: 17,
    1: 19,
    2: 21,
    3: 22,
    4: 24,
    5: 26,
    6: 36,
    8: 39,
    9: 42,
    11: 45,
    12: 31,
    13: 30,
    14: 35,
    15: 48,
    17: 54,
}
CENTRES = {7: (37, 40), 10: (43, 46), 16: (62, 66)}


def points(seed=0, side=120):
    return torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(seed)) * side


def test_they_are_the_scheme_s_points_and_centres():
    marks = points()
    found = eighteen(marks)
    assert found.shape == (2, 18, 2) and len(SINGLE) + len(CENTRES) == len(PUBLISHED) == 18
    for k, index in SINGLE.items():
        assert torch.equal(found[:, k], marks[:, index])
    for k, (one, other) in CENTRES.items():
        torch.testing.assert_close(found[:, k], (marks[:, one] + marks[:, other]) / 2)


def test_the_factors_are_two_for_nose_and_mouth_one_for_eyes_and_corners():
    heavy, middle = {13, 16}, {7, 10, 15, 17}
    expected = [2.0 if k in heavy else 1.0 if k in middle else 0.5 for k in range(18)]
    assert list(PUBLISHED) == expected


def test_the_map_is_minus_one_but_for_the_cells_of_the_points():
    marks = points()
    expected = np.full((2, 1, 120, 120), -1.0)
    for face in range(2):
        for x, y in eighteen(marks)[face].numpy():
            expected[face, 0, int(np.floor(y)), int(np.floor(x))] = 1
    np.testing.assert_array_equal(landmark_map(marks, 120), expected)
    assert 30 < (expected > 0).sum() <= 36


@pytest.mark.parametrize("place", [(-3.0, 50.5), (130.0, -0.01), (119.99, 119.99), (-1e9, 1e30)])
def test_outside_points_count_for_the_nearest_cell(place):
    marks = points()
    marks[0, 30] = torch.tensor(place)
    x, y = (int(min(max(np.floor(v), 0), 119)) for v in place)
    assert landmark_map(marks, 120)[0, 0, y, x] == 1


def test_the_released_code_wraps_negative_cells_and_clamps_before_the_means():
    marks = torch.full((1, 68, 2), 60.0)
    marks[0, 30] = torch.tensor([-3.5, 50.0])
    assert (landmark_map(marks, 120)[0, 0, 50] > 0).nonzero().tolist() == [[0]]
    assert (landmark_map(marks, 120, wrap=True)[0, 0, 50] > 0).nonzero().tolist() == [[116]]
    marks[0, 30] = torch.tensor([60.0, 60.0])
    marks[0, 37], marks[0, 40] = torch.tensor([100.0, 7.0]), torch.tensor([130.0, 7.0])
    assert (landmark_map(marks, 120)[0, 0, 7] > 0).nonzero().tolist() == [[115]]
    assert (landmark_map(marks, 120, wrap=True)[0, 0, 7] > 0).nonzero().tolist() == [[109]]


def test_inside_the_crop_both_agree():
    marks = points() * 0.9
    assert torch.equal(landmark_map(marks, 120), landmark_map(marks, 120, wrap=True))


def test_unknown_points_are_left_out_and_hide_nothing():
    marks = torch.full((1, 68, 2), 0.5)
    marks[0, 17:27] = float("nan")
    marks[0, 37] = float("nan")
    found = landmark_map(marks, 32)
    assert found[0, 0, 0, 0] == 1 and (found == 1).sum() == 1
    assert (landmark_map(torch.full((1, 68, 2), float("nan")), 32) == -1).all()


def test_autocast_changes_no_cell():
    marks = points()
    with torch.autocast("cpu", torch.bfloat16):
        inside = landmark_map(marks, 120)
    assert torch.equal(inside, landmark_map(marks, 120))
