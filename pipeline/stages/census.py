"""census: detection and ledger of a synthetic data set against the synthesiser's truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.datasets.synthetic.writer import TRUTH
from pipeline.evaluation.census import FoundFace, TrueFace, census
from pipeline.io import hdf5
from pipeline.io.files import write_json
from pipeline.io.tables import read_tsv
from pipeline.records import DETECTIONS, KEPT_COLUMNS, REAPED_COLUMNS


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Compare one data set: `inputs` truth and detections (h5, one a shard), kept and reaped (tsv); `outputs`
    census (json). Prints the figures."""
    truth, faceless = read_truth(inputs["truth"])
    reaped = {row["face"]: row["code"] for row in read_tsv(inputs["reaped"], REAPED_COLUMNS)}
    rows = len(reaped) + len(read_tsv(inputs["kept"], KEPT_COLUMNS))
    found = [face for path in inputs["detections"] for face in read_found(path)]
    figures = census(truth, faceless, found, reaped, rows)
    write_json(outputs["census"], {"dataset": wildcards["dataset"], **figures})
    for line in lines(figures):
        print(line)


def read_truth(paths: list[str]) -> tuple[list[TrueFace], list[str]]:
    """The true faces of all shards, and the pictures without one. Pictures whose file is broken, and copies of
    others, are left out."""
    faces, faceless = [], []
    for path in paths:
        with hdf5.open_checked(path, TRUTH) as file:
            texts = {name: hdf5.texts(file[name]) for name in ("picture", "kind", "defect")}
            numbers = {name: file[name][:] for name in ("face", "pose", "vertices68", "hidden", "inside")}
        for k, (picture, kind, defect) in enumerate(zip(*texts.values(), strict=True)):
            if kind in ("unreadable", "duplicate"):
                continue
            if numbers["face"][k] < 0:
                faceless.append(picture)
                continue
            yaw = float(np.degrees(numbers["pose"][k, 1]))
            points = numbers["vertices68"][k, :, :2]
            shares = float(numbers["hidden"][k]), float(numbers["inside"][k])
            faces.append(TrueFace(picture, kind, points, yaw, *shares, defect))
    return faces, faceless


def read_found(path: str) -> Iterator[FoundFace]:
    """Every face of a shard's detections, those that were let through and those that were not."""
    with hdf5.open_checked(path, DETECTIONS) as file:
        for part in (file, file["rejected"]):
            names, pictures = hdf5.texts(part["face"]), hdf5.texts(part["picture"])
            yield from map(FoundFace, names, pictures, part["box"][:], part["landmarks68"][:])


def lines(figures: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The figures as lines of text."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"
