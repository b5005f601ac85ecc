"""Files that are either whole or not there, and paths that hold environment variables."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.records import FacemillError


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` when the block ends without an error.

    A killed or failed job leaves the old file, or none. The temporary name is always the same, so that what a killed
    job left under it is overwritten by the next. Raises FacemillError when the folder cannot be written or the disk
    is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(b"")
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> FacemillError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return FacemillError(
            f"cannot write {path}: no space left ({error.strerror}); free some, or set another "
            "folder (--set results=FOLDER, --out where the command has it), and run the same command again"
        )
    return FacemillError(
        f"cannot write {path}: {error.strerror or error}; expected a folder that this user may write, "
        "set one (--set results=FOLDER, --out where the command has it)"
    )


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write ``data``, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON in the order given; NaN is refused, an undefined number is null."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """The JSON value in ``path``; FacemillError when it is missing or broken."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FacemillError(f"no file {path}") from error
    except (OSError, ValueError) as error:
        raise FacemillError(f"cannot read {path} as JSON: {error}") from error


def sha256_of(path: str | Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def expand(path: str) -> Path:
    """``path`` with its environment variables and ``~`` filled in; FacemillError names a variable that is not set."""
    expanded = os.path.expandvars(os.path.expanduser(path))
    if "$" in expanded:
        name = expanded[expanded.index("$") :].strip("${").split("}")[0].split("/")[0]
        raise FacemillError(
            f"{path}: the environment variable {name} is not set; type: export {name}=/path/to/the/data"
        )
    return Path(expanded)
