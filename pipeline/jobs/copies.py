"""The jobs that find training pictures which repeat a benchmark's."""

from __future__ import annotations

from typing import Any

from pipeline import registry
from pipeline.config import Config
from pipeline.jobs.data import dataset_of, is_benchmark, path_of, per_shard, reader
from pipeline.jobs.job import Parts
from pipeline.records import FacemillError
from pipeline.settings import as_values


def fingerprint(config: Config, dataset: str, shard: str) -> Parts:
    """Small grey pictures of one shard."""
    inputs, settings, _ = reader(config, dataset)
    inputs["detections"] = path_of(config, "detect", "detections", dataset=dataset, shard=shard)
    return inputs, {"root": settings["root"], "shards": config.shards}, ()


def leaks(config: Config, dataset: str) -> Parts:
    """One training set against every benchmark of the config, and against itself."""
    if is_benchmark(config, dataset):
        raise FacemillError(f"expected a data set that a model learns from, found {dataset}")
    benchmarks = config.evaluation.benchmarks
    everyone = [dataset, *benchmarks]
    blocks = {name: dataset_of(config, name) for name in everyone}
    inputs: dict[str, Any] = {
        "sources": [path_of(config, "source", "source", dataset=name) for name in everyone],
        "fingerprints": [
            path
            for name in everyone
            for path in per_shard(config, "fingerprint", "fingerprints", dataset=name)
        ],
    }
    found = as_values(config.leaks)
    found.pop("check")
    settings = {
        "benchmarks": benchmarks,
        "shards": config.shards,
        "readers": {name: block.reader for name, block in blocks.items()},
        "collections": {name: block.collection for name, block in blocks.items()},
        "leaks": found,
    }
    return (
        inputs,
        settings,
        tuple(sorted({registry.DATASETS.module(block.reader) for block in blocks.values()})),
    )
