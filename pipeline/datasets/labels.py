"""What readers of label files share: the shape of an array, lists of names, points that may be hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.records import FacemillError


def require(where: str, found: np.ndarray, *shapes: tuple[int, ...]) -> np.ndarray:
    """`found`, if it holds real numbers and has one of the shapes; else `FacemillError` that begins with `where`."""
    if found.dtype.kind in "fiu" and found.shape in shapes:
        return found
    wanted = " or ".join(str(shape) for shape in shapes)
    raise FacemillError(
        f"{where}: expected numbers of shape {wanted}, found {found.dtype} of shape {found.shape}"
    )


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty, without the spaces around them."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FacemillError(f"{path}: expected a text file: {error}") from error
    if "\0" in text:
        raise FacemillError(f"{path}: expected a text file, found a NUL byte in it; get the file again")
    return [line.strip() for line in text.splitlines() if line.strip()]


def visible21(points: np.ndarray) -> np.ndarray:
    """AFLW's 21 points (2, 21) in Matlab's pixels as (21, 2) image px, NaN where one is not visible.

    A point that is not visible has x = -1; its y is -1, or 452 where a picture of 450 px was flipped after that.
    """
    hidden = (points == -1).any(axis=0)
    return np.where(hidden[:, None], np.nan, points.T - 1)
