"""Readers of rendered scans: pictures in a folder for each identity, an .npz of truth beside each."""

from __future__ import annotations

from pathlib import Path

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, picture_files, select
from pipeline.datasets.scans.truth import read_truth
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS


@DATASETS.register("scans")
class Scans:
    """Reader of what `render_scans` writes. A benchmark: with subset 'all' every picture is 'test'.

    Subsets 'train' and 'test' pick identities: of the sorted ones, the last of every `every` is for the test.
    """

    parameters = False
    licence = "the scans' own terms"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every

    def pictures(self, root: Path) -> list[Picture]:
        """Every picture with its truth file; its folder is its identity and group."""
        files = picture_files(root)
        for path in files:
            if path.parent == root:
                raise FacemillError(
                    f"{path}: expected pictures in a folder for each identity, found one outside"
                )
        groups = sorted({path.relative_to(root).parts[0] for path in files})
        test = set(groups) if self.subset == "all" else set(groups[self.every - 1 :: self.every])
        found = []
        for path in files:
            relative = path.relative_to(root)
            found.append(
                Picture(
                    id=relative.with_suffix("").as_posix(),
                    path=relative.as_posix(),
                    split="test" if relative.parts[0] in test else "train",
                    group=relative.parts[0],
                    annotations=(relative.with_suffix(".npz").as_posix(),),
                    licence=self.licence,
                )
            )
        return select(found, self.subset)

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """The scan in image px, without parameters of a face model.

        points: "scan" (K, 3), the true face whole, what the picture hides of it included; "scan_visible", the part of
        it that the picture shows; "tip" (1, 3), the tip of the nose; "landmarks" (L, 3) where the scan has some. 68
        landmarks are landmarks68 as well. pose[6] and camera give px per unit of the scan (mm), yaw_deg is the yaw
        of the rendering, which the papers' bins go by.
        """
        truth = read_truth(path)
        if int(truth["size"]) != height:
            detail = (
                f"{path.name} belongs to a picture {int(truth['size'])} px tall, found one of {height} px"
            )
            raise AnnotationProblem(Reason.ANNOTATION_IMPLAUSIBLE, detail)
        region, visible, landmarks = truth["region"], truth["visible"], truth["landmarks"]
        points = {
            "scan": truth["vertices"][region].astype("float64"),
            "scan_visible": truth["vertices"][region & visible].astype("float64"),
            "tip": truth["tip"].astype("float64")[None],
        }
        if len(landmarks):
            points["landmarks"] = landmarks.astype("float64")
        return FaceAnnotation(
            pose=truth["pose"].astype("float64"),
            shape=None,
            expression=None,
            height=height,
            landmarks68=landmarks.astype("float64") if len(landmarks) == 68 else None,
            camera=truth["camera"].astype("float64"),
            points=points,
            yaw_deg=float(truth["angles"][1]),
            origin=0,
        )


@DATASETS.register("florence")
class Florence(Scans):
    """Reader of MICC Florence 3D Faces as rendered by `render_scans`."""

    licence = "MICC Florence 3D Faces: research only, by agreement; see the data set's own terms"


@DATASETS.register("bu4dfe")
class Bu4dfe(Scans):
    """Reader of BU-4DFE as rendered by `render_scans`."""

    licence = "BU-4DFE: research only, by agreement; see the data set's own terms"
