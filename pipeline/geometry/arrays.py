"""Checks that stand before every kernel: rank, columns, kind of number, index range; read-only input is fine.

Each function returns a C-contiguous array of the type the kernel wants (the input itself where it fits) or raises
FacemillError saying what was expected and what was found.
"""

import numpy as np

from pipeline.records import FacemillError


def numbers(name: str, value, shape: tuple[int | None, ...], dtype=np.float64) -> np.ndarray:
    """``value`` as a contiguous real array; ``shape`` gives the size of each axis, None where any size will do."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise FacemillError(f"{name}: expected real numbers, found dtype {array.dtype}")
    check_shape(name, array, shape)
    return np.ascontiguousarray(array, dtype)


def indices(name: str, value, columns: int, count: int, of: str = "vertices") -> np.ndarray:
    """``value`` (T, columns) as contiguous int32 numbers in 0 .. count - 1; ``of`` says of what, for the message."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise FacemillError(f"{name}: expected whole numbers, found dtype {array.dtype}")
    check_shape(name, array, (None, columns))
    if array.size and (array.min() < 0 or array.max() >= count):
        row = int(np.flatnonzero(((array < 0) | (array >= count)).any(axis=1))[0])
        raise FacemillError(
            f"{name}: row {row} is {array[row].tolist()}, but there are {count} {of} (numbers 0 to {count - 1})"
        )
    return np.ascontiguousarray(array, np.int32)


def check_shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """FacemillError unless ``array`` has the axes of ``shape`` (None: any size)."""
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        letters = iter("NMKL")
        wanted = ", ".join(next(letters) if size is None else str(size) for size in shape)
        raise FacemillError(f"{name}: expected shape ({wanted}), found {array.shape}")


def size(name: str, value) -> int:
    """``value`` as a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise FacemillError(f"{name}: expected a whole number of at least 1, found {value!r}")
    return int(value)
