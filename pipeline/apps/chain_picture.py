"""One face through the chain in one picture: photo, crop, position map, texture, mesh from three sides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.evaluation import predictions
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.sheet import grid_triangles, overlay
from pipeline.evaluation.surfaces import MapShape
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.mesh import interpolate, rasterize, shade, vertex_normals
from pipeline.geometry.resample import to_rgb
from pipeline.io import hdf5
from pipeline.io.images import read_picture
from pipeline.records import PACK, FacemillError

SIDE = 288
GAP = 8
TURNS = (-45.0, 45.0)
SKIN = (0.72, 0.70, 0.68)
LIGHT = ((0.3, 0.4, 1.0), (0.8, 0.8, 0.8))


def draw(picture: str, photo: Path, pack: Path, predicted: Path, chart: Chart) -> np.ndarray:
    """The strip (SIDE, w, 3) uint8 RGB for one picture of a benchmark.

    Args:
        picture: its id.
        photo: its file.
        pack: the benchmark's pack.
        predicted: a model's stored predictions.
        chart: of the face model.

    Errors: FacemillError when the picture is not among the predictions.
    """
    with hdf5.open_checked(pack, PACK) as file:
        for row, (found, shape) in enumerate(predictions.shapes(predicted, file, chart)):
            if found.picture == picture:
                if not isinstance(shape, MapShape):
                    raise FacemillError(f"{predicted}: expected position maps, found {shape.what}")
                crop = CropTransform.from_array(file["transform"][row])
                position_map = crop.apply(shape.position_map)
                panels = _panels(read_picture(photo), to_rgb(file["image"][row]), position_map, chart)
                return _strip(panels)
    raise FacemillError(f"{predicted}: no prediction for the picture {picture}")


def _panels(photo: np.ndarray, image: np.ndarray, position_map: np.ndarray, chart: Chart) -> list[np.ndarray]:
    mask = chart.face_mask(position_map.shape[0])
    turned = [_turned(position_map, mask, angle) for angle in TURNS]
    covered = overlay(image, position_map, mask)
    return [photo, image, _as_colours(position_map), texture(image, position_map), covered, *turned]


def texture(image: np.ndarray, position_map: np.ndarray) -> np.ndarray:
    """The crop (F, F, 3) uint8 read at a position map's x, y (S, S, 3, in pixels of the crop): the face unrolled on
    its chart, (S, S, 3) uint8, black where the map leaves the crop."""
    where = position_map.astype(np.float32)
    return cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def _as_colours(position_map: np.ndarray) -> np.ndarray:
    """x, y, z of a position map as red, green, blue, each from its least to its greatest value."""
    low, high = position_map.min(axis=(0, 1)), position_map.max(axis=(0, 1))
    return np.rint(255 * (position_map - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)


def _turned(position_map: np.ndarray, mask: np.ndarray, angle: float) -> np.ndarray:
    """The mesh of a position map turned about the vertical by ``angle`` degrees, shaded on white."""
    points = position_map.reshape(-1, 3) * (1.0, -1.0, 1.0)
    face = points[mask.ravel()]
    turned = (points - face.mean(axis=0)) @ rotation_from_angles(0.0, np.radians(angle), 0.0).T
    face = turned[mask.ravel()]
    middle = (face.max(axis=0) + face.min(axis=0)) / 2
    scale = 0.9 * SIDE / np.ptp(face[:, :2], axis=0).max()
    vertices = (turned - middle) * scale * (1.0, -1.0, 1.0) + ((SIDE - 1) / 2, (SIDE - 1) / 2, 0.0)
    triangles = grid_triangles(mask)
    raster = rasterize(vertices, triangles, SIDE, SIDE)
    normals = vertex_normals(vertices, triangles, image_frame=True)
    colours = shade(normals, np.broadcast_to(SKIN, vertices.shape), (0.25, 0.25, 0.25), [LIGHT])
    drawn = interpolate(raster, triangles, colours, background=1.0)
    return np.rint(255 * np.clip(drawn, 0.0, 1.0)).astype(np.uint8)


def _strip(panels: list[np.ndarray]) -> np.ndarray:
    """Panels side by side at one height, white between them."""
    scaled = [
        cv2.resize(panel, (round(panel.shape[1] * SIDE / panel.shape[0]), SIDE), interpolation=cv2.INTER_AREA)
        for panel in panels
    ]
    between = np.full((SIDE, GAP, 3), 255, np.uint8)
    parts = [part for panel in scaled for part in (panel, between)]
    return np.concatenate(parts[:-1], axis=1)
