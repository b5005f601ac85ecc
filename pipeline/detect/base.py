"""What every detector takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.records import Reason


@dataclass(frozen=True, eq=False)
class Sight:
    """One picture as a detector sees it.

    `image` is (h, w, 3) uint8 RGB. `annotations` are the paths of the faces' annotation files, and `path` is the
    picture's own in `root`, its data set's folder; both are filled in only for a detector that says it uses them.
    """

    image: np.ndarray
    annotations: tuple[str, ...] = ()
    path: str = ""
    root: Path = Path()


@dataclass(frozen=True, eq=False)
class Face:
    """One face of one picture, in pixels of that picture, 0-based.

    `box` (4,) x1, y1, x2, y2; `score` of the box; `landmarks` (68, 2) and their heat-map peaks (68,). Where
    `reason` is given the face goes no further, `value` is the number behind the decision and `detail` says more.
    Detectors without landmarks leave NaN there. `depth` (68,) of the landmarks in the same pixels, nearer is larger,
    the zero arbitrary; None where nobody knows it. `seen` (68, 2) are what networks get to see that see landmarks;
    None where these are `landmarks`.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray
    landmark_score: np.ndarray
    reason: Reason | None = None
    value: float | None = None
    detail: str = ""
    depth: np.ndarray | None = None
    seen: np.ndarray | None = None


Annotate = Callable[[str, int], np.ndarray]
"""Path of an annotation file and height of its picture -> (68, 2|3) landmarks in pixels of the picture, 0-based;
raises `pipeline.datasets.base.AnnotationProblem`."""


class Detector(Protocol):
    """Finds the faces of pictures, best first. Built as `DETECTORS[name](settings, annotate)`."""

    uses_annotations: bool
    uses_paths: bool

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None): ...

    def detect(self, sights: Sequence[Sight]) -> list[list[Face] | str]:
        """The faces of each picture, best first. An empty list is a picture without a face, a text says why there is
        none."""
        ...


def no_landmarks() -> tuple[np.ndarray, np.ndarray]:
    """Landmarks and peaks of a face that has none: NaN."""
    return np.full((68, 2), np.nan, np.float32), np.full(68, np.nan, np.float32)
