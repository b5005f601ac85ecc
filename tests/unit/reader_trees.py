"""Small fake data sets in the published layouts, made by the tests of the readers."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from pipeline.datasets.base import AnnotationProblem

PARAMETERS = 62


def picture(path: Path, seed: int = 0, side: int = 120) -> None:
    """A JPEG of low noise, another one for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(small, (side, side)))


def mat(path: Path, yaw: float = 0.0, **more: np.ndarray) -> None:
    """A .mat with the keys of 300W-LP, a yaw in degrees and further arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pose = np.array([[0, np.radians(yaw), 0, 200, 210, -60, 1e-3]])
    scipy.io.savemat(
        path, {"Pose_Para": pose, "Shape_Para": np.zeros((199, 1)), "Exp_Para": np.zeros((29, 1)), **more}
    )


def pickled(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=2))


CROPS = {
    "train": [
        "AFW_AFW_134212_1_0_1.jpg",
        "AFWFlip_AFW_134212_1_3_10.jpg",
        "LFPWFlip_LFPW_image_train_0812_0_1.jpg",
    ],
    "val": ["HELEN_HELEN_3051471764_1_8_2.jpg", "IBUG_IBUG_image_003_1_0_4.jpg"],
}


def camera(yaw: float = 0.0, scale: float = 5e-4) -> np.ndarray:
    """A row-major [sR | t] (12,) of a face in the middle of a 120x120 crop, y up, turned by `yaw` degrees."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    rotation = scale * np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    return np.hstack([rotation, [[60.0], [61.0], [-70.0]]]).ravel()


def refuses_rows(reader, path, height, *cases):
    """Each of the rows (number, reason, words) of a table is no annotation, for its reason and in its words."""
    for row, reason, words in cases:
        with pytest.raises(AnnotationProblem, match=words) as caught:
            reader.annotation(path.with_name(f"{path.name}#{row}"), height)
        assert caught.value.reason is reason


def train_aug(root: Path, configs: str = "", name: str = "param_all_norm.pkl", width: int = PARAMETERS):
    """3DDFA's training set: crops, lists, whitened parameters. The raw parameters (n, 62) of train and val."""
    rng = np.random.default_rng(5)
    raw = {
        part: np.array([[*camera(10.0 * k + 5), *rng.normal(0, 1, 50)] for k in range(len(names))])
        for part, names in CROPS.items()
    }
    mean, std = rng.normal(0, 1, PARAMETERS), rng.uniform(0.5, 2, PARAMETERS)
    where = root / configs
    for part, file in (("train", name), ("val", "param_all_norm_val.pkl")):
        for k, crop in enumerate(CROPS[part]):
            picture(root / "train_aug_120x120" / crop, seed=k + 10 * len(part))
        whitened = (raw[part] - mean) / std
        more = rng.normal(0, 1, (len(whitened), width - PARAMETERS))
        pickled(where / file, np.hstack([whitened, more]))
        (where / f"train_aug_120x120.list.{part}").write_text("\n".join(CROPS[part]) + "\n")
    pickled(where / "param_whitening.pkl", {"param_mean": mean, "param_std": std})
    return raw
