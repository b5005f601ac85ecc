"""A face model in an .npz: BFM 2009 on 3DDFA's trimmed mesh, the layout of the project's `bfm_sim.npz`.

Keys: u (3N,) mean, w_shp (3N, Ks), w_exp (3N, Ke) with x, y, z of a vertex together; keypoints (68,); tri (T, 3)
0-based; uv (N, 2) with v up; indices_noneck: vertices without ears and neck; optional: segments (N, 4) nose, eyes,
mouth, cheek; mean_tex_rgb (N, 3) 0..255; param_std_3ddfa (62,), whose [12:] are the deviations of the coefficients.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_npz
from pipeline.morphable import bfm
from pipeline.morphable.model import MorphableModel
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

REQUIRED = ("u", "w_shp", "w_exp", "keypoints", "tri", "uv", "indices_noneck")


@FACE_MODELS.register("npz")
def load(path: str | Path | None) -> MorphableModel:
    """The model in the file. Coefficients are raw; micrometres; the file's inward triangles are turned outward.

    The file keeps the first modes of a longer model, so longer coefficient vectors are cut to them. The segmentation
    is BFM's own coarse one: nose, the region about the eyes, the region about the mouth.
    `FacemillError` when no path is given, the file is missing or no such archive, a key is absent, or its array does
    not fit the others.
    """
    if path is None:
        raise FacemillError("the face model 'npz' is read from a file: set face_model.path to it")
    if not Path(path).is_file():
        raise FacemillError(f"no face model {path}; set face_model.path to an existing .npz")
    content = read_npz(path, REQUIRED)
    where = {key: f"{path}, {key}" for key in content}
    mean = bfm.vertices_of(content["u"], where["u"])
    count = len(mean)
    shape_basis, expression_basis = (
        bfm.basis_of(content[key], count, where[key]) for key in ("w_shp", "w_exp")
    )
    shape_modes = shape_basis.shape[2]
    deviations = (12 + shape_modes + expression_basis.shape[2],)
    sigma = np.full(deviations, np.nan)
    if "param_std_3ddfa" in content:
        sigma = bfm.shaped(content["param_std_3ddfa"], deviations, where["param_std_3ddfa"])
    numbers = {"first": 0, "below": count}
    inward = bfm.triangles_of(content["tri"], where["tri"], **numbers)
    triangles = np.ascontiguousarray(inward[:, ::-1])
    face_mask = np.zeros(count, bool)
    face_mask[bfm.numbers_of(content["indices_noneck"], where["indices_noneck"], **numbers)] = True
    albedo = None
    if "mean_tex_rgb" in content:
        colours = bfm.shaped(content["mean_tex_rgb"], (count, 3), where["mean_tex_rgb"])
        albedo = bfm.linear_light(colours / 255).astype(np.float32)
    return MorphableModel(
        name="npz",
        licence=bfm.LICENCE,
        mean=mean.astype(np.float32),
        shape_basis=shape_basis,
        shape_sigma=sigma[12 : 12 + shape_modes],
        expression_basis=expression_basis,
        expression_sigma=sigma[12 + shape_modes :],
        triangles=triangles,
        keypoints=bfm.keypoints_of(content["keypoints"], where["keypoints"], **numbers),
        uv=bfm.shaped(content["uv"], (count, 2), where["uv"]).astype(np.float32),
        uv_triangles=triangles,
        face_mask=face_mask,
        albedo_mean=albedo,
        albedo_basis=None,
        albedo_sigma=None,
        regions=bfm.regions_of(content.get("segments"), count, f"{path}, segments"),
        truncated=True,
    )
