"""The jobs that make the truth of cropped faces and pack it."""

from __future__ import annotations

from pipeline import layout, registry
from pipeline.config import Config
from pipeline.jobs.data import (
    dataset_of,
    detection_of,
    face_model,
    is_benchmark,
    labelled,
    path_of,
    per_shard,
    reader,
    splits_of,
    target_of,
    validation_of,
    without_truth,
)
from pipeline.jobs.job import Parts
from pipeline.keywords import constant_of
from pipeline.records import DENSE, NONE, POINTS, FacemillError
from pipeline.settings import as_values


def truth_of(config: Config, dataset: str) -> str:
    """The kind of truth of a data set. `POINTS` of a benchmark whose reader knows no parameters of a face model; what a
    model learns from never is such a set: `pipeline.checks` refuses it. `NONE` where nobody looks at it."""
    if without_truth(config, dataset):
        return NONE
    name = dataset_of(config, dataset).reader
    without = constant_of(registry.DATASETS.module(name), name, "parameters") is False
    return POINTS if without and is_benchmark(config, dataset) and not labelled(config, dataset) else DENSE


def label(config: Config, dataset: str, shard: str) -> Parts:
    """The labeller's 3D faces of one shard, for a data set whose labels are tddfa."""
    if not labelled(config, dataset):
        raise FacemillError(
            f"data set {dataset} has labels of its own, or none that are looked at; set datasets.{dataset}.labels to "
            "tddfa for the labeller's"
        )
    inputs, settings, _ = reader(config, dataset)
    face_inputs, face_settings, face_modules = face_model(config, dataset)
    settings.pop("reader")
    inputs |= face_inputs
    inputs["detections"] = path_of(config, "detect", "detections", dataset=dataset, shard=shard)
    block = config.labelling
    inputs["weights"] = [path for path in (block.weights, block.statistics) if path]
    settings |= face_settings | {
        "shards": config.shards,
        "whole": detection_of(config, dataset).detector == "whole",
        "labelling": as_values(block),
    }
    return inputs, settings, face_modules


def ground_truth(config: Config, frame: str, target: str, dataset: str, shard: str) -> Parts:
    """One shard of the faces' truth in one frame; where it is not dense, neither face model nor target have a part."""
    block, kind = target_of(config, target), truth_of(config, dataset)
    inputs, settings, modules = reader(config, dataset)
    inputs["detections"] = path_of(config, "detect", "detections", dataset=dataset, shard=shard)
    inputs |= layout.outputs(config.results, "crop", frame=frame, dataset=dataset, shard=shard)
    if labelled(config, dataset):
        inputs["labels"] = path_of(config, "label", "labels", dataset=dataset, shard=shard)
        settings, modules = {}, ()
    if kind == NONE:
        return inputs, {"truth": kind}, ()
    settings |= {"truth": kind}
    if kind == POINTS:
        return inputs, settings, modules
    face_inputs, face_settings, face_modules = face_model(config, dataset)
    settings |= face_settings | {"target": as_values(block)}
    return inputs | face_inputs, settings, (*face_modules, *modules, registry.TARGETS.module(block.kind))


def pack(config: Config, frame: str, target: str, dataset: str, split: str) -> Parts:
    """The kept faces of one split."""
    if split not in splits_of(config, dataset):
        raise FacemillError(
            f"data set {dataset} has no split {split}; it has {', '.join(splits_of(config, dataset))}"
        )
    at = {"frame": frame, "target": target, "dataset": dataset}
    inputs = {
        "kept": path_of(config, "reap", "kept", **at),
        "crops": per_shard(config, "crop", "crops", frame=frame, dataset=dataset),
        "ground_truth": per_shard(config, "ground_truth", "ground_truth", **at),
    }
    block = target_of(config, target)
    settings = {
        "seed": config.seed,
        "validation": validation_of(config, dataset),
        "benchmark": is_benchmark(config, dataset),
        "truth": truth_of(config, dataset),
    }
    if settings["truth"] != DENSE:
        return inputs, settings, ()
    return inputs, settings | {"target": as_values(block)}, (registry.TARGETS.module(block.kind),)
