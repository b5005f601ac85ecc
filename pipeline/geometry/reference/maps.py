"""Twins of the UV table, the gather and the 16-bit codes."""

import numpy as np

from pipeline.geometry.reference.raster import rasterize


def map_values(uv, uv_triangles, triangles, values, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A map (S, S, C) float64 of vertex values (N, C) drawn for this face alone, as face3d does, and where the chart
    covers it (S, S) bool. Other texels take the nearest point of any triangle's edge."""
    uv, values = np.asarray(uv, np.float64), np.asarray(values, np.float64)
    uv_triangles, triangles = np.asarray(uv_triangles), np.asarray(triangles)
    plane = np.column_stack([uv[:, 0], 1.0 - uv[:, 1]]) * (size - 1)
    flat = np.column_stack([plane, np.zeros(len(plane))])
    number, barycentric, _ = rasterize(flat, uv_triangles, size, size)
    out = np.zeros((size, size, values.shape[1]))
    for row, column in np.ndindex(size, size):
        if number[row, column] >= 0:
            corners = values[triangles[number[row, column]]]
            out[row, column] = barycentric[row, column] @ corners
        else:
            out[row, column] = _nearest_edge(plane, uv_triangles, triangles, values, np.array([column, row]))
    return out, number >= 0


def gather(corners, weights, values) -> np.ndarray:
    """Twin of UVTable.gather: (texels, C) float64 from corners (texels, 3) and weights (texels, 2)."""
    a, b, c = (np.asarray(values, np.float64)[np.asarray(corners)[:, i]] for i in range(3))
    first, second = (np.asarray(weights, np.float64)[:, i, None] for i in range(2))
    return a + first * (b - a) + second * (c - a)


def codes(values, scale: int, offset: int) -> tuple[np.ndarray, int]:
    """Twin of UVTable.gather_codes' last step: uint16 codes of px values, and how many do not fit."""
    code = np.asarray(values, np.float64) * scale
    low, high = -offset * scale, 65535 - offset * scale
    fits = (code >= low - 0.5) & (code < high + 0.5)
    held = np.where(np.isnan(code), low, np.clip(code, low, high))
    return (np.rint(held) + offset * scale).astype(np.uint16), int((~fits).sum())


def _nearest_edge(plane, uv_triangles, triangles, values, point) -> np.ndarray:
    best, found = np.inf, None
    for chart, mesh in zip(uv_triangles, triangles, strict=True):
        for i, j in ((0, 1), (1, 2), (2, 0)):
            start, along = plane[chart[i]], plane[chart[j]] - plane[chart[i]]
            length = along @ along
            t = np.clip((point - start) @ along / length, 0, 1) if length > 0 else 0.0
            distance = np.sum((point - start - t * along) ** 2)
            if distance < best:
                best, found = distance, (1 - t) * values[mesh[i]] + t * values[mesh[j]]
    return found
