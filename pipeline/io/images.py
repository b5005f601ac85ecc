"""Pictures in and out: any file a photo folder may hold, as 8-bit RGB, or the reason why not.

Pictures inside a zip and frames of a video are read by their address (see `pipeline.io.containers`).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.io.containers import UnreadablePicture, read_source
from pipeline.io.files import write_bytes
from pipeline.records import FacemillError

cv2.setNumThreads(1)

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
PIXELS_AT_ONCE = 50_000_000
"""A stage that handles pictures together holds no more than this many pixels and one picture more."""


def read_picture(path: str | Path) -> np.ndarray:
    """The picture as (h, w, 3) uint8 RGB, turned upright by its EXIF tag; of an animation the first frame.

    OpenCV turns no JPEG 2000 and no AVIF.
    Grey, RGBA, CMYK and 16-bit pictures are converted; alpha is dropped. Raises UnreadablePicture for a missing,
    empty, truncated or foreign file.
    """
    data = read_source(path)
    if isinstance(data, np.ndarray):
        return data
    if not data:
        raise UnreadablePicture(f"{path}: the file is empty")
    problem = _truncated(data)
    if problem:
        raise UnreadablePicture(f"{path}: {problem}")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UnreadablePicture(f"{path}: {error.err}") from error
    if picture is None:
        raise UnreadablePicture(f"{path}: {_foreign(data)}")
    return np.ascontiguousarray(picture[:, :, ::-1])


def _truncated(data: bytes) -> str | None:
    """What is missing at a file's end. OpenCV itself fills the rest of a truncated JPEG with grey and says nothing."""
    if data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return "truncated JPEG: no end-of-image marker after its last scan"
    if data.startswith(b"\x89PNG") and b"IEND" not in data[-64:]:
        return "truncated PNG: no IEND chunk at its end"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) < 8 + int.from_bytes(data[4:8], "little"):
        return "truncated WebP: shorter than its header says"
    return None


def _foreign(data: bytes) -> str:
    """Why OpenCV makes no picture of a file."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "a HEIC picture, which OpenCV does not read; convert it to JPEG or PNG"
    return (
        "damaged, or no picture format that OpenCV reads (JPEG, PNG, WebP, BMP, TIFF, and where it was built with them "
        "GIF, JPEG 2000, AVIF); convert it to JPEG or PNG"
    )


def as_rgb(picture: np.ndarray) -> np.ndarray:
    """A uint8 picture (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) as (h, w, 3) RGB: grey has three equal channels, alpha
    is dropped. FacemillError for anything else."""
    if picture.dtype == np.uint8 and picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (1, 3, 4):
        raise FacemillError(
            f"expected a uint8 picture (h, w, 3), found {picture.dtype} of shape {picture.shape}"
        )
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[:, :, :3]


def encode_jpeg(picture: np.ndarray, quality: int) -> bytes:
    """The JPEG bytes of an (h, w, 3) uint8 RGB picture."""
    done, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(picture[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise FacemillError(f"cannot encode a picture of shape {picture.shape} as JPEG")
    return data.tobytes()


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write an (h, w, 3) uint8 RGB or (h, w) grey picture as PNG, whole or not at all."""
    shown = picture[:, :, ::-1] if picture.ndim == 3 else picture
    done, data = cv2.imencode(".png", np.ascontiguousarray(shown))
    if not done:
        raise FacemillError(f"cannot encode a picture of shape {picture.shape} as PNG")
    write_bytes(path, data.tobytes())
