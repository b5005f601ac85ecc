"""The files of a synthetic data set: 300W-LP's form, the round trip, the defects, the same bytes however sharded."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from synthetic_head import BARE, egg, settings, synthesiser

from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.face_300w_lp import Face300WLP
from pipeline.datasets.synthetic import writer
from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.plan import Kind
from pipeline.io import hdf5
from pipeline.io.images import UnreadablePicture, read_picture
from pipeline.io.tables import read_tsv
from pipeline.records import Reason
from pipeline.stages import synthesise

MIXED = {
    "share_none": 0.15,
    "share_several": 0.15,
    "share_duplicate": 0.15,
    "share_unreadable": 0.15,
    "share_broken": 0.15,
}


def render(folder: Path, monkeypatch, shards: int, **changed: object) -> dict[str, str]:
    """Run the stage for every shard; file name -> sha256 of what lies in the images folder."""
    monkeypatch.setattr(synthesise, "load_face_model", lambda **block: egg())
    options = settings(**changed).model_dump()
    for shard in range(shards):
        synthesise.run(
            inputs={},
            outputs={"manifest": str(folder / f"{shard}.tsv"), "truth": str(folder / f"{shard}.h5")},
            settings={
                "images": str(folder / "images"),
                "seed": 3,
                "shards": shards,
                "face_model": {"id": "procedural", "path": None},
                "synthetic": options,
            },
            wildcards={"dataset": "eggs", "shard": str(shard)},
            attributes={},
        )
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (folder / "images").iterdir()}


def test_the_same_bytes_whatever_the_shards(tmp_path, monkeypatch):
    whole = render(tmp_path / "a", monkeypatch, 1, pictures=9, **MIXED)
    parts = render(tmp_path / "b", monkeypatch, 4, pictures=9, **MIXED)
    assert whole == parts and len(whole) > 9
    listed = {row["file"]: row["sha256"] for k in range(4) for row in read_tsv(tmp_path / "b" / f"{k}.tsv")}
    assert listed == parts


def test_a_shorter_data_set_leaves_no_old_pictures(tmp_path, monkeypatch):
    render(tmp_path, monkeypatch, 2, pictures=6)
    (tmp_path / "images" / "note.txt").write_text("a user's own")
    names = render(tmp_path, monkeypatch, 2, pictures=3)
    assert sorted(n for n in names if n.endswith(".jpg")) == sorted(
        f"{synthesiser(3, pictures=3).name(i)}.jpg" for i in range(3)
    )
    assert "note.txt" in names


def test_the_mat_gives_the_drawn_vertices_back(tmp_path):
    for index in range(4):
        made = synthesiser(yaw_limit=90.0)
        rendered = made.picture(index)
        writer.write_files(tmp_path, writer.files_of(f"p{index}", rendered))
        annotation = Face300WLP().annotation(tmp_path / f"p{index}.mat", rendered.image.shape[0])
        face = rendered.faces[0]
        drawn = made.traits.vertices(face.shape, face.expression)
        drawn = Head(made.traits, drawn, face.pose.astype(np.float64), rendered.image.shape[0]).image
        assert drawn[egg().keypoints] == pytest.approx(face.landmarks, abs=1e-9)
        assert np.abs(annotation.vertices(egg()) - drawn).max() < 0.01
        arrays = scipy.io.loadmat(tmp_path / f"p{index}.mat")
        assert arrays["pt2d"] - 1 == pytest.approx(face.landmarks[:, :2].T)


def test_every_array_has_the_form_of_300w_lp():
    data = writer.mat_bytes(writer.annotation(synthesiser().picture(0).faces[0], np.zeros(10)))
    assert b"Created on" not in data[:116]
    import io

    arrays = scipy.io.loadmat(io.BytesIO(data))
    forms = {name: (a.shape, a.dtype.str[1:]) for name, a in arrays.items() if not name.startswith("__")}
    assert forms == {
        "Pose_Para": ((1, 7), "f4"),
        "Shape_Para": ((199, 1), "f8"),
        "Exp_Para": ((29, 1), "f8"),
        "Tex_Para": ((199, 1), "f8"),
        "Color_Para": ((1, 7), "f4"),
        "Illum_Para": ((1, 10), "f8"),
        "pt2d": ((2, 68), "f8"),
        "roi": ((1, 4), "i2"),
    }


def test_a_face_model_with_more_expressions_gets_a_longer_array(tmp_path):
    arrays = writer.annotation(synthesiser().picture(0).faces[0], np.zeros(10))
    face = replace(synthesiser().picture(0).faces[0], expression=np.linspace(0, 1, 53))
    longer = writer.annotation(face, np.zeros(10))
    assert longer["Exp_Para"].shape == (53, 1) and longer["Shape_Para"].shape == (199, 1)
    (tmp_path / "p.mat").write_bytes(writer.mat_bytes(longer))
    assert Face300WLP().annotation(tmp_path / "p.mat", 96).expression == pytest.approx(np.linspace(0, 1, 53))
    for key, wrong in (("Exp_Para", np.zeros((28, 1))), ("Shape_Para", np.zeros((200, 1)))):
        (tmp_path / "p.mat").write_bytes(writer.mat_bytes({**arrays, key: wrong}))
        with pytest.raises(AnnotationProblem, match=f"numbers in {key}, found {len(wrong)}"):
            Face300WLP().annotation(tmp_path / "p.mat", 96)


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        ("nan", Reason.ANNOTATION_NOT_FINITE),
        ("key", Reason.ANNOTATION_MISSING),
        ("absent", Reason.ANNOTATION_MISSING),
    ],
)
def test_a_broken_annotation_gets_its_reason(tmp_path, defect, reason):
    arrays = writer.annotation(synthesiser().picture(0).faces[0], np.zeros(10))
    broken = writer.break_annotation(arrays, defect)
    if broken is not None:
        (tmp_path / "p.mat").write_bytes(writer.mat_bytes(broken))
    with pytest.raises(AnnotationProblem) as problem:
        Face300WLP().annotation(tmp_path / "p.mat", 96)
    assert problem.value.reason is reason


def test_a_wrong_scale_is_wrong_about_the_same_centre(tmp_path):
    size = 450
    face = synthesiser(size=size).picture(0).faces[0]
    broken = writer.break_annotation(writer.annotation(face, np.zeros(10)), "scale")
    (tmp_path / "p.mat").write_bytes(writer.mat_bytes(broken))
    points = Face300WLP().annotation(tmp_path / "p.mat", size).vertices(egg())[egg().keypoints, :2]
    centre = (points.min(0) + points.max(0)) / 2
    true = face.landmarks[:, :2]
    assert centre == pytest.approx((true.min(0) + true.max(0)) / 2, abs=0.1)
    assert np.ptp(points, axis=0) == pytest.approx(2.6 * np.ptp(true, axis=0), rel=1e-3)


def test_an_unreadable_picture_stops_in_the_middle(tmp_path):
    made = synthesiser(share_unreadable=1.0)
    files = writer.files_of("p", made.picture(0))
    writer.write_files(tmp_path, files)
    with pytest.raises(UnreadablePicture, match="truncated"):
        read_picture(tmp_path / "p.jpg")


def test_a_duplicate_has_the_bytes_of_its_original():
    made = synthesiser(share_duplicate=0.4, pictures=30)
    copies = [i for i in range(1, 30) if made.kind(i) is Kind.DUPLICATE]
    rendered = made.picture(copies[-1])
    others = [i for i in range(copies[-1]) if made.kind(i) is Kind.ORDINARY]
    assert rendered.kind is Kind.DUPLICATE
    assert made.picture(others[-1]).jpeg == rendered.jpeg
    assert made.picture(others[-2]).jpeg != rendered.jpeg


def test_further_faces_have_further_files_and_the_truth_a_row_each(tmp_path, monkeypatch):
    names = render(tmp_path, monkeypatch, 1, pictures=8, share_several=0.5, share_none=0.3)
    with hdf5.open_checked(tmp_path / "0.h5", writer.TRUTH) as file:
        pictures, kinds = hdf5.texts(file["picture"]), hdf5.texts(file["kind"])
        faces = file["face"][:]
        marks, visible = file["vertices68"][:], file["visible68"][:]
    assert len(set(pictures)) == 8
    for picture, kind, face in zip(pictures, kinds, faces, strict=True):
        suffix = "" if face <= 0 else f"_f{face}"
        assert (f"{picture}{suffix}.mat" in names) == (kind != "none")
    assert {"none", "several"} <= set(kinds) and faces.max() >= 1
    seen = marks[visible.astype(bool)]
    assert seen[:, :2].min() >= -0.5 and seen[:, :2].max() <= 95.5


def test_hard_faces_are_hidden_cut_or_gone():
    buried = [synthesiser(share_impossible=1.0, **BARE).picture(i) for i in range(12)]
    by_defect = {rendered.defect: rendered for rendered in buried}
    assert len(by_defect) >= 3
    for defect, rendered in by_defect.items():
        face = rendered.faces[0]
        if defect == "buried":
            assert face.hidden > 0.8 and face.visible.mean() < 0.2
        elif defect == "outside":
            assert face.inside < 0.25
        elif defect == "tiny":
            assert np.ptp(face.landmarks[:, 0]) < 5
        elif defect == "black":
            assert rendered.image.mean() < 25
        elif defect == "smeared":
            assert np.abs(np.diff(rendered.image.astype(float), axis=0)).mean() < 4
    cut = [synthesiser(share_cut=1.0, **BARE).picture(i).faces[0].inside for i in range(5)]
    assert min(cut) < 0.9 and max(cut) < 1 and min(cut) > 0.1
