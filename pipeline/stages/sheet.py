"""sheet: a picture of the best, median and worst faces of one model on one benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import Score, read_scores
from pipeline.evaluation.sheet import KEY, choose, draw, read_tiles
from pipeline.io.images import write_png
from pipeline.morphable import load_face_model

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
    captions = {s.picture: _caption(s, protocol.unit) for group in groups.values() for s in group}
    tiles = read_tiles(inputs["predictions"], inputs["pack"], captions, chart)
    failed = len({score.picture for score in scores if score.failed})
    title = f"{wildcards['model']} on {wildcards['benchmark']}: {protocol.id}, {protocol.title}; {failed} failed; {KEY}"
    drawn = {name: [tiles[score.picture] for score in group] for name, group in groups.items()}
    write_png(outputs["sheet"], draw(drawn, chart, title))


def _caption(score: Score, unit: str) -> str:
    yaw = "unknown" if np.isnan(score.yaw_deg) else f"{score.yaw_deg:.0f}"
    return f"{score.picture}: {score.value:.2f} {unit}, yaw {yaw}"
