"""Rotations and the three angles of 300W-LP (spec prn_vrn_3ddfa A.2).

All angles are radians in the order (pitch, yaw, roll). The rotation takes the model frame (x right, y up,
z to the camera) to the same frame turned: R = Rx(pitch) Ry(yaw) Rz(roll), with

    Rx = [1 0 0; 0 c s; 0 -s c]    Ry = [c 0 -s; 0 1 0; s 0 c]    Rz = [c s 0; -s c 0; 0 0 1]

Positive pitch lifts the face, positive yaw turns the nose to the image's left, positive roll turns clockwise on
the screen. Two published decodes are not inverses of this; they exist by name because printed tables used them.
"""

from collections.abc import Callable

import numpy as np

from pipeline.records import FacemillError

GIMBAL = 1e-9


def rotation_from_angles(pitch, yaw, roll) -> np.ndarray:
    """(..., 3, 3) float64 rotation of three angles in radians (scalars or arrays that broadcast)."""
    pitch, yaw, roll = np.broadcast_arrays(*(np.asarray(angle, np.float64) for angle in (pitch, yaw, roll)))
    ca, sa, cb, sb, cc, sc = (f(angle) for angle in (pitch, yaw, roll) for f in (np.cos, np.sin))
    rows = [
        [cb * cc, cb * sc, -sb],
        [-ca * sc + sa * sb * cc, ca * cc + sa * sb * sc, sa * cb],
        [sa * sc + ca * sb * cc, -sa * cc + ca * sb * sc, ca * cb],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def angles_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """(..., 3) radians (pitch, yaw, roll), the exact inverse of `rotation_from_angles`.

    Yaw comes back within +-90 degrees; beyond that the same rotation has another name with a smaller yaw. At
    a yaw of exactly +-90 degrees only pitch and roll together are defined: roll is set to 0, and the angles
    still give the rotation back.
    """
    r = np.asarray(rotation, np.float64)
    cosine = np.hypot(r[..., 0, 0], r[..., 0, 1])
    yaw = np.arctan2(-r[..., 0, 2], cosine)
    locked = cosine < GIMBAL
    pitch = np.where(locked, np.arctan2(-r[..., 2, 1], r[..., 1, 1]), np.arctan2(r[..., 1, 2], r[..., 2, 2]))
    roll = np.where(locked, 0.0, np.arctan2(r[..., 0, 1], r[..., 0, 0]))
    return np.stack([pitch, yaw, roll], axis=-1)


def nearest_rotation(matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Scale and proper rotation nearest to a 3x3 (or 2x3: two rows, the third is their cross product).

    The rotation is the polar factor; the scale is the mean of the singular values. `FacemillError` when the
    matrix is not finite or has no rank 3.
    """
    m = np.asarray(matrix, np.float64)
    if m.shape == (2, 3):
        third = np.cross(m[0], m[1])
        norm = np.linalg.norm(third)
        m = np.vstack([m, third / np.sqrt(norm) if norm > 0 else third])
    if m.shape != (3, 3) or not np.isfinite(m).all():
        raise FacemillError(
            f"expected a finite 3x3 or 2x3 camera matrix, found shape {m.shape}: {m.tolist()}"
        )
    u, s, vt = np.linalg.svd(m)
    if s[2] <= 1e-12 * s[0]:
        raise FacemillError(f"expected a camera matrix of rank 3, found singular values {s.tolist()}")
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return float(s.mean()), (u * sign) @ vt


def geodesic_angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle (radians, 0..pi) of the rotation between two rotations (..., 3, 3); precise near 0 and near pi."""
    relative = np.swapaxes(np.asarray(first, np.float64), -1, -2) @ np.asarray(second, np.float64)
    skew = np.stack(
        [
            relative[..., 2, 1] - relative[..., 1, 2],
            relative[..., 0, 2] - relative[..., 2, 0],
            relative[..., 1, 0] - relative[..., 0, 1],
        ],
        axis=-1,
    )
    return np.arctan2(np.linalg.norm(skew, axis=-1), np.trace(relative, axis1=-2, axis2=-1) - 1.0)


def _published(
    rotation: np.ndarray, pitch_entry: tuple[int, int], roll_entry: tuple[int, int], limit: float
) -> np.ndarray:
    r = np.asarray(rotation, np.float64)
    sine = np.clip(r[..., 2, 0], -1.0, 1.0)
    locked = np.abs(sine) > limit
    pitch = np.arctan2(r[(..., *pitch_entry)], r[..., 2, 2])
    roll = np.arctan2(r[(..., *roll_entry)], r[..., 0, 0])
    flat = np.arctan2(-np.sign(sine) * r[..., 0, 1], -np.sign(sine) * r[..., 0, 2])
    yaw = np.where(locked, np.sign(sine) * np.pi / 2, np.arcsin(sine))
    return np.stack([np.where(locked, flat, pitch), yaw, np.where(locked, 0.0, roll)], axis=-1)


def decode_3ddfa(rotation: np.ndarray) -> np.ndarray:
    """The `matrix2angle` of 3DDFA and PRNet: yaw from R20, pitch and roll with the opposite sign. Radians."""
    return _published(rotation, (2, 1), (1, 0), 1.0 - GIMBAL)


def decode_3ddfa_v2(rotation: np.ndarray) -> np.ndarray:
    """3DDFA_V2's decode: as `3ddfa`, with the gimbal branch already from |R20| > 0.998. Radians."""
    return _published(rotation, (2, 1), (1, 0), 0.998)


def decode_synergynet(rotation: np.ndarray) -> np.ndarray:
    """SynergyNet's decode: exact pitch and roll, but yaw from R20 instead of -R02 (biased). Radians."""
    return _published(rotation, (1, 2), (0, 1), 1.0 - GIMBAL)


ANGLE_DECODES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": angles_from_rotation,
    "3ddfa": decode_3ddfa,
    "3ddfa_v2": decode_3ddfa_v2,
    "synergynet": decode_synergynet,
}


def decode_angles(rotation: np.ndarray, decode: str = "exact") -> np.ndarray:
    """(..., 3) radians (pitch, yaw, roll) by a decode's name. `FacemillError` names the known ones."""
    if decode not in ANGLE_DECODES:
        raise FacemillError(f"unknown angle decode {decode!r}; known: {', '.join(sorted(ANGLE_DECODES))}")
    return ANGLE_DECODES[decode](rotation)
