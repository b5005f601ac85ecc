"""evaluate: scores of all benchmarks and seeds -> results/eval/<model>.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.evaluation import protocols
from pipeline.evaluation.predictions import how_landmarks
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import read_scores
from pipeline.io.files import sha256_of, write_json
from pipeline.io.ledger import read_balance


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Write one model's JSON: `inputs` lists scores (all seeds of the first benchmark, then of the next), predictions
    (of the first seed, one a benchmark) and weights (one a seed), none of either of predictions that were given, and
    source, kept, reaped (one a data set); `outputs` evaluation
    (json); `settings` frame, target, seeds, benchmarks, crops (of each benchmark: detector and frame, or null where
    nobody knows), datasets, protocols {id: content of its file}, and named: the user's weights as the config has
    them."""
    chosen = protocols.ordered(settings["protocols"])
    seeds = [str(seed) for seed in settings["seeds"]]
    paths = iter(inputs["scores"])
    methods = dict(zip(settings["benchmarks"], map(how_landmarks, inputs["predictions"]), strict=False))
    benchmarks = {}
    for benchmark in settings["benchmarks"]:
        found = {seed: read_scores(Path(next(paths))) for seed in seeds}
        block = benchmark_block(
            {seed: scores.get("model", []) for seed, scores in found.items()},
            found[seeds[0]].get("mean_face", []),
            chosen,
        )
        told = {"crops": settings["crops"][benchmark], "landmarks": methods.get(benchmark)}
        benchmarks[benchmark] = {**told, **block}
    results = Path(outputs["evaluation"]).parent.parent
    named = settings.get("named") or [_below(path, results) for path in inputs["weights"]]
    weights = zip(seeds, inputs["weights"], named, strict=True) if inputs["weights"] else ()
    ledgers = zip(settings["datasets"], inputs["source"], inputs["kept"], inputs["reaped"], strict=True)
    value = {
        "model": wildcards["model"],
        "weights": [
            {"seed": int(seed), "path": name, "sha256": sha256_of(path)} for seed, path, name in weights
        ],
        "frame": settings["frame"],
        "target": settings["target"],
        "benchmarks": benchmarks,
        "counts": {
            dataset: read_balance(source, kept, reaped).as_values()
            for dataset, source, kept, reaped in ledgers
        },
        "provenance": {
            "command": attributes["command"],
            "config_hash": attributes["config_hash"],
            "code_digest": attributes["code_digest"],
            "libraries": json.loads(attributes["libraries"]),
        },
    }
    write_json(outputs["evaluation"], value)


def _below(path: str, results: Path) -> str:
    """The path relative to the results folder where it lies in it: two runs in two folders write the same file."""
    return Path(path).relative_to(results).as_posix() if Path(path).is_relative_to(results) else path
