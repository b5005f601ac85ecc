"""Face volume (200, 192, 192): inside or outside, for VRN (Jackson et al. 2017; spec E.1 and DESIGN 4).

x and y are px of a 192 crop; z' = k (z - mean z) + 100 over the mesh without ears, neck and scalp, which alone is
voxelised. Stored as column intervals, and as bits for those faces that have a column with more than one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.closing import Closure, submesh
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.volume import (
    CENTRE,
    SHAPE,
    Frontal,
    Volume,
    expand_columns,
    outside_share,
    place_depth,
    voxelize,
)
from pipeline.morphable import MorphableModel
from pipeline.records import Field, Reason
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made, Problem

if TYPE_CHECKING:
    from pipeline.config import TargetSettings

DEPTH, HEIGHT, WIDTH = SHAPE
WHOLE_SCALE = 1.25
"""The largest depth_scale at which a face must fit along z; beyond it (the papers' 2) any part of it may be cut."""


@lru_cache(maxsize=4)
def face_mesh(model: MorphableModel) -> tuple[np.ndarray, Closure]:
    """Vertex numbers (M,) of the face without ears, neck and scalp, and the closure of its triangles."""
    kept, triangles = submesh(model.triangles, model.face_mask)
    return kept, Closure(triangles)


@TARGETS.register("volume")
class VolumeTarget:
    """Volumes of `settings.variant` at `settings.depth_scale`; see `pipeline.targets.base.Target`."""

    def __init__(self, settings: TargetSettings) -> None:
        self.side = WIDTH
        self.variant = settings.variant
        self.depth_scale = settings.depth_scale
        self.outside = settings.outside
        self.fields = {
            "volume_columns": Field(
                "uint8", (HEIGHT, WIDTH, 2), "z of the first voxel inside and past the last"
            ),
            "volume_bits": Field(
                "uint8",
                (DEPTH, HEIGHT, WIDTH // 8),
                "8 voxels a byte, left first; zero where columns suffice",
                sparse=True,
            ),
            "volume_several": Field(
                "int32", (), "columns with more than one run; 0: volume_columns suffices"
            ),
            "volume_clipped": Field(
                "float32", (), "largest share along an axis of the solid's points that is cut off"
            ),
        }
        self.attributes = {"variant": self.variant, "depth_scale": self.depth_scale, "depth_centre": CENTRE}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"volume_columns": (192, 192, 2), "volume_several", "volume_clipped", and "volume_bits" where needed}.

        A face of which more than the share `outside` of the vertices reaches out of the block sideways, or along z at
        a depth_scale of up to 1.25, is `Reason.MESH_OUTSIDE_VOLUME`; what lies outside of any other is cut off.
        """
        kept, closure = face_mesh(model)
        placed = place_depth(vertices[kept], self.depth_scale)
        rotation = rotation_from_angles(*context.pose[:3])
        share = outside_share(placed)
        reaching = share if self.depth_scale <= WHOLE_SCALE else share[:2]
        if reaching.max() > self.outside:
            axis = "xyz"[int(reaching.argmax())]
            detail = (
                f"{reaching.max():.2%} of the face's vertices outside the volume along {axis}, more than "
                f"{self.outside:.2%}"
            )
            return Made({}, Problem(Reason.MESH_OUTSIDE_VOLUME, float(reaching.max()), detail))
        solid = placed
        if self.variant == "frontal_backfill":
            solid = np.concatenate([placed, Frontal(placed, rotation, self.depth_scale).shadow(placed)])
        volume = voxelize(
            placed,
            closure.triangles,
            self.variant,
            rotation=rotation,
            depth_scale=self.depth_scale,
            closure=closure,
        )
        columns, several = volume.columns()
        stored = {
            "volume_columns": columns,
            "volume_several": np.int32(several.sum()),
            "volume_clipped": np.float32(outside_share(solid).max()),
        }
        if several.any():
            stored["volume_bits"] = volume.bits
        return Made(stored, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(200, 192, 192) uint8 of 0 and 1."""
        if int(stored["volume_several"]):
            return Volume(np.asarray(stored["volume_bits"]), WIDTH).dense()
        return expand_columns(stored["volume_columns"], DEPTH)
