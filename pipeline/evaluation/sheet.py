"""The picture sheet: best, median and worst faces of a benchmark, each beside itself under its predicted mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.evaluation import predictions
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import Score
from pipeline.evaluation.shapes import Degenerate, Lacking, Shape
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.mesh import interpolate, rasterize, shade, vertex_normals
from pipeline.geometry.resample import to_rgb
from pipeline.io import hdf5
from pipeline.records import PACK

CAPTION = 18
TITLE = 26
NARROW = 640
GRID = 128
"""Side of the map whose texels a mesh is drawn from."""
OPACITY = 0.75
SKIN = (0.62, 0.68, 0.78)
LIGHT = ((-0.4, -0.5, 1.0), (0.75, 0.75, 0.75))
PREDICTED, TRUTH = (255, 60, 60), (60, 220, 60)
KEY = "red: predicted landmarks, green: true ones"
GROUPS = ("best", "median", "worst")


@dataclass(frozen=True, eq=False)
class Tile:
    """One face of the sheet, all in pixels of its crop.

    image: (F, F, 3) uint8. position_map: (GRID, GRID, 3), None where the prediction has no surface. landmarks:
    (K, 2 or 3) predicted, K = 0 where it has none. truth68: (68, 2 or 3). caption: a few words.
    """

    image: np.ndarray
    position_map: np.ndarray | None
    landmarks: np.ndarray
    truth68: np.ndarray
    caption: str


def choose(scores: Sequence[Score], protocol: str, count: int) -> dict[str, list[Score]]:
    """Up to ``count`` faces each with the lowest, the middle and the highest scores, in rising order.

    Failed pictures, and those that the protocol leaves out, are not among them: there is nothing to draw. A face
    stands in one group only; with few faces the groups are smaller.
    """
    ranked = sorted(
        (s for s in scores if s.protocol == protocol and not s.failed and s.value is not None),
        key=lambda score: (score.value, score.picture),
    )
    count = max(1, min(count, len(ranked) // 3))
    middle = (len(ranked) - count) // 2
    chosen = [ranked[:count], ranked[middle : middle + count], ranked[-count:]]
    return dict(zip(GROUPS, chosen, strict=True)) if len(ranked) >= 3 else {"best": ranked}


def read_tiles(stored: str, pack: str, captions: Mapping[str, str], chart: Chart) -> dict[str, Tile]:
    """The tiles of some pictures by name, of each its first face, from the files of the predictions and of the pack
    that they were made from.

    Args:
        captions: picture -> what stands below it; a picture that is not in the pack gets no tile.
        chart: of the face model.
    """
    tiles: dict[str, Tile] = {}
    with hdf5.open_checked(pack, PACK) as file:
        for row, (found, shape) in enumerate(predictions.shapes(stored, file, chart)):
            if found.picture in captions and found.picture not in tiles:
                crop = CropTransform.from_array(file["transform"][row])
                surface = gridded(shape, chart)
                tiles[found.picture] = Tile(
                    to_rgb(file["image"][row]),
                    None if surface is None else crop.apply(surface),
                    crop.apply(_landmarks(shape)),
                    crop.apply(_known(file["landmarks68"][row])),
                    captions[found.picture],
                )
    return tiles


def gridded(shape: Shape, chart: Chart, grid: int = GRID) -> np.ndarray | None:
    """The surface of a face as a map (G, G, 3) in pixels of the picture, zero beyond `chart.face_mask`; None where the
    face has no dense points."""
    try:
        points = shape.face(grid)
    except (Lacking, Degenerate):
        return None
    position_map = np.zeros((grid, grid, 3))
    position_map[chart.face_mask(grid)] = points
    return position_map


def _landmarks(shape: Shape) -> np.ndarray:
    try:
        return shape.landmarks()
    except Lacking:
        return np.zeros((0, 2))


def _known(points: np.ndarray) -> np.ndarray:
    """Of points (K, 3) those with a place in the picture; of some truths few or none are known."""
    return points[np.isfinite(points[:, :2]).all(axis=1)]


def draw(groups: dict[str, list[Tile]], chart: Chart, title: str) -> np.ndarray:
    """The sheet (h, w, 3) uint8 RGB: a row a group, a pair of pictures a face.

    In the right picture of a pair the predicted mesh without ears and neck lies over the face, with the predicted
    landmarks in red and the true ones in green. Without any face the title stands alone.
    """
    rows = []
    for name, tiles in groups.items():
        if not tiles:
            continue
        pairs = [_pair(tile, chart) for tile in tiles]
        row = np.concatenate(pairs, axis=1)
        rows.append(np.concatenate([strip_of(name, row.shape[1], TITLE), row], axis=0))
    width = max((row.shape[1] for row in rows), default=NARROW)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    return np.concatenate([strip_of(title, width, TITLE), *padded], axis=0)


def overlay(
    image: np.ndarray, position_map: np.ndarray, mask: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """A crop (F, F, 3) uint8 under the shaded mesh of a position map.

    Args:
        image: RGB.
        position_map: (S, S, 3) in pixels of the crop, z towards the viewer.
        mask: (S, S) bool, the texels that belong to the mesh.
        opacity: of the mesh, from 0 to 1.
    """
    vertices = np.asarray(position_map, dtype=np.float64).reshape(-1, 3)
    triangles = grid_triangles(mask)
    raster = rasterize(vertices, triangles, *image.shape[:2])
    normals = vertex_normals(vertices, triangles, image_frame=True)
    colours = shade(normals, np.broadcast_to(SKIN, vertices.shape), (0.25, 0.25, 0.25), [LIGHT])
    drawn = 255.0 * np.clip(interpolate(raster, triangles, colours), 0.0, 1.0)
    cover = opacity * (raster.triangle >= 0)[..., None]
    return np.rint(image * (1 - cover) + drawn * cover).astype(np.uint8)


def covered(tile: Tile, chart: Chart) -> np.ndarray:
    """A tile's crop (F, F, 3) uint8 under its predicted mesh without ears and neck, true landmarks in green and
    predicted ones in red."""
    drawn = tile.image.copy()
    if tile.position_map is not None:
        drawn = overlay(tile.image, tile.position_map, chart.face_mask(tile.position_map.shape[0]))
    for points, colour in ((tile.truth68, TRUTH), (tile.landmarks, PREDICTED)):
        for x, y in np.asarray(points)[:, :2]:
            cv2.circle(drawn, (round(float(x) * 8), round(float(y) * 8)), 9, colour, -1, cv2.LINE_AA, 3)
    return drawn


def grid_triangles(mask: np.ndarray) -> np.ndarray:
    """Two triangles (T, 3) int32 for each square of texels that lie in the mask (S, S); vertex = row S + column.

    Counter-clockwise seen from outside, as a chart with u to the right and v up shows the face.
    """
    size = mask.shape[0]
    whole = mask[:-1, :-1] & mask[1:, :-1] & mask[:-1, 1:] & mask[1:, 1:]
    row, column = np.nonzero(whole)
    corner = row * size + column
    first = np.stack([corner, corner + size, corner + 1], axis=1)
    second = np.stack([corner + 1, corner + size, corner + size + 1], axis=1)
    return np.concatenate([first, second]).astype(np.int32)


def _pair(tile: Tile, chart: Chart) -> np.ndarray:
    pair = np.concatenate([tile.image, covered(tile, chart)], axis=1)
    return np.concatenate([pair, strip_of(tile.caption, pair.shape[1], CAPTION)], axis=0)


def strip_of(words: str, width: int, height: int) -> np.ndarray:
    """A white strip (height, width, 3) uint8 with the words on it, in smaller letters where they are many."""
    strip = np.full((height, width, 3), 255, dtype=np.uint8)
    plain = words.encode("ascii", "replace").decode()
    scale = height / 44
    (length, _), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    scale *= min(1.0, (width - 8) / max(length, 1))
    cv2.putText(strip, plain, (4, height - 6), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
