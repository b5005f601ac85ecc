"""Real photos without annotations to packs, by a published checkpoint: whole crops, and photos with faces to find."""

import os
import zipfile

import h5py
import numpy as np
import pytest
from photo_chain import run

from pipeline.io.tables import read_tsv

CROPS, PHOTOS = 16, 4
MISSED = (
    "image00497",
    "image00617",
    "image00696",
    "image01591",
    "image02474",
    "image02539",
    "image02721",
    "image02832",
)
AFLW21_TO_68 = {6: 36, 8: 39, 9: 42, 11: 45, 17: 48, 19: 54, 20: 8}
"""Eye corners, mouth corners and chin among AFLW's 21 points and the 68."""


def codes(outputs):
    """Picture -> code of its reaped face, and the set of kept pictures."""
    reaped = {row["picture"]: row["code"] for row in read_tsv(outputs["reap"]["reaped"])}
    return reaped, {row["picture"] for row in read_tsv(outputs["reap"]["kept"])}


def test_aflw_crops_are_labelled_as_they_are(data, tmp_path):
    """The mean distance to AFLW's own points is a few per cent of the face."""
    truth = np.load(data / "aflw-gt-crops/labels.npz")
    names = [str(name) for name in truth["names"]]
    (tmp_path / "photos").mkdir()
    with zipfile.ZipFile(data / "aflw-gt-crops/crops120.zip") as archive:
        for member in archive.namelist()[:: 3000 // CROPS][:CROPS]:
            (tmp_path / "photos" / member.rsplit("/")[-1]).write_bytes(archive.read(member))
    outputs = run(tmp_path / "photos", tmp_path / "results", {"detector": "whole"}, {})
    reaped, kept = codes(outputs)
    assert len(kept) >= CROPS - 2 and len(kept) + len(reaped) == CROPS
    assert set(reaped.values()) <= {"label_unstable", "label_outside"}
    errors = []
    with h5py.File(outputs["pack"]["pack"]) as pack:
        assert pack["image"].shape[1:] == (120, 120, 3)
        for k, picture in enumerate(pack["picture"].asstr()[:]):
            known = truth["pts21_crop120"][names.index(picture)].T[list(AFLW21_TO_68)]
            found = pack["landmarks68"][k][list(AFLW21_TO_68.values()), :2]
            size = np.sqrt(np.prod(np.ptp(pack["landmarks68"][k][:, :2], axis=0)))
            errors.append(100 * np.nanmean(np.linalg.norm(found - known, axis=1)) / size)
    assert np.median(errors) < 6


@pytest.fixture(scope="module")
def photos(data, tmp_path_factory):
    """The outputs for the pictures in which FaceBoxes finds nothing, and a few others."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "photos").mkdir()
    names = [path.stem for path in sorted((data / "aflw2000-dev/images").glob("*.jpg"))]
    for name in {*MISSED, *names[:: 400 // PHOTOS]}:
        os.symlink(data / f"aflw2000-dev/images/{name}.jpg", folder / f"photos/{name}.jpg")
    detection = {"weights": "${FACEMILL_DATA}/weights/FaceBoxesProd.pth", "score": 0.5, "peak": 0.0}
    return run(folder / "photos", folder / "results", detection, {"roi": "box"})


def test_the_ledger_names_the_pictures_in_which_faceboxes_finds_no_face(photos):
    reaped, kept = codes(photos)
    assert {name for name, code in reaped.items() if code == "no_face"} == set(MISSED)
    assert len(reaped) + len(kept) == len(MISSED) + PHOTOS


def test_faces_cut_by_their_boxes_are_labelled_where_they_are(photos, labels):
    """Against the published landmarks, after the pass that the box's square needs."""
    names = [str(name) for name in labels["names"]]
    with h5py.File(photos["label"]["labels"]) as file:
        found = dict(zip(file["picture"].asstr()[:], file["landmarks68"][:], strict=True))
    assert len(found) >= PHOTOS - 1
    errors = []
    for picture, points in found.items():
        known = labels["pts68"][names.index(picture)].T[:, :2] - 1
        size = np.sqrt(np.prod(np.ptp(known, axis=0)))
        errors.append(100 * np.linalg.norm(points[:, :2] - known, axis=1).mean() / size)
    assert np.median(errors) < 5
