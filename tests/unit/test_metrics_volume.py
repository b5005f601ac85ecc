"""Intersection over union of volumes."""

import numpy as np
import pytest

from pipeline.metrics.volume import iou, overlap
from pipeline.records import FacemillError


def block(*where: slice, dtype=bool) -> np.ndarray:
    volume = np.zeros((10, 12, 14), dtype)
    volume[where] = 255 if dtype == np.uint8 else True
    volume.flags.writeable = False
    return volume


@pytest.mark.parametrize("dtypes", [(bool, bool), (np.uint8, np.uint8), (bool, np.uint8)])
def test_two_blocks_overlap_by_what_one_can_count(dtypes):
    first = block(slice(0, 4), slice(0, 6), slice(0, 7), dtype=dtypes[0])
    second = block(slice(2, 6), slice(3, 9), slice(0, 7), dtype=dtypes[1])
    assert overlap(first, second) == (2 * 3 * 7, 2 * 4 * 6 * 7 - 2 * 3 * 7)
    assert iou(first, second) == pytest.approx(42 / 294)
    assert iou(second, first) == iou(first, second) and iou(first, first) == 1.0


def test_bytes_that_share_no_bit_are_inside_all_the_same():
    assert iou(np.array([1, 2, 0], np.uint8), np.array([2, 1, 4], np.uint8)) == pytest.approx(2 / 3)


def test_empty_volumes_agree_and_one_empty_volume_does_not():
    empty, full = block(slice(0, 0)), block(slice(None))
    assert iou(empty, empty) == 1.0 and iou(empty, full) == 0.0
    assert iou(np.zeros((0,), bool), np.zeros((0,), bool)) == 1.0


def test_shapes_that_differ_and_shares_without_a_threshold_are_refused():
    with pytest.raises(FacemillError, match="one shape"):
        iou(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(FacemillError, match="float64; put a threshold first"):
        iou(np.zeros(3), np.zeros(3, bool))
