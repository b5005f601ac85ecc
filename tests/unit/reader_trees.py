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


AFLW_NAMES = ["image00002", "image00004_1", "image00004_2", "image00013"]


def aflw(root, layout):
    """Four crops of three photographs; point 3 is hidden in all. The folder of crops and the root."""
    rng = np.random.default_rng(2)
    points = rng.uniform(100, 300, (4, 2, 21)).astype(np.float32)
    points[:, :, 3] = (-1, 452)
    boxes, yaws = np.tile([81, 71, 320, 310], (4, 1)).astype(np.uint16), np.array([5.0, -40, 80, -100.0])
    if layout == "archive":
        names = np.array(AFLW_NAMES)
        np.savez(root / "labels.npz", names=names, pts21_450=points, roi_box=boxes, yaw_deg=yaws)
        folder = root / "crops"
    else:
        data, configs = (root, root) if layout == "flat" else (root / "test.data", root / "test.configs")
        for one in (data, configs):
            one.mkdir(exist_ok=True)
        (data / "AFLW_GT_crop.list").write_text("\n".join(f"{name}.jpg" for name in AFLW_NAMES))
        np.save(configs / "AFLW_GT_pts21.npy", points)
        np.save(configs / "AFLW_GT_crop_roi_box.npy", boxes)
        np.save(configs / "AFLW_GT_crop_yaws.npy", yaws)
        folder = data / "AFLW_GT_crop"
    for k, name in enumerate(AFLW_NAMES):
        picture(folder / f"{name}.jpg", seed=k)
    return points, yaws, folder


def lfpa(root, flag=1.0, side=120):
    """Two test and three training pictures; of 34 points the first 10 are hidden, which the other flag says."""
    rng = np.random.default_rng(3)
    tables = {}
    for folder, key, count in (("TestImages", "phisT", 2), ("TrainImages", "phisTr", 3)):
        flags = np.full((count, 34), flag)
        flags[:, :10] = 1 - flag
        tables[key] = np.hstack([rng.uniform(10, 200, (count, 68)), flags])
        for k in range(count):
            picture(root / folder / f"{k + 1}.jpg", seed=k, side=side)
    scipy.io.savemat(root / "Landmark.mat", tables)
    return tables
