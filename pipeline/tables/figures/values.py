"""The scores behind a figure: of each model on a benchmark, over all its seeds, with failures marked."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.report import counted
from pipeline.evaluation.score import Score
from pipeline.tables.results import MEAN_FACE, Results

UNITS = {"%": "%", "deg": "degrees", "1": "share"}
SUFFIXES = {"%": " %", "deg": "°", "1": ""}
DASH = "–"


@dataclass(frozen=True)
class Mean:
    """One picture: the mean of its seeds' scores, a failure at the protocol's worst; failed: in one seed or more."""

    value: float
    yaw_deg: float
    failed: bool


@dataclass(frozen=True, eq=False)
class Series:
    """A model, or the mean face, on one benchmark under one protocol.

    look: the model's id, or "mean_face"; name: as a key says it. figures: its block of results/eval/<model>.json.
    scores: the scores that count, of every seed.
    """

    look: str
    name: str
    figures: Mapping[str, Any]
    scores: list[Score]

    @property
    def values(self) -> np.ndarray:
        """(n,) scores of every picture and seed. Seeds have the same pictures: a share of all these is the mean of the
        seeds' shares."""
        return np.array([score.value for score in self.scores], np.float64)

    @property
    def failed(self) -> np.ndarray:
        """(n,) bool, beside the values."""
        return np.array([score.failed for score in self.scores], bool)

    @property
    def pictures(self) -> dict[str, Mean]:
        """The pictures, in the scores' order."""
        return means(self.scores)


def means(scores: list[Score]) -> dict[str, Mean]:
    """Each picture of these scores, of one protocol and any number of seeds, in their order."""
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(score.picture, []).append(score)
    return {
        picture: Mean(
            float(np.mean([score.value for score in each])), each[0].yaw_deg, any(s.failed for s in each)
        )
        for picture, each in found.items()
    }


def scores_of(
    results: Results, benchmark: str, model: str, protocol: str, predictor: str = "model"
) -> list[Score]:
    """The scores that count of every seed of a model, under a protocol, ``truth_floor`` or ``label_disagreement``."""
    return [
        score
        for run in results.of(benchmark, model)
        for score in counted([s for s in results.scores(run, predictor) if s.protocol == protocol])
    ]


def models_on(results: Results, benchmark: str) -> list[str]:
    """The models with runs on a benchmark, in the config's order."""
    return [model for model in results.evaluations if results.of(benchmark, model)]


def series_of(results: Results, benchmark: str, protocol: Protocol) -> tuple[list[Series], list[str]]:
    """Every model with scores under a protocol, then the mean face; and a sentence for each model without.

    Mean faces differ with what models learn: the first model's that has scores stands for all.
    """
    found: list[Series] = []
    without: list[str] = []
    faces: list[Series] = []
    models = models_on(results, benchmark)
    for model in models:
        block = results.evaluations[model]["benchmarks"].get(benchmark, {"protocols": {}})
        figures = block["protocols"].get(protocol.id)
        scores = scores_of(results, benchmark, model, protocol.id)
        if figures is None or not scores:
            without.append(_without(model, protocol, figures))
            continue
        found.append(Series(model, model, figures, scores))
        mean = scores_of(results, benchmark, model, protocol.id, MEAN_FACE)
        if any(not score.failed for score in mean):
            name = f"mean face (of {model})" if len(models) > 1 else "mean face"
            faces.append(Series(MEAN_FACE, name, figures["mean_face"], mean))
    return found + faces[:1], without


def best_model(
    results: Results, benchmark: str, protocol: Protocol, among: Collection[str] | None = None
) -> str | None:
    """The model with the best headline under a protocol, of all or among some; of equal ones the first; None where no
    model has one."""
    sign = 1 if protocol.better == "lower" else -1
    headlines = {
        series.look: sign * series.figures["headline"]
        for series in series_of(results, benchmark, protocol)[0]
        if series.look != MEAN_FACE
        and (among is None or series.look in among)
        and series.figures["headline"] is not None
    }
    return min(headlines, key=headlines.get) if headlines else None


def number(value: float | None, unit: str = "%", digits: int | None = None) -> str:
    """A figure as figures print it: shares with three digits, others with two."""
    if value is None or math.isnan(value):
        return DASH
    return f"{value:.{(3 if unit == '1' else 2) if digits is None else digits}f}"


def with_unit(value: float | None, unit: str) -> str:
    """A figure and its unit: "3.41 %"."""
    return f"{number(value, unit)}{SUFFIXES[unit]}"


def degrees(angle: float) -> str:
    """A whole angle: "−75°"; "unknown" for NaN."""
    return "unknown" if math.isnan(angle) else f"{angle:.0f}°".replace("-0°", "0°").replace("-", "−")


def _without(model: str, protocol: Protocol, figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return f"Nothing for {model}: it was not scored under {protocol.id}."
    if not figures["lacking"]:
        return f"Nothing for {model}: no picture counts."
    reason, count = max(figures["lacking"].items(), key=lambda item: item[1])
    return f"Nothing for {model}: {reason} ({count} pictures)."
