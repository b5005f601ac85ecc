"""Frames of a video: each has its number and its pixels, in whatever order one asks; a damaged one is words."""

import hashlib

import numpy as np
import pytest
from photo_files import FRAMES, damage_frame, make_video

from pipeline.io import video
from pipeline.io.containers import UnreadablePicture, picture_digest
from pipeline.io.images import read_picture
from pipeline.io.video import DamagedVideo, Video, frame_count


def in_order(path):
    """Every frame of a video, or the words why not, read once from the first to the last."""
    opened, found = Video(path), []
    for number in range(FRAMES):
        try:
            found.append(opened.frame(number))
        except DamagedVideo as problem:
            found.append(str(problem))
    return found


@pytest.mark.parametrize(("name", "code"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("b.avi", "XVID")])
def test_a_frame_is_the_same_in_any_order(tmp_path, name, code):
    path = make_video(tmp_path / name, code)
    frames = in_order(path)
    assert frame_count(path) == FRAMES
    assert len({frame.tobytes() for frame in frames}) == FRAMES
    for number in (13, 2, 2, 19, 0, 12, 11):
        np.testing.assert_array_equal(read_picture(f"{path}@{number:06d}"), frames[number])
    assert frames[0].shape == (120, 160, 3)


def test_going_forward_begins_once(tmp_path, monkeypatch):
    path = make_video(tmp_path / "a.mp4")
    begun = []
    whole = Video._begin
    monkeypatch.setattr(Video, "_begin", lambda self: begun.append(1) or whole(self))
    opened = Video(path)
    for number in (0, 3, 3, 9):
        opened.frame(number)
    assert len(begun) == 1
    opened.frame(8)
    assert len(begun) == 2


def test_a_damaged_frame_of_a_video_of_pictures_is_missing_alone(tmp_path):
    path = make_video(tmp_path / "a.avi", "MJPG")
    before = in_order(path)
    damage_frame(path, 7)
    after = in_order(path)
    assert frame_count(path) == FRAMES
    assert [k for k, frame in enumerate(after) if isinstance(frame, str)] == [7]
    for number in set(range(FRAMES)) - {7}:
        np.testing.assert_array_equal(after[number], before[number])


@pytest.mark.parametrize(("name", "code"), [("a.mp4", "mp4v"), ("b.avi", "XVID")])
def test_a_damaged_frame_takes_with_it_those_that_are_predicted_from_it(tmp_path, name, code):
    path = make_video(tmp_path / name, code)
    before = in_order(path)
    damage_frame(path, 7)
    after = in_order(path)
    lost = [k for k, frame in enumerate(after) if isinstance(frame, str)]
    assert lost == [7, 8, 9, 10, 11]
    assert "cannot be decoded" in after[7] and "made from an earlier one" in after[8]
    for number in set(range(FRAMES)) - set(lost):
        np.testing.assert_array_equal(after[number], before[number])
    with pytest.raises(UnreadablePicture, match=r"@000008: the frame is made from"):
        read_picture(f"{path}@000008")


def test_digests_of_frames_are_of_their_pixels(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    pixels = read_picture(f"{path}@000004")
    assert picture_digest(f"{path}@000004") == hashlib.sha256(pixels.tobytes()).hexdigest()
    damage_frame(path, 4)
    assert picture_digest(f"{path}@000004") == ""
    assert picture_digest(f"{path}@000999") == ""


@pytest.mark.parametrize("data", [b"", b"no video", bytes(4096)])
def test_a_video_that_cannot_be_opened_is_words(tmp_path, data):
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(DamagedVideo, match="can open"):
        frame_count(tmp_path / "a.mp4")
    with pytest.raises(UnreadablePicture, match=r"a\.mp4: no video"):
        read_picture(tmp_path / "a.mp4")
    with pytest.raises(UnreadablePicture, match=r"a\.mp4@000000: no video"):
        read_picture(tmp_path / "a.mp4@000000")


def test_a_video_that_stops_in_the_middle_has_the_frames_that_are_there(tmp_path):
    path = make_video(tmp_path / "a.avi", "MJPG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 3 < frame_count(path) < FRAMES
    read_picture(f"{path}@{frame_count(path) - 1:06d}")


def test_a_video_is_no_picture(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(UnreadablePicture, match="a video, not a picture"):
        read_picture(path)


def test_two_videos_at_most_stay_open(tmp_path):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        read_picture(f"{make_video(tmp_path / name, frames=3)}@000001")
    assert video._video.cache_info().currsize <= 2
