"""The poses at which the papers rendered scans, as far as they say (docs/scans.md has the evidence)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pipeline.records import FacemillError

if TYPE_CHECKING:
    from pipeline.config import ScanSettings

Pose = tuple[float, float, float]
"""Pitch, yaw, roll in degrees, in 300W-LP's sense: a positive pitch lifts the face."""

YAWS = (-80.0, -40.0, 0.0, 40.0, 80.0)
PRESETS: dict[str, tuple[float, ...]] = {
    "florence": (-15.0, 20.0, 25.0),
    "florence_lifted": (15.0, 20.0, 25.0),
    "florence_20": (0.0, -15.0, 20.0, 25.0),
    "bu4dfe": (-20.0, 0.0, 20.0),
}
"""Pitches of each set; each is combined with every one of YAWS, without roll.

florence: VRN's paper as printed, and PRN's. florence_lifted: the signs of VRN's own file names. florence_20: the
twenty poses that the paper counts, as others rendered them. bu4dfe: VRN's range; its steps are not published.
"""


def poses_of(settings: ScanSettings) -> list[Pose]:
    """The poses of one scan in their order; FacemillError for a list that is empty or names a pose twice."""
    if isinstance(settings.poses, str):
        return [(pitch, yaw, 0.0) for pitch, yaw in product(PRESETS[settings.poses], YAWS)]
    poses = [tuple(float(angle) for angle in pose) for pose in settings.poses]
    if not poses or len({pose_name(pose) for pose in poses}) < len(poses):
        raise FacemillError(f"scans.poses: expected different poses, found {settings.poses}")
    return poses


def pose_name(pose: Pose) -> str:
    """A pose as part of a file name, as ``p-15_y+40_r+0``."""
    pitch, yaw, roll = pose
    return f"p{pitch + 0.0:+g}_y{yaw + 0.0:+g}_r{roll + 0.0:+g}"
