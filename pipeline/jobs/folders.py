"""What stands in a folder of the user's: a file that comes, goes or changes makes its data set stale."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Config
from pipeline.io.files import expand
from pipeline.records import FacemillError


def listing(config: Config, root: str) -> str:
    """Number of files below a folder (or the one file), their bytes together, and a digest of their names, sizes and
    times of change; "nothing there" without any. `root` may hold environment variables. Looked at once for a config.

    Raises:
        FacemillError: a folder that may not be read.
    """
    seen = config.seen()
    if root not in seen:
        path = expand(root)
        try:
            seen[root] = _summary(_files(path))
        except OSError as error:
            raise FacemillError(f"{error.filename or path}: cannot be read: {error.strerror}") from error
    return seen[root]


def _summary(files: Iterator[tuple[str, int, int]]) -> str:
    digest, count, total = hashlib.sha256(), 0, 0
    for name, size, changed in sorted(files):
        digest.update(f"{name}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
        count, total = count + 1, total + size
    return f"{count} files, {total} bytes, {digest.hexdigest()[:16]}" if count else "nothing there"


def _files(path: Path) -> Iterator[tuple[str, int, int]]:
    if path.is_file():
        status = path.stat()
        yield path.name, status.st_size, status.st_mtime_ns
    folders, known = [str(path)] if path.is_dir() else [], set()
    while folders:
        folder = folders.pop()
        if (place := os.path.realpath(folder)) in known:
            continue
        known.add(place)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.is_file():
                    status = entry.stat()
                    yield os.path.relpath(entry.path, path), status.st_size, status.st_mtime_ns
