"""What a data set's reader gives: a list of pictures, and the annotation of a face in our own frames.

Files keep their own conventions (Matlab's 1-based y-up pixels, radians, padded coefficient vectors); a reader turns
them into the image frame (0-based, y down), and nothing behind it ever sees another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.geometry.camera import apply_camera, flip_matrix, pose_matrix
from pipeline.records import FacemillError, Reason

if TYPE_CHECKING:
    from pipeline.morphable import MorphableModel

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Picture:
    """One picture of a data set. Paths are relative to the data set's root, with forward slashes.

    id: unique in the data set; split: 'train' or 'test'; group: what must not be split between training and
    validation (photograph, identity); annotations: one file per face that the data set knows of.
    """

    id: str
    path: str
    split: str
    group: str
    annotations: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, eq=False)
class FaceAnnotation:
    """The truth of one face, as far as the data set knows it.

    pose: (7,) Pose_Para (Matlab's frame of the picture, radians); shape, expression: raw coefficients as the file
    holds them; all three None where the data set has points alone. height: of the picture in px; landmarks68: (68, 2|3)
    image px, 0-based, y down, where the file has them, else None. camera: (3, 4) in Matlab's frame where it is not
    exactly that of the pose. points: further point sets by name, each (K, 2|3) image px, NaN where a point is not
    visible. yaw_deg: where the data set states it apart from the pose, degrees. yaws_deg: where it states several,
    each by the name of its list, degrees. origin: the number that the files give to the first pixel, which protocols
    with legacy pixels compare by; origins: of point sets that count otherwise, by their names.
    """

    pose: np.ndarray | None
    shape: np.ndarray | None
    expression: np.ndarray | None
    height: int
    landmarks68: np.ndarray | None = None
    camera: np.ndarray | None = None
    points: Mapping[str, np.ndarray] = field(default_factory=dict)
    yaw_deg: float | None = None
    yaws_deg: Mapping[str, float] = field(default_factory=dict)
    origin: int = 1
    origins: Mapping[str, int] = field(default_factory=dict)

    @property
    def dense(self) -> bool:
        """Whether the annotation has the parameters that dense vertices are made of."""
        return self.pose is not None and self.shape is not None and self.expression is not None

    @property
    def matrix(self) -> np.ndarray:
        """(3, 4) the camera, model frame -> Matlab's frame of the picture."""
        return pose_matrix(self.pose) if self.camera is None else self.camera

    def vertices(self, model: MorphableModel) -> np.ndarray:
        """Dense vertices (N, 3) float64 in image px; `FacemillError` when the model lacks modes that they use."""
        return self._placed(model.vertices(self.shape, self.expression))

    def landmarks(self, model: MorphableModel) -> np.ndarray:
        """The 68 landmarks (68, 3) float64 in image px: the file's own, else the model's; where the file's have no
        depth, with the model's."""
        if self.landmarks68 is None:
            return self.modelled(model)
        if self.landmarks68.shape[1] == 3:
            return self.landmarks68
        return np.column_stack([self.landmarks68, self.modelled(model)[:, 2]])

    def modelled(self, model: MorphableModel) -> np.ndarray:
        """The face model's 68 landmarks (68, 3) float64 in image px, whatever the file has."""
        return self._placed(model.landmarks(self.shape, self.expression))

    def _placed(self, surface: np.ndarray) -> np.ndarray:
        return apply_camera(surface, flip_matrix(self.matrix, self.height))


class AnnotationProblem(Exception):
    """An annotation that gives no truth, with the reason for the ledger."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Reader(Protocol):
    """A data set's reader, made as `DATASETS[name](subset=..., every=...)`.

    subset: 'all', or 'train' or 'test' for a part of a data set without splits of its own, where `every` says that
    the last of so many by sorted name is for the test. A reader of a published collection's pictures
    names that as its class's `collection` (`pipeline.datasets.origins`). One whose annotations never have parameters of
    a face model says `parameters = False`: as a benchmark its faces keep the points that they have, and a config that
    needs dense truth of them is refused. One that has no annotations at all says `annotated = False` too.
    """

    def __init__(self, *, subset: str = "all", every: int = 5): ...

    def pictures(self, root: Path) -> list[Picture]:
        """Every picture under the root, in a fixed order. `FacemillError` when there is none."""
        ...

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """The annotation file of one face in a picture `height` px tall. Raises `AnnotationProblem`.

        Of several sets of points the one that shows best where the face lies comes first (`known_points`).
        """
        ...


def picture_files(root: Path, suffixes: Iterable[str] = PICTURE_SUFFIXES) -> list[Path]:
    """Picture files under `root` at any depth, sorted by their relative path; `FacemillError` when there is none.

    A link that leads nowhere is among them: it becomes an unreadable picture in the ledger.
    """
    if not root.is_dir():
        raise FacemillError(
            f"no data folder {root}; set datasets.<name>.root, or the environment variable in it, to the folder"
        )
    wanted = tuple(suffixes)
    found = [path for path in root.rglob("*") if path.suffix.lower() in wanted and not path.is_dir()]
    if not found:
        raise FacemillError(f"{root}: expected pictures ({', '.join(wanted)}), found none")
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def every_nth(index: int, every: int) -> bool:
    """Whether picture `index` of a sorted list belongs to the test part: the last of each `every`."""
    return index % every == every - 1


def select(pictures: list[Picture], subset: str) -> list[Picture]:
    """The pictures of one split, or all; `FacemillError` when the split is empty."""
    chosen = [picture for picture in pictures if subset in ("all", picture.split)]
    if not chosen:
        raise FacemillError(f"expected pictures in the subset {subset!r}, found none among {len(pictures)}")
    return chosen
