"""300W-LP and everything in its format: pictures with a .mat beside each (spec prn_vrn_3ddfa A.1).

The synthesiser writes this format too: further faces of a picture are <name>_f1.mat, <name>_f2.mat; a picture without
a face has none. The published archive has beside the pictures' folders a folder `landmarks/<SUBSET>`, with
<name>_pts.mat for the pictures that are not mirrored: `pts_2d`, the visible contour, and `pts_3d`, the projected face
model, (68, 2) each.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, picture_files, select
from pipeline.records import Reason
from pipeline.registry import DATASETS

LICENCE = "300W-LP: non-commercial research only; see the data set's own terms"
PHOTOGRAPHS = (re.compile(r"^(.*\d.*?)_\d+_\d+$"), re.compile(r"^(.*\d)_\d+$"))


def photograph(name: str) -> str:
    """The photograph that a 300W-LP file comes from: X of X_i_j (i the face in it, j the profiling step).

    LFPW's names have one number less (X_j). Folders do not count, so that the mirrored copies in *_Flip stay with
    their originals. A name without such an ending is its own photograph.
    """
    for pattern in PHOTOGRAPHS:
        if match := pattern.match(name):
            return match.group(1)
    return name


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .mat file; `AnnotationProblem` when it is missing or no such file."""
    import scipy.io

    if not path.is_file():
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"no file {path.name}")
    try:
        return scipy.io.loadmat(path)
    except Exception as error:
        detail = f"{path.name} cannot be read as a .mat file: {' '.join(str(error).split())}"
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail) from error


def vector(
    content: dict[str, np.ndarray], key: str, length: int, name: str, *, longer: bool = False
) -> np.ndarray:
    """One array of a .mat as a finite float64 vector of ``length``, or with ``longer`` of at least that.

    `AnnotationProblem` says what is wrong with it.
    """
    if key not in content:
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"{name} has no {key}")
    found = np.asarray(content[key])
    if found.dtype.kind not in "fiub":
        kind = "complex numbers" if found.dtype.kind == "c" else "no numbers"
        detail = f"{name}: expected {length} real numbers in {key}, found {kind} ({found.dtype})"
        raise AnnotationProblem(
            Reason.ANNOTATION_IMPLAUSIBLE if found.dtype.kind == "c" else Reason.ANNOTATION_MISSING, detail
        )
    values = found.astype(np.float64).ravel()
    if len(values) < length or (len(values) > length and not longer):
        detail = f"{name}: expected {length} numbers in {key}, found {len(values)}"
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, f"{name}: {count} of {key} are not finite")
    return values


def parameters(content: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pose_Para (7,), Shape_Para (199,) and Exp_Para (29,) of a .mat, checked; the scale f must be positive.

    Exp_Para may be longer, for face models with more than 29 expressions; the face model refuses what it has no
    mode for.
    """
    pose = vector(content, "Pose_Para", 7, name)
    if pose[6] <= 0:
        raise AnnotationProblem(
            Reason.ANNOTATION_NOT_FINITE, f"{name}: the scale f = {pose[6]:g} is not positive"
        )
    shape = vector(content, "Shape_Para", 199, name)
    return pose, shape, vector(content, "Exp_Para", 29, name, longer=True)


@DATASETS.register("face_300w_lp")
class Face300WLP:
    """Reader of 300W-LP's format, at any folder depth; the split is 'test' where the settings ask for that."""

    licence = LICENCE
    collection = "300w"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every

    def group(self, picture: Path) -> str:
        """What a picture file may not be parted from: its photograph."""
        return photograph(picture.stem)

    def pictures(self, root: Path) -> list[Picture]:
        """Every picture, its photograph as its group, and the .mat files that exist for its faces.

        Subset 'test' or 'train' picks photographs, so that no photograph is on both sides: with the photographs in
        sorted order, the last of every `every` is a test photograph. With 'all' every picture is 'train'.
        """
        files = picture_files(root)
        groups = sorted({self.group(path) for path in files})
        test = set() if self.subset == "all" else set(groups[self.every - 1 :: self.every])
        found = []
        for path in files:
            relative, group = path.relative_to(root), self.group(path)
            annotations = [path.with_suffix(".mat"), *_further_faces(path)]
            found.append(
                Picture(
                    id=relative.with_suffix("").as_posix(),
                    path=relative.as_posix(),
                    split="test" if group in test else "train",
                    group=group,
                    annotations=tuple(
                        mat.relative_to(root).as_posix() for mat in annotations if mat.is_file()
                    ),
                    licence=self.licence,
                )
            )
        return select(found, self.subset)

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """Pose, shape and expression; points 'pts_2d' and 'pts_3d' where `landmarks` has the picture.

        300W-LP's own `pt2d` is not used: it is the same for every profiling step.
        """
        return FaceAnnotation(*parameters(read_mat(path), path.name), height=height, points=_landmarks(path))


def _landmarks(mat: Path) -> dict[str, np.ndarray]:
    """The points of `landmarks/<SUBSET>/<name>_pts.mat` in image px, (68, 2) each; empty where that file is not.

    The file is taken to be in Matlab's pixels, 1-based with y down, as the archive's other points are.
    """
    path = mat.parent.parent / "landmarks" / mat.parent.name / f"{mat.stem}_pts.mat"
    if not path.is_file():
        return {}
    content, found = read_mat(path), {}
    for key in ("pts_2d", "pts_3d"):
        points = vector(content, key, 2 * 68, path.name)
        if content[key].shape != (68, 2):
            detail = f"{path.name}: expected {key} of shape (68, 2), found {content[key].shape}"
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
        found[key] = points.reshape(68, 2) - 1
    return found


def _further_faces(picture: Path) -> list[Path]:
    found = []
    while (mat := picture.with_name(f"{picture.stem}_f{len(found) + 1}.mat")).is_file():
        found.append(mat)
    return found
