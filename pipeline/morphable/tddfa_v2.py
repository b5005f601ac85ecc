"""3DDFA_V2's bfm_noneck_v3.pkl: BFM 2009 without ears and neck on 38,365 vertices (spec prn_vrn_3ddfa A.4).

The pickle holds u, w_shp, w_exp and keypoints; its own tri is superseded and not used. Beside it or in ../configs:
tri.pkl, the triangles; where they are there: indices.npy, the vertices in the mesh of 53,215, with BFM_UV.mat, that
mesh's chart; param_mean_std_62d_120x120.pkl, whose deviations are the modes' sigmas; ncc_code.npy, which is checked
against the mean. Pickles are read by `pipeline.io.pickles`, which takes arrays and plain containers only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.geometry.mesh import normalized_code
from pipeline.io.arrays import read_npy
from pipeline.io.pickles import read_pickle, read_pickled_dict
from pipeline.morphable import bfm
from pipeline.morphable.model import MorphableModel
from pipeline.morphable.tddfa_configs import sigmas_of
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

CONFIGS = "../configs"
STATISTICS = "param_mean_std_62d_120x120.pkl"


@FACE_MODELS.register("tddfa_v2")
def load(path: str | Path | None) -> MorphableModel:
    """The model in the pickle. Coefficients are raw, micrometres; longer coefficient vectors are cut to the modes.

    No texture; the whole mesh is face. Without BFM_UV.mat and indices.npy the model has no chart of its own.
    `FacemillError` when no path is given, a file is missing, cut short, or does not fit the others, or a pickle asks
    for more than arrays.
    """
    if path is None:
        raise FacemillError(
            "the face model 'tddfa_v2' is read from files: set face_model.path to bfm_noneck_v3.pkl of 3DDFA_V2"
        )
    path = Path(path)
    if path.is_dir():
        path = path / "bfm_noneck_v3.pkl"
    content = read_pickled_dict(path, ("u", "w_shp", "w_exp", "keypoints"))
    arrays = {key: _array(path, key, content[key]) for key in ("u", "w_shp", "w_exp", "keypoints")}
    folder = path.parent
    mean = bfm.vertices_of(arrays["u"].astype(np.float32), f"{path}, u")
    count = len(mean)
    bases = [bfm.basis_of(arrays[key], count, f"{path}, {key}") for key in ("w_shp", "w_exp")]
    keypoints = bfm.keypoints_of(arrays["keypoints"], f"{path}, keypoints", first=0, below=count)
    code = bfm.beside(folder, "ncc_code.npy", CONFIGS)
    if code is not None:
        bfm.require_equal(read_npy(code), normalized_code(mean).T, 1e-4, str(code), path.name)
    tri = bfm.first_existing(folder, ["tri.pkl"], "triangles of the mesh without ears and neck", CONFIGS)
    found = bfm.triangles_of(_array(tri, "tri", read_pickle(tri)), str(tri), first=0, below=count)
    triangles = bfm.outward(mean, found)
    listed = bfm.beside(folder, "indices.npy", CONFIGS)
    uv = np.zeros((0, 2), np.float32)
    if listed is not None:
        kept = np.ravel(read_npy(listed))
        if len(kept) != count:
            raise FacemillError(
                f"{listed}: expected a number for each of {count} vertices, found {len(kept)}"
            )
        uv = bfm.chart_beside(folder, count, CONFIGS, kept=kept)
    sigmas = sigmas_of(bfm.beside(folder, STATISTICS, CONFIGS), bases)
    return MorphableModel(
        name="tddfa_v2",
        licence=bfm.LICENCE,
        mean=mean,
        shape_basis=bases[0],
        shape_sigma=sigmas[0],
        expression_basis=bases[1],
        expression_sigma=sigmas[1],
        triangles=triangles,
        keypoints=keypoints,
        uv=uv,
        uv_triangles=triangles,
        face_mask=np.ones(count, bool),
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=bfm.regions_of(None, count, ""),
        truncated=True,
    )


def _array(path: Path, name: str, value: object) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise FacemillError(f"{path}: expected an array of numbers as {name}, found {type(value).__name__}")
    return value
