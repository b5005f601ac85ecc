"""AFLW2000-3D: imageNNNNN.jpg with a .mat beside each, whose pt3d_68 are 68 points in Matlab's pixels (spec A.1)."""

from __future__ import annotations

from pathlib import Path

from pipeline.datasets.base import FaceAnnotation, Picture, every_nth, picture_files, select
from pipeline.datasets.face_300w_lp import parameters, read_mat, vector
from pipeline.registry import DATASETS

LICENCE = "AFLW2000-3D: non-commercial research only; see the data set's own terms"


@DATASETS.register("aflw2000_3d")
class Aflw20003D:
    """Reader of AFLW2000-3D, a benchmark: with subset 'all' every picture is 'test'.

    Subsets 'train' and 'test' cut it for experiments on real photos: of the sorted names, the last of every
    `every` is a test picture.
    """

    collection = "aflw"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every

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
        """Pose, shape, expression, and pt3d_68 in image px: x - 1, y - 1 (it is 1-based with y down already)."""
        content = read_mat(path)
        points = vector(content, "pt3d_68", 3 * 68, path.name).reshape(3, 68).T
        return FaceAnnotation(*parameters(content, path.name), height=height, landmarks68=points - [1, 1, 0])
