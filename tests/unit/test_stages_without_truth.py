"""Pictures that a model learns from without truth: no annotation is read, no face is lost for the want of one."""

import cv2
import numpy as np
import pytest

from pipeline import jobs, settings
from pipeline.config import TargetSettings
from pipeline.io import hdf5
from pipeline.io.tables import read_tsv
from pipeline.records import NONE, PACK, FacemillError
from pipeline.registry import TARGETS
from pipeline.training.batches import Packs
from pipeline.verbs import chain

AT = {"frame": "fan192", "target": "params", "dataset": "mine", "shard": 0, "split": "train"}
PARAMS = TARGETS["params"](TargetSettings(kind="params", size=120))
MINE = "{reader: photos, root: ROOT, licence: mine, detection: {detector: whole, points: fan}}"


def config(tmp_path, *more):
    return settings.load(
        (),
        [
            f"results={tmp_path / 'results'}",
            "shards=1",
            "leaks.check=false",
            f"datasets.mine={MINE.replace('ROOT', str(tmp_path / 'data'))}",
            "systems=[2dasl, synergynet]",
            "models.2dasl.unlabelled=[mine]",
            *more,
        ],
    )


def job(config, stage, **wildcards):
    known = {**AT, **wildcards}
    return jobs.job(config, stage, **{name: known[name] for name in chain.wildcards_of(stage)})


@pytest.fixture
def photos(tmp_path):
    """Three photos and a file that is none."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(3):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"p{k}.png"), cv2.resize(noise, (192, 192), interpolation=cv2.INTER_CUBIC))
    (folder / "p3.png").write_bytes(b"no picture")
    return tmp_path


def test_every_face_that_was_found_goes_into_the_pack_without_truth(photos):
    made = config(photos)
    for stage in ("source", "detect", "crop", "ground_truth", "reap", "pack"):
        chain.carry_out(job(made, stage), None)
    reaped = [row["code"] for row in read_tsv(job(made, "reap").outputs["reaped"])]
    path = job(made, "pack").outputs["pack"]
    with hdf5.open_checked(path, PACK.of_truth(NONE)) as file:
        assert hdf5.texts(file["picture"]) == ["p0.png", "p1.png", "p2.png"] and reaped == ["unreadable"]
        assert all(
            np.isnan(file[name][:]).all() for name in ("pose_para", "camera", "landmarks68", "yaw_deg")
        )
    packs = Packs([path], None, 100)
    sample = packs.sample(1)
    assert len(packs) == 3 and sample.image.shape == (192, 192, 3) and dict(sample.stored) == {}
    assert np.isfinite(sample.points).all() and np.isnan(sample.landmarks).all()
    labelled = PACK.extended(**PARAMS.fields)
    with (
        pytest.raises(FacemillError, match="truth: expected dense, found none"),
        hdf5.open_checked(path, labelled),
    ):
        pass


def test_no_annotation_no_model_and_no_held_out_part_have_a_share_in_it(photos):
    made = config(photos, "datasets.mine.validation=0.5")
    assert jobs.splits_of(made, "mine") == ["train"]
    assert job(made, "ground_truth").settings == {"truth": "none"}
    assert job(made, "pack").settings["validation"] == 0
    assert "labels" not in job(made, "ground_truth").inputs


@pytest.mark.parametrize(
    "use", ["models.synergynet.train=[mine]", "packs=[{dataset: mine, frame: fan192, target: params}]"]
)
def test_where_its_truth_is_wanted_it_has_to_have_one(photos, use):
    with pytest.raises(FacemillError, match=r"datasets\.mine\.labels: expected tddfa"):
        config(photos, use)
    labelled = ["datasets.mine.labels=tddfa", "labelling.weights=mb05.pth"]
    assert job(config(photos, use, *labelled), "ground_truth").settings["truth"] == "dense"
    assert job(config(photos, *labelled), "ground_truth").settings["truth"] == "none"
