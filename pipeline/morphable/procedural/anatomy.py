"""The mean head: the sheet's points taken through bone, nose, lips, eyes, ears and hair, and mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.morphable.model import Region
from pipeline.morphable.procedural import chart, ears, eyes, head, mouth, nose, outlines, relief, sampling

ORIGIN = np.array([0.0, -34.0, -10.0])
"""The model frame's origin: inside the head, between the ears and as high as the lower lids."""


@dataclass(frozen=True)
class Anatomy:
    """The whole head: per vertex where it is and what it is.

    Attributes:
        points: (N, 3) millimetres, nasion and tragion frame. bare: the same before features, for frontal lookups.
        uv: (N, 2). triangles: (T, 3). keypoints: (68,). twin: (N,) the vertex on the other side.
        theta, b: (N,) place on the bare head (theta >= 0 on both sides). t: place in the mouth's lens.
        lid: (N,) signed distance to the lids' edge. regions: (N,) values of Region.
    """

    points: np.ndarray
    bare: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    keypoints: np.ndarray
    twin: np.ndarray
    theta: np.ndarray
    b: np.ndarray
    t: np.ndarray
    lid: np.ndarray
    regions: np.ndarray


def anatomy() -> Anatomy:
    """Builds the mean head; the same bits each time on one machine."""
    sheet = sampling.half_sheet()
    theta, b, t = chart.levels(sheet.points[:, 0], sheet.points[:, 1])
    bare = head.loft(theta, b)
    points = nose.add_nose(relief.sculpt(bare))
    points = mouth.add_lips(points, t)
    points, lid = eyes.add_eyes(points)
    points = ears.add_ears(points)
    on_ear = 1.0 - relief.smooth_step((ears.ear_place(bare)[2] - 1.1) / 0.4)
    points = relief.add_hair(points, theta, b, on_ear)
    points = mouth.pocket(points, t)
    regions = regions_of(bare, theta, b, t, lid)

    count = len(points)
    middle = np.abs(sheet.points[:, 0] - 0.5) < 1e-9
    points[middle, 0] = bare[middle, 0] = 0.0
    twin = np.where(middle, np.arange(count), count + np.cumsum(~middle) - 1)
    whole_twin = np.concatenate([twin, np.flatnonzero(~middle)])
    flip = np.array([-1.0, 1.0, 1.0])
    uv = sheet.points.copy()
    uv[middle, 0] = 0.5
    keypoints = np.zeros(68, dtype=np.int64)
    for number, row in sheet.landmarks.items():
        keypoints[number] = row
        keypoints[outlines.MIRROR[number]] = twin[row]

    def both(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, values[~middle]])

    return Anatomy(
        points=np.concatenate([points, points[~middle] * flip]),
        bare=np.concatenate([bare, bare[~middle] * flip]),
        uv=np.concatenate([uv, uv[~middle] * [-1.0, 1.0] + [1.0, 0.0]]),
        triangles=np.concatenate([sheet.triangles, twin[sheet.triangles][:, ::-1]]),
        keypoints=keypoints,
        twin=whole_twin,
        theta=both(theta),
        b=both(b),
        t=both(t),
        lid=both(lid),
        regions=both(regions),
    )


def regions_of(
    bare: np.ndarray, theta: np.ndarray, b: np.ndarray, t: np.ndarray, lid: np.ndarray
) -> np.ndarray:
    """(N,) values of Region for places on the head, given as `Anatomy` has them."""
    x, y = np.abs(bare[:, 0]), bare[:, 1]
    front = theta < np.radians(75)
    region = np.full(len(bare), Region.SKIN, dtype=np.uint8)
    region[front & (x < 17) & (y > -53) & (y < -4) & (x < 9 - 0.2 * y)] = Region.NOSE
    region[(b < head.JAW - 3) | ((theta > np.radians(100)) & (b < -60))] = Region.NECK
    region[relief.hair_share(theta, b) > 0.25] = Region.SCALP
    region[ears.ear_place(bare)[2] < 1.08] = Region.EAR
    region[front & (outlines.inside_brow(x, y) > 0)] = Region.BROW
    region[front & (nose.nostril_share(bare) > 0.4)] = Region.NOSTRIL
    region[(lid < 5.0) & (lid >= -0.3)] = Region.EYELID
    region[lid < -0.3] = Region.EYE
    vermilion = (y < outlines.height("lip_top", x) + 0.1) & (y > outlines.height("lip_bottom", x) - 0.1)
    region[front & vermilion & (x < outlines.MOUTH_HALF + 0.1)] = Region.LIPS
    region[np.abs(t) < 0.97] = Region.MOUTH_INNER
    return region


def face_mask(head_: Anatomy) -> np.ndarray:
    """(N,) bool: the face from ear to ear and from the chin to the hair, without the inside of the mouth."""
    inside = (head_.theta < np.radians(86)) & (head_.b > head.JAW - 3)
    return inside & ~np.isin(head_.regions, [Region.EAR, Region.NECK, Region.SCALP, Region.MOUTH_INNER])
