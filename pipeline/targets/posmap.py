"""UV position map (S, S, 3): where each point of the face's chart lies in the crop (Feng et al. 2018; spec B.2, B.3).

x and y are px of the S x S crop, z is px from the rearmost vertex of the whole mesh. Stored as uint16 at 1/128 px
with an offset of 128 px.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.posmap import CODE_OFFSET, CODE_SCALE, UVTable, decode
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError, Field, Reason
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made, Problem

if TYPE_CHECKING:
    from pipeline.config import TargetSettings

NORMALISER = 1.1
"""Networks predict map / (NORMALISER S), so that a sigmoid reaches past the crop's edge (spec B.3)."""


@lru_cache(maxsize=8)
def uv_table(model: MorphableModel, size: int) -> UVTable:
    """The table of a face model's chart at one size, made once."""
    return UVTable(model.uv, model.uv_triangles, model.triangles, size)


@TARGETS.register("posmap")
class PosmapTarget:
    """Position maps of side `settings.size`; see `pipeline.targets.base.Target`."""

    def __init__(self, settings: TargetSettings) -> None:
        if settings.size % 32:
            raise FacemillError(
                f"targets: size of a position map: expected a multiple of 32, found {settings.size}"
            )
        self.side = settings.size
        unit = f"(value + {CODE_OFFSET}) {CODE_SCALE}, value in px of the {self.side} px crop"
        self.fields = {"posmap": Field("uint16", (self.side, self.side, 3), unit)}
        self.attributes = {
            "code_scale": CODE_SCALE,
            "code_offset": CODE_OFFSET,
            "normaliser": NORMALISER * self.side,
        }

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"posmap": (S, S, 3) uint16}; a value outside -128 .. 383.99 is `Reason.OUT_OF_MAP_RANGE`, never wrapped."""
        placed = positions(vertices)
        codes, outside = uv_table(model, self.side).gather_codes(placed)
        if not outside:
            return Made({"posmap": codes}, None)
        values = uv_table(model, self.side).gather(placed)
        middle = 32767.5 / CODE_SCALE - CODE_OFFSET
        worst = float(values.flat[np.argmax(np.abs(values - middle))])
        detail = f"{outside} of {values.size} map values outside -128 to 383.99, the farthest {worst:.1f} px"
        return Made({}, Problem(Reason.OUT_OF_MAP_RANGE, worst, detail))

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(S, S, 3) float32 px."""
        return decode(stored["posmap"])


def positions(vertices: np.ndarray) -> np.ndarray:
    """Vertices (N, 3) in crop px with z counted from the rearmost one, float64."""
    placed = np.array(vertices, np.float64)
    placed[:, 2] -= placed[:, 2].min()
    return placed
