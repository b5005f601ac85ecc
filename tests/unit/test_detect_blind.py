"""Detection and crops do not know of annotations: without a single .mat they are the same."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from pipeline.io import hdf5
from pipeline.records import CROPS, DETECTIONS
from pipeline.stages import crop, detect, source

SHARDS = 1


def pictures(folder: Path, count: int = 3) -> None:
    """Blurred noise with an .mat beside each: with the thresholds at zero the networks find something anywhere."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(count):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        cv2.imwrite(
            str(folder / f"SYN_{k:05d}_0.png"), cv2.resize(noise, (200, 200), interpolation=cv2.INTER_CUBIC)
        )
        scipy.io.savemat(folder / f"SYN_{k:05d}_0.mat", {"Pose_Para": np.zeros((1, 7))})


def chain(folder: Path, out: Path) -> dict[str, dict[str, np.ndarray]]:
    """Source, detect and crop on the folder -> the arrays of both files."""
    out.mkdir()
    common = {"root": str(folder), "shards": SHARDS}
    at = {"wildcards": {"dataset": "d", "shard": "0", "frame": "fan192"}, "attributes": {}}
    table = {"source": str(out / "source.tsv")}
    reading = {"reader": "face_300w_lp", "root": str(folder), "subset": "all", "every": 5, "benchmark": False}
    source.run(inputs={}, outputs=table, settings=reading, **at)
    found = {"detections": str(out / "d.h5"), "status": str(out / "d.tsv")}
    detection = {"detector": "faceboxes", "score": 0.0, "overlap": 0.0, "peak": 0.0}
    detect.run(inputs=table, outputs=found, settings={**common, "detection": detection}, **at)
    cut = {"crops": str(out / "c.h5"), "status": str(out / "c.tsv")}
    options = {"faces": "all", "outside": 1.0}
    crop.run(
        inputs={**table, **found}, outputs=cut, settings={**common, "whole": False, "crop": options}, **at
    )
    arrays = {}
    for name, contract in ((found["detections"], DETECTIONS), (cut["crops"], CROPS)):
        with hdf5.open_checked(name, contract) as file:
            arrays[contract.name] = {field: file[field][:] for field in contract.fields}
    return arrays


@pytest.fixture(autouse=True)
def anything_is_a_face(monkeypatch):
    """One box a picture, whatever the networks think of it."""
    monkeypatch.setattr("pipeline.detect.boxes.KEPT", 1)
    monkeypatch.setattr("pipeline.detect.plausible.BOX_OVERLAP", 0.0)
    monkeypatch.setattr("pipeline.detect.plausible.RESIDUAL", np.inf)


def test_without_any_annotation_everything_is_the_same(tmp_path):
    pictures(tmp_path / "data")
    with_annotations = chain(tmp_path / "data", tmp_path / "with")
    assert all(len(arrays["face"]) == 3 for arrays in with_annotations.values())
    for path in (tmp_path / "data").glob("*.mat"):
        path.unlink()
    without = chain(tmp_path / "data", tmp_path / "without")
    for contract, arrays in with_annotations.items():
        for field, values in arrays.items():
            np.testing.assert_array_equal(without[contract][field], values, err_msg=f"{contract}: {field}")


def test_a_detector_that_peeked_would_be_seen(tmp_path):
    """The same comparison does tell two folders apart when a picture differs."""
    pictures(tmp_path / "one")
    pictures(tmp_path / "two")
    path = tmp_path / "two" / "SYN_00001_0.png"
    cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    one, two = (chain(tmp_path / name, tmp_path / f"{name}_out")[CROPS.name] for name in ("one", "two"))
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(one["image"], two["image"])
