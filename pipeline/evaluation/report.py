"""The figures of a model as one JSON value: bins, balanced means, failures, seeds, the mean face beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.score import TRUTH_FLOOR, Score
from pipeline.metrics.summary import YAW_BINS, mean_of, std_of, summarise
from pipeline.records import FacemillError

_MEANS = ("balanced", "balanced_with_failures", "plain", "median")


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
        figures, ``seeds``, ``spread`` (largest less smallest balanced figure of the seeds) and ``mean_face``; each seed
        and the mean face have the keys that stand before ``seeds``, the unit among them.
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
    """The unit and the figures (`summarise`) of one protocol from long-form scores; pictures that it leaves out do not
    count."""
    chosen = [score for score in scores if score.protocol == protocol.id and score.value is not None]
    if not any(score.protocol == protocol.id for score in scores):
        raise FacemillError(f"no scores under {protocol.id}; type: python -m pipeline score again")
    found = summarise(
        np.array([score.value for score in chosen], dtype=np.float64),
        np.array([score.yaw_deg for score in chosen], dtype=np.float64),
        np.array([score.failed for score in chosen], dtype=bool),
        protocol.worst,
    )
    return {"unit": protocol.unit, **found}


def mean_figures(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each figure as the mean over seeds; ``std`` is that of the mean bins. None where a seed has none."""
    bins: dict[str, Any] = {}
    for name in YAW_BINS:
        entries = [block["bins"][name] for block in blocks]
        bins[name] = None
        if None not in entries:
            bins[name] = {key: mean_of([entry[key] for entry in entries]) for key in ("mean", "std")}
            bins[name]["n"] = min(entry["n"] for entry in entries)
    means = {key: mean_of([block[key] for block in blocks]) for key in _MEANS}
    spread_of_bins = std_of([None if entry is None else entry["mean"] for entry in bins.values()])
    return {"n": min(block["n"] for block in blocks), "bins": bins, **means, "std": spread_of_bins}


def _protocol_block(
    by_seed: Mapping[str, Sequence[Score]], mean_face: Sequence[Score], protocol: Protocol
) -> dict[str, Any]:
    seeds = {seed: figures(scores, protocol) for seed, scores in by_seed.items()}
    balanced = [block["balanced"] for block in seeds.values()]
    return {
        "unit": protocol.unit,
        **mean_figures(list(seeds.values())),
        "seeds": seeds,
        "spread": None if None in balanced else max(balanced) - min(balanced),
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
