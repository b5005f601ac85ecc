"""Face models in the layouts that their publishers chose, written from plain arrays: a small dome, or real ones."""

import pickle
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.io


@dataclass
class FaceArrays:
    """What every layout holds, of N vertices: numbers count from 0, triangles turn inward as published."""

    shape_mean: np.ndarray  # (3N,)
    expression_mean: np.ndarray  # (3N,)
    shape: np.ndarray  # (3N, Ks)
    expression: np.ndarray  # (3N, Ke)
    shape_sigma: np.ndarray  # (Ks,)
    expression_sigma: np.ndarray  # (Ke,)
    tri: np.ndarray  # (T, 3)
    keypoints: np.ndarray  # (68,)
    uv: np.ndarray  # (N, 2)
    texture: np.ndarray  # (3N,)
    texture_modes: np.ndarray  # (3N, Kt)
    texture_sigma: np.ndarray  # (Kt,)
    segments: np.ndarray  # (N, 4)
    kept: np.ndarray  # vertices without ears and neck

    @property
    def mean(self):
        return (self.shape_mean + self.expression_mean).reshape(-1, 3)

    def part(self):
        """The model on its kept vertices alone."""
        rows = (3 * self.kept[:, None] + np.arange(3)).ravel()
        number = np.full(len(self.mean), -1)
        number[self.kept] = np.arange(len(self.kept))
        inside = (number[self.tri] >= 0).all(axis=1)
        cut = {
            name: getattr(self, name)[rows]
            for name in ("shape_mean", "expression_mean", "shape", "expression", "texture", "texture_modes")
        }
        return replace(
            self,
            **cut,
            tri=number[self.tri[inside]],
            keypoints=number[self.keypoints],
            uv=self.uv[self.kept],
            segments=self.segments[self.kept],
            kept=np.arange(len(self.kept)),
        )


def dome(side=30, shape_modes=6, expression_modes=4, seed=5):
    """A dome of side x side vertices with a jaw line on it, whose lowest rows are neck."""
    rng = np.random.default_rng(seed)
    across, up = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1.3, 1, side))
    x, y = across.ravel() * 8e4, up.ravel() * 9e4
    z = 1.2e5 * (1 - 0.8 * (x / 8e4) ** 2 - 0.35 * (y / 9e4) ** 2)
    mean = np.stack([x, y, z], 1)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    outward = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + side], 1),
            np.stack([corner + 1, corner + side + 1, corner + side], 1),
        ]
    )
    turn = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = np.stack([7.6e4 * np.sin(turn), 2e4 - 1e5 * np.cos(turn)], 1)
    marks = np.concatenate([jaw, rng.uniform(-4e4, 4e4, (51, 2))])
    keypoints = np.linalg.norm(mean[None, :, :2] - marks[:, None], axis=2).argmin(1)
    expression_mean = rng.normal(0, 300, mean.size)
    return FaceArrays(
        shape_mean=(mean.ravel() - expression_mean).astype(np.float32),
        expression_mean=expression_mean.astype(np.float32),
        shape=rng.normal(0, 0.01, (mean.size, shape_modes)).astype(np.float32),
        expression=rng.normal(0, 1e3, (mean.size, expression_modes)).astype(np.float32),
        shape_sigma=np.geomspace(5e5, 1e5, shape_modes),
        expression_sigma=np.linspace(1.5, 0.2, expression_modes),
        tri=outward[:, ::-1],
        keypoints=keypoints,
        uv=np.stack([(across.ravel() + 1) / 2, (up.ravel() + 1.3) / 2.3], 1),
        texture=rng.uniform(5, 250, mean.size).astype(np.float32),
        texture_modes=rng.normal(0, 0.01, (mean.size, 3)).astype(np.float32),
        texture_sigma=np.array([900.0, 500.0, 200.0]),
        segments=rng.integers(0, 2, (len(mean), 4)).astype(np.uint8),
        kept=np.flatnonzero(y > -8.2e4),
    )


def column(values):
    return np.asarray(values).reshape(-1, 1)


def write_original(folder: Path, face: FaceArrays, dropped: int = 7):
    """01_MorphableModel.mat with ``dropped`` more vertices, Model_Expression.mat, model_info.mat, BFM_UV.mat."""
    folder.mkdir(parents=True, exist_ok=True)
    count = len(face.mean)
    kept = np.delete(np.arange(count + dropped), np.arange(dropped) * 2)

    def whole(values):
        values = values.reshape(count, 3, -1)
        out = np.full((count + dropped, 3, values.shape[2]), 1e3, np.float32)
        out[kept] = values
        return out.reshape(3 * (count + dropped), -1)

    scipy.io.savemat(
        folder / "01_MorphableModel.mat",
        {
            "tl": kept[face.tri] + 1,
            "segbin": np.zeros((count + dropped, 4)),
            "shapeMU": whole(face.shape_mean),
            "shapePC": whole(face.shape),
            "shapeEV": column(face.shape_sigma),
            "texMU": whole(face.texture),
            "texPC": whole(face.texture_modes),
            "texEV": column(face.texture_sigma),
        },
    )
    scipy.io.savemat(
        folder / "Model_Expression.mat",
        {
            "mu_exp": column(face.expression_mean),
            "w_exp": face.expression,
            "sigma_exp": column(face.expression_sigma),
        },
    )
    scipy.io.savemat(
        folder / "model_info.mat",
        {
            "trimIndex": column(kept + 1),
            "tri": (face.tri + 1).T,
            "keypoints": (face.keypoints + 1)[None],
            "segbin": face.segments.T,
        },
    )
    write_chart(folder, face)
    return folder


def write_face3d(folder: Path, face: FaceArrays):
    """BFM.mat with its struct, BFM_info.mat, BFM_UV.mat."""
    folder.mkdir(parents=True, exist_ok=True)
    model = {
        "shapeMU": column(face.shape_mean),
        "shapePC": face.shape,
        "shapeEV": column(face.shape_sigma),
        "expMU": column(face.expression_mean),
        "expPC": face.expression,
        "expEV": column(face.expression_sigma),
        "texMU": column(face.texture),
        "texPC": face.texture_modes,
        "texEV": column(face.texture_sigma),
        "tri": (face.tri + 1).T.astype(np.int32),
        "tri_mouth": np.ones((3, 114), np.int32),
        "kpt_ind": (face.keypoints + 1)[None].astype(np.int32),
    }
    scipy.io.savemat(folder / "BFM.mat", {"model": model})
    scipy.io.savemat(folder / "BFM_info.mat", {"uv_coords": face.uv, "segbin": face.segments.T})
    write_chart(folder, face)
    return folder / "BFM.mat"


def write_chart(folder: Path, face: FaceArrays):
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / "BFM_UV.mat", {"UV": face.uv.astype(np.float64)})
    return folder / "BFM_UV.mat"


def flattened(keypoints):
    return (3 * keypoints[:, None] + np.arange(3)).ravel().astype(np.int64)


def statistics(face: FaceArrays):
    """(62,) deviations with the sigmas of the face's modes in their places."""
    std = np.full(62, 2.0, np.float32)
    std[12:52][: len(face.shape_sigma)] = face.shape_sigma[:40]
    std[52:62][: len(face.expression_sigma)] = face.expression_sigma[:10]
    return std


def code(vertices):
    low, high = vertices.min(0), vertices.max(0)
    return ((vertices - low) / (high - low)).T.astype(np.float32)


def write_configs(folder: Path, face: FaceArrays):
    """3DDFA's train.configs with visualize/tri.mat beside it."""
    folder = folder / "train.configs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "visualize").mkdir(exist_ok=True)
    np.save(folder / "u_shp.npy", column(face.shape_mean))
    np.save(folder / "u_exp.npy", column(face.expression_mean))
    np.save(folder / "w_shp_sim.npy", face.shape)
    np.save(folder / "w_exp_sim.npy", face.expression)
    np.save(folder / "keypoints_sim.npy", flattened(face.keypoints))
    np.save(folder / "pncc_code.npy", code(face.shape_mean.reshape(-1, 3)))
    dump2(
        folder / "param_whitening.pkl",
        {"param_mean": np.zeros(62, np.float32), "param_std": statistics(face)},
    )
    scipy.io.savemat(folder.parent / "visualize" / "tri.mat", {"tri": (face.tri + 1).T})
    write_chart(folder, face)
    return folder


def write_v2(folder: Path, face: FaceArrays):
    """3DDFA_V2's bfm and configs folders for the kept vertices of a face."""
    bfm, configs = folder / "bfm", folder / "configs"
    for made in (bfm, configs):
        made.mkdir(parents=True, exist_ok=True)
    part = face.part()
    content = {
        "u": column(part.mean.ravel()).astype(np.float32),
        "w_shp": part.shape,
        "w_exp": part.expression,
        "tri": np.zeros((3, 5), np.int32),
        "keypoints": flattened(part.keypoints),
    }
    (bfm / "bfm_noneck_v3.pkl").write_bytes(pickle.dumps(content, protocol=4))
    dump2(configs / "tri.pkl", part.tri.T.astype(np.int32))
    np.save(configs / "indices.npy", face.kept.astype(np.int32))
    np.save(configs / "ncc_code.npy", code(part.mean))
    values = {"mean": np.zeros(62, np.float32), "std": statistics(face)}
    (configs / "param_mean_std_62d_120x120.pkl").write_bytes(pickle.dumps(values, protocol=2))
    write_chart(configs, face)
    return bfm / "bfm_noneck_v3.pkl"


class Pickler2(pickle._Pickler):
    """Writes what Python 2 wrote: texts and bytes alike as byte strings, numpy under its old name."""

    def save_bytes(self, data):
        self.write(b"T" + struct.pack("<i", len(data)) + data)

    def save_text(self, text):
        self.save_bytes(text.encode("latin-1"))

    def save_global(self, found, name=None):
        module = "numpy.core.multiarray" if found.__name__ == "_reconstruct" else found.__module__
        self.write(f"c{module}\n{found.__name__}\n".encode())
        self.memoize(found)

    dispatch = pickle._Pickler.dispatch | {
        bytes: save_bytes,
        str: save_text,
        type: save_global,
        type(np.empty): save_global,
    }


def dump2(path: Path, value):
    """A protocol 2 pickle as Python 2 with an old numpy left it."""
    with path.open("wb") as file:
        Pickler2(file, protocol=2).dump(value)
    return path


WRITERS = {
    "original": ("bfm2009", write_original),
    "face3d": ("bfm2009", write_face3d),
    "configs": ("tddfa_configs", write_configs),
    "v2": ("tddfa_v2", write_v2),
}
"""Layout -> the face model's id and what writes its files into a folder and gives its path."""
