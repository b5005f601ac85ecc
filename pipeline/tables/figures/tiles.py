"""Tiles: crops under predicted meshes and contours of landmarks, in rows with words below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Lacking, Shape
from pipeline.evaluation.sheet import GRID, gridded, overlay
from pipeline.tables.figures.faces import Face
from pipeline.tables.figures.page import INNER, LEADING, SMALL, Area, Page, shortened

FEWEST, MOST, GAP = 3, 4, 0.06
"""Tiles in a row, and inches between them."""
LINE = LEADING * SMALL / 72
OPACITY = 0.5
TRUE = "#ffffff"
PARTS = (
    *((range(*ends), False) for ends in ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36))),
    *((range(*ends), True) for ends in ((36, 42), (42, 48), (48, 60), (60, 68))),
)
"""iBUG's contours among the 68 landmarks, and whether they are closed."""


@dataclass(frozen=True, eq=False)
class Tile:
    """A crop (F, F, 3) uint8, landmarks (68, 2 or 3) in its pixels by colour, and the lines of words below it."""

    image: np.ndarray
    contours: Sequence[tuple[str, np.ndarray]]
    words: Sequence[str]


def tile_of(
    face: Face, chart: Chart, words: Sequence[str], mesh: Shape | None, *contours: tuple[str, Shape | None]
) -> Tile:
    """A face with the mesh of a shape over it, and contours of the landmarks of shapes, each with its colour.

    A shape that is None, or has no dense points or no landmarks, is left out there.
    """
    image = face.image if mesh is None else meshed(face, mesh, chart)
    drawn = [(colour, landmarks_in(face, shape)) for colour, shape in contours if shape is not None]
    return Tile(image, [(colour, points) for colour, points in drawn if points is not None], words)


def add_tiles(page: Page, tiles: Sequence[Tile]) -> None:
    """Add tiles to a page, four in a row; three, and larger, where there are no more."""
    columns = max(FEWEST, min(MOST, len(tiles)))
    side = (INNER - (columns - 1) * GAP) / columns
    page.add(0.03, lambda area: None)
    for start in range(0, len(tiles), columns):
        row = tiles[start : start + columns]
        lines = max(len(tile.words) for tile in row)
        page.add(side + lines * LINE + 0.08, _row(row, side))


def _row(row: Sequence[Tile], side: float):
    def draw(area: Area) -> None:
        for place, tile in enumerate(row):
            left = place * (side + GAP)
            _picture(area, left, side, tile)
            for number, words in enumerate(tile.words):
                area.write(left, side + (number + 0.7) * LINE, shortened(words, side, SMALL), size=SMALL)

    return draw


def meshed(face: Face, shape: Shape, chart: Chart) -> np.ndarray:
    """The crop (F, F, 3) uint8 under the mesh of a shape, without ears and neck; the crop alone where it has none."""
    mask = chart.face_mask(GRID)
    surface = gridded(shape, chart, GRID)
    return face.image if surface is None else overlay(face.image, face.crop.apply(surface), mask, OPACITY)


def course(points: np.ndarray) -> np.ndarray:
    """The contours (m, 2) of 68 landmarks as one line, with NaN where the pen is lifted."""
    lifted = np.full((1, 2), np.nan)
    parts = [points[[*rows, rows[0]] if closed else rows, :2] for rows, closed in PARTS]
    return np.concatenate([part for contour in parts for part in (contour, lifted)])


def _picture(area: Area, left: float, side: float, tile: Tile) -> None:
    axes = area.axes(left, 0, side, side)
    axes.imshow(tile.image, interpolation="none", aspect="auto")
    axes.set_axis_off()
    for colour, points in tile.contours:
        x, y = course(points).T
        axes.plot(x, y, color="black", linewidth=0.9, alpha=0.6)
        axes.plot(x, y, color=colour, linewidth=0.6)
    height, width = tile.image.shape[:2]
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def landmarks_in(face: Face, shape: Shape) -> np.ndarray | None:
    """The landmarks (68, 2 or 3) of a shape in pixels of the crop, NaN where one is unknown; None where all are."""
    try:
        points = face.crop.apply(shape.landmarks())
    except Lacking:
        return None
    return points if np.isfinite(points[:, :2]).any() else None
