"""3DDFA's folder train.configs: BFM 2009 on 53,215 vertices, 40 shape and 10 expression modes (spec prn_vrn_3ddfa A.4).

u_shp.npy, u_exp.npy, w_shp_sim.npy, w_exp_sim.npy and keypoints_sim.npy; where they are there: param_whitening.pkl,
whose deviations are the modes' sigmas, pncc_code.npy, which is checked against the mean, indices.npy, BFM_UV.mat. The
folder has no triangles: they are tri.mat of 3DDFA's visualize, or model_info.mat's, laid into the folder or found in
../visualize.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.geometry.mesh import normalized_code
from pipeline.io.arrays import read_mat, read_npy
from pipeline.morphable import bfm
from pipeline.morphable.model import MorphableModel
from pipeline.morphable.params62 import EXPRESSION, SHAPE
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

MEANS = ("u_shp.npy", "u_exp.npy")
TRIANGLES = ("tri.mat", "model_info.mat")


@FACE_MODELS.register("tddfa_configs")
def load(path: str | Path | None) -> MorphableModel:
    """The model in the folder. Coefficients are raw, micrometres; longer coefficient vectors are cut to the modes.

    No texture. Without BFM_UV.mat the model has no chart of its own. `FacemillError` when no folder is given, or a file
    is missing, cut short, or does not fit the others.
    """
    if path is None:
        raise FacemillError(
            "the face model 'tddfa_configs' is read from files: set face_model.path to 3DDFA's folder train.configs"
        )
    folder = Path(path)
    if not folder.is_dir():
        raise FacemillError(f"{folder}: expected the folder train.configs of 3DDFA, found no folder")
    shape_mean, expression_mean = (
        bfm.vertices_of(read_npy(folder / name).astype(np.float32), str(folder / name)) for name in MEANS
    )
    if shape_mean.shape != expression_mean.shape:
        raise FacemillError(
            f"{folder}: expected u_shp.npy and u_exp.npy of one length, found {len(shape_mean)} and "
            f"{len(expression_mean)} vertices"
        )
    mean = shape_mean + expression_mean
    count = len(mean)
    bases = [
        bfm.basis_of(read_npy(folder / name), count, str(folder / name))
        for name in ("w_shp_sim.npy", "w_exp_sim.npy")
    ]
    if (code := folder / "pncc_code.npy").is_file():
        bfm.require_equal(read_npy(code), normalized_code(shape_mean).T, 1e-4, str(code), "u_shp.npy")
    tri = bfm.first_existing(folder, TRIANGLES, "triangles of the mesh", "../visualize")
    found = bfm.triangles_of(read_mat(tri, ("tri",))["tri"], str(tri), first=1, below=count)
    triangles = bfm.outward(mean, found)
    points = folder / "keypoints_sim.npy"
    keypoints = bfm.keypoints_of(read_npy(points), str(points), first=0, below=count)
    sigmas = sigmas_of(bfm.beside(folder, "param_whitening.pkl"), bases)
    return MorphableModel(
        name="tddfa_configs",
        licence=bfm.LICENCE,
        mean=mean,
        shape_basis=bases[0],
        shape_sigma=sigmas[0],
        expression_basis=bases[1],
        expression_sigma=sigmas[1],
        triangles=triangles,
        keypoints=keypoints,
        uv=bfm.chart_beside(folder, count),
        uv_triangles=triangles,
        face_mask=bfm.face_mask(mean, keypoints, folder),
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=bfm.regions_of(None, count, ""),
        truncated=True,
    )


def sigmas_of(statistics: Path | None, bases: list[np.ndarray]) -> list[np.ndarray]:
    """Deviations of the shape and expression coefficients from a file of 62 parameters' statistics; NaN for the modes
    beyond those 40 and 10, and for all without a file."""
    sigmas = [np.full(basis.shape[2], np.nan) for basis in bases]
    if statistics is not None:
        std = load_whitening(statistics).std
        for sigma, part in zip(sigmas, (SHAPE, EXPRESSION), strict=True):
            known = std[part][: len(sigma)]
            sigma[: len(known)] = known
    return sigmas
