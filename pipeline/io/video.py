"""Frames of a video, by their number from 0, decoded in order: the same pixels whoever asks, in whatever order.

Nothing seeks: in many formats a seek lands beside the frame that was meant. A frame that the decoder refuses keeps its
number and cannot be read, and neither can those after it that are predicted from it, up to the next one that stands
for itself. Damage that a decoder papers over without a word is not seen.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg", ".3gp")
PREDICTED = frozenset(map(ord, "PBSp"))
"""Types of frames that are made from others; FFmpeg's letters."""


class DamagedVideo(Exception):
    """A video, or a frame of one, that cannot be read; the text says why, without the file's name."""


class Video:
    """An open video that goes forward frame by frame, and begins again for a frame that it has passed."""

    def __init__(self, path: Path):
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self._capture = _capture(self.path)
        self._next = 0
        self._decoded = self._torn = False

    def _step(self) -> None:
        """Go to the next frame, whether the decoder gives one or not."""
        import cv2

        self._decoded = self._capture.grab()
        self._next += 1
        if not self._decoded:
            self._torn = True
        elif int(self._capture.get(cv2.CAP_PROP_FRAME_TYPE)) not in PREDICTED:
            self._torn = False

    def frame(self, number: int) -> np.ndarray:
        """Frame `number` as (h, w, 3) uint8 RGB, upright; DamagedVideo where it cannot be decoded."""
        if number < self._next - 1:
            self._begin()
        while self._next <= number:
            self._step()
        if not self._decoded:
            raise DamagedVideo("the frame cannot be decoded")
        if self._torn:
            raise DamagedVideo("the frame is made from an earlier one that cannot be decoded")
        whole, picture = self._capture.retrieve()
        if not whole or picture is None:
            raise DamagedVideo("the frame cannot be decoded")
        return np.ascontiguousarray(picture[:, :, ::-1])

    def count(self) -> int:
        """How many frames there are up to the last that can be decoded, those between that cannot among them."""
        self._begin()
        found = 0
        for _ in range(_packets(self.path)):
            self._step()
            if self._decoded:
                found = self._next
        return found


def read_frame(path: Path, number: int) -> np.ndarray:
    """Frame `number` of a video as (h, w, 3) uint8 RGB; DamagedVideo says why not. The video stays open."""
    return _video(path, _stamp(path)).frame(number)


def frame_count(path: Path) -> int:
    """The number of frames of a video; DamagedVideo when there is none."""
    count = _video(path, _stamp(path)).count()
    if not count:
        raise DamagedVideo("a video without a frame that can be decoded")
    return count


def _capture(path: Path, *options: int) -> Any:
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1, *options])
    if not capture.isOpened():
        raise DamagedVideo("no video that OpenCV's FFmpeg can open")
    return capture


def _packets(path: Path) -> int:
    """How many packets of pictures the file holds: no fewer than its frames."""
    import cv2

    packets = _capture(path, cv2.CAP_PROP_FORMAT, -1)
    count = 0
    while packets.grab():
        count += 1
    return count


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise DamagedVideo(str(error.strerror)) from error
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=2)
def _video(path: Path, stamp: tuple[int, int]) -> Video:
    return Video(path)
