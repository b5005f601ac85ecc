"""The 68 landmarks of a face model as a differentiable function of the 62 parameters (spec landmarks 3.1)."""

from __future__ import annotations

from pipeline.losses.surface import FaceSurface
from pipeline.morphable.model import MorphableModel


class Face68(FaceSurface):
    """Raw parameters (B, 62) -> landmarks (B, 68, 3) in px of the S x S crop, 0-based, y down.

    The same points as ``pipeline.morphable.params62.crop_points(..., legacy="exact", keypoints=True)``: a
    `FaceSurface` of the model's keypoints. model: the face model. side: S.
    """

    def __init__(self, model: MorphableModel, side: int):
        super().__init__(model, side, model.keypoints)
