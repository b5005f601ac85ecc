"""The embedded face: a head made by this package's own code, without a licence or a download."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.morphable.model import MorphableModel
from pipeline.morphable.procedural import anatomy, expressions, modes, skin, variation
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

SHAPE_MODES = 40
UNITS_PER_MM = 1000.0


@lru_cache(maxsize=1)
def build() -> MorphableModel:
    """The procedural head, built once per process; the arrays are read-only.

    40 orthonormal shape modes in order of variance, 10 expression modes in the order of ``expressions.fields``
    (each with the name, unit norm), colour modes in the order of ``skin.colour_fields``. Unit: micrometre.
    """
    head = anatomy.anatomy()
    part = skin.Complexion(head)
    shape_basis, shape_sigma = modes.principal_modes(variation.fields(head), SHAPE_MODES)
    expressed = expressions.fields(head)
    expression_basis, expression_sigma = modes.unit_modes([field for _, _, field in expressed])
    colour = skin.mean_colour(head, part)
    coloured = skin.colour_fields(head, part, colour)
    albedo_basis, albedo_sigma = modes.unit_modes([field for _, _, field in coloured])
    triangles = head.triangles.astype(np.int32)
    model = MorphableModel(
        name="procedural",
        licence="MIT",
        mean=((head.points - anatomy.ORIGIN) * UNITS_PER_MM).astype(np.float32),
        shape_basis=shape_basis.astype(np.float32),
        shape_sigma=shape_sigma * UNITS_PER_MM,
        expression_basis=expression_basis.astype(np.float32),
        expression_sigma=expression_sigma * UNITS_PER_MM,
        triangles=triangles,
        keypoints=head.keypoints.astype(np.int32),
        uv=np.clip(head.uv, 0.0, 1.0).astype(np.float32),
        uv_triangles=triangles,
        face_mask=anatomy.face_mask(head),
        albedo_mean=colour.astype(np.float32),
        albedo_basis=albedo_basis.astype(np.float32),
        albedo_sigma=albedo_sigma,
        regions=head.regions,
        expression_floor=np.array([0.0 if one_way else -np.inf for _, one_way, _ in expressed]),
        albedo_floor=np.array([0.0 if one_way else -np.inf for _, one_way, _ in coloured]),
    )
    for value in vars(model).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return model


@FACE_MODELS.register("procedural")
def procedural(path: str | Path | None = None) -> MorphableModel:
    """The embedded face; it is read from no file.

    Raises:
        FacemillError: a path is given.
    """
    if path is not None:
        raise FacemillError(
            f"the face model 'procedural' is made by code and reads no file, but the config gives {path}; "
            "remove the path or choose the face model 'npz'"
        )
    return build()
