"""Pickles that other projects publish, read without running them: numpy arrays and plain containers only.

A pickle is a program: it may import any name and call it. This reader hands out numpy's own means of rebuilding
arrays, dtypes and scalars, plain containers, and nothing else; a pickle that asks for another name is refused before
anything is called. Pickles of Python 2 are read too, their texts as latin-1, as 3DDFA and 3DDFA_V2 read theirs.
"""

from __future__ import annotations

import collections
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core import multiarray

from pipeline.records import FacemillError


class _Encode:
    """``_codecs.encode`` as pickles use it: bytes that were written as a latin-1 text."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"a text in the encoding {encoding!r} instead of latin1")
        return text.encode("latin-1")


class _FromBuffer:
    """``_frombuffer`` of numpy's own pickles since protocol 5."""

    __slots__ = ()

    def __call__(self, data: bytes, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
        return np.frombuffer(data, dtype).reshape(shape, order=order)


_MULTIARRAY = {"_reconstruct": multiarray._reconstruct, "scalar": multiarray.scalar}
_NUMERIC = {"_frombuffer": _FromBuffer()}
_CONTAINERS = {"set": set, "frozenset": frozenset, "bytearray": bytearray}
_ALLOWED: dict[str, dict[str, Any]] = {
    "numpy": {"ndarray": np.ndarray, "dtype": np.dtype},
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": _NUMERIC,
    "numpy._core.numeric": _NUMERIC,
    "_codecs": {"encode": _Encode()},
    "collections": {"OrderedDict": collections.OrderedDict},
    "builtins": _CONTAINERS,
    "__builtin__": _CONTAINERS,
}
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""All that the unpickler and numpy raise on bytes that are no whole pickle; UnicodeError is a ValueError."""


class _Refused(Exception):
    """The dotted name that a pickle asked for and may not have."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module][name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


def read_pickle(path: str | Path) -> Any:
    """What a pickle of arrays holds: numpy arrays, dtypes and scalars in dicts, lists, tuples and sets.

    Raises:
        FacemillError: the file is missing, is cut short or no pickle, or asks for a name that is not numpy's or a
            container's; the name is said, and nothing of it was imported or called.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _Unpickler(file, encoding="latin1").load()
    except FileNotFoundError as error:
        raise FacemillError(f"no file {path}") from error
    except _Refused as error:
        raise FacemillError(
            f"{path}: refused, expected a pickle of numpy arrays and plain containers, found one that imports {error}; "
            "such a pickle can run any program, so use the file as its authors published it"
        ) from error
    except _BROKEN as error:
        raise FacemillError(f"{path}: expected a whole pickle, found {_words(error)}") from error


def read_pickled_dict(path: str | Path, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    """The dict of a pickle as `read_pickle` reads it; FacemillError when it is none or lacks one of the ``keys``."""
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise FacemillError(f"{path}: expected a dict of arrays, found {type(content).__name__}")
    missing = [key for key in keys if key not in content]
    if missing:
        raise FacemillError(
            f"{path}: expected the keys {', '.join(keys)}; missing: {', '.join(missing)}; "
            f"found {', '.join(sorted(map(str, content))) or 'none'}"
        )
    return content


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
