"""From predictions and truth to one score per face and protocol. No torch, no GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.benchmark import BenchmarkPicture
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.measures import Face, Truth
from pipeline.evaluation.predictions import Prediction
from pipeline.evaluation.protocols import Protocol
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.records import FacemillError

COLUMNS = ("predictor", "picture", "protocol", "value", "yaw_deg", "failed")
TRUTH_FLOOR = "truth_floor"


@dataclass(frozen=True)
class Score:
    """One picture under one protocol.

    value: None where the protocol leaves the picture out, failed or not; else the protocol's worst where it failed.
    yaw_deg: NaN where a failed picture has no readable truth.
    """

    picture: str
    protocol: str
    value: float | None
    yaw_deg: float
    failed: bool


def score_benchmark(
    predictions: Mapping[str, Iterable[Prediction]],
    pack: h5py.File,
    chart: Chart,
    pictures: Sequence[BenchmarkPicture],
    protocols: Sequence[Protocol],
    angles_of: Callable[[BenchmarkPicture], np.ndarray],
) -> dict[str, list[Score]]:
    """Scores of every benchmark picture under every protocol, by predictor, and the floor of the truth.

    A picture without a face in the pack, or with a prediction that is not finite, has failed. Where a picture has
    several faces in the pack (``faces: all``) its first one counts, as the ledger numbers them.

    Args:
        predictions: predictor ("model", "mean_face") -> one prediction for each face of the pack, in its order.
        pack: the open test pack that they were made from; holds the truth.
        pictures: the benchmark's.
        angles_of: true (3,) pitch, yaw, roll in radians of a failed picture, NaN where they are unknown.

    Returns:
        For each picture in turn one score per protocol; for pictures that did not fail also one under
        ``truth_floor``: the 2D NME of the face model's own landmarks, with the modes that it has, against the truth's
        landmarks, below which dense figures mean nothing.
    """
    scored: dict[str, dict[str, list[Score]]] = {predictor: {} for predictor in predictions}
    waiting = {picture.id for picture in pictures}
    for row, found in enumerate(zip(*predictions.values(), strict=True)):
        picture = found[0].picture
        if picture not in waiting:
            continue
        waiting.remove(picture)
        annotation = annotation_of(pack, row)
        truth = Truth(
            chart, annotation.landmarks(chart.model), annotation.vertices(chart.model), annotation.pose[:3]
        )
        yaw = float(pack["yaw_deg"][row])
        floor = Score(picture, TRUTH_FLOOR, truth_floor(annotation, chart), yaw, False)
        for predictor, prediction in zip(predictions, found, strict=True):
            if not prediction.usable:
                continue
            face = Face(truth, prediction.in_picture())
            scores = [Score(picture, p.id, p.score(face), yaw, False) for p in protocols]
            scored[predictor][picture] = [*scores, floor]
    angles = {p.id: angles_of(p) for p in pictures if any(p.id not in rows for rows in scored.values())}
    return {
        predictor: [
            score
            for picture in pictures
            for score in rows.get(picture.id) or _failed(picture.id, protocols, angles[picture.id])
        ]
        for predictor, rows in scored.items()
    }


def _failed(picture: str, protocols: Sequence[Protocol], angles: np.ndarray) -> list[Score]:
    yaw = float(np.degrees(angles[1]))
    return [
        Score(picture, p.id, None if p.measure.leaves_out(angles) else p.worst, yaw, True) for p in protocols
    ]


def annotation_of(pack: h5py.File, row: int) -> FaceAnnotation:
    """The truth of one face of a pack."""
    return FaceAnnotation(
        pose=pack["pose_para"][row],
        shape=pack["shape_para"][row],
        expression=pack["exp_para"][row],
        height=int(pack["image_height"][row]),
        landmarks68=pack["landmarks68"][row],
        camera=pack["camera"][row],
    )


def truth_floor(annotation: FaceAnnotation, chart: Chart) -> float:
    """2D NME in per cent of the face model's landmarks against the annotation's own."""
    truth = annotation.landmarks(chart.model)
    return float(nme(annotation.modelled(chart.model)[:, :2], truth[:, :2], box_size(truth)))


def write_scores(path: Path, scores: Mapping[str, Sequence[Score]]) -> None:
    """Write the scores of each predictor ("model", "mean_face") in long form.

    A value is empty where the protocol leaves the picture out, a yaw where it is unknown.
    """
    write_tsv(
        path,
        COLUMNS,
        (
            (
                predictor,
                score.picture,
                score.protocol,
                "" if score.value is None else f"{score.value:.9g}",
                "" if np.isnan(score.yaw_deg) else f"{score.yaw_deg:.6f}",
                int(score.failed),
            )
            for predictor, rows in scores.items()
            for score in rows
        ),
    )


def read_scores(path: Path) -> dict[str, list[Score]]:
    """The scores that ``write_scores`` wrote, by predictor; FacemillError for a cell that is no number."""
    scores: dict[str, list[Score]] = {}
    for row in read_tsv(path, COLUMNS):
        try:
            value = float(row["value"]) if row["value"] else None
            yaw = float(row["yaw_deg"]) if row["yaw_deg"] else float("nan")
            score = Score(row["picture"], row["protocol"], value, yaw, bool(int(row["failed"])))
        except ValueError as error:
            raise FacemillError(f"{path}: {error}; the file is damaged, delete it and score again") from error
        scores.setdefault(row["predictor"], []).append(score)
    return scores
