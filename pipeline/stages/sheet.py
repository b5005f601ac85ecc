"""sheet: a picture of the best, median and worst faces of one model on one benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation import predictions, protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import Score, read_scores
from pipeline.evaluation.sheet import Tile, choose, draw
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import to_rgb
from pipeline.io import hdf5
from pipeline.io.images import write_png
from pipeline.morphable import load_face_model
from pipeline.records import PACK

FACES = 4


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Draw one sheet: `inputs` scores, predictions, pack; `outputs` sheet (png); `settings` face_model and protocol
    (the id that ranks the faces)."""
    chart = Chart(load_face_model(**settings["face_model"]))
    protocol = protocols.load(settings["protocol"])
    scores = read_scores(Path(inputs["scores"]))["model"]
    groups = choose(scores, protocol.id, FACES)
    wanted = {score.picture: score for group in groups.values() for score in group}
    tiles: dict[str, Tile] = {}
    with hdf5.open_checked(inputs["pack"], PACK) as pack:
        for row, found in enumerate(predictions.stored(Path(inputs["predictions"]), pack)):
            if found.picture in wanted and found.picture not in tiles:
                crop = CropTransform.from_array(pack["transform"][row])
                tiles[found.picture] = Tile(
                    to_rgb(pack["image"][row]),
                    crop.apply(found.in_picture()),
                    crop.apply(_known(pack["landmarks68"][row])),
                    _caption(wanted[found.picture], protocol.unit),
                )
    failed = len({score.picture for score in scores if score.failed})
    title = (
        f"{wildcards['model']} on {wildcards['benchmark']}: {protocol.id}, {protocol.title}; {failed} failed"
    )
    drawn = {name: [tiles[score.picture] for score in group] for name, group in groups.items()}
    write_png(outputs["sheet"], draw(drawn, chart, title))


def _known(points: np.ndarray) -> np.ndarray:
    """Of points (K, 3) those with a place in the picture; of some truths few or none are known."""
    return points[np.isfinite(points[:, :2]).all(axis=1)]


def _caption(score: Score, unit: str) -> str:
    yaw = "unknown" if np.isnan(score.yaw_deg) else f"{score.yaw_deg:.0f}"
    return f"{score.picture}: {score.value:.2f} {unit}, yaw {yaw}"
