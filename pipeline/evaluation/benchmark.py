"""Which pictures a benchmark consists of, and where the truth of a failed one lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem, Reader
from pipeline.io.tables import read_tsv
from pipeline.records import SOURCE_COLUMNS, FacemillError


@dataclass(frozen=True)
class BenchmarkPicture:
    """A test picture with exactly one true face. annotation: its file, relative to the data set's root."""

    id: str
    annotation: str


def benchmark_pictures(source: Path) -> list[BenchmarkPicture]:
    """The pictures of a benchmark's source table that have exactly one annotation, in the table's order.

    Pictures without a face or with several stand in the ledger only. FacemillError when none is left.
    """
    found = []
    for row in read_tsv(source, SOURCE_COLUMNS):
        annotations = [part for part in row["annotations"].split(";") if part]
        if len(annotations) == 1:
            found.append(BenchmarkPicture(row["id"], annotations[0]))
    if not found:
        raise FacemillError(f"{source}: expected pictures with one annotated face, found none")
    return found


def true_angles(picture: BenchmarkPicture, reader: Reader, root: Path) -> np.ndarray:
    """(3,) pitch, yaw, roll in radians as the annotation says, NaN where the annotation gives none."""
    try:
        pose = reader.annotation(root / picture.annotation, 1).pose
    except AnnotationProblem:
        pose = None
    return np.full(3, np.nan) if pose is None else np.asarray(pose[:3], np.float64)
