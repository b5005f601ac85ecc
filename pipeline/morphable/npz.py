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
    `FacemillError` when no path is given, the file is missing or no such archive, or a key is absent.
    """
    if path is None:
        raise FacemillError("the face model 'npz' is read from a file: set face_model.path to it")
    if not Path(path).is_file():
        raise FacemillError(f"no face model {path}; set face_model.path to an existing .npz")
    content = read_npz(path, REQUIRED)
    mean = content["u"].reshape(-1, 3)
    count = len(mean)
    shape_basis = content["w_shp"].reshape(count, 3, -1)
    expression_basis = content["w_exp"].reshape(count, 3, -1)
    shape_modes, modes = shape_basis.shape[2], shape_basis.shape[2] + expression_basis.shape[2]
    sigma = np.asarray(content.get("param_std_3ddfa", np.full(12 + modes, np.nan)), np.float64)[
        12 : 12 + modes
    ]
    triangles = np.ascontiguousarray(content["tri"][:, ::-1], np.int32)
    face_mask = np.zeros(count, bool)
    face_mask[content["indices_noneck"]] = True
    regions = bfm.regions_of(content.get("segments"), count, f"{path}, segments")
    albedo = None
    if "mean_tex_rgb" in content:
        albedo = bfm.linear_light(content["mean_tex_rgb"].astype(np.float64) / 255).astype(np.float32)
    return MorphableModel(
        name="npz",
        licence=bfm.LICENCE,
        mean=mean.astype(np.float32),
        shape_basis=shape_basis.astype(np.float32),
        shape_sigma=sigma[:shape_modes],
        expression_basis=expression_basis.astype(np.float32),
        expression_sigma=sigma[shape_modes:],
        triangles=triangles,
        keypoints=content["keypoints"].astype(np.int32),
        uv=content["uv"].astype(np.float32),
        uv_triangles=triangles,
        face_mask=face_mask,
        albedo_mean=albedo,
        albedo_basis=None,
        albedo_sigma=None,
        regions=regions,
        truncated=True,
    )
