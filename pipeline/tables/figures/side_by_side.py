"""The same pictures through every model: crop, each model's mesh, truth; strongly tilted heads among them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.registry import FIGURES
from pipeline.tables.figures.faces import angles_of, drawable, faces_of, shapes_of
from pipeline.tables.figures.key import looks
from pipeline.tables.figures.page import Drawn, Page
from pipeline.tables.figures.tiles import TRUE, add_tiles, landmarks_in, tile_of
from pipeline.tables.figures.values import degrees, models_on, series_of, with_unit
from pipeline.tables.results import Results

COUNT, TILTED = 8, 4
BEYOND = 99.0
"""Degrees: labels with a larger angle are left out by pose protocols too."""
PROFILE = 60.0
"""Degrees of yaw beyond which roll and pitch stand for nearly the same turn, and a large roll for no tilted head."""


@FIGURES.register("side_by_side")
def side_by_side(results: Results, chart: Chart) -> Drawn:
    """The figure: per benchmark up to eight pictures, each through the first seed of every model."""
    page = Page(
        "The same pictures through every model",
        f"The {TILTED} pictures with the largest roll (of those up to {PROFILE:g} degrees of yaw), as SynergyNet's "
        "README shows them, then others spread over yaw. Coloured contours: predicted landmarks; white: true ones. "
        "The first seed of each model.",
    )
    if not results.protocols or not results.benchmarks:
        page.text("No benchmark was scored: there is nothing to draw.")
    for benchmark in results.benchmarks:
        for protocol in results.protocols[:1]:
            _panel(page, results, benchmark, protocol, chart)
    return page.drawn()


def choose(angles: Mapping[str, np.ndarray], count: int = COUNT, tilted: int = TILTED) -> list[str]:
    """Up to ``count`` pictures: up to ``tilted`` with the largest |roll|, then others at even steps of the order by
    |yaw|.

    Args:
        angles: picture -> true pitch, yaw, roll (3,) in degrees, NaN where one is unknown. Pictures with an unknown
            yaw, or with an angle beyond 99 degrees, come in only where there are not enough others, by their names.
    """
    plausible = {p: a for p, a in angles.items() if np.isfinite(a[1]) and np.nanmax(np.abs(a)) <= BEYOND}
    turned = [p for p, (_, yaw, roll) in plausible.items() if abs(yaw) <= PROFILE and np.isfinite(roll)]
    rolled = sorted(turned, key=lambda p: (-abs(plausible[p][2]), p))[:tilted]
    others = sorted(set(plausible) - set(rolled), key=lambda p: (abs(plausible[p][1]), p))
    wanted = min(count - len(rolled), len(others))
    spread = [others[place] for place in np.linspace(0, len(others) - 1, wanted).round().astype(int)]
    rest = sorted(set(angles) - set(plausible))
    return [*rolled, *spread, *rest[: count - len(rolled) - wanted]]


def _panel(page: Page, results: Results, benchmark: str, protocol: Protocol, chart: Chart) -> None:
    page.heading(f"{benchmark}: {protocol.title} ({protocol.id})")
    models = models_on(results, benchmark)
    runs = {model: run for model in models for run in drawable(results.of(benchmark, model))[:1]}
    scores_alone = [model for model in models if model not in runs]
    if scores_alone:
        page.text(f"Not drawn, as their predictions are not stored here: {', '.join(scores_alone)}.")
    series = {one.look: one for one in series_of(results, benchmark, protocol)[0]}
    counted = {score.picture for one in series.values() for score in one.scores}
    angles = {p: own for p, own in angles_of(list(runs.values())).items() if p in counted}
    if not angles:
        page.text("No picture with a face was scored: there is nothing to draw.")
        return
    pictures = choose(angles)
    faces = faces_of(list(runs.values()), pictures, chart)
    shapes = {model: shapes_of(run, pictures, chart) for model, run in runs.items()}
    scores = {
        model: {s.picture: s for s in results.scores(run) if s.protocol == protocol.id}
        for model, run in runs.items()
    }
    look = looks(results)
    for picture in pictures:
        face = faces[picture]
        pitch, yaw, roll = map(degrees, angles[picture])
        page.text(f"{picture}: yaw {yaw}, pitch {pitch}, roll {roll}")
        tiles = [tile_of(face, chart, ["crop"], None)]
        for model in runs:
            shape, score = shapes[model].get(picture), scores[model].get(picture)
            told = "failed" if shape is None else with_unit(score.value if score else None, protocol.unit)
            contours = [(TRUE, face.truth), (look[model].colour, shape)]
            tiles.append(tile_of(face, chart, [model, told], shape, *contours))
        known = landmarks_in(face, face.truth) is not None
        words = ["truth"] if known else ["truth", "no 68 landmarks"]
        tiles.append(tile_of(face, chart, words, face.truth, (TRUE, face.truth)))
        add_tiles(page, tiles)
