"""Small trees in the layouts in which data sets and face models are published, rendered from the procedural face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import scipy.io

from pipeline.config import SyntheticSettings
from pipeline.datasets.synthetic.anatomy import HeadModel
from pipeline.datasets.synthetic.picture import Rendered, Synthesiser
from pipeline.datasets.synthetic.writer import annotation
from pipeline.morphable import MorphableModel, load_face_model

KINDS = ("none", "several", "hard", "impossible", "cut", "broken", "duplicate", "unreadable")
PLAIN = {f"share_{kind}": 0.0 for kind in KINDS}
SUBSETS = ("AFW", "HELEN", "IBUG", "LFPW")


def face_300w_lp(root: Path, aflw2000: Path, pictures: int) -> MorphableModel:
    """Pictures with one face each: two thirds of them as 300W-LP (four subsets, two profiling steps a photograph, and
    as many in the `_Flip` folders, here further faces instead of mirrored ones), the others as AFLW2000-3D. The face
    model behind their .mat files."""
    model = load_face_model("procedural")
    settings = SyntheticSettings(pictures=pictures, identities=pictures, occluder=0.0, **PLAIN)
    made = Synthesiser(settings, HeadModel(model), 5, "published")
    train = 2 * pictures // 3
    for k in range(train):
        subset = SUBSETS[k // 2 % 4] + ("_Flip" if k >= train // 2 else "")
        number = k % (train // 2) // 2
        _save(root / subset / f"{subset.split('_')[0]}_image_{number:03d}_1_{k % 2}", made.picture(k))
    for k in range(train, pictures):
        rendered = made.picture(k)
        points = np.add(rendered.faces[0].landmarks, [1, 1, 0])
        more = {"pt3d_68": points.T.astype(np.float32), "pt2d": np.full((2, 21), -1.0)}
        _save(aflw2000 / f"image{k:05d}", rendered, more)
    return model


def _save(stem: Path, rendered: Rendered, more: dict[str, np.ndarray] | None = None) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(f"{stem}.jpg", rendered.image[:, :, ::-1])
    scipy.io.savemat(f"{stem}.mat", annotation(rendered.faces[0], rendered.light) | (more or {}))


def npz_model(model: MorphableModel, path: Path) -> None:
    """A face model as the .npz that the adapter `npz` reads: triangles inward, as BFM's are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(model.mean)
    np.savez(
        path,
        u=model.mean.reshape(-1),
        w_shp=model.shape_basis.reshape(3 * count, -1),
        w_exp=model.expression_basis.reshape(3 * count, -1),
        keypoints=model.keypoints,
        tri=model.triangles[:, ::-1],
        uv=model.uv,
        indices_noneck=np.flatnonzero(model.face_mask),
        param_std_3ddfa=np.concatenate([np.ones(12), model.shape_sigma, model.expression_sigma]),
    )
