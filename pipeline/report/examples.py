"""Examples of each model on each benchmark: in every bin of the true yaw the best, the median and the worst face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import Score
from pipeline.evaluation.sheet import Tile, choose, covered, read_tiles
from pipeline.metrics.summary import yaw_bin
from pipeline.report.pictures import jpeg_uri
from pipeline.tables.results import Results, Run

ALL = "all"
"""Name of the only group where a protocol has no bins."""


@dataclass(frozen=True)
class Example:
    """One face: crop and overlay are data URIs, value is its score, yaw_deg NaN where it is unknown."""

    rank: str
    picture: str
    value: float
    yaw_deg: float
    crop: str
    overlay: str


@dataclass(frozen=True)
class Gallery:
    """The examples of a model on a benchmark: bin -> up to three faces, the best first; ``failed`` has no face."""

    model: str
    benchmark: str
    seed: str
    bins: Mapping[str, Sequence[Example]]
    failed: int


def first_runs(results: Results) -> list[Run]:
    """Of every model and benchmark the run with the first seed; predictions that were given have no crops to show."""
    found: dict[tuple[str, str], Run] = {}
    for run in results.runs:
        if run.pack is None:
            continue
        found.setdefault((run.benchmark, run.model), run)
    return list(found.values())


def chosen(scores: Sequence[Score], protocol: Protocol) -> dict[str, dict[str, Score]]:
    """Bin -> rank (best, median, worst) -> score. A bin with fewer than three faces has the best alone, an empty one
    none; a protocol without bins has one group."""
    own = [score for score in scores if score.protocol == protocol.id]
    if not protocol.bins:
        return {ALL: _one_each(own, protocol)}
    where = yaw_bin(np.array([score.yaw_deg for score in own], np.float64), protocol.bins)
    return {
        name: _one_each([score for score, place in zip(own, where, strict=True) if place == number], protocol)
        for number, name in enumerate(protocol.bins)
    }


def gallery(run: Run, scores: Sequence[Score], protocol: Protocol, chart: Chart) -> Gallery:
    """The examples of one run under one protocol."""
    groups = chosen(scores, protocol)
    captions = {s.picture: s.picture for group in groups.values() for s in group.values()}
    tiles = read_tiles(run.predictions, run.pack, captions, chart)
    return Gallery(
        run.model,
        run.benchmark,
        run.seed,
        {
            name: [_example(rank, score, tiles[score.picture], chart) for rank, score in group.items()]
            for name, group in groups.items()
        },
        len({score.picture for score in scores if score.failed}),
    )


def _one_each(scores: Sequence[Score], protocol: Protocol) -> dict[str, Score]:
    """Of the best, the median and the worst one each; `choose` calls the lowest score the best."""
    groups = choose(scores, protocol.id, 1)
    if protocol.better == "higher" and "worst" in groups:
        groups = {"best": groups["worst"], "median": groups["median"], "worst": groups["best"]}
    return {rank: group[0] for rank, group in groups.items() if group}


def _example(rank: str, score: Score, tile: Tile, chart: Chart) -> Example:
    return Example(
        rank, score.picture, score.value, score.yaw_deg, jpeg_uri(tile.image), jpeg_uri(covered(tile, chart))
    )
