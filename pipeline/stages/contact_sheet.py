"""contact_sheet: one picture with examples of every reason for which faces of a data set were reaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import UnreadablePicture, read_picture, write_png
from pipeline.io.tables import read_tsv
from pipeline.records import DETECTIONS, KEPT_COLUMNS, REAPED_COLUMNS, SOURCE_COLUMNS, Reason

EXAMPLES = 6
TILE, GAP, HEAD, FOOT = 160, 8, 26, 18
PAPER, INK, PALE, MARK = (250, 250, 248), (30, 30, 34), (205, 205, 202), (230, 60, 40)


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Draw the sheet of one data set: `inputs` source, kept, reaped, and the list detections; `outputs`
    contact_sheet (png); `settings` root."""
    root = expand(settings["root"])
    paths = {row["id"]: root / row["path"] for row in read_tsv(inputs["source"], SOURCE_COLUMNS)}
    reaped = read_tsv(inputs["reaped"], REAPED_COLUMNS)
    kept = read_tsv(inputs["kept"], KEPT_COLUMNS)
    boxes = _boxes(inputs["detections"])
    bands = []
    for reason in Reason:
        rows = [row for row in reaped if row["code"] == reason.code]
        if rows:
            title = f"{reason.words}: {len(rows)} of {len(reaped) + len(kept)}"
            bands.append(band(title, _spread(rows), paths, boxes))
    title = f"{wildcards['dataset']}: {len(kept)} kept, {len(reaped)} reaped"
    bands.insert(0, band(f"{title}; kept", _spread(kept), paths, boxes))
    write_png(outputs["contact_sheet"], np.concatenate(bands))


def band(
    title: str,
    rows: Sequence[Mapping[str, str]],
    paths: Mapping[str, Path],
    boxes: Mapping[str, np.ndarray],
) -> np.ndarray:
    """One strip of tiles under a title, (h, w, 3) uint8 RGB: each row's picture, its box, its id and its value."""
    width = EXAMPLES * (TILE + GAP) + GAP
    strip = np.full((HEAD + TILE + FOOT + GAP, width, 3), PAPER, np.uint8)
    _write(strip, title, (GAP, HEAD - 8), 0.52)
    for k, row in enumerate(rows):
        left = GAP + k * (TILE + GAP)
        strip[HEAD : HEAD + TILE, left : left + TILE] = tile(paths[row["picture"]], boxes.get(row["face"]))
        value = f" {float(row['value']):.3g}" if row.get("value") else ""
        _write(strip, _short(row["face"], 22 - len(value)) + value, (left, HEAD + TILE + FOOT - 5), 0.36)
    return strip


def tile(path: Path, box: np.ndarray | None) -> np.ndarray:
    """A picture as a (TILE, TILE, 3) thumbnail with its face's box, or a blank one where it cannot be read."""
    out = np.full((TILE, TILE, 3), PALE, np.uint8)
    try:
        picture = read_picture(path)
    except UnreadablePicture:
        _write(out, "cannot be read", (30, TILE // 2), 0.4)
        return out
    scale = TILE / max(picture.shape[:2])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if box is not None:
        x1, y1, x2, y2 = (round(float(value)) for value in (box + 0.5) * scale - 0.5)
        cv2.rectangle(small, (x1, y1), (x2, y2), MARK, 1)
    top, left = (TILE - height) // 2, (TILE - width) // 2
    out[top : top + height, left : left + width] = small
    return out


def _boxes(detections: Sequence[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for path in detections:
        with hdf5.open_checked(path, DETECTIONS) as file:
            for group in (file, file.get("rejected")):
                if group is not None:
                    found.update(zip(hdf5.texts(group["face"]), group["box"][:], strict=True))
    return found


def _spread(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """At most EXAMPLES rows, evenly spread over all."""
    count = min(EXAMPLES, len(rows))
    return [rows[k * len(rows) // count] for k in range(count)]


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else "..." + text[len(text) - length + 3 :]


def _write(image: np.ndarray, text: str, place: tuple[int, int], size: float) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(image, plain, place, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)
