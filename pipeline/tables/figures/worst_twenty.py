"""The twenty pictures of each benchmark with the worst scores, under the mesh that the best model predicts for them."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.sheet import gridded
from pipeline.registry import FIGURES
from pipeline.tables.figures.faces import angles_of, drawable, faces_of, shapes_of
from pipeline.tables.figures.key import looks
from pipeline.tables.figures.page import Drawn, Page
from pipeline.tables.figures.tiles import TRUE, add_tiles, tile_of
from pipeline.tables.figures.values import (
    SUFFIXES,
    Mean,
    best_model,
    degrees,
    series_of,
    with_unit,
)
from pipeline.tables.results import MEAN_FACE, Results

COUNT = 20


@FIGURES.register("worst_twenty")
def worst_twenty(results: Results, chart: Chart) -> Drawn:
    """The figure: per benchmark the worst pictures by the first protocol, by the mean over all models."""
    page = Page(
        "The twenty worst pictures",
        "Ranked by the mean of all models' scores, a model's failure at the protocol's worst. White: true "
        "landmarks.",
    )
    if not results.protocols or not results.benchmarks:
        page.text("No benchmark was scored: there is nothing to draw.")
    for benchmark in results.benchmarks:
        for protocol in results.protocols[:1]:
            _panel(page, results, benchmark, protocol, chart)
    return page.drawn()


def ranked(results: Results, benchmark: str, protocol: Protocol) -> tuple[list[tuple[str, Mean]], int]:
    """The pictures on which not every model failed, worst first, each with the mean of the models' scores; and the
    number of the others."""
    found: dict[str, list[Mean]] = {}
    for series in series_of(results, benchmark, protocol)[0]:
        if series.look != MEAN_FACE:
            for picture, mean in series.pictures.items():
                found.setdefault(picture, []).append(mean)
    usable = {
        picture: Mean(float(np.mean([m.value for m in each])), each[0].yaw_deg, any(m.failed for m in each))
        for picture, each in found.items()
        if not all(m.failed for m in each)
    }
    sign = -1 if protocol.better == "lower" else 1
    order = sorted(usable.items(), key=lambda item: (sign * item[1].value, item[0]))
    return order, len(found) - len(usable)


def _panel(page: Page, results: Results, benchmark: str, protocol: Protocol, chart: Chart) -> None:
    page.heading(f"{benchmark}: {protocol.title} ({protocol.id})")
    order, failed = ranked(results, benchmark, protocol)
    runs = drawable(results.of(benchmark))
    best = best_model(results, benchmark, protocol, {run.model for run in runs})
    crops = angles_of(runs)
    shown = [(picture, mean) for picture, mean in order if picture in crops]
    if not shown or best is None:
        page.text("No model of the chain has a usable prediction: there is nothing to draw.")
        return
    run = next(run for run in runs if run.model == best)
    missing = failed + len(order) - len(shown)
    if missing:
        worst = f"{protocol.worst:g}{SUFFIXES[protocol.unit]}"
        page.text(f"{missing} more have no crop, or failed with every model: a failure counts {worst}.")
    chosen = dict(shown[:COUNT])
    faces = faces_of(runs, chosen, chart)
    shapes = shapes_of(run, chosen, chart)
    colour = looks(results)[best].colour
    meshed = any(gridded(shape, chart) is not None for shape in shapes.values())
    what = "Mesh and coloured contours" if meshed else "Coloured contours"
    page.text(f"{what}: {best}, the best model with stored predictions, seed {run.seed}.")
    own = {score.picture: score.value for score in results.scores(run) if score.protocol == protocol.id}
    tiles = []
    for picture, mean in chosen.items():
        shape = shapes.get(picture)
        of_all = f"mean {with_unit(mean.value, protocol.unit)}"
        of_best = f"{best}: {with_unit(own[picture], protocol.unit)}" if shape else f"{best} failed"
        words = [of_all, of_best, f"yaw {degrees(mean.yaw_deg)}", picture]
        tiles.append(
            tile_of(faces[picture], chart, words, shape, (TRUE, faces[picture].truth), (colour, shape))
        )
    add_tiles(page, tiles)
