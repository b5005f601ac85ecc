"""A folder of photos of every awkward kind, by the published FaceBoxes and the shipped FAN: the ledger row of each."""

import os

import cv2
import h5py
import numpy as np
import pytest
from photo_chain import run

from pipeline.io.ledger import read_balance
from pipeline.io.tables import read_tsv
from tests.unit.photo_files import damage_frame, write_video

FRAMES, DAMAGED, NEXT_KEY = 14, 9, 12
STEP = 3  # pixels from frame to frame
PROFILES = ("image00022.jpg", "image00748.jpg")  # yaw 72 and -67 degrees
SIDE, LARGE = 450, (6000, 4000)


@pytest.fixture(scope="module")
def ledger(data, tmp_path_factory):
    """The outputs of every stage by name, from the folder of photos to the ledger."""
    folder = tmp_path_factory.mktemp("special")
    photos = folder / "photos"
    photos.mkdir()
    scenes = {"two": "trump_hillary", "one": "aflw-test", "none": "grass"}
    for name, scene in scenes.items():
        os.symlink(data / f"scenes/{scene}.jpg", photos / f"{name}.jpg")
    for name in PROFILES:
        os.symlink(data / f"aflw2000-dev/images/{name}", photos / name)
    face = cv2.imread(str(data / "scenes/aflw-test.jpg"))
    assert face.shape == (SIDE, SIDE, 3)
    beside = (LARGE[0] - LARGE[1]) // 2
    large = cv2.resize(face, (LARGE[1], LARGE[1]), interpolation=cv2.INTER_CUBIC)
    large = cv2.copyMakeBorder(large, 0, 0, beside, beside, cv2.BORDER_REPLICATE)
    assert large.shape[1::-1] == LARGE and cv2.imwrite(str(photos / "large.jpg"), large)
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert cv2.imwrite(str(photos / "noise.png"), noise)
    frames = [np.roll(face, STEP * number, axis=1) for number in range(FRAMES)]
    damage_frame(write_video(photos / "clip.mp4", frames), DAMAGED)
    detection = {"weights": "${FACEMILL_DATA}/weights/FaceBoxesProd.pth", "score": 0.5}
    return run(photos, folder / "results", detection, {}, reader="photos")


@pytest.fixture(scope="module")
def rows(ledger):
    """Picture -> its kept rows and its reaped rows."""
    found = {row["id"]: ([], []) for row in read_tsv(ledger["source"]["source"])}
    for k, name in enumerate(("kept", "reaped")):
        for row in read_tsv(ledger["reap"][name]):
            found[row["picture"]][k].append(row)
    return found


@pytest.fixture(scope="module")
def places(ledger):
    """Picture -> the labeller's 68 landmarks of its first face."""
    with h5py.File(ledger["label"]["labels"]) as file:
        names = file["face"].asstr()[:]
        return {
            name.removesuffix("#0"): points[:, :2]
            for name, points in zip(names, file["landmarks68"][:], strict=True)
        }


def codes(rows):
    """Of one picture: the faces that are kept, and face -> stage and code of those that are not."""
    kept, reaped = rows
    return [row["face"] for row in kept], {row["face"]: (row["stage"], row["code"]) for row in reaped}


def off(points, truth):
    """Mean distance of landmarks (68, 2) from the true ones, per cent of sqrt(w h) of these."""
    return 100 * np.linalg.norm(points - truth, axis=1).mean() / np.sqrt(np.prod(np.ptp(truth, axis=0)))


def test_every_picture_and_every_frame_has_its_rows_and_they_balance(ledger, rows):
    frames = {f"clip.mp4@{number:06d}" for number in range(FRAMES)}
    files = {"two.jpg", "one.jpg", "none.jpg", "large.jpg", "noise.png", *PROFILES}
    assert set(rows) == frames | files
    balance = read_balance(ledger["source"]["source"], ledger["reap"]["kept"], ledger["reap"]["reaped"])
    lost = NEXT_KEY - DAMAGED
    assert (balance.pictures, balance.source) == (len(rows), len(rows) + 1), "one picture has a second face"
    assert balance.kept == len(rows) - lost - 2
    assert balance.reaped == {"unreadable": lost, "no_face": 2, "another_chosen": 1}


def test_of_two_faces_the_better_is_kept(rows):
    assert codes(rows["two.jpg"]) == (["two.jpg#0"], {"two.jpg#1": ("crop", "another_chosen")})
    (other,) = rows["two.jpg"][1]
    assert other["detail"] == "two.jpg#0 has the better score" and 0.5 < float(other["value"]) <= 1


@pytest.mark.parametrize("name", ["none.jpg", "noise.png"])
def test_a_picture_without_a_face_and_noise_are_one_row_each(rows, name):
    assert codes(rows[name]) == ([], {name: ("detect", "no_face")})


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_kept_where_its_face_is(rows, places, labels, name):
    assert codes(rows[name]) == ([f"{name}#0"], {})
    known = labels["pts68"][list(labels["names"]).index(name.removesuffix(".jpg"))].T[:, :2] - 1
    assert off(places[name], known) < 8


def test_a_face_of_24_million_pixels_is_that_of_the_small_picture(rows, places):
    assert codes(rows["large.jpg"]) == (["large.jpg#0"], {})
    scale = LARGE[1] / SIDE
    expected = (places["one.jpg"] + 0.5) * scale - 0.5 + [(LARGE[0] - LARGE[1]) / 2, 0]
    assert off(places["large.jpg"], expected) < 2


def test_frames_that_cannot_be_decoded_are_words_and_the_others_rows_of_their_own(rows, places):
    for number in range(FRAMES):
        name = f"clip.mp4@{number:06d}"
        if DAMAGED <= number < NEXT_KEY:
            words = "the frame cannot be decoded"
            if number > DAMAGED:
                words = "the frame is made from an earlier one that cannot be decoded"
            assert codes(rows[name]) == ([], {name: ("detect", "unreadable")})
            assert rows[name][1][0]["detail"] == f"{name}: {words}"
        else:
            assert codes(rows[name]) == ([f"{name}#0"], {})
            moved = places[name] - [STEP * number, 0]
            assert off(moved, places["one.jpg"]) < 3, "the frame of that number"
