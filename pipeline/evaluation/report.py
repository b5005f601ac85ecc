"""The figures of a model as one JSON value: bins, means, failures, intervals, seeds, the mean face beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import LEFT_OUT, TRUTH_FLOOR, Score
from pipeline.metrics.bootstrap import bootstrap
from pipeline.metrics.ced import auc, failure_rate
from pipeline.metrics.summary import mean_of, std_of, summarise, yaw_bin
from pipeline.records import FacemillError

_MEANS = (
    "balanced",
    "balanced_with_failures",
    "plain",
    "plain_with_failures",
    "median",
    "auc",
    "failure_rate",
)
SAMPLES = 2000
"""Resamples of an interval."""


def benchmark_block(
    by_seed: Mapping[str, Sequence[Score]], mean_face: Sequence[Score], protocols: Sequence[Protocol]
) -> dict[str, Any]:
    """The block of one benchmark.

    Args:
        by_seed: scores of each seed's model, all on the same pictures.
        mean_face: scores of the mean face on these pictures.
        protocols: whose figures to give.

    Returns:
        images (the benchmark's pictures), evaluated and failed (they add up to it; a picture counts as evaluated when
        every seed's model has a usable prediction), truth_floor, and protocols: each with the mean of its seeds'
        figures, ``interval`` (of ``headline``, 95 %, over pictures, of the seeds' mean score of each), ``seeds``,
        ``spread`` (largest less smallest headline of the seeds) and ``mean_face``; each seed and the mean face have
        the keys of `figures`.
    """
    if not by_seed:
        raise FacemillError("expected the scores of at least one seed, found none")
    pictures = _pictures(next(iter(by_seed.values())))
    for name, scores in [*by_seed.items(), ("mean_face", mean_face)]:
        if _pictures(scores) != pictures:
            raise FacemillError(
                f"scores of {name}: expected the {len(pictures)} pictures of the other scores, found "
                f"{len(_pictures(scores))}; they belong to different runs, type: python -m pipeline score again"
            )
    failed = {score.picture for scores in by_seed.values() for score in scores if score.failed}
    return {
        "images": len(pictures),
        "evaluated": len(pictures) - len(failed),
        "failed": len(failed),
        "truth_floor": _floor(next(iter(by_seed.values()))),
        "protocols": {protocol.id: _protocol_block(by_seed, mean_face, protocol) for protocol in protocols},
    }


def figures(scores: Sequence[Score], protocol: Protocol) -> dict[str, Any]:
    """The figures of one protocol from long-form scores.

    Returns:
        unit, better, aggregate; headline and headline_with_failures: the figure that the protocol's aggregate names;
        those of `summarise`; auc and failure_rate up to the protocol's limit (None where higher is better); left_out:
        pictures that the protocol leaves out; lacking: reason -> number of pictures without a score for it. Where no
        picture has a score of a prediction because something is lacking, every figure is None.
    """
    own = sorted((s for s in scores if s.protocol == protocol.id), key=lambda score: score.picture)
    if not own:
        raise FacemillError(f"no scores under {protocol.id}; type: python -m pipeline score again")
    chosen = counted(own)
    reasons = Counter(score.why for score in own if score.value is None and score.why != LEFT_OUT)
    values = np.array([score.value for score in chosen], dtype=np.float64)
    failed = np.array([score.failed for score in chosen], dtype=bool)
    yaw = np.array([score.yaw_deg for score in chosen], dtype=np.float64)
    found = summarise(values, yaw, failed, protocol.worst, protocol.bins)
    curve = protocol.better == "lower" and len(values) > 0
    return {
        "unit": protocol.unit,
        "better": protocol.better,
        "aggregate": protocol.aggregate,
        "headline": found[protocol.aggregate],
        "headline_with_failures": found[f"{protocol.aggregate}_with_failures"],
        **found,
        "auc": float(auc(values, failed, protocol.limit)) if curve else None,
        "failure_rate": float(failure_rate(values, failed, protocol.limit)) if curve else None,
        "left_out": sum(score.why == LEFT_OUT for score in own),
        "lacking": dict(sorted(reasons.items())),
    }


def counted(own: Sequence[Score]) -> list[Score]:
    """The scores of one protocol that its figures are made of: those with a value; none where predictions or truths
    lack what is compared and no value but a failure's is left."""
    chosen = [score for score in own if score.value is not None]
    lacking = any(score.value is None and score.why != LEFT_OUT for score in own)
    return [] if lacking and all(score.failed for score in chosen) else chosen


def mean_figures(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each figure as the mean over seeds; ``std`` is that of the mean bins. None where a seed has none."""
    bins: dict[str, Any] = {}
    for name in blocks[0]["bins"]:
        entries = [block["bins"][name] for block in blocks]
        bins[name] = None
        if None not in entries:
            bins[name] = {key: mean_of([entry[key] for entry in entries]) for key in ("mean", "std")}
            bins[name]["n"] = min(entry["n"] for entry in entries)
    means = {
        key: mean_of([block[key] for block in blocks])
        for key in ("headline", "headline_with_failures", *_MEANS)
    }
    spread_of_bins = std_of([None if entry is None else entry["mean"] for entry in bins.values()])
    first = blocks[0]
    return {
        **{key: first[key] for key in ("unit", "better", "aggregate")},
        "n": min(block["n"] for block in blocks),
        "bins": bins,
        **means,
        "std": spread_of_bins,
        "left_out": first["left_out"],
        "lacking": first["lacking"],
    }


def interval(by_seed: Mapping[str, Sequence[Score]], protocol: Protocol) -> list[float] | None:
    """The 95 % interval [low, high] of the headline over pictures that every seed scored; None for fewer than two."""
    values, yaw = common([list(scores) for scores in by_seed.values()], protocol)
    mean = values.mean(axis=0)
    strata = yaw_bin(yaw, protocol.bins) if protocol.aggregate == "balanced" else None
    if len(mean) < 2 or (strata is not None and len(set(strata)) < len(protocol.bins)):
        return None
    found = bootstrap(mean, strata, rng=np.random.default_rng(0), samples=SAMPLES)
    return [found.low, found.high]


def common(columns: Sequence[Sequence[Score]], protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    """Scores (k, n) of k predictors on the n pictures that all of them scored under a protocol, sorted by name, and
    the true yaws (n,) of these in degrees."""
    tables = [
        {s.picture: s for s in column if s.protocol == protocol.id and s.value is not None and not s.failed}
        for column in columns
    ]
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    values = np.array([[table[name].value for name in shared] for table in tables], np.float64)
    return values, np.array([tables[0][name].yaw_deg for name in shared], np.float64)


def _protocol_block(
    by_seed: Mapping[str, Sequence[Score]], mean_face: Sequence[Score], protocol: Protocol
) -> dict[str, Any]:
    seeds = {seed: figures(scores, protocol) for seed, scores in by_seed.items()}
    headlines = [block["headline"] for block in seeds.values()]
    return {
        **mean_figures(list(seeds.values())),
        "interval": interval(by_seed, protocol),
        "seeds": seeds,
        "spread": None if None in headlines else max(headlines) - min(headlines),
        "mean_face": figures(mean_face, protocol),
    }


def _floor(scores: Sequence[Score]) -> dict[str, Any] | None:
    chosen = [score for score in scores if score.protocol == TRUTH_FLOOR]
    if not chosen:
        return None
    found = summarise(
        np.array([score.value for score in chosen], dtype=np.float64),
        np.array([score.yaw_deg for score in chosen], dtype=np.float64),
        np.zeros(len(chosen), dtype=bool),
        100.0,
    )
    return {"protocol": "nme68_2d", "unit": "%", "balanced": found["balanced"], "plain": found["plain"]}


def _pictures(scores: Sequence[Score]) -> set[str]:
    return {score.picture for score in scores}
