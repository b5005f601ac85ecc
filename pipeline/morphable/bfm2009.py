"""The Basel Face Model 2009 with 199 shape and 29 expression modes, from the files that people have of it.

Two layouts, told apart by what the path holds (spec prn_vrn_3ddfa A.4):

- the originals in one folder: 01_MorphableModel.mat (53,490 vertices), Model_Expression.mat (or 3DDFA's u_exp.npy and
  w_exp_sim.npy, ten modes), model_info.mat (trimIndex, tri, keypoints), which trims it to 53,215;
- face3d's BFM.mat (struct ``model``, 53,215 vertices), with BFM_info.mat beside it where there is one.

Beside both: BFM_UV.mat, the chart; indices.npy, the vertices without ears and neck. Triangles are turned outward;
face3d's triangles that close the mouth are left out, since the mesh of the others has none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_mat, read_npy
from pipeline.morphable import bfm
from pipeline.morphable.model import MorphableModel
from pipeline.records import FacemillError
from pipeline.registry import FACE_MODELS

ORIGINAL, FACE3D = "01_MorphableModel.mat", "BFM.mat"
TEXTURE = ("texMU", "texPC", "texEV")
SHAPE = ("shapeMU", "shapePC", "shapeEV")


@FACE_MODELS.register("bfm2009")
def load(path: str | Path | None) -> MorphableModel:
    """The model in a folder or in face3d's BFM.mat. Coefficients are raw (Shape_Para, Exp_Para, Tex_Para of 300W-LP as
    they stand), micrometres. Without BFM_UV.mat the model has no chart of its own.

    `FacemillError` when no path is given, or a file is missing, cut short, or does not fit the others.
    """
    if path is None:
        raise FacemillError(
            "the face model 'bfm2009' is read from files: set face_model.path to the folder of "
            f"{ORIGINAL}, or to face3d's {FACE3D}"
        )
    path = Path(path)
    if path.is_dir():
        if (path / ORIGINAL).is_file():
            return _original(path)
        if (path / FACE3D).is_file():
            return _face3d(path / FACE3D)
        raise FacemillError(f"{path}: expected {ORIGINAL} or face3d's {FACE3D} in it, found neither")
    if path.name == ORIGINAL:
        return _original(path.parent)
    return _face3d(path)


def _original(folder: Path) -> MorphableModel:
    source = folder / ORIGINAL
    content = read_mat(source, (*SHAPE, *TEXTURE))
    info = bfm.first_existing(folder, ["model_info.mat"], "mesh of the Basel Face Model without its inside")
    trim = read_mat(info, ("trimIndex", "tri", "keypoints"), ("segbin",))
    whole = len(bfm.vertices_of(content["shapeMU"], f"{source}, shapeMU"))
    kept = bfm.numbers_of(np.ravel(trim["trimIndex"]), f"{info}, trimIndex", first=1, below=whole)
    for key in ("shapeMU", "shapePC", "texMU", "texPC"):
        values = content[key]
        if values.ndim != 2 or len(values) != 3 * whole:
            raise FacemillError(f"{source}: expected {3 * whole} rows in {key}, found shape {values.shape}")
        content[key] = values.reshape(whole, 3, -1)[kept].reshape(3 * len(kept), -1)
    mean, basis, sigma, truncated = _expression(folder, len(kept))
    content |= {"expMU": mean, "expPC": basis, "expEV": sigma}
    return _model(
        content, trim["tri"], trim["keypoints"], trim.get("segbin"), truncated, folder, str(source), str(info)
    )


def _expression(folder: Path, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Mean (3N, 1), modes (3N, K) and deviations (K,) of the expression, and whether modes are missing from it."""
    found = bfm.first_existing(folder, ["Model_Expression.mat", "w_exp_sim.npy"], "expression model")
    if found.suffix == ".mat":
        content = read_mat(found, ("mu_exp", "w_exp", "sigma_exp"))
        mean, basis, sigma = (content[key] for key in ("mu_exp", "w_exp", "sigma_exp"))
        return mean, basis, np.ravel(sigma), False
    basis = read_npy(found)
    mean = read_npy(bfm.first_existing(folder, ["u_exp.npy"], f"mean that belongs to {found.name}"))
    return mean, basis, np.full(basis.shape[-1], np.nan), True


def _face3d(path: Path) -> MorphableModel:
    struct = read_mat(path, ("model",))["model"]
    wanted = (*SHAPE, "expMU", "expPC", "expEV", *TEXTURE, "tri", "kpt_ind")
    names = struct.dtype.names or ()
    missing = [name for name in wanted if name not in names]
    if missing or struct.size != 1:
        raise FacemillError(
            f"{path}: expected face3d's struct model of {', '.join(wanted)}; missing: {', '.join(missing)}"
        )
    content = {name: struct[name].ravel()[0] for name in wanted}
    info = path.parent / "BFM_info.mat"
    segments = read_mat(info, ("segbin",))["segbin"] if info.is_file() else None
    where = f"{path}, model"
    return _model(
        content, content["tri"], content["kpt_ind"], segments, False, path.parent, where, f"{where} or {info}"
    )


def _model(
    content: dict[str, np.ndarray],
    tri: np.ndarray,
    keypoints: np.ndarray,
    segments: np.ndarray | None,
    truncated: bool,
    folder: Path,
    where: str,
    info: str,
) -> MorphableModel:
    """The model of arrays as face3d names them; numbers of vertices count from 1, as Matlab's."""
    mean = bfm.vertices_of(content["shapeMU"].astype(np.float32), f"{where}, shapeMU")
    count = len(mean)
    expression_mean = bfm.vertices_of(content["expMU"].astype(np.float32), f"{where}, mean expression")
    if expression_mean.shape != mean.shape:
        raise FacemillError(
            f"{where}: expected a mean expression of {count} vertices, found {len(expression_mean)}"
        )
    mean = mean + expression_mean
    triangles = bfm.outward(mean, bfm.triangles_of(tri, f"{info}, triangles", first=1, below=count))
    keypoints = bfm.keypoints_of(keypoints, f"{info}, keypoints", first=1, below=count)
    modes = {
        name: (bfm.basis_of(content[f"{name}PC"], count, f"{where}, {name}PC"), _sigma(content, name, where))
        for name in ("shape", "exp", "tex")
    }
    texture = bfm.vertices_of(content["texMU"], f"{where}, texMU")
    if texture.shape != mean.shape:
        raise FacemillError(f"{where}: expected texMU of {count} vertices, found {len(texture)}")
    albedo_mean, albedo_basis = bfm.albedo_of(texture, modes["tex"][0])
    return MorphableModel(
        name="bfm2009",
        licence=bfm.LICENCE,
        mean=mean,
        shape_basis=modes["shape"][0],
        shape_sigma=modes["shape"][1],
        expression_basis=modes["exp"][0],
        expression_sigma=modes["exp"][1],
        triangles=triangles,
        keypoints=keypoints,
        uv=bfm.chart_beside(folder, count),
        uv_triangles=triangles,
        face_mask=bfm.face_mask(mean, keypoints, folder),
        albedo_mean=albedo_mean,
        albedo_basis=albedo_basis,
        albedo_sigma=modes["tex"][1],
        regions=bfm.regions_of(segments, count, info),
        truncated=truncated,
    )


def _sigma(content: dict[str, np.ndarray], name: str, where: str) -> np.ndarray:
    sigma, modes = np.ravel(content[f"{name}EV"]).astype(np.float64), content[f"{name}PC"].shape[-1]
    if len(sigma) != modes:
        raise FacemillError(f"{where}: expected {modes} deviations of the {name} modes, found {len(sigma)}")
    return sigma
