"""Copies of pictures as a careless collector makes them, and the two stages that find them, without the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from pipeline.io import hdf5
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.records import DETECTIONS, LEAK_COLUMNS, SOURCE_COLUMNS
from pipeline.stages import fingerprint, leaks

KINDS = ("encoded", "scaled", "flipped", "all")
OPTIONS = {"names": True, "bits": [48, 72], "correlation": 0.8, "groups": True}
Sample = tuple[np.ndarray, np.ndarray]
"""A picture (h, w, 3) uint8 RGB and its landmarks (68, 2) px, NaN where nobody looked for a face."""


def planted(sample: Sample, kind: str, rng: np.random.Generator) -> tuple[bytes, np.ndarray]:
    """A copy of a picture as JPEG bytes, with its landmarks: re-encoded at quality 30 to 90, scaled by 0.4 to 1.5,
    mirrored, or all of it and a little brighter or darker."""
    picture, points = sample
    quality = 92
    if kind in ("scaled", "all"):
        factor = rng.uniform(0.4, 1.5)
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method)
        points = (points + 0.5) * factor - 0.5
    if kind in ("flipped", "all"):
        picture = picture[:, ::-1]
        points = np.column_stack([picture.shape[1] - 1 - points[:, 0], points[:, 1]])
    if kind == "all":
        picture = np.clip(picture * rng.uniform(0.85, 1.15) + rng.uniform(-8, 8), 0, 255).astype(np.uint8)
    if kind in ("encoded", "all"):
        quality = int(rng.integers(30, 91))
    return jpeg(picture, quality), points


def jpeg(picture: np.ndarray, quality: int = 92) -> bytes:
    """The JPEG bytes of an RGB picture."""
    return cv2.imencode(
        ".jpg", np.ascontiguousarray(picture[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )[1].tobytes()


class Sets:
    """Data sets in a folder, as the stages before would leave them, and what the two stages make of them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, dataset: str, files: Mapping[str, tuple[bytes, np.ndarray]], groups=None) -> None:
        """Write a data set of id -> (JPEG bytes, landmarks), its source table and detections, and fingerprint it."""
        root = self.folder / dataset
        rows = []
        for k, (name, (data, _)) in enumerate(files.items()):
            path = root / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            rows.append((name, f"{name}.jpg", "train", (groups or {}).get(name, name), "", f"{k}", "", ""))
        with hdf5.create(root / "detections.h5", DETECTIONS, len(files)) as detections:
            detections["face"][:] = [f"{name}#0" for name in files]
            detections["picture"][:] = list(files)
            detections["landmarks68"][:] = [points for _, points in files.values()]
        write_tsv(root / "source.tsv", SOURCE_COLUMNS, rows)
        self.fingerprint(dataset)

    def fingerprint(self, dataset: str) -> None:
        """Run the stage fingerprint in one shard."""
        root = self.folder / dataset
        fingerprint.run(
            inputs={"source": str(root / "source.tsv"), "detections": str(root / "detections.h5")},
            outputs={"fingerprints": str(root / "prints.h5")},
            settings={"root": str(root), "shards": 1},
            wildcards={"dataset": dataset, "shard": "0"},
            attributes={},
        )

    def leaks(self, dataset: str, benchmarks: list[str], collections=None, **options) -> list[dict[str, str]]:
        """The rows of the table of a training set."""
        everyone = [dataset, *benchmarks]
        out = self.folder / "leaks.tsv"
        leaks.run(
            inputs={
                "sources": [str(self.folder / name / "source.tsv") for name in everyone],
                "fingerprints": [str(self.folder / name / "prints.h5") for name in everyone],
            },
            outputs={"leaks": str(out)},
            settings={
                "benchmarks": benchmarks,
                "shards": 1,
                "readers": dict.fromkeys(everyone, "face_300w_lp"),
                "collections": {name: (collections or {}).get(name) for name in everyone},
                "leaks": {**OPTIONS, **options},
            },
            wildcards={"dataset": dataset},
            attributes={},
        )
        return read_tsv(out, LEAK_COLUMNS)
