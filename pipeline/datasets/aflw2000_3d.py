"""AFLW2000-3D: imageNNNNN.jpg with a .mat beside each, whose pt3d_68 are 68 points in Matlab's pixels (spec A.1).

Further labels that lie beside the pictures are attached: see `pipeline.datasets.aflw2000_labels`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.datasets import aflw2000_labels
from pipeline.datasets.base import (
    AnnotationProblem,
    FaceAnnotation,
    Picture,
    every_nth,
    picture_files,
    select,
)
from pipeline.datasets.face_300w_lp import parameters, read_mat, vector
from pipeline.datasets.labels import visible21
from pipeline.datasets.rows import Loaded
from pipeline.registry import DATASETS

LICENCE = "AFLW2000-3D: non-commercial research only; see the data set's own terms"
LARGEST_ANGLE = 99.0
"""Degrees. Head-pose benchmarks leave out a picture with a larger pitch, yaw or roll: 31 of the 2000 (spec A.2)."""


@DATASETS.register("aflw2000_3d")
class Aflw20003D:
    """Reader of AFLW2000-3D, a benchmark: with subset 'all' every picture is 'test'.

    Subsets 'train' and 'test' cut it for experiments on real photos: of the sorted names, the last of every
    `every` is a test picture.
    """

    collection = "aflw"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every
        self._labels = Loaded(aflw2000_labels.beside)

    def pictures(self, root: Path) -> list[Picture]:
        """Every picture with the one .mat that belongs to it, whether that file is there or not."""
        whole = self.subset == "all"
        found = []
        for index, path in enumerate(picture_files(root)):
            relative = path.relative_to(root)
            test = whole or every_nth(index, self.every)
            found.append(
                Picture(
                    id=relative.with_suffix("").as_posix(),
                    path=relative.as_posix(),
                    split="test" if test else "train",
                    group=relative.with_suffix("").as_posix(),
                    annotations=(relative.with_suffix(".mat").as_posix(),),
                    licence=LICENCE,
                )
            )
        return select(found, self.subset)

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """Pose, shape, expression, and pt3d_68 in image px: x - 1, y - 1 (it is 1-based with y down already).

        points: 'aflw21' (21, 2), AFLW's own, where the .mat's pt2d are those, and 'landmarks68_re' (68, 2) where the
        re-annotation lies beside. yaws_deg: 'fitted', the pose's, and 'aflw', absolute, where that list lies beside.
        """
        content = read_mat(path)
        points = vector(content, "pt3d_68", 3 * 68, path.name).reshape(3, 68).T
        pose, shape, expression = parameters(content, path.name)
        labels = self._labels[path.parent]
        return FaceAnnotation(
            pose,
            shape,
            expression,
            height=height,
            landmarks68=points - [1, 1, 0],
            points={**_aflw21(content, path.name), **labels.points(path.stem)},
            yaws_deg={"fitted": float(np.degrees(pose[1])), **labels.yaw_aflw(path.stem)},
            origins={"landmarks68_re": 0},
        )

    def beyond_largest_angle(self, root: Path) -> list[str]:
        """The ids of the pictures with an angle beyond LARGEST_ANGLE either way, in the order of `pictures`."""
        found = []
        for picture in self.pictures(root):
            try:
                pose = self.annotation(root / picture.annotations[0], 1).pose
            except AnnotationProblem:
                continue
            if np.degrees(np.abs(pose[:3])).max() > LARGEST_ANGLE:
                found.append(picture.id)
        return found


def _aflw21(content: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    if np.shape(content.get("pt2d")) != (2, 21):
        return {}
    return {"aflw21": visible21(vector(content, "pt2d", 2 * 21, name).reshape(2, 21))}
