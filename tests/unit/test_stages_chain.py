"""From a folder of pictures to packs: every way a face can be lost is a row, and the rows add up."""

import json

import h5py
import numpy as np
import pytest
from stage_world import PICTURES, POSE, SIDE, DomeTarget, build, landmarks, save_detections, save_picture

from pipeline.datasets.base import Picture
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.io.ledger import balance, read_balance
from pipeline.io.tables import read_status, read_tsv, write_status
from pipeline.records import CROPS, PACK, FacemillError, Reason
from pipeline.stages import contact_sheet, crop, ledger, source


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The tiny data set and its stages."""
    return build(tmp_path, monkeypatch)


def test_source_lists_every_picture_and_names_the_copy(world):
    rows = world.source()
    assert [row["id"] for row in rows] == list(PICTURES)
    assert {row["id"]: row["duplicate_of"] for row in rows if row["duplicate_of"]} == {"P_004_0": "P_001_0"}
    by_id = {row["id"]: row for row in rows}
    assert by_id["P_005_0"]["annotations"] == "P_005_0.mat;P_005_0_f1.mat"
    assert by_id["P_007_0"]["annotations"] == ""
    assert by_id["P_011_0"]["group"] == by_id["P_011_1"]["group"] == "P_011"
    assert {row["split"] for row in rows} == {"train"}
    assert all(len(row["sha256"]) == 64 for row in rows)
    assert {row["split"] for row in world.source(benchmark=True)} == {"test"}


def test_source_does_not_call_empty_files_copies_of_each_other(world):
    for name in ("P_001_0", "P_002_0"):
        (world.folder / f"data/{name}.jpg").write_bytes(b"")
    assert [row["duplicate_of"] for row in world.source()][:2] == ["", ""]


def test_a_benchmark_is_not_learned_from(world):
    with pytest.raises(FacemillError, match=r"is a test picture .*subset to train"):
        world.source(reader="aflw2000_3d")
    assert world.source(reader="aflw2000_3d", subset="train")


@pytest.mark.parametrize("name", ["two  spaces.jpg", "bell\a.jpg", "caf\udce9.jpg"])
def test_names_that_the_tables_cannot_hold_are_refused(world, name):
    (world.folder / "data" / name).write_bytes(b"")
    with pytest.raises(FacemillError, match="rename the file") as error:
        world.source()
    assert str(error.value).isprintable()


def test_a_name_with_a_nul_byte_from_a_list_is_refused_before_it_is_opened():
    with pytest.raises(FacemillError, match=r"'a\\x00\.jpg' holds .* a control character"):
        source._check("d", [Picture("a", "a\0.jpg", "train", "a")], False)


def test_two_pictures_of_one_name_are_refused(world):
    save_picture(world.folder / "data/P_001_0.png", 99)
    with pytest.raises(FacemillError, match="same id P_001_0"):
        world.source()


def test_every_reason_is_a_row_and_the_rows_add_up(world):
    kept, reaped = world.all()
    assert [row["face"] for row in kept] == ["P_001_0#0", "P_005_0#0", "P_011_0#0", "P_011_1#0"]
    assert {row["face"]: row["code"] for row in reaped} == {
        "P_002_0": "no_face",
        "P_003_0": "unreadable",
        "P_004_0#0": "duplicate",
        "P_005_0#1": "another_chosen",
        "P_006_0#0": "outside_frame",
        "P_007_0#0": "annotation_missing",
        "P_008_0#0": "annotation_not_finite",
        "P_009_0#0": "unmatched",
        "P_010_0#0": "out_of_map_range",
    }
    counts = read_balance(*(world.path(f"{name}.tsv") for name in ("source", "kept", "reaped")))
    assert (counts.pictures, counts.source, counts.kept) == (12, 13, 4)
    assert counts.source == counts.kept + sum(counts.reaped.values())
    values = {row["face"]: row["value"] for row in reaped}
    assert float(values["P_006_0#0"]) > 0.25
    assert [row["row"] for row in kept] == ["0", "1", "2", "3"]


def test_all_faces_or_only_pictures_with_one(world):
    world.source()
    world.detect()
    assert [world.crop(faces="all")[f"P_005_0#{k}"].reason for k in range(2)] == [None, None]
    both = {world.ground_truth()[f"P_005_0#{k}"].reason for k in range(2)}
    assert both == {None}
    assert [world.crop(faces="one")[f"P_005_0#{k}"].reason for k in range(2)] == [Reason.SEVERAL_FACES] * 2


def test_the_best_face_by_score_size_or_place(world):
    faces = crop.Detected(
        ["a", "b", "c"],
        np.array([[0, 0, 10, 10], [80, 80, 120, 120], [150, 0, 199, 60]], float),
        np.array([0.9, 0.5, 0.7]),
        np.zeros((3, 68, 2)),
        np.zeros((3, 68, 2)),
    )
    chosen = [crop.choose(faces, rule, SIDE, SIDE) for rule in ("score", "size", "central")]
    assert chosen == [0, 2, 1]


def test_a_crop_holds_the_pixels_of_its_transform(world):
    world.source()
    world.detect()
    world.crop()
    with hdf5.open_checked(world.path("crops.h5"), CROPS) as file:
        assert file["image"].chunks == (1, 192, 192, 3)
        transform = CropTransform.from_array(file["transform"][0])
        moved = transform.apply(landmarks(POSE))
        assert file["picture_size"][0].tolist() == [SIDE, SIDE]
        assert file["image"][0].std() > 5
    np.testing.assert_allclose((moved.min(0) + moved.max(0)) / 2, [95.5, 95.5], atol=1e-3)


def test_the_whole_picture_is_a_crop_without_landmarks(world):
    world.source()
    faces = {"P_001_0": [np.full((68, 2), np.nan)]}
    world.detections = save_detections(world.folder, faces, [])
    inputs = {"source": world.path("source.tsv"), **world.detections}
    settings = {"root": world.path("data"), "shards": 1, "whole": True, "crop": {}}
    world.run(crop, inputs, {"crops": "crops.h5", "status": "crop.tsv"}, settings)
    with h5py.File(world.path("crops.h5")) as file:
        np.testing.assert_allclose(file["transform"][0], [192 / SIDE, 99.5, 99.5, 192])
    assert world.ground_truth()["P_001_0#0"].reason is None


def test_the_truth_is_the_annotation_in_the_crop(world):
    world.all()
    with h5py.File(world.path("truth.h5")) as file:
        transform = CropTransform.from_array(file["transform"][0])
        expected = transform.resized(96).apply(landmarks(POSE))
        np.testing.assert_allclose(file["points"][0][:68, :2], expected, atol=1e-2)
        np.testing.assert_allclose(file["landmarks68"][0][:, :2], landmarks(POSE), atol=1e-9)
        np.testing.assert_allclose(file["pose_para"][0], POSE)
        assert file["image_height"][0] == SIDE
        assert file["yaw_deg"][0] == 0
        assert file.attrs["scale"] == 1.0


def test_each_of_two_faces_gets_its_own_annotation(world):
    world.source()
    world.detect()
    world.crop(faces="all")
    world.ground_truth()
    with h5py.File(world.path("truth.h5")) as file:
        faces = hdf5.texts(file["face"])
        x = [file["pose_para"][faces.index(f"P_005_0#{k}")][3] for k in range(2)]
    assert x == [61.0, 151.0]


def test_a_lost_status_row_is_an_error_never_a_silent_skip(world):
    world.all()
    rows = read_status(world.path("crop.tsv"))
    write_status(world.path("crop.tsv"), [row for row in rows if row.face != "P_001_0#0"])
    with pytest.raises(FacemillError, match="crop says nothing of P_001_0#0"):
        world.reap()
    write_status(world.path("crop.tsv"), [*rows, rows[0]])
    with pytest.raises(FacemillError, match="speaks twice"):
        world.reap()


def test_a_balance_that_is_off_is_refused():
    source_rows = [{"id": "a"}, {"id": "b"}]
    row = {"face": "a#0", "picture": "a"}
    with pytest.raises(FacemillError, match="missing from it, as b"):
        balance(source_rows, [row], [])
    with pytest.raises(FacemillError, match="twice"):
        balance(source_rows, [row], [{**row, "code": "no_face"}])
    with pytest.raises(FacemillError, match="not in the source"):
        balance(source_rows[:1], [row, {"face": "c", "picture": "c"}], [])


def test_packs_keep_groups_whole_and_hold_every_kept_face_once(world):
    kept, _ = world.all()
    groups, faces = {}, []
    for split in ("train", "val"):
        with hdf5.open_checked(world.pack(split), PACK.extended(**DomeTarget.fields)) as file:
            groups[split] = set(hdf5.texts(file["group"]))
            faces += hdf5.texts(file["face"])
            assert file["image"].chunks == (1, 192, 192, 3)
            assert file["points"].chunks == (1, 70, 3)
            assert file.attrs["colour"] == "rgb"
    assert not groups["train"] & groups["val"]
    assert sorted(faces) == sorted(row["face"] for row in kept)


def test_a_packed_sample_is_the_crop_and_the_truth_of_one_face(world):
    world.all()
    path = world.pack("test", benchmark=True)
    with (
        h5py.File(path) as file,
        h5py.File(world.path("crops.h5")) as crops,
        h5py.File(world.path("truth.h5")) as t,
    ):
        for k, face in enumerate(hdf5.texts(file["face"])):
            in_crops, in_truth = hdf5.texts(crops["face"]).index(face), hdf5.texts(t["face"]).index(face)
            np.testing.assert_array_equal(file["image"][k], crops["image"][in_crops])
            np.testing.assert_array_equal(file["points"][k], t["points"][in_truth])
            np.testing.assert_array_equal(file["transform"][k], crops["transform"][in_crops])


def test_no_kept_face_is_one_clear_line(world):
    world.all()
    with pytest.raises(FacemillError, match=r"tiny: no kept face for the split 'val'"):
        world.pack("val", validation=0.0)


def test_a_pack_whose_parts_disagree_is_refused(world):
    world.all()
    with h5py.File(world.path("truth.h5"), "r+") as file:
        file["face"][0] = "somebody"
    with pytest.raises(FacemillError, match="disagree on a face"):
        world.pack("test", benchmark=True)


def test_two_runs_are_equal_to_the_byte(world):
    names = (
        "source.tsv",
        "crops.h5",
        "crop.tsv",
        "truth.h5",
        "truth.tsv",
        "kept.tsv",
        "reaped.tsv",
        "test.h5",
    )
    runs = []
    for _ in range(2):
        world.all()
        world.pack("test", benchmark=True)
        runs.append([(world.folder / name).read_bytes() for name in names])
    assert [a == b for a, b in zip(*runs, strict=True)] == [True] * len(names)


def test_the_ledger_prints_the_balance_in_words(world, capsys):
    world.all()
    inputs = {name: [world.path(f"{name}.tsv")] for name in ("source", "kept", "reaped")}
    settings = {"sets": [["fan192", "dome", "tiny"]]}
    world.run(ledger, inputs, {"ledger": "ledger.tsv"}, settings)
    shown = capsys.readouterr().out
    assert "tiny (fan192, dome): 12 pictures, 13 rows = 4 kept + 9 reaped (69.2%)" in shown
    assert "another face was chosen" in shown
    (row,) = read_tsv(world.path("ledger.tsv"))
    assert (row["kept"], row["reaped"], row["no_face"]) == ("4", "9", "1")
    assert json.dumps(read_balance(*(inputs[k][0] for k in inputs)).as_values())


def test_the_contact_sheet_has_a_band_for_each_reason(world):
    import cv2

    world.all()
    inputs = {name: world.path(f"{name}.tsv") for name in ("source", "kept", "reaped")}
    inputs["detections"] = [world.detections["detections"]]
    settings = {"root": world.path("data")}
    world.run(contact_sheet, inputs, {"contact_sheet": "sheet.png"}, settings)
    sheet = cv2.imread(world.path("sheet.png"))
    band = contact_sheet.HEAD + contact_sheet.TILE + contact_sheet.FOOT + contact_sheet.GAP
    assert sheet.shape[0] == 10 * band
    marks = (sheet == np.array(contact_sheet.MARK)[::-1]).all(axis=2)
    assert marks[:band].any()
