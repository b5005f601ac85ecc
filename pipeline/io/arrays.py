"""Arrays from other projects' files (.npy, .npz, .mat): read whole, or refused in one line; no pickles inside."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.records import FacemillError

_BROKEN = (
    *(EOFError, KeyError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What numpy, zipfile and scipy raise for damaged files: zipfile a RuntimeError where a member says that it is
encrypted or compressed in an unknown way, numpy a TokenError for a damaged header of an array."""


def read_npy(path: str | Path) -> np.ndarray:
    """The array in a .npy file; FacemillError when it is missing, cut short or of Python objects."""
    return _read(path, "a .npy array", lambda: np.load(path, allow_pickle=False))


def read_npz(path: str | Path, keys: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The arrays of a .npz archive by name; FacemillError as `read_npy`, or when one of the ``keys`` is missing."""

    def load() -> dict[str, np.ndarray]:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    return _with(_read(path, "a .npz archive of arrays", load), path, keys)


def read_mat(
    path: str | Path, keys: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    """The variables of a Matlab file (level 5) by name: the ``keys``, and the ``optional`` ones that are there.

    Raises:
        FacemillError: the file is missing, cut short, no such file or one of version 7.3, or lacks one of the keys.
    """
    import scipy.io
    from scipy.io.matlab import MatReadError

    wanted = [*keys, *optional]

    def load() -> dict[str, np.ndarray]:
        try:
            found = scipy.io.loadmat(path, variable_names=wanted)
            if all(key in found for key in keys):
                return found
            return dict.fromkeys(name for name, _, _ in scipy.io.whosmat(path))  # names for the message
        except NotImplementedError as error:
            raise FacemillError(
                f"{path}: expected a Matlab file of level 5, found version 7.3; save it again with save -v7"
            ) from error
        except (MatReadError, struct.error, IndexError, AttributeError, UnboundLocalError) as error:
            raise ValueError(error) from error

    found = _with(_read(path, "a Matlab file", load), path, keys)
    return {key: found[key] for key in wanted if key in found}


def _read(path: str | Path, what: str, load: Callable[[], Any]) -> Any:
    if not Path(path).is_file():
        raise FacemillError(f"no file {path}")
    try:
        return load()
    except _BROKEN as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise FacemillError(f"{path}: expected {what}, found {found}") from error


def _with(content: Any, path: str | Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    missing = [key for key in keys if key not in content]
    if missing:
        raise FacemillError(
            f"{path}: expected the arrays {', '.join(keys)}; missing: {', '.join(missing)}; "
            f"found {', '.join(sorted(k for k in content if not k.startswith('__'))) or 'none'}"
        )
    return content
