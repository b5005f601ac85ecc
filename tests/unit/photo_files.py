"""Photos, zips and videos as people have them, whole and damaged, made by the tests that read them."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIDE = 64
FRAMES = 20


def photo(seed: int = 0) -> np.ndarray:
    """A smooth picture (64, 64, 3) uint8 RGB, another one for each seed."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (SIDE, SIDE))


def photo_bytes(seed: int = 0, suffix: str = ".png", turned: bool = False) -> bytes:
    """The picture as a file; `turned`: stored on its side, with the EXIF tag that says so."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    rgb = np.rot90(photo(seed)).copy() if turned else photo(seed)
    kinds = {".png": "PNG", ".jpg": "JPEG", ".jfif": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}
    kinds |= {".gif": "GIF", ".jp2": "JPEG2000", ".avif": "AVIF"}
    more = {"lossless": True} if suffix == ".webp" else {"quality": 98} if suffix == ".jpg" else {}
    Image.fromarray(rgb).save(buffer, kinds[suffix], **({"exif": exif} if turned else {}), **more)
    return buffer.getvalue()


def heic() -> bytes:
    """The first bytes of a HEIC file, and no picture behind them."""
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    """A zip of members, each compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def damage_member(path: Path, name: str) -> None:
    """Turn the bits of the middle of a member's compressed bytes."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(name.encode()) + info.compress_size // 2
    for k in range(start, start + 8):
        data[k] ^= 0xFF
    path.write_bytes(data)


def encrypt_flags(path: Path) -> None:
    """Mark every member of a zip as encrypted, in its local header and in the table of contents."""
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    path.write_bytes(data)


def make_video(path: Path, code: str = "mp4v", frames: int = FRAMES) -> Path:
    """A video of numbered frames, each different; key frames every 12 where the codec predicts."""
    ground = cv2.resize(photo(9), (160, 120))
    pictures = [np.roll(ground, 5 * number, axis=1).copy() for number in range(frames)]
    for number, picture in enumerate(pictures):
        cv2.putText(picture, str(number), (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    return write_video(path, pictures, code)


def write_video(path: Path, pictures: Sequence[np.ndarray], code: str = "mp4v") -> Path:
    """A video of pictures (h, w, 3) uint8 BGR, all of one size."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 25, pictures[0].shape[1::-1])
    assert writer.isOpened(), f"this OpenCV writes no {code}"
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def damage_frame(path: Path, number: int) -> None:
    """Overwrite the whole packet of a frame, so that the decoder refuses it."""
    packets = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    for _ in range(number + 1):
        assert packets.grab()
    packet = packets.retrieve()[1].tobytes()
    data = bytearray(path.read_bytes())
    end = packet[-40:]
    assert data.count(end) == 1
    stop = data.index(end) + len(end)
    data[stop - len(packet) : stop] = bytes(len(packet))
    path.write_bytes(data)
