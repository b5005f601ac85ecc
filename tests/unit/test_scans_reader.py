"""Rendered scans as a data set: what the reader gives, what the chain makes of it, what is said when it is wrong."""

import io

import numpy as np
import pytest
from pydantic import ValidationError
from scan_world import bu4dfe, florence, head, render, settings
from synthetic_head import egg

from pipeline import jobs
from pipeline import settings as configuration
from pipeline.config import ScanSettings
from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.plausible import checked
from pipeline.datasets.scans.layouts import list_scans
from pipeline.datasets.scans.poses import poses_of
from pipeline.datasets.scans.reader import Bu4dfe, Florence, Scans
from pipeline.io.hdf5 import open_checked, texts
from pipeline.io.meshes import Mesh, write_ply
from pipeline.io.tables import read_status, read_tsv
from pipeline.records import DETECTIONS, FacemillError, Reason
from pipeline.stages import detect, source

SCANS = "{kind: florence, root: SCANS}"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The Florence tree at three poses: images folder."""
    folder = tmp_path_factory.mktemp("florence")
    options = settings(
        florence(folder / "scans"), poses=[[0, 0, 0], [20, -80, 0], [20, 40, 0]], region="sphere"
    )
    render(folder, options)
    return folder / "images"


def test_pictures_are_a_benchmark_grouped_by_identity(rendered):
    pictures = Florence().pictures(rendered)
    assert [picture.id for picture in pictures[:3]] == [
        f"subject_01/frontal1_{pose}" for pose in ("p+0_y+0_r+0", "p+20_y+40_r+0", "p+20_y-80_r+0")
    ]
    assert len(pictures) == 6 and {picture.split for picture in pictures} == {"test"}
    assert {picture.group for picture in pictures} == {"subject_01", "subject_02"}
    assert all((rendered / picture.annotations[0]).is_file() for picture in pictures)
    assert "MICC" in pictures[0].licence and "BU-4DFE" in Bu4dfe().pictures(rendered)[0].licence
    parts = [
        {p.group for p in Scans(subset=subset, every=2).pictures(rendered)} for subset in ("train", "test")
    ]
    assert parts == [{"subject_01"}, {"subject_02"}]


def test_the_annotation_is_the_scan_in_the_pictures_pixels(rendered):
    path = rendered / "subject_02" / "frontal2_p+20_y-80_r+0.npz"
    found = Florence().annotation(path, 96)
    with np.load(path) as truth:
        region, visible, vertices = truth["region"], truth["visible"], truth["vertices"]
    assert not found.dense and found.landmarks68 is None and found.yaw_deg == -80
    np.testing.assert_array_equal(found.points["scan"], vertices[region])
    np.testing.assert_array_equal(found.points["scan_visible"], vertices[region & visible])
    assert 0 < len(found.points["scan_visible"]) < len(found.points["scan"]) < len(vertices)
    assert found.points["tip"].shape == (1, 3) and "landmarks" not in found.points
    radius = np.linalg.norm(found.points["scan"] - found.points["tip"], axis=1).max() / found.pose[6]
    assert 80 < radius <= 95.1, "mm about the tip of the nose"
    assert np.linalg.norm(found.camera[:, :3], axis=1) == pytest.approx([found.pose[6]] * 3)


def test_landmarks_of_68_are_those_of_the_chain_and_others_are_points(tmp_path):
    scans, marks = bu4dfe(tmp_path)
    options = settings(scans, kind="bu4dfe", landmarks=str(marks), poses=[[0, 0, 0]])
    render(tmp_path, options)
    path = tmp_path / "images" / "F001" / "Happy_001_p+0_y+0_r+0.npz"
    found = Bu4dfe().annotation(path, 96)
    assert found.landmarks68 is None and found.points["landmarks"].shape == (83, 3)
    for file in marks.rglob("*.bnd"):
        file.write_text("\n".join(line.split(" ", 1)[1] for line in file.read_text().splitlines()[:68]))
    render(tmp_path, options)
    again = Bu4dfe().annotation(path, 96)
    np.testing.assert_array_equal(again.landmarks68, found.points["landmarks"][:68])


def test_where_dense_truth_is_asked_for_the_reason_is_annotation_missing(rendered):
    name = "frontal1_p+0_y+0_r+0.npz"
    with pytest.raises(AnnotationProblem, match="labels: tddfa makes them") as problem:
        checked(Florence().annotation(rendered / "subject_01" / name, 96), egg(), name)
    assert problem.value.reason is Reason.ANNOTATION_MISSING


def test_the_chain_lists_and_finds_them(tmp_path):
    root = tmp_path / "scans"
    root.mkdir()
    write_ply(root / "anna.ply", head())
    rows = head().vertices[egg().keypoints]
    (root / "anna.bnd").write_text("\n".join(" ".join(f"{value:.6f}" for value in row) for row in rows))
    render(tmp_path, settings(root, kind="generic", poses=[[0, 0, 0], [0, 40, 0]]))
    common = {"root": str(tmp_path / "images"), "reader": "scans"}
    source.run(
        inputs={"rendered": []},
        outputs={"source": str(tmp_path / "source.tsv")},
        settings={**common, "subset": "all", "every": 5, "benchmark": True},
        wildcards={"dataset": "heads"},
        attributes={},
    )
    listed = read_tsv(tmp_path / "source.tsv")
    assert [row["group"] for row in listed] == ["anna", "anna"] and listed[0]["licence"] == Scans.licence
    detection = configuration.load(
        (), ["detection={detector: annotation, points: fan}"]
    ).detection.model_dump()
    detect.run(
        inputs={"source": str(tmp_path / "source.tsv"), "weights": []},
        outputs={"detections": str(tmp_path / "0.h5"), "status": str(tmp_path / "0.tsv")},
        settings={
            **common,
            "shards": 1,
            "detection": detection,
            "face_model": {"id": "procedural", "path": None},
        },
        wildcards={"dataset": "heads", "shard": "0"},
        attributes={},
    )
    assert [row.reason for row in read_status(tmp_path / "0.tsv")] == [None, None]
    with open_checked(tmp_path / "0.h5", DETECTIONS) as file:
        points = dict(zip(texts(file["picture"]), file["landmarks68"][:], strict=True))
    for picture, found in points.items():
        true = Scans().annotation(tmp_path / "images" / f"{picture}.npz", 96).landmarks68
        np.testing.assert_allclose(found, true[:, :2], atol=1e-4)


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        ("absent", Reason.ANNOTATION_MISSING, "no file"),
        ("cut", Reason.ANNOTATION_MISSING, "cannot be read as a scan's truth"),
        ("foreign", Reason.ANNOTATION_MISSING, "cannot be read as a scan's truth"),
        ("key", Reason.ANNOTATION_MISSING, "expected visible, found none"),
        ("shape", Reason.ANNOTATION_MISSING, r"expected vertices, found float32 of shape \(3, 1800\)"),
        ("nan", Reason.ANNOTATION_NOT_FINITE, "vertices is not finite"),
        ("height", Reason.ANNOTATION_IMPLAUSIBLE, "a picture 96 px tall, found one of 97 px"),
    ],
)
def test_a_broken_truth_file_is_a_reason(rendered, tmp_path, change, reason, message):
    good = (rendered / "subject_01" / "frontal1_p+0_y+0_r+0.npz").read_bytes()
    with np.load(io.BytesIO(good)) as archive:
        arrays = dict(archive)
    if change == "key":
        del arrays["visible"]
    elif change == "shape":
        arrays["vertices"] = arrays["vertices"].T
    elif change == "nan":
        arrays["vertices"][7] = np.nan
    path = tmp_path / "truth.npz"
    if change in ("cut", "foreign"):
        path.write_bytes(good[: len(good) // 2] if change == "cut" else b"no archive")
    elif change != "absent":
        np.savez(path, **arrays)
    with pytest.raises(AnnotationProblem, match=message) as problem:
        Scans().annotation(path, 97 if change == "height" else 96)
    assert problem.value.reason is reason


def test_a_picture_outside_the_folders_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"a picture")
    with pytest.raises(FacemillError, match="a folder for each identity"):
        Scans().pictures(tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"root": "nowhere"}, "no folder of scans"),
        ({"kind": "bu4dfe"}, "expected scans of kind bu4dfe as F001/Happy/000.wrl, found none"),
        (
            {"views": ["rear"]},
            r"expected scans of kind florence as subject_XX/Model/rear/obj/\*\.obj, found none",
        ),
        ({"skip": ["subject_03"]}, "scans.skip names subject_03, of which there is no scan"),
        ({"skip": ["subject_01", "subject_02"]}, "leaves none of 2 scans"),
        ({"poses": []}, "expected different poses"),
        ({"poses": [[0, 0, 0], [0, -0.0, 0]]}, "expected different poses"),
        (
            {"nose": 3},
            r"row 3 of its landmarks, found 0 rows; .* out by datasets\.heads\.scans\.skip: \[subject_01\]",
        ),
        ({"landmarks": "nowhere"}, "no folder of landmarks"),
        ({"radius": 4000.0}, "set scans.radius in the scan's own unit"),
    ],
)
def test_settings_that_fit_no_scan_say_so(tmp_path, changed, message):
    root = florence(tmp_path / "scans")
    options = ScanSettings.model_validate({**settings(root).model_dump(), **changed})
    with pytest.raises(FacemillError, match=message):
        render(tmp_path, options)


def test_a_scan_that_cannot_be_read_or_seen_names_itself(tmp_path):
    root = florence(tmp_path / "scans")
    mesh = root / "subject_02/Model/frontal2/obj/110920150452.obj"
    whole = mesh.read_text()
    mesh.write_text(whole[: len(whole) // 3])
    with pytest.raises(FacemillError, match=r"110920150452\.obj.*or leave subject_02 out by"):
        render(tmp_path, settings(root, poses=[[0, 0, 0]]))
    files = render(tmp_path, settings(root, poses=[[0, 0, 0]], skip=["subject_02"]))
    assert len(files) == 2
    mesh.write_text(whole)
    mesh.with_suffix(".png").unlink()
    with pytest.raises(FacemillError, match=r"110920150452\.png: No such file"):
        render(tmp_path, settings(root, poses=[[0, 0, 0]]))
    (mesh.parent / "another.obj").write_text(whole)
    with pytest.raises(FacemillError, match=r"expected one \.obj, found 110920150452\.obj, another\.obj"):
        render(tmp_path, settings(root))
    (tmp_path / "bare").mkdir()
    bare = head()
    write_ply(tmp_path / "bare" / "a.ply", Mesh(bare.vertices, bare.triangles))
    options = settings(tmp_path / "bare", kind="generic", poses=[[0, 0, 0]])
    with pytest.raises(FacemillError, match=r"set scans\.ambient to 0\.3 and scans\.lamp to 0\.7"):
        render(tmp_path / "b", options)
    render(tmp_path / "b", options.model_copy(update={"ambient": 0.3, "lamp": 0.7}))
    (tmp_path / "bare" / "a.bnd").write_text("1 2 three\n")
    with pytest.raises(FacemillError, match=r"a\.bnd, line 1: expected x y z"):
        render(tmp_path / "b", options)


def test_two_scans_of_one_name_are_refused(tmp_path):
    for name in ("a/b_c.ply", "a/b/c.ply"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_ply(tmp_path / name, head())
    with pytest.raises(FacemillError, match="would both be a/b_c"):
        list_scans(settings(tmp_path, kind="generic"), tmp_path)


def test_the_config_knows_scans(tmp_path):
    root = florence(tmp_path)
    assignments = [f"datasets.heads={{reader: florence, scans: {SCANS.replace('SCANS', str(root))}}}"]
    config = configuration.load((), [*assignments, "evaluation.benchmarks=[heads]", "results=out"])
    assert len(poses_of(config.datasets["heads"].scans)) == 15
    job = jobs.job(config, "render_scans", dataset="heads", shard=1)
    assert (
        job.outputs == {"manifest": "out/scans/heads/1.tsv"}
        and job.settings["images"] == "out/scans/heads/images"
    )
    listing = jobs.job(config, "source", dataset="heads")
    assert listing.inputs == {"rendered": ["out/scans/heads/0.tsv", "out/scans/heads/1.tsv"]}
    assert listing.settings["root"] == "out/scans/heads/images" and listing.settings["benchmark"]
    jobs.require_data(config)
    missing = configuration.load(
        (), ["datasets.synth_test={synthetic: null, scans: {kind: generic, root: /nowhere}}"]
    )
    with pytest.raises(FacemillError, match=r"datasets\.synth_test\.scans\.root: expected a file or folder"):
        jobs.require_data(missing)
    with pytest.raises(FacemillError, match="has no scans to render"):
        jobs.job(config, "render_scans", dataset="synth_test", shard=0)
    with pytest.raises(FacemillError, match="expected either root"):
        configuration.load((), ["datasets.synth_test.scans={kind: generic, root: /nowhere}"])
    with pytest.raises(FacemillError, match=r"unknown key 'rot'.*Did you mean 'root'"):
        configuration.load((), ["datasets.a={scans: {kind: generic, rot: /nowhere}}"])
    with pytest.raises(ValidationError, match="poses"):
        settings(tmp_path, poses="vrn")
