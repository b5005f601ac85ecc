"""What a protocol can measure on one face: point errors, the reconstructed surface, the head's pose, volumes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.evaluation.measures.points import PointError
from pipeline.evaluation.measures.pose import PoseError
from pipeline.evaluation.measures.surface import SurfaceError
from pipeline.evaluation.measures.volume import VolumeOverlap

__all__ = ["Measure", "PointError", "PoseError", "SurfaceError", "VolumeOverlap"]

Measure = Annotated[PointError | SurfaceError | PoseError | VolumeOverlap, Field(discriminator="kind")]
