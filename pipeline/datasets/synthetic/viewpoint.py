"""Where a face stands in the picture: angles, size and place, as 300W-LP's Pose_Para."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.euler import rotation_from_angles

if TYPE_CHECKING:
    from pipeline.config import SyntheticSettings


def _angle(rng: np.random.Generator, limit: float, spread: float, uniform: float) -> float:
    """Degrees: ``uniform`` of the draws even over +-limit, the others normal."""
    if rng.random() < uniform:
        return float(rng.uniform(-limit, limit))
    return float(np.clip(rng.normal(0, spread), -limit, limit))


def sample_angles(rng: np.random.Generator, settings: SyntheticSettings) -> np.ndarray:
    """(3,) radians: pitch, yaw, roll."""
    yaw = _angle(rng, settings.yaw_limit, 20.0, 0.6)
    pitch = _angle(rng, settings.pitch_limit, 12.0, 0.15)
    roll = _angle(rng, settings.roll_limit, 12.0, 0.15)
    return np.radians([pitch, yaw, roll])


def pose_for(
    landmarks: np.ndarray, angles: np.ndarray, side: float, centre: np.ndarray, size: int, depth: float = 0.0
) -> np.ndarray:
    """Pose_Para (7,) float32 that puts the model-frame landmarks (68, 3) where asked.

    side: sqrt(w h) of the landmarks' box, px. centre (2,): of that box, image px. depth: z of the box's centre, px.
    The values are those that the file holds, so projecting with them is exact.
    """
    turned = landmarks @ rotation_from_angles(*angles).T
    low, high = turned.min(0), turned.max(0)
    f = side / np.sqrt((high[0] - low[0]) * (high[1] - low[1]))
    middle = (low + high) / 2 * f
    target = np.array([centre[0] + 1.0, size - centre[1], depth])
    return np.concatenate([angles, target - middle, [f]]).astype(np.float32)


def sample_place(rng: np.random.Generator, settings: SyntheticSettings) -> tuple[float, np.ndarray]:
    """Side (px) and centre (2,) of an ordinary face's landmark box, wholly in the picture."""
    size = settings.size
    low, high = settings.face_size
    side = float(low * (high / low) ** np.sqrt(rng.random())) * size
    centre = np.array([0.5, 0.53]) * size + rng.normal(0, settings.centre_spread * size, 2)
    margin = min(0.62 * side + 4, size / 2)
    return side, np.clip(centre, margin, size - margin)
