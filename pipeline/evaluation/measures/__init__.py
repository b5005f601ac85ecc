"""What a protocol can measure on one face: point errors, the reconstructed surface, the head's pose, volumes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.evaluation.measures.points import PointError
from pipeline.evaluation.measures.pose import PoseError
from pipeline.evaluation.measures.surface import KnownError, NearestError, RigidError, ScanError, ScriptError
from pipeline.evaluation.measures.volume import VolumeOverlap

Surface = NearestError | RigidError | ScriptError | KnownError | ScanError
Measure = Annotated[PointError | Surface | PoseError | VolumeOverlap, Field(discriminator="kind")]
