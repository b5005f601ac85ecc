"""What the papers' data sets, face models and weights are, where they come from, and where the chain looks for them.

The table is `pipeline/datasets/sources.tsv`. A sha256 that nobody has computed is empty there; the first fetch writes
it into `sources.lock.tsv` beside the fetched file, and every later one is compared with it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from pipeline import registry
from pipeline.io.files import expand, sha256_of
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.records import FacemillError

TABLE = Path(__file__).parent.parent / "datasets" / "sources.tsv"
LOCK = "sources.lock.tsv"
LOCK_COLUMNS = ("file", "size", "sha256", "address")
TORCH_CACHE = "${TORCH_CACHE}"
"""In the table: the folder where torch, and with it face-alignment, keeps downloaded weights."""


@dataclass(frozen=True)
class Source:
    """One row of the table.

    kind: 'data set', 'face model' or 'weights'. file: where it is put when it is fetched, folder: where it stands
    unpacked; either may be empty; both may hold ${FACEMILL_DATA} or ${TORCH_CACHE}. address: of the file itself where
    `steps` is empty or begins with 'then', else of the page from which a person gets it. size: bytes; sha256: of the
    file; empty where unknown. commercial, redistribution: yes, no or unknown.
    """

    id: str
    kind: str
    what: str
    file: str
    folder: str
    address: str
    steps: str
    size: str
    sha256: str
    licence: str
    commercial: str
    redistribution: str
    citation: str

    @property
    def direct(self) -> bool:
        """Whether a program can fetch it: no registration, form or confirmation stands before it."""
        return bool(self.file and self.address) and (not self.steps or self.steps.startswith("then "))

    @property
    def name(self) -> str:
        """The name of the file that is fetched."""
        return self.file.rsplit("/", 1)[-1]

    @property
    def digits(self) -> str:
        """How the sha256 begins: all of it, or the digits that the file's name holds, or nothing."""
        found = re.search(r"-([0-9a-f]{8,})\.", self.name)
        return self.sha256 or (found[1] if found else "")

    def path(self) -> Path:
        """Where the file is put on this machine."""
        return placed(self.file)

    def standing(self) -> Path | None:
        """The file, or the folder that it unpacks to, whichever is there; None where neither is."""
        for place in (self.file, self.folder):
            if not place:
                continue
            path = placed(place)
            if path.is_file() or (path.is_dir() and any(path.iterdir())):
                return path
        return None


def placed(place: str) -> Path:
    """A path of the table on this machine; FacemillError where FACEMILL_DATA is not set."""
    return expand(place.replace(TORCH_CACHE, torch_cache()))


def torch_cache() -> str:
    """Where torch keeps downloaded weights, found as torch.hub.get_dir() finds it but without torch.

    Environment variables are unexpanded, so that the path may stand in tables that know no machine; an empty
    TORCH_HOME is the current folder, as it is to torch.
    """
    names = (("TORCH_HOME", ""), ("XDG_CACHE_HOME", "torch"))
    name, inner = next(((n, i) for n, i in names if n in os.environ), ("", "torch"))
    value = os.environ.get(name, "~/.cache")
    if re.match("~(/|$)", value) and "HOME" in os.environ:
        folder = "${HOME}" + value[1:]
    elif value.startswith("~"):
        folder = os.path.expanduser(value)
    else:
        folder = value and f"${{{name}}}"
    return os.path.join(folder, inner, "hub", "checkpoints")


@cache
def _table(path: Path) -> dict[str, Source]:
    columns = tuple(field.name for field in fields(Source))
    return {row["id"]: Source(**{name: row[name] for name in columns}) for row in read_tsv(path, columns)}


def sources() -> dict[str, Source]:
    """The table by id, in its order."""
    return _table(TABLE)


def source(name: str) -> Source:
    """One row; FacemillError with what was probably meant for an id that the table does not have."""
    if name not in sources():
        raise FacemillError(registry.unknown("source", name, list(sources())))
    return sources()[name]


def locked(path: Path) -> str:
    """The sha256 that the first fetch of a file recorded beside it; empty where there is none."""
    lock = path.with_name(LOCK)
    rows = read_tsv(lock, LOCK_COLUMNS) if lock.is_file() else []
    return next((row["sha256"] for row in rows if row["file"] == path.name), "")


def record(path: Path, sha256: str, address: str) -> None:
    """Write down beside a fetched file what it is."""
    lock = path.with_name(LOCK)
    rows = read_tsv(lock, LOCK_COLUMNS) if lock.is_file() else []
    kept = [tuple(row[name] for name in LOCK_COLUMNS) for row in rows if row["file"] != path.name]
    write_tsv(lock, LOCK_COLUMNS, sorted([*kept, (path.name, path.stat().st_size, sha256, address)]))


def problem(row: Source, path: Path) -> str:
    """What is wrong with a file that should be the source's, in words; empty where nothing is. The sha256 of the
    first fetch counts as well."""
    size = path.stat().st_size
    if row.size and size != int(row.size):
        return f"expected {row.size} bytes, found {size}"
    expected = row.digits
    known = locked(row.path())
    if expected or known:
        found = sha256_of(path)
        if not found.startswith(expected):
            return f"expected a sha256 that begins {expected[:16]}, found {found[:16]}"
        if known and not row.sha256 and found != known:
            return f"expected the sha256 {known[:16]}... of the first fetch, found {found[:16]}..."
    return ""


def providing(path: str) -> list[Source]:
    """The sources that put something at a path of the config: the one whose file it is, else those whose folder it is
    or lies in, or whose face model's files stand in it. Variables that are set are filled in on both sides."""
    wanted = _comparable(path)
    rows = list(sources().values())
    files = [row for row in rows if row.file and _comparable(row.file) == wanted]
    return files or [row for row in rows if _stands_at(row, wanted)]


def _stands_at(row: Source, wanted: str) -> bool:
    if row.kind == "face model" and row.file and os.path.dirname(_comparable(row.file)) == wanted:
        return True
    return bool(row.folder) and f"{wanted}/".startswith(f"{_comparable(row.folder)}/")


def _comparable(place: str) -> str:
    place = place.replace(TORCH_CACHE, str(torch_cache()))
    return os.path.normpath(os.path.expandvars(os.path.expanduser(place)))


def by_content(sha256: str) -> Source | None:
    """The source whose file has this sha256, whatever it is called; None where the table knows none."""
    found = [row for row in sources().values() if row.sha256 == sha256]
    return found[0] if found else None
