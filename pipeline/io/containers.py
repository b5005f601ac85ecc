"""Pictures that stand inside another file: the members of a zip, the frames of a video.

An address is the path of that file and what is meant in it: `photos.zip!2019/anna.jpg` is a member, `clip.mp4@000123`
a frame, counted from 0. A slash may stand before the mark, so that `root / "!2019/anna.jpg"` names the member where the
root itself is the zip. A file that stands on the disk under the whole text is meant first. Characters that tables
cannot hold stand in an address as %XX, and are tried as they are and then as what they mean.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

import numpy as np

from pipeline.io.files import sha256_of
from pipeline.io.video import VIDEO_SUFFIXES, DamagedVideo, frame_count, read_frame
from pipeline.records import FacemillError

ZIP_SUFFIXES = (".zip",)
LARGEST_MEMBER = 1 << 29
"""Bytes; a member that says it unpacks to more is no picture."""
_MARK = re.compile("/?[!@]")
_ODD = re.compile(r"[;\x00-\x1f\x7f\ud800-\udfff]|(?! )\s|(?<= ) |^ | $")


class UnreadablePicture(FacemillError):
    """A file that holds no whole picture; the text says what is wrong with it."""


class DamagedArchive(Exception):
    """A zip, or a member of one, that cannot be read; the text says why, without the file's name."""


@dataclass(frozen=True)
class Address:
    """A file, and the member or the number of the frame that is meant in it; neither for a file of its own."""

    file: Path
    member: str | None = None
    frame: int | None = None


def encoded(name: str) -> str:
    """A path with what tables cannot hold as %XX: semicolons, tabs, spaces in a row, bytes that are no text."""
    return _ODD.sub(lambda odd: quote(odd[0], safe="", errors="surrogateescape"), name)


def locate(path: str | Path) -> Address:
    """What an address means. A file that is not there is an address all the same, found out on reading."""
    text = os.fspath(path)
    if not os.path.lexists(text):
        for mark in _MARK.finditer(text):
            file, inside = _standing(text[: mark.start()]), text[mark.end() :]
            if file is None or not inside:
                continue
            if mark[0].endswith("!") and file.suffix.lower() in ZIP_SUFFIXES:
                return Address(file, member=inside)
            if mark[0].endswith("@") and file.suffix.lower() in VIDEO_SUFFIXES and inside.isdecimal():
                return Address(file, frame=int(inside))
    return Address(_standing(text) or Path(text))


def _standing(text: str) -> Path | None:
    """The path that stands on the disk under a text, each part as it is or with its %XX replaced."""
    path = Path(text)
    if os.path.lexists(path):
        return path
    found = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0 :]:
        plain = unquote(part, errors="surrogateescape")
        there = [found / name for name in (part, plain) if os.path.lexists(found / name)]
        if not there:
            return None
        found = there[0]
    return found


def read_source(path: str | Path) -> bytes | np.ndarray:
    """The bytes of a picture's file or member, or the pixels (h, w, 3) uint8 RGB of a frame.

    UnreadablePicture says why there are none.
    """
    address = locate(path)
    suffix = address.file.suffix.lower()
    try:
        if address.member is not None:
            return read_member(address.file, address.member)
        if address.frame is not None:
            return read_frame(address.file, address.frame)
        if suffix in ZIP_SUFFIXES:
            _archive(address.file)
            raise DamagedArchive("a zip, not a picture")
        if suffix in VIDEO_SUFFIXES:
            frame_count(address.file)
            raise DamagedVideo("a video, not a picture")
        return address.file.read_bytes()
    except (DamagedArchive, DamagedVideo) as problem:
        raise UnreadablePicture(f"{path}: {problem}") from problem
    except OSError as error:
        raise UnreadablePicture(f"{path}: {error.strerror}") from error


def picture_digest(path: str | Path) -> str:
    """The sha256 of a picture's own bytes: of its file, of the member, of a frame's pixels. Empty where there is
    nothing to read, which is no duplicate but unreadable."""
    address = locate(path)
    try:
        if address.member is None and address.frame is None:
            return sha256_of(address.file) if address.file.stat().st_size else ""
        found = read_source(path)
    except (UnreadablePicture, OSError):
        return ""
    return hashlib.sha256(found).hexdigest() if len(found) else ""


def member_names(archive: Path) -> list[str]:
    """The files in a zip as addresses name them, sorted, without the resource forks that macOS adds.

    Raises DamagedArchive for a file that is no zip or has lost its table of contents.
    """
    return sorted(name for name in _archive(archive) if not resource_fork(name))


def resource_fork(name: str) -> bool:
    """Whether a path is one of the companions that macOS writes beside files: `__MACOSX/...`, `._name`."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith("._")


def read_member(archive: Path, name: str) -> bytes:
    """The bytes of one member of a zip, its checksum compared; DamagedArchive says why they cannot be had.

    Nothing is unpacked to the disk; a name that would leave the folder there (`/etc/x.jpg`, `../x.jpg`) is refused.
    """
    members = _archive(archive)
    if name not in members:
        raise DamagedArchive(f"no such member in {archive.name}")
    plain = unquote(name, errors="surrogateescape").replace("\\", "/")
    if plain.startswith("/") or re.match("[A-Za-z]:", plain) or ".." in plain.split("/"):
        raise DamagedArchive("its name in the zip leads out of the zip's own folder; pack it anew")
    member = members[name]
    if member.flag_bits & 1:
        raise DamagedArchive("encrypted; unpack the zip with its password into a folder")
    if member.file_size > LARGEST_MEMBER:
        raise DamagedArchive(f"unpacks to {member.file_size} bytes, which is no picture")
    try:
        return _opened(archive).read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
        raise DamagedArchive(f"damaged in the zip ({' '.join(str(error).split())})") from error


def _archive(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files of a zip by the names that addresses have for them; of two with one name the last, as unzip has it."""
    _opened(path)
    return _contents(path, _stamp(path))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return _zip(path, _stamp(path))
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise DamagedArchive(f"no zip that can be opened ({error})") from error
    except OSError as error:
        raise DamagedArchive(f"no zip that can be opened ({error.strerror})") from error


def _stamp(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=8)
def _zip(path: Path, stamp: tuple[int, int]) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@lru_cache(maxsize=8)
def _contents(path: Path, stamp: tuple[int, int]) -> dict[str, zipfile.ZipInfo]:
    files = (info for info in _zip(path, stamp).infolist() if not info.is_dir())
    return {PurePosixPath(f"!{encoded(info.filename)}").as_posix()[1:]: info for info in files}
