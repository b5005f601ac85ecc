"""Photos as a data set: folders, zips and videos, through the stages as far as the ledger. Never a traceback."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from photo_files import (
    FRAMES,
    damage_frame,
    damage_member,
    encrypt_flags,
    heic,
    make_video,
    make_zip,
    photo,
    photo_bytes,
)
from stage_world import Chain

from pipeline import jobs, settings
from pipeline.datasets.base import AnnotationProblem
from pipeline.io.images import read_picture
from pipeline.io.tables import read_status, read_tsv, write_status
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS
from pipeline.stages import contact_sheet, crop, detect, reap, source

NOISE = np.random.default_rng(3).integers(0, 256, (48, 48, 3), dtype=np.uint8)


@pytest.fixture
def album(tmp_path):
    """A folder that holds everything that a person may throw into it."""
    root = tmp_path / "data"
    (root / "2019/sub").mkdir(parents=True)
    (root / "2019/anna.jpg").write_bytes(photo_bytes(1, ".jpg", turned=True))
    (root / "2019/sub/anna.png").write_bytes(photo_bytes(2))
    (root / "2019/._anna.jpg").write_bytes(b"a resource fork")
    (root / "b.webp").write_bytes(photo_bytes(3, ".webp"))
    (root / "c;d  e.bmp").write_bytes(photo_bytes(4, ".bmp"))
    (root / "f.HEIC").write_bytes(heic())
    for k, suffix in enumerate((".gif", ".jfif", ".jp2", ".avif"), 10):
        (root / f"rare{suffix}").write_bytes(photo_bytes(k, suffix))
    (root / "cut.gif").write_bytes(photo_bytes(20, ".gif")[:900])
    (root / "noise.png").write_bytes(_png(NOISE))
    (root / "notes.txt").write_text("no picture")
    (root / "broken.zip").write_bytes(b"PK no zip")
    (root / "broken.mov").write_bytes(b"no video")
    zipped = {
        "in/g.png": photo_bytes(5),
        "in/copy.png": photo_bytes(2),
        "bad.png": photo_bytes(6),
        "../up.png": photo_bytes(7),
        "readme.md": b"words",
        "clip.mp4": b"a video in a zip",
        "__MACOSX/in/._g.png": b"a resource fork",
    }
    damage_member(make_zip(root / "old.zip", zipped), "bad.png")
    encrypt_flags(make_zip(root / "secret.zip", {"h.png": photo_bytes(8)}))
    damage_frame(make_video(root / "clip.avi", "MJPG"), 10)
    return root


def _png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


class Photos(Chain):
    """The stages of a photo data set, up to the ledger, with the picture as the crop."""

    def listed(self, root, **options):
        """The source table of a root."""
        values = {"reader": "photos", "root": str(root), "subset": "all", "every": 5, "benchmark": True}
        self.run(source, {}, {"source": "source.tsv"}, {**values, "options": options})
        return read_tsv(self.path("source.tsv"))

    def cropped(self, root):
        """The status rows of detect and crop by face."""
        found = {"detections": "0.h5", "status": "0.tsv"}
        values = {"root": str(root), "shards": 1}
        inputs = {"source": self.path("source.tsv")}
        self.run(detect, inputs, found, {**values, "detection": {"detector": "whole"}})
        inputs["detections"] = self.path("0.h5")
        self.run(
            crop, inputs, {"crops": "crops.h5", "status": "crop.tsv"}, {**values, "whole": True, "crop": {}}
        )
        rows = read_status(self.path("0.tsv")) + read_status(self.path("crop.tsv"))
        return {row.face: row for row in rows}

    def reaped(self):
        """Kept and reaped rows, with a ground truth that lets every crop through."""
        going = [row for row in read_status(self.path("crop.tsv")) if row.reason is None]
        write_status(self.path("truth.tsv"), going)
        status = {name: [self.path(f"{path}.tsv")] for name, path in STATUS.items()}
        inputs = {"source": self.path("source.tsv"), "leaks": [], **status}
        self.run(reap, inputs, {"kept": "kept.tsv", "reaped": "reaped.tsv"}, {"shards": 1})
        return read_tsv(self.path("kept.tsv")), read_tsv(self.path("reaped.tsv"))

    def drawn(self, root):
        """The contact sheet's pixels."""
        inputs = {name: self.path(f"{name}.tsv") for name in ("source", "kept", "reaped")}
        inputs["detections"] = [self.path("0.h5")]
        self.run(contact_sheet, inputs, {"contact_sheet": "sheet.png"}, {"root": str(root)})
        return read_picture(self.path("sheet.png"))


STATUS = {"detect": "0", "crop": "crop", "ground_truth": "truth"}
WHOLE = {
    "2019/anna.jpg": "anna",
    "2019/sub/anna.png": "anna",
    "b.webp": "b",
    "c%3Bd %20e.bmp": "c%3Bd %20e",
    "noise.png": "noise",
    **{f"rare.{suffix}": "rare" for suffix in ("avif", "gif", "jfif", "jp2")},
    "old.zip!in/copy.png": "copy",
    "old.zip!in/g.png": "g",
    "clip.avi@000000": "clip.avi",
    "clip.avi@000005": "clip.avi",
    "clip.avi@000015": "clip.avi",
}
UNREADABLE = {
    "cut.gif": "no picture format that OpenCV reads (JPEG, PNG",
    "broken.mov": "no video that OpenCV's FFmpeg can open",
    "broken.zip": "no zip that can be opened",
    "clip.avi@000010": "the frame cannot be decoded",
    "f.HEIC": "HEIC",
    "old.zip!../up.png": "leads out of",
    "old.zip!bad.png": "damaged in the zip",
    "secret.zip!h.png": "encrypted",
}


def test_every_picture_of_a_folder_is_a_row_and_nothing_else(album, tmp_path):
    rows = Photos(tmp_path).listed(album, frame_step=5)
    assert {row["id"] for row in rows} == WHOLE.keys() | UNREADABLE.keys()
    assert [row["id"] for row in rows] == sorted(
        (row["id"] for row in rows), key=lambda name: (name.split("!")[0].split("@")[0], name)
    )
    groups = {row["id"]: row["group"] for row in rows}
    assert {name: groups[name] for name in WHOLE} == WHOLE
    assert {row["split"] for row in rows} == {"test"}
    assert {row["licence"] for row in rows} == {"photos of unknown terms"}
    copies = {row["id"]: row["duplicate_of"] for row in rows if row["duplicate_of"]}
    assert copies == {"old.zip!in/copy.png": "2019/sub/anna.png"}
    assert {row["id"] for row in rows if not row["sha256"]} == UNREADABLE.keys() - {
        "broken.mov",
        "broken.zip",
        "cut.gif",
        "f.HEIC",
    }


def test_the_ledger_of_a_folder_balances_with_words_for_what_cannot_be_read(album, tmp_path):
    chain = Photos(tmp_path)
    rows = chain.listed(album, frame_step=5)
    status = chain.cropped(album)
    for name, words in UNREADABLE.items():
        assert status[name].reason is Reason.UNREADABLE
        assert status[name].detail.startswith(f"{name}: ") and words in status[name].detail
        assert str(tmp_path) not in status[name].detail
    kept, reaped = chain.reaped()
    assert len(kept) + len(reaped) == len(rows)
    assert {row["picture"] for row in kept} == WHOLE.keys() - {"old.zip!in/copy.png"}
    codes = {row["picture"]: row["code"] for row in reaped}
    assert codes == dict.fromkeys(UNREADABLE, "unreadable") | {"old.zip!in/copy.png": "duplicate"}
    assert chain.drawn(album).std() > 10


def test_a_turned_photo_is_cropped_upright(album, tmp_path):
    chain = Photos(tmp_path)
    chain.listed(album, frame_step=FRAMES)
    chain.cropped(album)
    with h5py.File(chain.path("crops.h5")) as file:
        names = [name.decode() for name in file["picture"][:]]
        crop_of = file["image"][names.index("2019/anna.jpg")]
    assert np.abs(crop_of[1::3, 1::3].astype(int) - photo(1)).mean() < 4


@pytest.mark.parametrize("kind", ["zip", "video"])
def test_the_root_itself_may_be_a_zip_or_a_video(tmp_path, kind):
    if kind == "zip":
        root = make_zip(tmp_path / "my album.zip", {"x/a.png": photo_bytes(1), "b.png": photo_bytes(2)})
        expected = {"my album.zip!b.png": "!b.png", "my album.zip!x/a.png": "!x/a.png"}
    else:
        root = make_video(tmp_path / "clip.mp4", frames=6)
        expected = {"clip.mp4@000000": "@000000", "clip.mp4@000003": "@000003"}
    chain = Photos(tmp_path)
    rows = chain.listed(root, frame_step=3)
    assert {row["id"]: row["path"] for row in rows} == expected
    assert all(row.reason is None for row in chain.cropped(root).values())
    kept, reaped = chain.reaped()
    assert len(kept) == 2 and reaped == []
    chain.drawn(root)


def test_a_damaged_root_is_one_line(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    (tmp_path / "a.txt").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    reader = DATASETS["photos"]()
    for name, words in (
        ("a.zip", "no zip that can be opened"),
        ("a.txt", "no photos at"),
        ("gone", "no photos at"),
        ("empty", "found none"),
    ):
        with pytest.raises(FacemillError, match=words):
            reader.pictures(tmp_path / name)


def test_subsets_never_share_a_group(tmp_path):
    for k in range(10):
        for name in (f"p{k}.png", f"edited/p{k}.jpg"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")
    parts = {s: DATASETS["photos"](subset=s, every=5).pictures(Path(tmp_path)) for s in ("train", "test")}
    groups = {subset: {p.group for p in pictures} for subset, pictures in parts.items()}
    assert groups["test"] == {"p4", "p9"} and not groups["test"] & groups["train"]
    assert len(parts["test"]) == 4 and {p.split for p in parts["test"]} == {"test"}
    assert {p.split for p in DATASETS["photos"]().pictures(Path(tmp_path))} == {"train"}


def test_photos_have_no_annotations(tmp_path):
    with pytest.raises(AnnotationProblem, match="no annotations"):
        DATASETS["photos"]().annotation(tmp_path / "a.jpg", 100)


def test_settings_reach_the_readers_that_take_them_and_no_other(tmp_path):
    overlay = [f"datasets.mine={{reader: photos, root: {tmp_path}, frame_step: 25, licence: own pictures}}"]
    config = settings.load((), overlay)
    options = jobs.job(config, "source", dataset="mine").settings["options"]
    assert options == {"frame_step": 25, "licence": "own pictures"}
    assert "options" not in jobs.job(config, "source", dataset="synth_test").settings
    for wrong in ("frame_step: 2", "licence: mine"):
        with pytest.raises(
            FacemillError, match=r"datasets\.mine\.\w+: expected a reader that takes it, as photos"
        ):
            settings.load((), [f"datasets.mine={{reader: aflw2000_3d, root: {tmp_path}, {wrong}}}"])
