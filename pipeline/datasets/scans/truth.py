"""The truth file beside each rendered picture: an .npz with the scan in the picture's own pixels.

It has no date and no path in it, so that two runs give the same bytes.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem
from pipeline.io.arrays import read_npz
from pipeline.records import FacemillError, Reason

FIELDS = {
    "vertices": ("f", (None, 3)),
    "visible": ("b", (None,)),
    "region": ("b", (None,)),
    "landmarks": ("f", (None, 3)),
    "tip": ("f", (3,)),
    "camera": ("f", (3, 4)),
    "pose": ("f", (7,)),
    "angles": ("f", (3,)),
    "identity": ("U", ()),
    "scan": ("U", ()),
    "size": ("i", ()),
}
"""Kind and shape of each array.

vertices (N, 3) float32: every vertex of the scan, image px (0-based, y down, z nearer is larger). visible (N,): the
picture shows it. region (N,): the true face. landmarks (L, 3), tip (3,): image px. camera (3, 4): scan frame ->
Matlab's frame of the picture, px. pose (7,): Pose_Para of the head. angles (3,): pitch, yaw, roll of the rendering,
degrees. identity, scan: whose, and the scan's file below its root. size: side of the picture.
"""


def truth_bytes(**arrays: np.ndarray | str | int) -> bytes:
    """The bytes of a truth file with all of FIELDS."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(arrays[name]) for name in FIELDS})
    return buffer.getvalue()


def read_truth(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a truth file; `AnnotationProblem` when it is missing, damaged, or holds other arrays."""
    if not path.is_file():
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"no file {path.name}")
    try:
        found = read_npz(path)
    except FacemillError as error:
        detail = f"{path.name} cannot be read as a scan's truth: {str(error).removeprefix(f'{path}: ')}"
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail) from error
    for name, (kind, shape) in FIELDS.items():
        array = found.get(name)
        fits = (
            array is not None
            and array.dtype.kind == kind
            and array.ndim == len(shape)
            and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
        )
        if not fits:
            what = "none" if array is None else f"{array.dtype} of shape {array.shape}"
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"{path.name}: expected {name}, found {what}")
        if kind == "f" and not np.isfinite(array).all():
            raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, f"{path.name}: {name} is not finite")
    return found
