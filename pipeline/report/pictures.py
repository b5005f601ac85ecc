"""Pictures inside the page: files and arrays as data URIs."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np

from pipeline.io.images import encode_jpeg, read_picture
from pipeline.records import FacemillError

QUALITY = 88
PIXELS_PER_POINT = 96 / 72
LARGEST_DRAWING = 600_000
"""Bytes of an SVG above which its PNG stands on the page, where that is smaller: a drawing of many pictures is."""


def data_uri(data: bytes, kind: str) -> str:
    """Bytes of a media type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def jpeg_uri(picture: np.ndarray, width: int | None = None) -> str:
    """An (h, w, 3) uint8 RGB picture as a JPEG data URI, made smaller to ``width`` where it is wider."""
    height, found = picture.shape[:2]
    if width is not None and found > width:
        picture = cv2.resize(picture, (width, round(height * width / found)), interpolation=cv2.INTER_AREA)
    return data_uri(encode_jpeg(picture, QUALITY), "image/jpeg")


def sheet_uri(png: str | Path, width: int) -> str:
    """A picture file as a JPEG data URI of at most this width."""
    return jpeg_uri(read_picture(png), width)


def drawing_uri(svg: str | Path, png: str | Path) -> tuple[int, str]:
    """A figure's width in CSS pixels, and its data URI: the drawing, which is sharp at any size, or its pixels where
    these take less room and the drawing takes much. FacemillError for an SVG that says no width in points."""
    drawing, pixels = Path(svg).read_bytes(), Path(png).read_bytes()
    width = re.search(rb'<svg[^>]*\swidth="([\d.]+)pt"', drawing)
    if not width:
        raise FacemillError(
            f"{svg}: expected an SVG with a width in points, as Matplotlib writes it; delete it and type: "
            f"python -m pipeline figure --figure {Path(svg).stem}"
        )
    shown = round(float(width[1]) * PIXELS_PER_POINT)
    if len(drawing) > LARGEST_DRAWING and len(pixels) < len(drawing):
        return shown, data_uri(pixels, "image/png")
    return shown, data_uri(drawing, "image/svg+xml")
