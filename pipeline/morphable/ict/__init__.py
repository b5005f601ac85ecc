"""ICT-FaceKit: a whole head with eyes, teeth and tongue under the MIT licence (Li et al., CVPR 2020).

Neutral, 100 identity modes with standard normal coefficients and 53 expressions with weights from 0 to 1 come from the
model's files. They hold no colours: those are ours, painted by the procedural face's painter at the matching places.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.morphable.ict import anatomy, chart, parts, skin, source
from pipeline.morphable.ict.expressions import mixture
from pipeline.morphable.model import MorphableModel
from pipeline.morphable.procedural.modes import unit_modes
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

UNITS = 1e4
"""Micrometres to ICT-FaceKit's unit, which is a centimetre."""
_UNUSED = 0.2
"""Deviation of a weight that no draw uses (mouthClose), for whoever judges given weights by their deviations."""


@FACE_MODELS.register("ict")
def load(path: str | Path | None) -> MorphableModel:
    """The model in an .npz or in ICT-FaceKit's folder of OBJ files; micrometres, y up, z to the camera.

    Shape coefficients are standard normal, expression coefficients weights from 0 to 1. Quads are split along their
    first diagonal. The chart is ICT's own for the face, with everything else in strips around it (`ict.chart`).

    Raises:
        FacemillError: no path is given, nothing is there, or it is not ICT-FaceKit's mesh.
    """
    if path is None:
        raise FacemillError(
            "the face model 'ict' is read from files: set face_model.path to ict_facekit.npz or to ICT-FaceKit's "
            "folder FaceXModel"
        )
    content = source.read(Path(path))
    found = (len(content["neutral"]), len(content["faces"]))
    if found != (parts.VERTICES, parts.POLYGONS):
        raise FacemillError(
            f"{path}: expected ICT-FaceKit's {parts.VERTICES} vertices and {parts.POLYGONS} polygons, "
            f"found {found[0]} and {found[1]}"
        )
    return build(content)


def build(content: dict[str, np.ndarray]) -> MorphableModel:
    """The model of the arrays that `source.read` returns."""
    selection = parts.select(content["neutral"], content["faces"])
    neutral = content["neutral"][selection.vertices].astype(np.float64)
    uv_faces = content["uv_faces"][selection.polygons]
    corners, polygon = parts.triangulated(selection.faces, content["uv"][uv_faces])
    triangles = np.ascontiguousarray(selection.faces[polygon[:, None], corners], np.int32)
    keypoints = np.searchsorted(selection.vertices, content["landmarks68"]).astype(np.int32)
    twin = parts.twins(neutral, selection)
    places, rows = chart.lay_out(selection, content["uv"].astype(np.float64), uv_faces, neutral, twin)
    chosen, uv_triangles = np.unique(rows[polygon[:, None], corners], return_inverse=True)
    uv = places[chosen].astype(np.float32)
    tile = np.zeros((len(neutral), 2))
    tile[triangles] = content["uv"][uv_faces[polygon[:, None], corners]]
    head, nostril = anatomy.anatomy(neutral, tile, selection, keypoints, (uv, triangles), twin)
    mean_colour, fields = skin.colours(head, nostril)
    albedo_basis, albedo_sigma = unit_modes([field for _, _, field in fields])
    names = [str(name) for name in content["expression_names"]]
    causes = mixture(names)
    model = MorphableModel(
        name="ict",
        licence="MIT",
        mean=(neutral * UNITS).astype(np.float32),
        shape_basis=_basis(content["identity"], selection.vertices),
        shape_sigma=np.ones(len(content["identity"])),
        expression_basis=_basis(content["expression"], selection.vertices),
        expression_sigma=np.where(causes.any(1), np.linalg.norm(causes, axis=1), _UNUSED),
        triangles=triangles,
        keypoints=keypoints,
        uv=uv,
        uv_triangles=uv_triangles.reshape(-1, 3).astype(np.int32),
        face_mask=anatomy.face_mask(head.regions),
        albedo_mean=mean_colour.astype(np.float32),
        albedo_basis=albedo_basis.astype(np.float32),
        albedo_sigma=albedo_sigma,
        regions=head.regions,
        expression_floor=np.zeros(len(names)),
        albedo_floor=np.array([0.0 if one_way else -np.inf for _, one_way, _ in fields]),
        expression_mixture=causes,
    )
    for value in vars(model).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return model


def _basis(offsets: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Offsets (K, V, 3) in ICT's unit as a basis (N, 3, K) float32 in micrometres."""
    kept = offsets[:, vertices].astype(np.float32) * np.float32(UNITS)
    return np.ascontiguousarray(np.moveaxis(kept, 0, -1))
