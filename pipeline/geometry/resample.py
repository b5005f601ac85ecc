"""One resampling from the original pixels to a crop, separable and without aliasing.

Every crop pixel is a weighted mean of picture pixels: a tent of radius max(1, 1/k) about its centre's place in the
picture, weights brought to sum 1 and mean offset 0, so that a linear ramp is kept exactly at any sub-pixel shift.
Enlarging, the tent is plain bilinear interpolation; at k = 1 and a whole-pixel shift it is a copy.
"""

import math

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.records import FacemillError

PADDINGS = ("reflect", "zero", "edge")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def crop_image(
    image: np.ndarray,
    transform: CropTransform,
    padding: str = "reflect",
    mode: str = "exact",
    interpolation: str = "linear",
) -> np.ndarray:
    """The crop (S, S, C) uint8 of a picture (h, w, C) or (h, w) uint8.

    padding: what lies outside the picture: 'reflect' (about the outermost pixels' centres), 'zero' or 'edge'.
    mode: 'exact' as the module describes, or 'cv2_uint8': OpenCV's own interpolation of 8-bit values without
    anti-aliasing, as the peers cropped; `interpolation` ('linear' or 'cubic') is for that mode only.
    `FacemillError` for a picture that is not uint8 or an unknown name.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise FacemillError(f"expected a uint8 picture (h, w, C), found {image.dtype} of shape {image.shape}")
    if padding not in PADDINGS:
        raise FacemillError(f"unknown padding {padding!r}; known: {', '.join(PADDINGS)}")
    if image.ndim == 2:
        image = image[:, :, None]
    if mode == "cv2_uint8":
        return _crop_cv2(image, transform, padding, interpolation)
    if mode != "exact":
        raise FacemillError(f"unknown resampling {mode!r}; known: exact, cv2_uint8")
    return np.clip(np.rint(sample(image, transform, padding)), 0, 255).astype(np.uint8)


def sample(
    image: np.ndarray, transform: CropTransform, padding: str, radius: float | None = None
) -> np.ndarray:
    """The crop (S, S, C) in float32, not rounded, of an (h, w, C) picture of any real type. radius: of the tent, in
    pixels of the picture; 1 is bilinear, with aliasing where it shrinks; None: as the module describes."""
    height, width = image.shape[:2]
    columns = _taps(transform.scale, transform.cx, transform.size, width, padding, radius)
    rows = _taps(transform.scale, transform.cy, transform.size, height, padding, radius)
    return _separable(image, columns, rows, transform.size)


def stretch(image: np.ndarray, size: int) -> np.ndarray:
    """A picture (h, w, C) stretched to (size, size, C) float32, not rounded: bilinear between pixels' centres, the
    outermost repeated, and with aliasing where it shrinks, as OpenCV's INTER_LINEAR."""
    height, width = image.shape[:2]
    columns, rows = (
        _taps(size / length, (length - 1) / 2, size, length, "edge", radius=1.0) for length in (width, height)
    )
    return _separable(image, columns, rows, size)


def _separable(
    image: np.ndarray, columns: tuple[np.ndarray, np.ndarray], rows: tuple[np.ndarray, np.ndarray], size: int
) -> np.ndarray:
    """Indices and weights of both axes on a picture (h, w, C): (size, size, C) float32."""
    (columns, column_weights), (rows, row_weights) = columns, rows
    channels = image.shape[2]
    left, right = int(columns.min()), int(columns.max()) + 1
    top, bottom = int(rows.min()), int(rows.max()) + 1
    # 8-bit values become floats tap by tap, which takes a large picture a fraction of the memory
    part = np.ascontiguousarray(
        image[top:bottom, left:right], None if image.dtype == np.uint8 else np.float32
    )
    flat = part.reshape(bottom - top, (right - left) * channels)
    lines = _weighted(flat, rows - top, row_weights).reshape(size, right - left, channels)
    turned = np.ascontiguousarray(lines.transpose(1, 0, 2)).reshape(right - left, size * channels)
    out = _weighted(turned, columns - left, column_weights)
    return out.reshape(size, size, channels).transpose(1, 0, 2)


def to_gray(image: np.ndarray) -> np.ndarray:
    """(h, w, 1) uint8 luma 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) of an (h, w, 3) RGB picture."""
    return np.rint(image.astype(np.float32) @ LUMA).astype(np.uint8)[..., None]


def to_rgb(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) of a stored crop (h, w, 3) or (h, w, 1); grey has three equal channels."""
    return image if image.shape[2] == 3 else np.repeat(image, 3, axis=2)


def _taps(
    k: float, centre: float, size: int, length: int, padding: str, radius: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Source indices (size, T) within [0, length) and their float32 weights, for one axis."""
    place = (np.arange(size) - (size - 1) / 2) / k + centre
    radius = max(1.0, 1.0 / k) if radius is None else radius
    count = 2 * math.ceil(radius) + 1
    nearest = np.rint(place)
    index = nearest[:, None] + np.arange(count) - count // 2
    offset = index - place[:, None]
    tent = np.maximum(0.0, 1.0 - np.abs(offset) / radius)
    m0, m1, m2 = tent.sum(1), (tent * offset).sum(1), (tent * offset * offset).sum(1)
    tilt = np.divide(m1, m2, out=np.zeros_like(m1), where=m2 > 1e-12)
    weights = tent * (1.0 - tilt[:, None] * offset) / (m0 - tilt * m1)[:, None]
    return _fold(index.astype(np.int64), weights, length, padding)


def _fold(index: np.ndarray, weights: np.ndarray, length: int, padding: str) -> tuple[np.ndarray, np.ndarray]:
    if padding == "zero":
        weights = np.where((index >= 0) & (index < length), weights, 0.0)
    if padding == "reflect" and length > 1:
        period = 2 * (length - 1)
        index = length - 1 - np.abs(np.mod(index, period) - (length - 1))
    return np.clip(index, 0, length - 1), weights.astype(np.float32)


def _weighted(values: np.ndarray, index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rows sum_t weights[:, t] * values[index[:, t]]: (size, n) of values (length, n) float32 or uint8, tap by tap."""
    out = np.zeros((len(index), values.shape[1]), np.float32)
    for tap in range(index.shape[1]):
        if weights[:, tap].any():
            out += weights[:, tap, None] * values[index[:, tap]]
    return out


def _crop_cv2(image: np.ndarray, transform: CropTransform, padding: str, interpolation: str) -> np.ndarray:
    import cv2

    kinds = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
    borders = {"reflect": cv2.BORDER_REFLECT_101, "zero": cv2.BORDER_CONSTANT, "edge": cv2.BORDER_REPLICATE}
    if interpolation not in kinds:
        raise FacemillError(f"unknown interpolation {interpolation!r}; known: {', '.join(kinds)}")
    size, edges = transform.size, transform.window() + 0.5
    whole = np.rint(edges).astype(int)
    if np.abs(edges - whole).max() < 1e-6:
        part = _window(image, whole, padding)
        out = cv2.resize(part, (size, size), interpolation=kinds[interpolation])
    else:
        matrix = np.array(
            [[transform.scale, 0, transform.offset[0]], [0, transform.scale, transform.offset[1]]]
        )
        out = cv2.warpAffine(
            image, matrix, (size, size), flags=kinds[interpolation], borderMode=borders[padding]
        )
    return out.reshape(size, size, image.shape[2])


def _window(image: np.ndarray, edges: np.ndarray, padding: str) -> np.ndarray:
    left, top, right, bottom = (int(edge) for edge in edges)
    rows, row_weights = _fold(np.arange(top, bottom), np.ones(bottom - top), image.shape[0], padding)
    columns, column_weights = _fold(np.arange(left, right), np.ones(right - left), image.shape[1], padding)
    part = image[rows][:, columns]
    return np.ascontiguousarray(part * (row_weights[:, None] * column_weights)[..., None].astype(np.uint8))
