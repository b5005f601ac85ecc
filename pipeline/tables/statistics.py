"""One statistic of what was scored: its value, its spread over seeds, its interval over pictures, why it is absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation import report
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import Score
from pipeline.metrics.summary import yaw_bin
from pipeline.tables.results import Results

NO_INTERVAL = (None, None)
MEANS = ("balanced", "plain")


def statistic(figures: Mapping[str, Any], name: str) -> float | None:
    """A figure by name: a yaw bin (its mean), balanced, plain, median; None where there is none."""
    if name in figures["bins"]:
        entry = figures["bins"][name]
        return None if entry is None else entry["mean"]
    return figures.get(name)


def with_failures(figures: Mapping[str, Any], name: str) -> float | None:
    """The same with failures at the protocol's worst score; None for what is no mean over all pictures."""
    return figures[f"{name}_with_failures"] if name in MEANS else None


def spread(figures: Mapping[str, Any], name: str) -> float | None:
    """Largest less smallest value of the seeds; None for a single seed, which shows no spread."""
    values = [statistic(own, name) for own in figures["seeds"].values()]
    return max(values) - min(values) if len(values) > 1 and None not in values else None


def failed(block: Mapping[str, Any], figures: Mapping[str, Any]) -> int:
    """Pictures of a benchmark's block without a usable prediction, of those that count under one protocol."""
    return block["images"] - figures["n"] - figures["left_out"] - sum(figures["lacking"].values())


def floor(block: Mapping[str, Any], figures: Mapping[str, Any], name: str) -> float | None:
    """The floor of the truth beside a mean in per cent; None beside other figures and without a face model."""
    known = figures["unit"] == "%" and block["truth_floor"] and name in MEANS
    return block["truth_floor"][name] if known else None


def interval(
    results: Results, model: str, benchmark: str, protocol: Protocol, name: str, predictor: str = "model"
) -> tuple[float | None, float | None]:
    """The 95 % interval of a statistic over pictures, low and high, as `pipeline.evaluation.report.interval` forms it;
    predictor: the model itself, or "mean_face" for the mean face beside it, which no seed changes.

    That of a model's headline stands in its JSON; those of the other mean, of single yaw bins and of the mean face come
    from the scores. (None, None) for other statistics, where there are too few pictures, and where no scores are at
    hand.
    """
    figures = results.evaluations[model]["benchmarks"][benchmark]["protocols"][protocol.id]
    own = predictor == "model"
    if own and name == figures["aggregate"]:
        found = figures["interval"]
    elif name in protocol.bins or (name in MEANS and (protocol.bins or name == "plain")):
        runs = results.of(benchmark, model)
        chosen = runs if own else runs[:1]
        by_seed = {run.seed: _chosen(results.scores(run, predictor), protocol, name) for run in chosen}
        kind = name if name in MEANS else "plain"
        found = by_seed and report.interval(by_seed, protocol.model_copy(update={"aggregate": kind}))
    else:
        found = None
    return tuple(found) if found else NO_INTERVAL


def reasons(figures: Mapping[str, Any], name: str) -> dict[str, int | None]:
    """Why a statistic is absent, or made of fewer pictures: reason -> number of pictures, None for all."""
    if figures["lacking"]:
        return dict(figures["lacking"])
    if statistic(figures, name) is not None:
        return {}
    if figures["n"] == 0:
        return {"no picture has a usable prediction": None}
    if name in figures["bins"]:
        return {f"no scored picture in the bin {name}": None}
    if name == "balanced" and figures["bins"]:
        return {"a yaw bin without a scored picture": None}
    return {f"the protocol gives no figure {name}": None}


def _chosen(scores: Sequence[Score], protocol: Protocol, name: str) -> list[Score]:
    """The scores under a protocol, of a yaw bin alone where the name is a bin's."""
    own = [score for score in scores if score.protocol == protocol.id]
    if name not in protocol.bins:
        return own
    number = list(protocol.bins).index(name)
    where = yaw_bin(np.array([score.yaw_deg for score in own], np.float64), protocol.bins)
    return [score for score, at in zip(own, where, strict=True) if at == number]
