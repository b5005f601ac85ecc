"""The picture sheet: which faces stand on it, and where the mesh is drawn."""

import numpy as np

from pipeline.evaluation.score import Score
from pipeline.evaluation.sheet import choose, draw, grid_triangles, overlay, strip_of


def score(name: str, value: float | None, failed: bool = False) -> Score:
    return Score(name, "nme68_2d", value, 0.0, failed)


def test_best_median_and_worst_are_different_faces_in_rising_order():
    scores = [score(f"p{k:02}", float((7 * k) % 23)) for k in range(23)]
    groups = choose(scores, "nme68_2d", 3)
    values = {name: [s.value for s in group] for name, group in groups.items()}
    assert values == {"best": [0, 1, 2], "median": [10, 11, 12], "worst": [20, 21, 22]}


def test_failed_pictures_and_those_left_out_are_not_drawn():
    scores = [
        score("a", 1.0),
        score("b", 100.0, failed=True),
        score("c", None),
        score("d", 2.0),
        score("e", 3.0),
    ]
    groups = choose(scores, "nme68_2d", 4)
    assert [[s.picture for s in group] for group in groups.values()] == [["a"], ["d"], ["e"]]
    assert choose(scores[:2], "nme68_2d", 4) == {"best": [scores[0]]}


def test_the_mesh_covers_its_own_pixels_and_no_others():
    image = np.full((40, 40, 3), 200, np.uint8)
    row, column = np.mgrid[0:8, 0:8].astype(float)
    plane = np.stack([10 + 2 * column, 5 + 2 * row, np.zeros_like(row)], axis=-1)
    mask = np.ones((8, 8), bool)
    drawn = overlay(image, plane, mask)
    changed = (drawn != image).any(axis=2)
    assert changed[6:19, 11:24].all()
    assert not changed[:5].any() and not changed[20:].any() and not changed[:, :10].any()
    mask[:4] = False
    assert not (overlay(image, plane, mask) != image).any(axis=2)[:13].any()


def test_a_face_seen_from_the_front_is_lit_from_the_front():
    row, column = np.mgrid[0:8, 0:8].astype(float)
    plane = np.stack([10 + 2 * column, 5 + 2 * row, np.zeros_like(row)], axis=-1)
    image = np.zeros((40, 40, 3), np.uint8)
    mask = np.ones((8, 8), bool)
    lit = overlay(image, plane, mask)[12, 17].astype(int)
    tilted = plane.copy()
    tilted[..., 2] = 3 * tilted[..., 1]
    away = overlay(image, tilted, mask)[12, 17].astype(int)
    assert lit.sum() > away.sum() > 0


def test_squares_of_texels_become_two_triangles_each():
    mask = np.ones((3, 3), bool)
    assert grid_triangles(mask).shape == (8, 3)
    mask[0, 0] = False
    assert grid_triangles(mask).shape == (6, 3)
    assert not (grid_triangles(mask) == 0).any()


def test_a_model_that_failed_everywhere_still_gets_a_sheet_with_a_title():
    groups = choose([score("a", 100.0, failed=True)], "nme68_2d", 4)
    drawn = draw({name: [] for name in groups}, None, "all failed")
    assert drawn.ndim == 3 and drawn.min() < 128


def test_a_long_caption_is_drawn_smaller_rather_than_cut():
    ink = [np.flatnonzero((strip_of(words, 120, 20) < 255).any(axis=(0, 2))) for words in ("i", "W" * 40)]
    assert all(columns.min() > 0 and columns.max() < 119 for columns in ink)
    assert ink[1].max() > 100
