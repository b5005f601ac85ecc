"""The jobs from packs to the tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline import layout, registry
from pipeline.config import Config, ModelSettings
from pipeline.jobs.data import (
    dataset_of,
    face_model,
    path_of,
    per_shard,
    reader,
    splits_of,
    target_of,
    weights_behind,
    without_truth,
)
from pipeline.jobs.job import Parts
from pipeline.keywords import constant_of
from pipeline.records import FacemillError
from pipeline.settings import as_values, training_of

MASKS = ("weights_png", "weights_face_png")
"""Settings of a training that name a picture of the user's."""


def model_of(config: Config, model: str) -> ModelSettings:
    """The settings of a model; FacemillError for an unknown one."""
    if model not in config.models:
        raise FacemillError(registry.unknown("model", model, sorted(config.models)))
    return config.models[model]


def seeds_of(config: Config, model: str) -> list[int]:
    """The seeds with which a model is trained."""
    return training_of(config, model_of(config, model).training).seeds


def packs_of(config: Config, model: str, split: str, datasets: list[str] | None = None) -> list[str]:
    """The packs of one split that a model learns from, or those of these data sets."""
    block = model_of(config, model)
    return [
        path_of(config, "pack", "pack", frame=block.frame, target=block.target, dataset=dataset, split=split)
        for dataset in (block.train if datasets is None else datasets)
        if split in splits_of(config, dataset)
    ]


def task_of(config: Config, model: str) -> str:
    """The training task of a model: what its network says, else the one named as its target's kind."""
    block = model_of(config, model)
    own = constant_of(registry.MODELS.module(block.model), block.model, "task")
    return own or target_of(config, block.target).kind


def used(config: Config) -> list[tuple[str, str, str]]:
    """Every (frame, target, data set) that a model learns from or is tested on, and that the config wants packed."""
    triples = {
        (block.frame, block.target, dataset)
        for block in config.models.values()
        for dataset in [*block.train, *block.unlabelled, *config.evaluation.benchmarks]
    }
    return sorted(triples | {(pack.frame, pack.target, pack.dataset) for pack in config.packs})


def _network(config: Config, model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    block = model_of(config, model)
    target = target_of(config, block.target)
    settings = {
        "model": block.model,
        "network": block.settings,
        "frame": block.frame,
        "target": as_values(target),
    }
    return settings, (registry.MODELS.module(block.model), registry.TARGETS.module(target.kind))


def train(config: Config, model: str, seed: str) -> Parts:
    """One training."""
    inputs, face, face_modules = face_model(config)
    settings, modules = _network(config, model)
    training = as_values(training_of(config, model_of(config, model).training))
    training.pop("seeds")
    block = model_of(config, model)
    inputs |= {"train": packs_of(config, model, "train"), "val": packs_of(config, model, "val")}
    inputs["unlabelled"] = packs_of(config, model, "train", block.unlabelled)
    inputs["files"] = [path for key in ("init_from", *MASKS) if (path := training[key])]
    learnt = list(dict.fromkeys([*block.train, *block.unlabelled]))
    inputs["source"] = [path_of(config, "source", "source", dataset=dataset) for dataset in learnt]
    seen = bool(constant_of(registry.MODELS.module(block.model), block.model, "points"))
    settings |= _behind(config, learnt, seen, training, inputs)
    settings["task"] = {"name": task_of(config, model), "keywords": block.task}
    modules += (registry.LOSSES.module(training["loss"]), registry.TASKS.module(settings["task"]["name"]))
    modules += face_modules
    state = f"{config.results}/state/train/{model}/seed{seed}"
    return inputs, face | settings | {"training": training, "state": state}, modules


def _behind(
    config: Config, datasets: list[str], seen: bool, training: dict[str, Any], inputs: dict[str, Any]
) -> dict[str, Any]:
    """What a model's licences depend on beside its pictures and its face model: added to its job's inputs, and as
    settings that say what each file did. seen: whether its network sees detected landmarks."""
    weights = [
        (path, f"{what} of {dataset}")
        for dataset in datasets
        for path, what in weights_behind(config, dataset, seen).items()
    ]
    weights += [(path, "warm start")] if (path := training["init_from"]) else []
    inputs["weights"] = [path for path, _ in weights]
    own = [
        (d, block)
        for d in datasets
        if (block := dataset_of(config, d).face_model) is not None and not without_truth(config, d)
    ]
    inputs["face_model"] = [*inputs["face_model"], *(block.path for _, block in own if block.path)]
    drawings = [(config.face_model.chart, "chart of the face model")]
    drawings += [(block.chart, f"chart of the face model of {dataset}") for dataset, block in own]
    drawings += [(training[key], f"training.{key}") for key in MASKS]
    drawings = [(path, what) for path, what in drawings if path]
    inputs["drawings"] = [path for path, _ in drawings]
    return {
        "weights_did": [what for _, what in weights],
        "drawings_did": [what for _, what in drawings],
        "face_models": [{**as_values(block), "dataset": dataset} for dataset, block in own],
    }


def benchmark_parts(config: Config, model: str, benchmark: str) -> dict[str, Any]:
    """The files that say what a benchmark holds in a model's frame and target."""
    dataset_of(config, benchmark)
    block = model_of(config, model)
    at = {"frame": block.frame, "target": block.target, "dataset": benchmark}
    return {
        "pack": path_of(config, "pack", "pack", split="test", **at),
        "source": path_of(config, "source", "source", dataset=benchmark),
        **layout.outputs(config.results, "reap", **at),
    }


def infer(config: Config, model: str, seed: str, benchmark: str) -> Parts:
    """The predictions of one trained model on one benchmark."""
    settings, modules = _network(config, model)
    inputs, face, face_modules = face_model(config, benchmark)
    inputs |= {
        "weights": path_of(config, "train", "weights", model=model, seed=seed),
        "pack": benchmark_parts(config, model, benchmark)["pack"],
    }
    return inputs, settings | face, (*modules, *answers_of(config, [model]), *face_modules)


def answers_of(config: Config, models: Iterable[str]) -> tuple[str, ...]:
    """The modules behind the stored predictions of some models."""
    kinds = {target_of(config, model_of(config, model).target).kind for model in models}
    of_kind = [(registry.OUTPUTS.module(kind), registry.TARGETS.module(kind)) for kind in sorted(kinds)]
    return tuple(module for pair in of_kind for module in pair)


def ledger(config: Config) -> Parts:
    """The balance of every data set in every frame and target that the config uses."""
    triples = used(config)
    inputs = {
        "source": [path_of(config, "source", "source", dataset=d) for _, _, d in triples],
        "kept": [path_of(config, "reap", "kept", frame=f, target=t, dataset=d) for f, t, d in triples],
        "reaped": [path_of(config, "reap", "reaped", frame=f, target=t, dataset=d) for f, t, d in triples],
    }
    return inputs, {"sets": [list(triple) for triple in triples]}, ()


def train_shipped(config: Config, shipped: str) -> Parts:
    """The training of a network that the package ships, on synthetic pictures of its own."""
    if shipped not in config.shipped:
        raise FacemillError(registry.unknown("shipped network", shipped, sorted(config.shipped)))
    block = config.shipped[shipped]
    training = as_values(training_of(config, block.training))
    seeds = training.pop("seeds")
    inputs: dict[str, Any] = {"source": [], "face_model": []}
    modules = [registry.PICTURE_TASKS.module(block.task)]
    sets = []
    for name in block.datasets:
        dataset = dataset_of(config, name)
        read, settings, reader_modules = reader(config, name)
        face_inputs, face, face_modules = face_model(config, name)
        inputs["source"].append(read["source"])
        inputs["face_model"] += face_inputs["face_model"]
        sets.append({"name": name, **settings, **face, "dataset": as_values(dataset)})
        modules += [*reader_modules, *face_modules]
    settings = {
        "task": block.task,
        "task_settings": block.settings,
        "training": training,
        "seed": seeds[0],
        "sets": sets,
        "state": f"{config.results}/state/shipped/{shipped}",
    }
    return inputs, settings, tuple(dict.fromkeys(modules))


def census(config: Config, dataset: str) -> Parts:
    """Detection and ledger of a synthetic data set against the synthesiser's truth."""
    first = next(iter(config.models.values()))
    at = {"frame": first.frame, "target": first.target, "dataset": dataset}
    inputs = {
        "source": path_of(config, "source", "source", dataset=dataset),
        "truth": per_shard(config, "synthesise", "truth", dataset=dataset),
        "detections": per_shard(config, "detect", "detections", dataset=dataset),
        **layout.outputs(config.results, "reap", **at),
    }
    return inputs, {}, ()
