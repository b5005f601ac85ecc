"""A face model on one page: its mean from three sides, its chart, its landmarks, its modes at both ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.evaluation.sheet import strip_of
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.mesh import interpolate, rasterize, shade, vertex_normals
from pipeline.geometry.posmap import texel_coordinates
from pipeline.morphable import MorphableModel
from pipeline.morphable.charts import ChartFit

PANEL, COLUMNS = 220, 6
CAPTION, TITLE = 18, 26
KINDS = (("shape", 6), ("expression", 12), ("albedo", 3))
"""How many modes of a kind are shown, the first ones."""
RANGE = 3.0
"""Sigmas; where a mode's sigma is unknown, `SHIFT`."""
SHIFT = 0.05
"""How far the vertex that moves most goes then, a share of the mean's width."""
TURNS = ((0.0, "front"), (45.0, "three-quarter"), (90.0, "profile"))
CLAY, OFF_FACE = (0.74, 0.70, 0.66), (0.50, 0.60, 0.74)
LIGHTS = (((-0.4, 0.5, 1.0), (0.6, 0.6, 0.6)), ((0.8, 0.1, 0.4), (0.15, 0.15, 0.15)))
AMBIENT = (0.22, 0.22, 0.22)
MARK, INK, PAPER = (220, 30, 30), (0, 0, 120), (235, 235, 235)
CHECKERS = 24


@dataclass(frozen=True)
class View:
    """Where a mesh is drawn: the same for all panels of a kind, so that they can be compared.

    middle: (3,) in the model frame. scale: px per unit. side: px of the square panel.
    """

    middle: np.ndarray
    scale: float
    side: int

    @classmethod
    def of(cls, vertices: np.ndarray, side: int, *, turning: bool = True) -> View:
        """The view that holds these vertices (N, 3), however they are turned about the vertical, or from the front."""
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        middle = (low + high) / 2
        across = (
            2 * np.linalg.norm((vertices - middle)[:, [0, 2]], axis=1).max() if turning else high[0] - low[0]
        )
        return cls(middle, 0.94 * side / max(across, high[1] - low[1]), side)

    def place(self, vertices: np.ndarray, yaw: float = 0.0) -> np.ndarray:
        """Vertices (N, 3) in px of the panel, y down, turned by ``yaw`` degrees."""
        turned = (vertices - self.middle) @ rotation_from_angles(0.0, np.radians(yaw), 0.0).T
        return turned * self.scale * (1, -1, 1) + ((self.side - 1) / 2, (self.side - 1) / 2, 0)


def draw(model: MorphableModel, fit: ChartFit) -> np.ndarray:
    """The page (h, w, 3) uint8 RGB. fit: of the model's chart, as `pipeline.morphable.charts.measure` gives it."""
    view = View.of(np.concatenate([model.mean, *_extremes(model)]).astype(np.float64), PANEL)
    width = PANEL * COLUMNS
    rows = [strip_of(headline(model), width, TITLE), *_grid(list(_mean(model, view)))]
    third = width // 3
    close = [
        _landmarks(model, third, slice(0, 48), "mean with landmarks 1 to 48"),
        _landmarks(model, third, slice(48, 68), "landmarks 49 to 68"),
        _chart(model, fit, third),
    ]
    rows.append(np.concatenate(close, axis=1))
    for what, count in KINDS:
        tiles = list(_modes(model, view, what, count))
        if tiles:
            rows += [strip_of(_section(model, what, count), width, TITLE), *_grid(tiles)]
    return np.concatenate(rows, axis=0)


def headline(model: MorphableModel) -> str:
    """The model's name, sizes and licence in one line."""
    modes = [f"{model.shape_basis.shape[2]} shape", f"{model.expression_basis.shape[2]} expression"]
    if model.albedo_basis is not None:
        modes.append(f"{model.albedo_basis.shape[2]} albedo")
    return (
        f"{model.name}: {len(model.mean)} vertices, {len(model.triangles)} triangles, {', '.join(modes)} modes; "
        f"licence: {model.licence}"
    )


def _mean(model: MorphableModel, view: View) -> Iterator[np.ndarray]:
    for yaw, name in TURNS:
        yield _tile(_clay(model, model.mean, view, yaw), f"mean, {name}")
    if model.albedo_mean is not None:
        yield _tile(_coloured(model, view, model.albedo_mean), "mean, albedo")
    yield _tile(_clay(model, model.mean, view, 45.0, face=True), "face in grey, the rest in blue")
    raster = _raster(model, model.mean, view)
    uv = interpolate(raster, model.uv_triangles, model.uv)
    dark = (np.floor(uv * CHECKERS).sum(axis=2) % 2)[..., None]
    colours = np.stack([uv[..., 0], uv[..., 1], np.full_like(uv[..., 0], 0.6)], axis=2) * (1 - 0.55 * dark)
    yield _tile(_opaque(raster, colours), f"chart on it, {CHECKERS} x {CHECKERS} squares")


def _modes(model: MorphableModel, view: View, what: str, count: int) -> Iterator[np.ndarray]:
    """The two ends of each of the first modes; of a mode that works one way only that end."""
    for mode, words, coefficients in _coefficients(model, what, count):
        if what == "albedo":
            panel = _coloured(model, view, model.albedo(coefficients))
        else:
            panel = _clay(model, model.vertices(**{what: coefficients}), view, 20.0)
        yield _tile(panel, f"{mode}: {words}")


def _extremes(model: MorphableModel) -> Iterator[np.ndarray]:
    """Every surface (N, 3) that the page shows, for a view that cuts none."""
    for what, count in KINDS[:2]:
        for _, _, coefficients in _coefficients(model, what, count):
            yield model.vertices(**{what: coefficients})


def _coefficients(model: MorphableModel, what: str, count: int) -> Iterator[tuple[int, str, np.ndarray]]:
    """Number from 1, words and raw coefficients of each end of the first ``count`` modes."""
    basis, sigma = getattr(model, f"{what}_basis"), getattr(model, f"{what}_sigma")
    if basis is None:
        return
    floor = None if what == "shape" else getattr(model, f"{what}_floor")
    for mode in range(min(count, basis.shape[2])):
        ends = _ends(
            model, basis[:, :, mode], float(sigma[mode]), None if floor is None else float(floor[mode])
        )
        for words, value in ends:
            yield mode + 1, words, value * np.eye(mode + 1)[mode]


def _ends(
    model: MorphableModel, mode: np.ndarray, sigma: float, floor: float | None
) -> list[tuple[str, float]]:
    """Words and raw coefficients of the ends of one mode (N, 3)."""
    if np.isfinite(sigma):
        reach, words = RANGE * sigma, f"{RANGE:g} sigma"
    else:
        most = np.linalg.norm(mode, axis=1).max()
        reach = SHIFT * np.ptp(model.mean[:, 0]) / most if most > 0 else 0.0
        words = f"{reach:.3g}"
    if floor is None or -reach >= floor:
        return [(f"-{words}", -reach), (f"+{words}", reach)]
    if floor < 0:
        return [(f"its least, {floor:.3g}", floor), (f"+{words}", reach)]
    return [(f"+{words}, one way", reach)]


def _section(model: MorphableModel, what: str, count: int) -> str:
    basis, sigma = getattr(model, f"{what}_basis"), getattr(model, f"{what}_sigma")
    shown = min(count, basis.shape[2])
    title = f"{what} modes, {shown} of {basis.shape[2]}: {RANGE:g} sigma to both sides"
    if np.isfinite(sigma[:shown]).all():
        return title
    return (
        f"{title}; where sigma is unknown the vertex that moves most goes by {SHIFT:.0%} of the mean's width"
    )


def _raster(model: MorphableModel, vertices: np.ndarray, view: View, yaw: float = 0.0):
    return rasterize(view.place(vertices, yaw), model.triangles, view.side, view.side, cull=True)


def _clay(
    model: MorphableModel, vertices: np.ndarray, view: View, yaw: float = 0.0, *, face: bool = False
) -> np.ndarray:
    """A surface in plain grey on white; ``face``: what is not the face in blue. Seen from inside it is not drawn."""
    colours = np.broadcast_to(CLAY, vertices.shape)
    if face:
        colours = np.where(model.face_mask[:, None], CLAY, OFF_FACE)
    rotation = rotation_from_angles(0.0, np.radians(yaw), 0.0)
    normals = vertex_normals(np.asarray(vertices, np.float64) @ rotation.T, model.triangles)
    lit = shade(normals, colours, AMBIENT, LIGHTS)
    raster = _raster(model, vertices, view, yaw)
    return _opaque(raster, interpolate(raster, model.triangles, lit))


def _coloured(model: MorphableModel, view: View, albedo: np.ndarray) -> np.ndarray:
    """The mean from the front in its colours, unlit: linear RGB (N, 3) shown as sRGB."""
    raster = _raster(model, model.mean, view)
    linear = np.clip(interpolate(raster, model.triangles, albedo), 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return _opaque(raster, srgb)


def _opaque(raster, colours: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) in 0..1 where there is a surface, white elsewhere, as uint8."""
    shown = np.where(raster.mask[..., None], np.clip(colours, 0, 1), 1.0)
    return np.rint(255 * shown).astype(np.uint8)


def _landmarks(model: MorphableModel, side: int, shown: slice, caption: str) -> np.ndarray:
    """Some of the 68 landmarks on the mean's front, close up, numbered from 1 as iBUG does; the others as dots."""
    points = model.landmarks()
    margin = 0.09 * np.ptp(points[shown], axis=0).max()
    corners = np.stack([points[shown].min(axis=0) - margin, points[shown].max(axis=0) + margin])
    view = View.of(corners, side, turning=False)
    picture = _clay(model, model.mean, view)
    placed = view.place(points)[:, :2]
    for x, y in placed:
        _dot(picture, x, y)
    aside = placed + 11 * _away(placed)
    for number in range(68)[shown]:
        words = str(number + 1)
        (w, h), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.34, 1)
        x, y = np.clip(aside[number] + (-w / 2, h / 2), (0, h), (side - w, side - 1))
        for colour, width in ((PAPER, 3), (INK, 1)):
            where = (round(x), round(y))
            cv2.putText(picture, words, where, cv2.FONT_HERSHEY_SIMPLEX, 0.34, colour, width, cv2.LINE_AA)
    return _tile(picture, caption)


def _away(points: np.ndarray) -> np.ndarray:
    """(68, 2) which way from its landmark a number stands: out of the contour, the eyes and the outer lips, above the
    brows, beside the nose, above and below the inner lips, whose two rows lie on each other in a closed mouth, and
    into their corners."""
    away = np.zeros((68, 2))
    for part in (slice(0, 17), slice(36, 42), slice(42, 48), slice(48, 60)):
        offset = points[part] - points[part].mean(axis=0)
        away[part] = offset / np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-9)
    away[17:27] = away[61:64] = (0, -1)
    away[27:31] = away[60] = (1, 0)
    away[64] = (-1, 0)
    away[31:36] = away[65:68] = (0, 1)
    return away


def _chart(model: MorphableModel, fit: ChartFit, side: int) -> np.ndarray:
    """The mean unrolled on its chart, lit from the front, with the landmarks; white where the chart is empty."""
    plane = np.column_stack([texel_coordinates(model.uv, side), np.zeros(len(model.uv))])
    raster = rasterize(plane, model.uv_triangles, side, side)
    colours = np.where(model.face_mask[:, None], CLAY, OFF_FACE)
    lit = shade(vertex_normals(model.mean, model.triangles), colours, AMBIENT, LIGHTS)
    picture = _opaque(raster, interpolate(raster, model.triangles, lit))
    rows = np.zeros(len(model.mean), np.int64)
    rows[model.triangles.ravel()] = model.uv_triangles.ravel()
    for x, y in plane[rows[model.keypoints], :2]:
        _dot(picture, x, y)
    words = f"chart: covers {fit.covered:.1%}, folded {fit.folded:.2g}, overlapping {fit.overlapping:.2g}"
    return _tile(picture, words)


def _dot(picture: np.ndarray, x: float, y: float) -> None:
    cv2.circle(picture, (round(float(x) * 8), round(float(y) * 8)), 16, MARK, -1, cv2.LINE_AA, 3)


def _tile(panel: np.ndarray, caption: str) -> np.ndarray:
    return np.concatenate([panel, strip_of(caption, panel.shape[1], CAPTION)], axis=0)


def _grid(tiles: list[np.ndarray]) -> list[np.ndarray]:
    """Rows of `COLUMNS` tiles, the last filled up with white."""
    blank = np.full_like(tiles[0], 255)
    tiles = tiles + [blank] * (-len(tiles) % COLUMNS)
    return [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
