"""The scaled orthographic camera of 300W-LP: Pose_Para takes the model frame to image pixels (spec A.3).

`Pose_Para` = [pitch, yaw, roll, tx, ty, tz, f]: X = f R V + t lies in Matlab's frame (1-based, y up, origin below
the picture). Our image frame is 0-based with y down: x = X0 - 1, y = h - X1, z = X2. The two meet here and in the
readers, nowhere else. A camera is also a 3x4 matrix [A | b] with point = A V + b, in either frame.
"""

import numpy as np

from pipeline.geometry.euler import angles_from_rotation, nearest_rotation, rotation_from_angles
from pipeline.records import FacemillError


def matlab_to_image(points: np.ndarray, height: float) -> np.ndarray:
    """Points (..., 2|3) of the y-up 1-based frame of a picture `height` tall, in image px (0-based, y down)."""
    out = np.array(points, np.float64)
    out[..., 0] -= 1.0
    out[..., 1] = height - out[..., 1]
    return out


def image_to_matlab(points: np.ndarray, height: float) -> np.ndarray:
    """The inverse of `matlab_to_image`."""
    out = np.array(points, np.float64)
    out[..., 0] += 1.0
    out[..., 1] = height - out[..., 1]
    return out


def pose_matrix(pose: np.ndarray) -> np.ndarray:
    """(3, 4) float64 [f R | t] of a Pose_Para (7,): model frame -> Matlab frame (1-based, y up)."""
    p = np.asarray(pose, np.float64).ravel()
    if p.shape != (7,):
        raise FacemillError(
            f"expected 7 pose parameters [pitch yaw roll tx ty tz f], found shape {np.shape(pose)}"
        )
    return np.hstack([p[6] * rotation_from_angles(*p[:3]), p[3:6, None]])


def pose_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Pose_Para (7,) float64 of a (3, 4) camera in Matlab's frame; the rotation is the nearest proper one."""
    m = np.asarray(matrix, np.float64)
    scale, rotation = nearest_rotation(m[:, :3])
    return np.concatenate([angles_from_rotation(rotation), m[:, 3], [scale]])


def flip_matrix(matrix: np.ndarray, height: float) -> np.ndarray:
    """A camera (3, 4) of Matlab's frame of a picture `height` tall as one of the image frame (A y down)."""
    out = np.array(matrix, np.float64)
    out[1] *= -1.0
    out[0, 3] -= 1.0
    out[1, 3] += height
    return out


def unflip_matrix(matrix: np.ndarray, height: float) -> np.ndarray:
    """The inverse of `flip_matrix`: an image-frame camera as one of Matlab's frame."""
    out = np.array(matrix, np.float64)
    out[1, 3] -= height
    out[0, 3] += 1.0
    out[1] *= -1.0
    return out


def camera_matrix(pose: np.ndarray, height: float) -> np.ndarray:
    """(3, 4) float64: model frame -> image px (0-based, y down, z nearer is larger) of a picture `height` tall."""
    return flip_matrix(pose_matrix(pose), height)


def apply_camera(vertices: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points A V + b (..., N, 3) float64 of vertices (..., N, 3) under a camera (3, 4) or one each (..., 3, 4)."""
    m = np.asarray(matrix, np.float64)
    return np.asarray(vertices, np.float64) @ np.swapaxes(m[..., :3], -1, -2) + m[..., None, :, 3]


def project(vertices: np.ndarray, pose: np.ndarray, height: float) -> np.ndarray:
    """Image points (N, 3) float64 of model vertices (N, 3): x right, y down, 0-based px; z nearer is larger."""
    return apply_camera(vertices, camera_matrix(pose, height))
