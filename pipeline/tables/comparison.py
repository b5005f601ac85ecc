"""Every two models, and each model and the mean face, on the pictures that both scored: differences, intervals.

Two means over different pictures say nothing of two models; neither do two intervals that overlap. Here both are
scored on the same pictures, and the pictures are drawn again in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.report import SAMPLES, common
from pipeline.evaluation.score import Score
from pipeline.metrics.bootstrap import paired_bootstrap
from pipeline.metrics.summary import yaw_bin
from pipeline.registry import TABLES
from pipeline.tables.results import MEAN_FACE, Results
from pipeline.tables.table import Cell, Column, Table

COLUMNS = (
    Column("benchmark"),
    Column("protocol"),
    Column("unit"),
    Column("first"),
    Column("second"),
    Column("common"),
    Column("only first"),
    Column("only second"),
    Column("of first", digits=3),
    Column("of second", digits=3),
    Column("difference", digits=3, sign=True),
    Column("low", digits=3, sign=True),
    Column("high", digits=3, sign=True),
    Column("better"),
)
FIGURE = [column.title for column in COLUMNS].index("of first")
NOTES = (
    "Of first, of second: the protocol's figure over the pictures that both scored, each picture's score averaged over "
    "a model's seeds first; a picture counts where every seed scored it. Only first, only second: pictures left out "
    "because the other has no usable prediction or no score.",
    "Difference: first less second. Low, high: its 95 % interval, from pictures drawn again in pairs, within yaw bins "
    "where the figure is balanced over them. Better: whose figure it is when the interval leaves out zero; of twenty "
    "comparisons of equals one does by chance.",
    "The mean face is of the first model's own training targets; beside given predictions, that of a model of "
    "the run.",
)


@dataclass(frozen=True)
class Pair:
    """Two predictors under one protocol: counts of pictures, both figures and their difference with its 95 % interval.

    Figures are None where fewer than two pictures are common, or a yaw bin of a balanced figure has none of them.
    """

    common: int
    only_first: int
    only_second: int
    first: float | None = None
    second: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def compare(first: Sequence[Sequence[Score]], second: Sequence[Sequence[Score]], protocol: Protocol) -> Pair:
    """Two models on the pictures that every seed of both scored.

    Args:
        first: the scores of each seed of the first model; second: likewise.
        protocol: the one to compare under; other scores are passed over.
    """
    values, yaw = common([*first, *second], protocol)
    n = values.shape[1]
    alone = [common(columns, protocol)[0].shape[1] - n for columns in (first, second)]
    strata = strata_of(yaw, protocol)
    if n < 2 or (strata is not None and len(set(strata)) < len(protocol.bins)):
        return Pair(n, *alone)
    ours, theirs = values[: len(first)].mean(axis=0), values[len(first) :].mean(axis=0)
    found = paired_bootstrap(ours, theirs, strata, rng=np.random.default_rng(0), samples=SAMPLES, level=0.95)
    figures = (figure_of(ours, strata), figure_of(theirs, strata))
    return Pair(n, *alone, *figures, float(found.difference), float(found.low), float(found.high))


def strata_of(yaw: np.ndarray, protocol: Protocol) -> np.ndarray | None:
    """The yaw bin of each picture, for a protocol whose figure is balanced over them; else None."""
    return yaw_bin(yaw, protocol.bins) if protocol.aggregate == "balanced" else None


def figure_of(values: np.ndarray, strata: np.ndarray | None) -> float:
    """The mean of scores (n,), or the mean of their strata's means."""
    if strata is None:
        return float(values.mean())
    return float(np.mean([values[strata == number].mean() for number in np.unique(strata)]))


@TABLES.register("comparison")
def comparison(results: Results) -> Table:
    """A row for each benchmark, protocol and pair of models, and for each model and its mean face."""
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for benchmark in results.benchmarks:
        scores = _by_protocol(results, benchmark)
        for protocol in results.protocols:
            found = scores.get(protocol.id, {})
            scored = {name: columns for name, columns in found.items() if common(columns, protocol)[0].size}
            rows += _rows(benchmark, protocol, scored)
            without = [_called(*name) for name in found if name not in scored]
            if without:
                names = ", ".join(without)
                notes.append(
                    f"Not compared on {benchmark} under {protocol.id}, as no picture has a score: {names}."
                )
    empty = "fewer than two common pictures, or none in a yaw bin that the figure is balanced over"
    if any(row[FIGURE] is None for row in rows):
        notes.append(f"A dash for both figures: {empty}.")
    return Table("Models compared on the pictures that both scored", COLUMNS, tuple(rows), (*NOTES, *notes))


Name = tuple[str, str]
"""A model, and the predictor of its scores: the model itself or its mean face."""
_Columns = Mapping[Name, Sequence[Sequence[Score]]]


def _rows(benchmark: str, protocol: Protocol, scored: _Columns) -> Iterator[tuple[Cell, ...]]:
    models = [name for name in scored if name[1] == "model"]
    beside = [(name, (name[0], MEAN_FACE)) for name in models if (name[0], MEAN_FACE) in scored]
    for first, second in [*combinations(models, 2), *beside]:
        pair = compare(scored[first], scored[second], protocol)
        yield (
            benchmark,
            protocol.id,
            protocol.unit,
            _called(*first),
            "mean face" if second[1] == MEAN_FACE else second[0],
            pair.common,
            pair.only_first,
            pair.only_second,
            pair.first,
            pair.second,
            pair.difference,
            pair.low,
            pair.high,
            _better(pair, protocol, first, second),
        )


def _better(pair: Pair, protocol: Protocol, first: Name, second: Name) -> str | None:
    if pair.low is None or pair.low <= 0 <= pair.high:
        return None
    return _called(*(first if (pair.high < 0) == (protocol.better == "lower") else second))


def _called(model: str, predictor: str) -> str:
    return model if predictor == "model" else f"mean face of {model}"


def _by_protocol(results: Results, benchmark: str) -> dict[str, dict[Name, list[list[Score]]]]:
    """Protocol -> model and predictor -> the scores of each seed; the mean face, which no seed changes, once."""
    found: dict[str, dict[Name, list[list[Score]]]] = {}
    for predictor in ("model", MEAN_FACE):
        for model in results.evaluations:
            runs = results.of(benchmark, model)
            for run in runs if predictor == "model" else runs[:1]:
                columns: dict[str, list[Score]] = {}
                for score in results.scores(run, predictor):
                    columns.setdefault(score.protocol, []).append(score)
                for protocol, column in columns.items():
                    found.setdefault(protocol, {}).setdefault((model, predictor), []).append(column)
    return found
