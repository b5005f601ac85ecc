"""What stands in a folder of the user's: a file that comes, goes or changes makes its data set stale."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Config
from pipeline.io.files import expand
from pipeline.records import FacemillError

LITTER = frozenset({"Thumbs.db", "desktop.ini", "sources.lock.tsv"})


def listing(config: Config, root: str) -> str:
    """Number of files below a folder (or the one file), their bytes together, and a digest of their names, sizes and
    times of change; "nothing there" without any. Files that only a file browser or `data fetch` leaves do not count.
    `root` may hold environment variables. Looked at once for a config.

    Raises:
        FacemillError: a folder that may not be read, or one that holds the results.
    """
    seen = config.seen()
    if root not in seen:
        path = expand(root)
        if path.is_dir() and Path(config.results).resolve().is_relative_to(path.resolve()):
            raise FacemillError(
                f"results {config.results} lie inside the data folder {root}, whose pictures they would become; "
                "set results to another folder"
            )
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
                elif entry.is_file() and not entry.name.startswith(".") and entry.name not in LITTER:
                    status = entry.stat()
                    yield os.path.relpath(entry.path, path), status.st_size, status.st_mtime_ns
