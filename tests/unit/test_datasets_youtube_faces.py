"""YouTube-Faces key points on a small fake tree."""

import numpy as np
import pytest
from reader_trees import picture, refuses_rows

from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.youtube_faces import person
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

FRAMES = {
    "training": ["Abdel_Aziz_Al-Hakim_00.jpg", "Abdel_Aziz_Al-Hakim_11.jpg", "Agbani_Darego_20.jpg"],
    "test": ["Abdel_Aziz_Al-Hakim_00.jpg", "Zoe_40.jpg"],
}


def youtube(root, dimensions=3, header=True):
    """Both files, the first frame in both, as published; the points of each row."""
    kind = "keypoints" if dimensions == 3 else "frames_keypoints"
    points = {}
    for folder, names in FRAMES.items():
        points[folder] = np.random.default_rng(7).uniform(-20, 300, (len(names), 68, dimensions))
        lines = ["," + ",".join(map(str, range(68 * dimensions)))] if header else []
        for k, name in enumerate(names):
            lines.append(",".join([name, *map(repr, points[folder][k].ravel().tolist())]))
            picture(root / folder / name, seed=k)
        (root / f"{folder}_{kind}.csv").write_text("\n".join(lines) + "\n")
    return points


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_youtube_faces_as_published(tmp_path, dimensions, header):
    points = youtube(tmp_path, dimensions, header)
    reader = DATASETS["youtube_faces"]()
    pictures = reader.pictures(tmp_path)
    assert [p.path for p in pictures] == [f"{f}/{n}" for f, names in FRAMES.items() for n in names]
    assert [p.split for p in pictures] == ["train"] * 3 + ["test"] * 2
    assert [p.group for p in pictures][1:3] == ["Abdel_Aziz_Al-Hakim", "Agbani_Darego"]
    found = reader.annotation(tmp_path / pictures[2].annotations[0], 250)
    np.testing.assert_array_equal(found.landmarks68, points["training"][2])
    assert found.landmarks68.shape == (68, dimensions)
    assert not found.dense


def test_the_parts_of_youtube_faces_share_no_person_though_the_published_ones_do(tmp_path):
    youtube(tmp_path)
    parts = {part: DATASETS["youtube_faces"](subset=part, every=3) for part in ("train", "test")}
    groups = {part: [p.group for p in reader.pictures(tmp_path)] for part, reader in parts.items()}
    assert groups == {
        "train": ["Abdel_Aziz_Al-Hakim"] * 2 + ["Agbani_Darego", "Abdel_Aziz_Al-Hakim"],
        "test": ["Zoe"],
    }
    published = DATASETS["youtube_faces"]().pictures(tmp_path)
    both = [{p.group for p in published if p.split == part} for part in ("train", "test")]
    assert both[0] & both[1] == {"Abdel_Aziz_Al-Hakim"}


def test_a_row_of_youtube_faces_that_is_broken_has_a_reason_and_a_frame_may_be_missing(tmp_path):
    youtube(tmp_path)
    (tmp_path / "test/Zoe_40.jpg").unlink()
    with (tmp_path / "test_keypoints.csv").open("a") as file:
        file.write("\nA_00.jpg,1,2\nB_00.jpg" + ",x" * 204 + "\nC_00.jpg" + ",nan" * 204 + "\n")
    reader = DATASETS["youtube_faces"]()
    assert [p.id for p in reader.pictures(tmp_path)][3:] == [
        f"test/{n}" for n in ("Abdel_Aziz_Al-Hakim_00", "Zoe_40", "A_00", "B_00", "C_00")
    ]
    refuses_rows(
        reader,
        tmp_path / "test_keypoints.csv",
        250,
        (2, Reason.ANNOTATION_MISSING, "expected 204 or 136 numbers, found 2"),
        (3, Reason.ANNOTATION_MISSING, "could not convert string to float: 'x'"),
        (4, Reason.ANNOTATION_NOT_FINITE, "204 of 204 numbers are not finite"),
        (5, Reason.ANNOTATION_MISSING, "expected row 5, found 5 rows"),
    )


def test_what_youtube_faces_lacks_is_named(tmp_path):
    with pytest.raises(FacemillError, match=r"no data folder .*nowhere"):
        DATASETS["youtube_faces"]().pictures(tmp_path / "nowhere")
    with pytest.raises(FacemillError, match=r"expected one of training_keypoints.csv"):
        DATASETS["youtube_faces"]().pictures(tmp_path)
    (tmp_path / "training_keypoints.csv").write_text(",0,1\n")
    with pytest.raises(FacemillError, match="expected a line for each picture"):
        DATASETS["youtube_faces"]().pictures(tmp_path)


def test_a_name_with_a_nul_byte_is_one_line_and_in_a_number_a_reason(tmp_path):
    youtube(tmp_path)
    file = tmp_path / "test_keypoints.csv"
    text = file.read_bytes()
    file.write_bytes(text.replace(b"Zoe_40", b"Zoe\0_40"))
    message = r"test_keypoints\.csv: expected file names, found a NUL byte in 'Zoe\\x00_40\.jpg'"
    with pytest.raises(FacemillError, match=message):
        DATASETS["youtube_faces"]().pictures(tmp_path)
    file.write_bytes(text.replace(b"Zoe_40.jpg,", b"Zoe_40.jpg,\0"))
    reader = DATASETS["youtube_faces"]()
    address = reader.pictures(tmp_path)[-1].annotations[0]
    with pytest.raises(AnnotationProblem, match="could not convert") as problem:
        reader.annotation(tmp_path / address, 250)
    assert problem.value.reason is Reason.ANNOTATION_MISSING and "\0" not in str(problem.value)


@pytest.mark.parametrize(
    ("frame", "who"), [("Zoe_40", "Zoe"), ("Abdel_Aziz_Al-Hakim_00", "Abdel_Aziz_Al-Hakim"), ("Zoe", "Zoe")]
)
def test_the_person_in_a_frame(frame, who):
    assert person(frame) == who
