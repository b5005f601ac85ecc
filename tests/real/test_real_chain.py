"""Real photos from the folder to a pack: the stored truth lies on the published landmarks in the stored crop."""

import os

import h5py
import numpy as np
import pytest

from pipeline.geometry.frames import CropTransform
from pipeline.io.tables import read_tsv
from pipeline.registry import TARGETS
from pipeline.stages import crop, detect, ground_truth, pack, reap, source

NAMES = ("image00002", "image00013", "image00088", "image00133", "image02832")
SIDE = 128


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The folder of results; the pictures are links."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "data").mkdir()
    for name in NAMES:
        for suffix in (".jpg", ".mat"):
            os.symlink(data / f"aflw2000-dev/images/{name}{suffix}", folder / f"data/{name}{suffix}")
    (folder / f"data/{NAMES[3]}.mat").unlink()
    path = {name: str(folder / name) for name in (
        "source.tsv", "detect.h5", "detect.tsv", "crop.h5", "crop.tsv", "truth.h5", "truth.tsv", "kept.tsv",
        "reaped.tsv", "test.h5",
    )}  # fmt: skip
    face_model = {"id": "npz", "path": "${FACEMILL_DATA}/bfm/bfm_sim.npz"}
    read = {"reader": "aflw2000_3d", "root": str(folder / "data")}
    target = {"kind": "posmap", "size": SIDE}
    chain = (
        (source, {}, {"source": "source.tsv"}, {**read, "subset": "all", "every": 5, "benchmark": True}),
        (
            detect,
            {"source": "source.tsv"},
            {"detections": "detect.h5", "status": "detect.tsv"},
            {**read, "shards": 1, "detection": {"detector": "annotation"}, "face_model": face_model},
        ),
        (
            crop,
            {"source": "source.tsv", "detections": "detect.h5"},
            {"crops": "crop.h5", "status": "crop.tsv"},
            {**read, "shards": 1, "whole": False, "crop": {}},
        ),
        (
            ground_truth,
            {"source": "source.tsv", "detections": "detect.h5", "crops": "crop.h5"},
            {"ground_truth": "truth.h5", "status": "truth.tsv"},
            {**read, "truth": "dense", "face_model": face_model, "target": target},
        ),
        (
            reap,
            {
                "source": "source.tsv",
                "detect": ["detect.tsv"],
                "crop": ["crop.tsv"],
                "ground_truth": ["truth.tsv"],
                "leaks": [],
            },
            {"kept": "kept.tsv", "reaped": "reaped.tsv"},
            {"shards": 1},
        ),
        (
            pack,
            {"kept": "kept.tsv", "crops": ["crop.h5"], "ground_truth": ["truth.h5"]},
            {"pack": "test.h5"},
            {"seed": 0, "validation": 0.0, "benchmark": True, "truth": "dense", "target": target},
        ),
    )
    at = {"dataset": "real", "frame": "roi120", "target": "posmap", "shard": "0", "split": "test"}
    for stage, inputs, outputs, settings in chain:
        stage.run(
            inputs={k: [path[n] for n in v] if isinstance(v, list) else path[v] for k, v in inputs.items()},
            outputs={k: path[v] for k, v in outputs.items()},
            settings=settings,
            wildcards=at,
            attributes={},
        )
    return path


def test_a_photo_without_its_mat_is_reaped_and_the_others_are_packed(run):
    assert [row["picture"] for row in read_tsv(run["kept.tsv"])] == [n for n in NAMES if n != NAMES[3]]
    (row,) = read_tsv(run["reaped.tsv"])
    assert (row["picture"], row["code"]) == (NAMES[3], "annotation_missing")


def test_the_packed_map_lies_on_the_published_landmarks(run, bfm, labels):
    from pipeline.config import TargetSettings

    target = TARGETS["posmap"](TargetSettings(kind="posmap", size=SIDE))
    u, v = bfm.uv[bfm.keypoints].T * (SIDE - 1)
    column, row = np.rint(u).astype(int), np.rint(SIDE - 1 - v).astype(int)
    names = [str(name) for name in labels["names"]]
    with h5py.File(run["test.h5"]) as file:
        for k, picture in enumerate(file["picture"].asstr()[:]):
            published = labels["pts68"][names.index(picture)].T - [1, 1, 0]
            np.testing.assert_allclose(file["landmarks68"][k], published, atol=1e-3)
            transform = CropTransform.from_array(file["transform"][k]).resized(SIDE)
            truth = transform.apply(published)[:, :2]
            found = target.decode({"posmap": file["posmap"][k]})[row, column, :2]
            size = np.sqrt(np.prod(np.ptp(truth, axis=0)))
            assert 100 * np.linalg.norm(found - truth, axis=1).mean() / size < 3
