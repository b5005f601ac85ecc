"""ICT-FaceKit's files, splitting, expressions and chart pieces on meshes small enough to see through."""

import numpy as np
import pytest

from pipeline.morphable import load_face_model
from pipeline.morphable.ict import chart, expressions, parts, source
from pipeline.records import FacemillError

NAMES = [
    *(f"{name}_{side}" for name in expressions._BOTH for side in "LR"),
    *(f"eye{what}_{side}" for what in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp") for side in "LR"),
    *(
        "mouthSmile_L",
        "mouthSmile_R",
        "jawLeft",
        "jawRight",
        "jawOpen",
        "mouthLeft",
        "mouthRight",
        "mouthClose",
    ),
    *expressions._SINGLE,
]
NEUTRAL = """mtllib ICTFaceModelMaterial.mtl
v 0.0 0.0 0.0
v 1.0 0.0 0.5
v 1.0 1.0 0.0
v 0.0 1.0 0.0
v 0.5 2.0 0.25
vt 0.1 0.2
vt 0.9 0.2
vt 1.9 0.8
vt 0.1 0.8
vt 0.5 0.9
usemtl M_Face
s 1
f 1/1 2/2 3/3 4/4
f 4/4 3/3/1 5/5
"""
MOVED = "\n".join(f"v {x}" for x in ("0 0 0", "1 0 0.5", "1 1 0.125", "0 1 0", "0.5 2.5 0.25"))


@pytest.fixture
def folder(tmp_path):
    """A folder in FaceXModel's layout with a mesh of five vertices."""
    (tmp_path / "generic_neutral_mesh.obj").write_text(NEUTRAL)
    for name in ("identity000", "identity001", "jawOpen", "browDown_L", "PupilDilate_L"):
        (tmp_path / f"{name}.obj").write_text(MOVED + "\nf 1/1 2/2 3/3 4/4\n")
    (tmp_path / "ICTFaceModelMaterial.mtl").write_text("newmtl M_Face\n")
    return tmp_path


def test_a_folder_gives_the_arrays_of_the_npz(folder):
    content = source.read(folder)
    assert set(content) == set(source.KEYS)
    assert content["neutral"].shape == (5, 3) and content["neutral"][1].tolist() == [1.0, 0.0, 0.5]
    assert content["faces"].tolist() == [[0, 1, 2, 3], [3, 2, 4, -1]]
    assert content["uv_faces"].tolist() == content["faces"].tolist()
    assert content["uv"][2] == pytest.approx([1.9, 0.8])
    assert content["expression_names"].tolist() == ["browDown_L", "jawOpen"]
    moved = np.zeros((5, 3))
    moved[2, 2], moved[4, 1] = 0.125, 0.5
    for key in ("identity", "expression"):
        assert content[key].shape == (2, 5, 3)
        assert content[key] == pytest.approx(np.stack([moved, moved]))
    assert len(set(content["landmarks68"].tolist())) == 68


def test_what_is_wrong_with_a_folder_is_said(folder, tmp_path):
    (folder / "identity003.obj").write_text(MOVED)
    with pytest.raises(FacemillError, match="without a gap, found identity003"):
        source.read(folder)
    (folder / "identity003.obj").unlink()
    (folder / "jawOpen.obj").write_text("v 0 0 0\n")
    with pytest.raises(FacemillError, match=r"jawOpen\.obj: expected the 5 vertices"):
        source.read(folder)
    (folder / "jawOpen.obj").write_text("v 0 zero 0\n")
    with pytest.raises(FacemillError, match=r"jawOpen\.obj, line 1: expected v x y z"):
        source.read(folder)
    (folder / "jawOpen.obj").write_text("f 1/1 2/2 3/3\n")
    with pytest.raises(FacemillError, match=r"expected vertices \(lines v x y z\), found none"):
        source.read(folder)
    (folder / "generic_neutral_mesh.obj").write_text(NEUTRAL + "f 1/1 2/2 3/3 4/4 5/5\n")
    with pytest.raises(FacemillError, match="expected polygons of 3 or 4 corners written v/vt, found others"):
        source.read(folder)
    for corner, kind in (("9/4", "5 lines v"), ("4/9", "5 lines vt")):
        (folder / "generic_neutral_mesh.obj").write_text(NEUTRAL.replace("f 4/4", f"f {corner}"))
        with pytest.raises(FacemillError, match=f"expected polygons of the {kind}, found a number beyond"):
            source.read(folder)
    (folder / "generic_neutral_mesh.obj").unlink()
    with pytest.raises(FacemillError, match=r"expected generic_neutral_mesh\.obj"):
        source.read(folder)


def test_a_mesh_that_is_not_icts_is_refused(folder, tmp_path):
    with pytest.raises(FacemillError, match="26719 vertices and 26384 polygons, found 5 and 2"):
        load_face_model("ict", folder)
    with pytest.raises(FacemillError, match=r"set face_model\.path"):
        load_face_model("ict")
    with pytest.raises(FacemillError, match="no face model"):
        load_face_model("ict", tmp_path / "nothing.npz")
    np.savez(tmp_path / "half.npz", neutral=np.zeros((5, 3)))
    with pytest.raises(FacemillError, match="missing: identity, expression"):
        load_face_model("ict", tmp_path / "half.npz")


def test_quads_are_split_where_neither_half_turns_over():
    square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    arrow = [[0, 0], [1, 0], [0.2, 0.2], [0, 1]]
    turned = [[1, 0], [0.2, 0.2], [0, 1], [0, 0]]
    polygons = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, -1]])
    corners, rows = parts.triangulated(polygons, np.array([square, arrow, turned, square], float))
    assert rows.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert corners.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3], [0, 1, 2]]


def test_the_parts_follow_each_other_and_hold_all_landmarks():
    for first, second in zip(parts.PARTS, parts.PARTS[1:], strict=False):
        assert first.vertices[1] <= second.vertices[0] and first.polygons[1] <= second.polygons[0]
    assert source.LANDMARKS68.max() < parts.NARROW_FACE < parts.PARTS[0].vertices[1]
    assert parts.PARTS[-1].vertices[1] <= parts.VERTICES


def test_islands_are_packed_apart_and_a_mirrored_one_is_turned():
    square = np.array([[0, 0], [0.3, 0], [0.3, 0.2], [0, 0.2]])
    places = np.concatenate([square, square[::-1] + 5, square + 9])
    polygons = np.arange(12).reshape(3, 4)
    packed = chart._packed(places, polygons).reshape(3, 4, 2)
    a, b, c = packed[:, 0], packed[:, 1], packed[:, 2]
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (turn > 0).all()
    assert packed.min() > 0 and packed[..., 0].max() < 0.5 and packed[..., 1].max() < chart.BELOW
    low, high = packed.min(1), packed.max(1)
    for i in range(3):
        for j in range(i):
            gap = np.maximum(low[i] - high[j], low[j] - high[i]).max()
            assert gap >= chart.GAP - 1e-9


def test_every_expression_has_its_causes_and_the_eyes_turn_together():
    weights = expressions.mixture(NAMES)
    assert len(NAMES) == 53 and weights.shape[0] == 53
    assert [NAMES[row] for row in np.flatnonzero(~weights.any(1))] == ["mouthClose"]
    rng = np.random.default_rng(0)
    drawn = np.maximum(rng.standard_normal((400, weights.shape[1])) @ weights.T, 0)
    out_left, in_left, out_right, in_right = (
        drawn[:, NAMES.index(f"eyeLook{what}_{side}")] for side in "LR" for what in ("Out", "In")
    )
    assert (out_left > 0).mean() > 0.3 and (out_right > 0).mean() > 0.3
    assert out_left == pytest.approx(in_right) and out_right == pytest.approx(in_left)
    assert drawn[:, NAMES.index("mouthSmile_L")].max() < 1.3


def test_an_expression_that_nobody_knows_is_named():
    with pytest.raises(
        FacemillError, match="expected its 53 expressions, found 53; not the same: grin, jawOpen"
    ):
        expressions.mixture(["grin" if name == "jawOpen" else name for name in NAMES])
