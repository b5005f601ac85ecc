"""Benchmarks whose annotations have no parameters of a face model: their points go through the chain to infer."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from points_chain import SIDE, PointsChain, framed
from reader_trees import AFLW_NAMES, aflw, lfpa, picture
from scan_world import florence
from stage_world import save_detections

from pipeline.evaluation.predictions import PREDICTIONS
from pipeline.evaluation.score import Score, write_scores
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.io.images import read_picture
from pipeline.records import GROUND_TRUTH, PACK, POINTS, FacemillError, Field
from pipeline.registry import DATASETS

UNKNOWN = ("pose_para", "camera", "landmarks68")


def opened(path: Path) -> dict[str, np.ndarray]:
    """All datasets of a pack of points, its contract checked."""
    with hdf5.open_checked(path, PACK.of_truth(POINTS)) as file:
        assert file.attrs["truth"] == "points" and "code_scale" not in file.attrs
        assert set(file) == set(PACK.fields)
        assert file["shape_para"].shape[1:] == file["exp_para"].shape[1:] == (0,)
        return {name: file[name].asstr()[:] if file[name].dtype == object else file[name][:] for name in file}


def predicted(path: Path) -> list[str]:
    """The faces of a file of predictions, all of them finite."""
    with hdf5.open_checked(path, PREDICTIONS) as file:
        assert file["map"].shape[1:] == (SIDE, SIDE, 3) and np.isfinite(file["map"][:]).all()
        return hdf5.texts(file["face"])


@pytest.fixture
def crops(tmp_path):
    """AFLW's crops, each the whole picture."""
    root = tmp_path / "data"
    chain = PointsChain(
        tmp_path, f"reader: aflw, root: {root}, detection: {{detector: whole}}", frame="roi120"
    )
    aflw(root, "archive")
    return chain


def test_aflw_keeps_its_yaw_and_nothing_that_it_does_not_state(crops):
    crops.run("source", "detect", "crop")
    kept, reaped = crops.ledger()
    assert kept == [f"{name}#0" for name in AFLW_NAMES] and reaped == {}
    pack, predictions = crops.infer()
    found = opened(pack)
    assert found["yaw_deg"].tolist() == [5.0, -40.0, 80.0, -100.0]
    assert all(np.isnan(found[name]).all() for name in UNKNOWN)
    assert found["image_height"].tolist() == [120] * 4
    np.testing.assert_allclose(found["transform"], [[1, 59.5, 59.5, 120]] * 4)
    assert found["group"].tolist() == ["image00002", "image00004", "image00004", "image00013"]
    assert found["image"].shape == (4, 120, 120, 3) and (found["image"].std(axis=(1, 2, 3)) > 5).all()
    assert predicted(predictions) == kept


def test_rows_of_aflw_without_a_point_in_the_crop_leave_with_the_chains_own_reasons(crops):
    labels = dict(np.load(crops.data / "labels.npz"))
    labels["pts21_450"][0] = -1
    labels["pts21_450"][1] += 500
    labels["pts21_450"][2, :, :2] = np.inf
    labels["pts21_450"][3, :, 1:] = -1
    np.savez(crops.data / "labels.npz", **labels)
    crops.run("source", "detect", "crop")
    kept, reaped = crops.ledger()
    assert kept == [f"{AFLW_NAMES[3]}#0"], "one visible point is a truth"
    codes, details = zip(*(reaped[f"{name}#0"] for name in AFLW_NAMES[:3]), strict=True)
    assert codes == ("annotation_missing", "mesh_outside_frame", "annotation_not_finite")
    assert details[0] == "labels.npz#0: expected a point of the face that is visible, found none"
    assert details[1].startswith("none of 21 points lies in the crop") and details[1].endswith("of 120 px")
    assert details[2] == "labels.npz#2: aflw21 is not finite"


def test_faces_of_aflw_lfpa_find_their_points_by_the_box(tmp_path):
    root = tmp_path / "data"
    chain = PointsChain(tmp_path, f"reader: aflw_lfpa, root: {root}, subset: test", "crop.faces=all")
    lfpa(root, side=220)
    picture(root / "TestImages/9.jpg", seed=9, side=220)
    chain.run("source")
    reader = DATASETS["aflw_lfpa"](subset="test")
    paths = {p.id: root / p.annotations[0] for p in reader.pictures(root)}
    points = {name: reader.annotation(paths[f"TestImages/{name}"], 220).points["lfpa34"] for name in "12"}
    corner = framed(np.array([[0.0, 0.0], [40.0, 50.0]]))
    faces = {
        "TestImages/1": [corner, framed(points["1"]) + 15],
        "TestImages/2": [framed(points["2"])],
        "TestImages/9": [corner],
    }
    save_detections(chain.results / "detect/mine", faces, [])
    chain.run("crop")
    kept, reaped = chain.ledger()
    assert kept == ["TestImages/1#1", "TestImages/2#0"]
    assert {face: code for face, (code, _) in reaped.items()} == {
        "TestImages/1#0": "unmatched",
        "TestImages/9#0": "annotation_missing",
    }
    pack, predictions = chain.infer()
    found = opened(pack)
    assert all(np.isnan(found[name]).all() for name in (*UNKNOWN, "yaw_deg"))
    assert found["image_height"].tolist() == [220, 220]
    inside = CropTransform.from_array(found["transform"][1]).apply(points["2"])
    np.testing.assert_allclose((np.nanmin(inside, 0) + np.nanmax(inside, 0)) / 2, [95.5, 95.5], atol=1e-3)
    assert predicted(predictions) == kept


def test_scans_of_florence_keep_their_pose_and_the_camera_of_the_scan(tmp_path):
    root = florence(tmp_path / "florence")
    scans = f"{{kind: florence, root: {root}, size: 96, poses: [[0, 0, 0], [20, 40, 0]]}}"
    chain = PointsChain(tmp_path, f"reader: florence, scans: {scans}")
    chain.run("render_scans", "source")
    images, reader = chain.results / "scans/mine/images", DATASETS["florence"]()
    truth = {p.id: reader.annotation(images / p.annotations[0], 96) for p in reader.pictures(images)}
    assert len(truth) == 4
    faces = {name: [framed(a.points["scan_visible"])] for name, a in truth.items()}
    save_detections(chain.results / "detect/mine", faces, [])
    chain.run("crop")
    kept, reaped = chain.ledger()
    first, second = (
        [f"{name}#0" for name in truth if name.startswith(who)] for who in ("subject_01", "subject_02")
    )
    assert kept == first
    assert {face: code for face, (code, _) in reaped.items()} == dict.fromkeys(second, "duplicate")
    pack, predictions = chain.infer()
    found = opened(pack)
    for k, name in enumerate(found["picture"]):
        np.testing.assert_array_equal(found["pose_para"][k], truth[name].pose)
        np.testing.assert_array_equal(found["camera"][k], truth[name].camera)
        assert found["yaw_deg"][k] == truth[name].yaw_deg
    assert sorted(found["yaw_deg"]) == [0, 40] and np.isnan(found["landmarks68"]).all()
    assert predicted(predictions) == kept


@pytest.mark.parametrize("dimensions", [2, 3])
def test_68_points_are_the_landmarks_and_the_annotation_detector_takes_them(tmp_path, dimensions):
    points = np.random.default_rng(4).uniform(20, 100, (68, dimensions))
    root = tmp_path / "data"
    chain = PointsChain(tmp_path, f"reader: youtube_faces, root: {root}, detection: {{detector: annotation}}")
    picture(root / "test/Zoe_40.jpg")
    kind = "keypoints" if dimensions == 3 else "frames_keypoints"
    line = ",".join(["Zoe_40.jpg", *map(repr, points.ravel().tolist())])
    (root / f"test_{kind}.csv").write_text(line + "\n")
    chain.run("source", "detect", "crop")
    assert chain.ledger() == (["test/Zoe_40#0"], {})
    found = opened(chain.infer()[0])
    np.testing.assert_array_equal(found["landmarks68"][0, :, :dimensions], points)
    assert np.isnan(found["landmarks68"][0, :, dimensions:]).all() and np.isnan(found["yaw_deg"]).all()


def test_the_jobs_of_points_take_neither_face_model_nor_target(crops):
    for stage in ("ground_truth", "pack"):
        job = crops.job(stage)
        assert not {"face_model", "target"} & (set(job.settings) | set(job.inputs))
        assert not [
            name for name in job.modules if name.startswith(("pipeline.targets", "pipeline.morphable"))
        ]
        dense = crops.job(stage, dataset="synth_test")
        assert "target" in dense.settings and "pipeline.targets.posmap" in dense.modules


def test_dense_truth_and_points_are_not_taken_for_each_other(crops):
    crops.run("source", "detect", "crop")
    crops.ledger()
    pack, _ = crops.infer()
    field = {"posmap": Field("uint16", (SIDE, SIDE, 3))}
    words = r"test\.h5: truth: expected dense, found points; delete the file and run"
    with pytest.raises(FacemillError, match=words), hdf5.open_checked(pack, PACK.extended(**field)):
        pass
    truth = Path(crops.job("ground_truth").outputs["ground_truth"])
    with h5py.File(truth, "r+") as file:
        file.attrs["truth"] = "dense"
    with pytest.raises(FacemillError, match="truth: expected points, found dense"):
        crops.run("pack")
    with h5py.File(truth, "r+") as file:
        del file.attrs["truth"]
    words = "truth: expected dense or points or none, found None"
    with pytest.raises(FacemillError, match=words), hdf5.open_checked(truth, GROUND_TRUTH):
        pass


def test_the_sheet_draws_the_true_landmarks_that_are_known(crops):
    crops.run("source", "detect", "crop")
    crops.ledger()
    crops.infer()
    job = crops.job("sheet")
    protocol = job.settings["protocol"]
    yaws = (float("nan"), 40.0, 5.0)
    scores = [
        Score(name, protocol, float(k), yaw, False)
        for k, (name, yaw) in enumerate(zip(AFLW_NAMES, yaws, strict=False))
    ]
    write_scores(Path(job.inputs["scores"]), {"model": scores})
    crops.run("sheet")
    drawn = read_picture(Path(job.outputs["sheet"]))
    assert drawn.shape[1] == 2 * 120 and drawn.shape[0] > 3 * 120
