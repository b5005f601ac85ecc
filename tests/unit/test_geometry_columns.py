"""Volumes as runs: all runs of a column, and a moved volume against a slow look-up of its voxels."""

import numpy as np
import pytest

from pipeline.geometry.columns import moved_runs, runs_of
from pipeline.geometry.volume import Volume
from pipeline.records import FacemillError

SHAPE = (25, 24, 24)
UNMOVED = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def dense(runs, depth):
    """(d, h, w) bool of the voxels whose middle the runs cover."""
    middle = np.arange(depth)[:, None, None] + 0.5
    return ((runs[:, None, ..., 0] <= middle) & (middle < runs[:, None, ..., 1])).any(axis=0)


def ragged(seed):
    """A volume whose columns have none to many runs."""
    volume = np.random.default_rng(seed).random(SHAPE) < 0.6
    volume[:, :3] = False
    volume[:, 3:6] = True
    volume[:4, 6:9] = False
    volume[4:, 6:9] = True
    return Volume.from_dense(volume)


@pytest.mark.parametrize("seed", range(3))
def test_all_runs_hold_the_volume(seed):
    volume = ragged(seed)
    columns, several = volume.columns()
    assert several.any() and not several.all()
    runs = runs_of(columns, volume.bits)
    assert len(runs) > 3
    np.testing.assert_array_equal(dense(runs, SHAPE[0]), volume.dense().astype(bool))
    sure = runs[..., 1] > runs[..., 0]
    assert (np.sort(sure, axis=0)[::-1] == sure).all()


def test_one_run_a_column_needs_no_bits():
    volume = np.zeros(SHAPE, np.uint8)
    volume[5:9, 2:4, 3:8] = 1
    volume[3:25, 5, 5] = 1
    columns, several = Volume.from_dense(volume).columns()
    assert not several.any()
    runs = runs_of(columns)
    assert runs.shape == (1, 24, 24, 2) and runs.dtype == np.float32
    np.testing.assert_array_equal(dense(runs, SHAPE[0]), volume.astype(bool))


def test_an_unmoved_volume_on_its_own_grid_stays():
    volume = ragged(4)
    runs = runs_of(volume.columns()[0], volume.bits)
    np.testing.assert_array_equal(moved_runs(runs, UNMOVED, 1.0, 24), runs)


def test_a_coarser_grid_takes_the_nearest_columns_and_shorter_slices():
    runs = np.zeros((1, 192, 192, 2), np.float32)
    runs[0, :96, :, 0], runs[0, :96, :, 1] = 50, 151
    found = moved_runs(runs, UNMOVED, 1.0, 96)
    assert found.shape == (1, 96, 96, 2)
    np.testing.assert_allclose(found[0, :48], np.broadcast_to([25, 75.5], (48, 96, 2)))
    assert not found[0, 48:].any()


@pytest.mark.parametrize("side", [24, 48, 96])
def test_a_coarser_grid_moves_nothing_on_the_whole(side):
    runs = np.zeros((1, 192, 192, 2), np.float32)
    y, x = np.mgrid[:192, :192]
    runs[0, (x - 95.5) ** 2 + (y - 95.5) ** 2 < 60**2] = [80, 120]
    found = moved_runs(runs, UNMOVED, 1.0, side)[0]
    rows, columns = np.nonzero(found[..., 1] > found[..., 0])
    assert abs(rows.mean() - (side - 1) / 2) < 0.02 and abs(columns.mean() - (side - 1) / 2) < 0.02


def test_a_similarity_carries_the_columns_and_stretches_depth_about_the_centre():
    """A quarter turn, half as large again, shifted: each voxel of the answer asks for its own place."""
    runs = np.zeros((1, 192, 192, 2), np.float32)
    y, x = np.mgrid[:192, :192]
    ball = (x - 110) ** 2 + (y - 80) ** 2 < 30**2
    runs[0, ball, 0], runs[0, ball, 1] = 90, 120
    middle = 95.5
    turn = 1.5 * np.array([[0.0, -1.0], [1.0, 0.0]])
    matrix = np.column_stack([turn, middle + np.array([4, -2]) - turn @ [middle, middle]])
    found = moved_runs(runs, matrix, 1.5, 192)[0]
    centre = matrix[:, :2] @ [110, 80] + matrix[:, 2]
    inside = found[..., 1] > found[..., 0]
    expected = np.hypot(x - centre[0], y - centre[1])
    assert inside[expected < 43.5].all() and not inside[expected > 46.5].any()
    np.testing.assert_allclose(found[inside], np.broadcast_to([84.75, 129.75], (inside.sum(), 2)))


def test_what_leaves_the_grid_is_gone_and_depth_ends_at_the_ends():
    runs = np.zeros((1, 192, 192, 2), np.float32)
    runs[..., 0], runs[..., 1] = 10, 195
    away = np.array([[1.0, 0, 150], [0, 1.0, 0]])
    found = moved_runs(runs, away, 1.2, 96)[0]
    assert not found[:, :75].any()
    np.testing.assert_allclose(found[:, 75:], np.broadcast_to([0, 100], (96, 21, 2)))


def test_a_singular_matrix_is_refused():
    with pytest.raises(FacemillError, match="inverse"):
        moved_runs(np.zeros((1, 24, 24, 2)), np.zeros((2, 3)), 1.0, 24)
