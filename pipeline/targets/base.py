"""What every kind of ground truth offers: how a face's truth is made, stored and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.records import Field, Reason

if TYPE_CHECKING:
    from pipeline.config import TargetSettings


@dataclass(frozen=True, eq=False)
class Context:
    """What is known of a face besides its vertices.

    Attributes:
        transform: picture -> the target's frame (`crop.resized(target.side)`).
        pose: (7,) Pose_Para in Matlab's frame of the picture.
        camera: (3, 4) model frame -> Matlab's frame of the picture.
        shape, expression: raw coefficients.
        height: of the picture in px.
        landmarks: (68, 3) in the target's frame, px, where the annotation has its own; else None and the model's
            keypoints are taken.
    """

    transform: CropTransform
    pose: np.ndarray
    camera: np.ndarray
    shape: np.ndarray
    expression: np.ndarray
    height: int
    landmarks: np.ndarray | None = None


@dataclass(frozen=True)
class Problem:
    """Why a face has no truth of this kind: the ledger's reason, the number behind it, and words."""

    reason: Reason
    value: float
    detail: str


class Made(NamedTuple):
    """A face's truth as stored (dataset name -> array of one sample), or none and the problem.

    A dataset of the target's `fields` that is missing from `stored` stays unwritten for this sample.
    """

    stored: dict[str, np.ndarray]
    problem: Problem | None


class Target(Protocol):
    """A kind of ground truth, made as `TARGETS[kind](settings)`.

    Attributes:
        side: the vertices are wanted in px of a square crop with this side.
        fields: the HDF5 datasets that the truth adds to a file's contract.
        attributes: what a file says of them (scale, offset, variant, ...).
    """

    side: int
    fields: dict[str, Field]
    attributes: dict[str, float | int | str]

    def __init__(self, settings: TargetSettings): ...

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """The truth of a face with `vertices` (N, 3) in px of the target's frame (y down, nearer z larger)."""
        ...

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """The array that networks learn, from one sample's datasets."""
        ...
