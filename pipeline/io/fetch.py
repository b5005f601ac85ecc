"""One file over HTTP: under its own name whole and checked, or not at all.

What has arrived stands in `.<name>.download`; a later fetch goes on from there where the file's hash is known, so that
two versions can never be joined unseen. Two fetches of one file at a time are refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pipeline.io import sources
from pipeline.io.files import sha256_of
from pipeline.io.sources import Source
from pipeline.records import FacemillError

BLOCK = 1 << 20
TIMEOUT = 60
"""Seconds without a byte."""


def fetch(row: Source) -> Path:
    """The source's file where the chain looks for it, downloaded unless it is there.

    Errors: FacemillError in one line, with the file, its folder and the command: no network, not found, cut short,
    another file than expected. A file that is there and is another one is left alone.
    """
    path = row.path() if row.file else None
    if path and path.is_file():
        if wrong := sources.problem(row, path):
            raise FacemillError(f"{path} is another file: {wrong}; remove it, then type: {_command(row)}")
        return path
    if path is None or not row.direct:
        raise FacemillError(f"{row.id} cannot be fetched by a program; {instructions(row)}")
    part = path.with_name(f".{path.name}.download")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part) as file:
            _download(row, file)
            if wrong := sources.problem(row, part):
                part.unlink()
                raise FacemillError(
                    f"{row.address}: {wrong}; nothing was kept. To try again type: {_command(row)}"
                )
            found = sha256_of(part)
            os.chmod(part, 0o644)
            os.replace(part, path)
    except (OSError, http.client.HTTPException) as error:
        if part.is_file() and not part.stat().st_size:
            part.unlink()
        raise FacemillError(
            f"cannot fetch {path.name} from {row.address} ({_words(error)}); put the file into {path.parent}, or with "
            f"a network type: {_command(row)}"
        ) from error
    if not row.sha256:
        sources.record(path, found, row.address)
    return path


def instructions(row: Source) -> str:
    """What a person does for a source that stands behind a form, or after a fetch."""
    return row.steps.replace("{address}", row.address)


def _command(row: Source) -> str:
    return f"python -m pipeline data fetch {row.id}"


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """The open temporary file, which no other process fetches into at the same time."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FacemillError(
                f"{part.name} in {part.parent} is being fetched by another process"
            ) from error
        yield file


def _download(row: Source, file: IO[bytes]) -> None:
    """Fill the file from the address, from where it stands if the server and a known hash allow it."""
    have = file.tell() if row.digits or sources.locked(row.path()) else 0
    request = urllib.request.Request(row.address, headers={"User-Agent": "facemill"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            file.truncate(0)
            file.seek(0)
            return _download(row, file)
        raise
    with answer:
        if answer.headers.get_content_type() == "text/html":
            raise OSError("the server sent a web page, not the file")
        if answer.status != http.client.PARTIAL_CONTENT:
            have = 0
        file.truncate(have)
        file.seek(have)
        expected = answer.headers.get("Content-Length")
        arrived = 0
        while block := answer.read(BLOCK):
            file.write(block)
            arrived += len(block)
        file.flush()
        os.fsync(file.fileno())
        if expected is not None and arrived < int(expected):
            raise http.client.IncompleteRead(b"", int(expected) - arrived)


def _words(error: Exception) -> str:
    """An error of the network in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke off; what has arrived is kept"
    reason = getattr(error, "reason", error)
    return " ".join(str(getattr(reason, "strerror", None) or reason).split()) or type(error).__name__
