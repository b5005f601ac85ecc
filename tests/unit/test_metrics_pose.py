"""Angle errors with and without the way round the circle, and the angle between rotations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geometry.euler import rotation_from_angles
from pipeline.metrics.pose import angle_errors, geodesic_deg
from pipeline.records import FacemillError

ANGLE = st.floats(-np.pi, np.pi)


def test_the_shorter_way_round_the_circle():
    predicted, truth = np.array([179.0, -10.0, 350.0]), np.array([-179.0, 20.0, -5.0])
    assert angle_errors(predicted, truth) == pytest.approx([2.0, 30.0, 5.0])
    assert angle_errors(predicted, truth, wrap=False) == pytest.approx([358.0, 30.0, 355.0])


@settings(deadline=None, max_examples=40)
@given(ANGLE, ANGLE, ANGLE, st.floats(0, np.pi))
def test_a_turn_about_any_axis_is_measured_as_it_is(pitch, yaw, roll, turn):
    truth = rotation_from_angles(pitch, yaw, roll)
    for angles in ((turn, 0, 0), (0, turn, 0), (0, 0, turn)):
        assert geodesic_deg(truth @ rotation_from_angles(*angles), truth) == pytest.approx(
            np.degrees(turn), abs=1e-5
        )


@settings(deadline=None, max_examples=40)
@given(ANGLE, ANGLE, ANGLE)
def test_the_angle_is_symmetric_and_zero_only_for_the_same(pitch, yaw, roll):
    first, second = rotation_from_angles(pitch, yaw, roll), rotation_from_angles(0.1, -0.2, 0.3)
    assert geodesic_deg(first, first) == pytest.approx(0, abs=1e-5)
    assert geodesic_deg(first, second) == pytest.approx(float(geodesic_deg(second, first)), abs=1e-6)
    assert 0 <= geodesic_deg(first, second) <= 180


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(FacemillError, match="pose errors"):
        angle_errors(np.zeros(3), np.zeros((2, 3)))
    with pytest.raises(FacemillError, match="geodesic"):
        geodesic_deg(np.zeros((3, 3)), np.zeros((2, 3, 3)))
