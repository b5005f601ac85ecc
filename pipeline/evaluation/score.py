"""From predictions and truth to one score per face and protocol. No torch, no GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.shapes import Lacking, Shape
from pipeline.evaluation.truth import Truth, short
from pipeline.io.tables import read_tsv, write_tsv
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.points import nme
from pipeline.records import FacemillError

COLUMNS = ("predictor", "picture", "protocol", "value", "yaw_deg", "failed", "why")
TRUTH_FLOOR = "truth_floor"
LABEL_DISAGREEMENT = "label_disagreement"
LEFT_OUT = "left out by the protocol"


@dataclass(frozen=True)
class Score:
    """One picture under one protocol.

    value: None where there is no number, ``why`` says the reason: the protocol leaves the picture out, or the
    prediction or the truth lacks what it compares; else the score, the protocol's worst where the prediction failed.
    yaw_deg: by the protocol's list, NaN where the truth has none.
    """

    picture: str
    protocol: str
    value: float | None
    yaw_deg: float
    failed: bool
    why: str = ""


def score_face(predicted: Shape | None, truth: Truth, protocols: Sequence[Protocol]) -> list[Score]:
    """The scores of one picture under every protocol, in their order.

    Args:
        predicted: in pixels of the picture; None, or numbers that are not finite: the picture has failed.
    """
    failed = predicted is None or not predicted.finite
    return [_score(None if failed else predicted, truth, protocol) for protocol in protocols]


def _score(predicted: Shape | None, truth: Truth, protocol: Protocol) -> Score:
    yaw = truth.yaw(protocol.yaw)
    head = (truth.picture, protocol.id)
    if protocol.leaves_out(truth):
        return Score(*head, None, yaw, predicted is None, LEFT_OUT)
    if predicted is None:
        return Score(*head, protocol.worst, yaw, True)
    if truth.problem:
        return Score(*head, None, yaw, False, truth.problem)
    if protocol.bins and np.isnan(yaw):
        return Score(*head, None, yaw, False, f"the truth has no yaw in the list {protocol.yaw}")
    try:
        return Score(*head, protocol.score(predicted, truth), yaw, False)
    except Lacking as lack:
        return Score(*head, None, yaw, False, str(lack))
    except FacemillError as error:
        raise FacemillError(f"{truth.picture} under {protocol.id}: {error}") from error


def score_benchmark(
    predictions: Mapping[str, Iterable[tuple[str, Shape]]],
    truths: Iterable[Truth | None],
    pictures: Sequence[str],
    protocols: Sequence[Protocol],
    truth_of_failed: Callable[[str], Truth],
    floor_of: Callable[[Truth], float | None],
) -> dict[str, list[Score]]:
    """Scores of every benchmark picture under every protocol, by predictor, and the floor of the truth.

    A picture without a face, or with a prediction that is not finite, has failed. Where a picture has several faces its
    first one counts, as the ledger numbers them.

    Args:
        predictions: predictor ("model", "mean_face") -> picture and shape of each face, all in one order.
        truths: the truth of each face in that order.
        pictures: the benchmark's, in the order of the result.
        truth_of_failed: what is known of a picture without a face: its angles and yaws.
        floor_of: the 2D NME of the face model's own landmarks, with the modes that it has, against the truth's, below
            which dense figures mean nothing; None where the truth has no face model.

    Returns:
        For each picture in turn one score per protocol; for pictures that did not fail also one under ``truth_floor``,
        and one under ``label_disagreement`` where the truth has two label sets.
    """
    scored: dict[str, dict[str, list[Score]]] = {predictor: {} for predictor in predictions}
    waiting = set(pictures)
    for truth, *found in zip(truths, *predictions.values(), strict=True):
        picture = found[0][0]
        if picture not in waiting or truth is None:
            continue
        waiting.remove(picture)
        limits = {TRUTH_FLOOR: floor_of(truth), LABEL_DISAGREEMENT: label_disagreement(truth)}
        for predictor, (_, shape) in zip(predictions, found, strict=True):
            rows = score_face(shape, truth, protocols)
            if shape.finite:
                yaw = truth.yaw("fitted")
                rows += [Score(picture, k, v, yaw, False) for k, v in limits.items() if v is not None]
            scored[predictor][picture] = rows
    lost = {picture: truth_of_failed(picture) for picture in pictures if picture in waiting}
    return {
        predictor: [
            score
            for picture in pictures
            for score in rows.get(picture) or score_face(None, lost[picture], protocols)
        ]
        for predictor, rows in scored.items()
    }


def score_given(
    shapes: Mapping[str, Shape], truths: Sequence[Truth], protocols: Sequence[Protocol]
) -> tuple[list[Score], list[str]]:
    """The scores of predictions from a file, and the names among them that no true picture has.

    A picture is found by its id, else by the last part of it where that is one picture's alone; one without a
    prediction has failed. FacemillError when no name fits.
    """
    last = Counter(short(truth.picture) for truth in truths)
    names = {
        truth.picture: truth.picture if truth.picture in shapes or last[name] > 1 else name
        for truth in truths
        for name in [short(truth.picture)]
    }
    strangers = sorted(set(shapes) - set(names.values()))
    if len(strangers) == len(shapes):
        raise FacemillError(
            f"expected predictions named as the truth's pictures, as {truths[0].picture}; found "
            f"{', '.join(strangers[:3])}"
        )
    scores: list[Score] = []
    for truth in truths:
        shape = shapes.get(names[truth.picture])
        scores += score_face(shape, truth, protocols)
        for scored in (truth.shape, shape):
            if scored is not None:
                scored.forget()
    return scores, strangers


def truth_floor(annotation: FaceAnnotation, chart: Chart) -> float | None:
    """2D NME in per cent of the face model's landmarks against the annotation's own; None without parameters."""
    if not annotation.dense:
        return None
    truth = annotation.landmarks(chart.model)
    return float(nme(annotation.modelled(chart.model)[:, :2], truth[:, :2], box_size(truth)))


def label_disagreement(truth: Truth) -> float | None:
    """2D NME in per cent of the re-annotated 68 landmarks against the original ones, both 0-based, by the box of the
    original ones; None without both."""
    try:
        original, other = truth.landmarks("original"), truth.landmarks("reannotated")
    except Lacking:
        return None
    found = float(nme(other[:, :2], original[:, :2], box_size(original)))
    return found if np.isfinite(found) else None


def write_scores(path: Path, scores: Mapping[str, Sequence[Score]]) -> None:
    """Write the scores of each predictor ("model", "mean_face") in long form.

    A value is empty where there is none, a yaw where it is unknown.
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
                score.why,
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
            score = Score(row["picture"], row["protocol"], value, yaw, bool(int(row["failed"])), row["why"])
        except ValueError as error:
            raise FacemillError(f"{path}: {error}; the file is damaged, delete it and score again") from error
        scores.setdefault(row["predictor"], []).append(score)
    return scores
