"""What can be wrong with a config whose every value has the right type: names and sizes that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline import registry
from pipeline.config import (
    Config,
    DatasetSettings,
    DetectionSettings,
    ModelSettings,
    ShippedSettings,
    TrainingSettings,
)
from pipeline.io.published import BOXED, LIBRARY_DETECTORS, detector_files
from pipeline.keywords import Keyword, constant_of, keywords_of

NAME = r"\w+"
"""What datasets, targets, models and shipped networks may be called: their names are parts of paths."""
NO_FINDERS = {"annotation": "the truth", "whole": "nothing"}
"""Detectors that look for no landmarks, and what a network sees of them that asks for some."""
SFD_OVERLAP = 0.3
"""Of non-maximum suppression, fixed in face-alignment's sfd."""


def problems(config: Config, protocols: Iterable[str]) -> Iterable[str]:
    """One line for each thing that is wrong; ``protocols`` are the ids of the protocol files."""
    for table in ("datasets", "targets", "models", "shipped"):
        for key in getattr(config, table):
            if not re.fullmatch(NAME, key):
                yield f"{table}: expected a name of letters, digits and underscores, found {key!r}"
    yield from _known("face_model.id", "face model", config.face_model.id, registry.FACE_MODELS)
    yield from _of_detection("detection", config.detection)
    yield from _known("training.loss", "loss", config.training.loss, registry.LOSSES)
    for key, dataset in config.datasets.items():
        yield from _known(f"datasets.{key}.reader", "data set reader", dataset.reader, registry.DATASETS)
        yield from _reader_options(f"datasets.{key}", dataset)
        yield from _truth(config, key, dataset)
        if dataset.face_model is not None:
            where = f"datasets.{key}.face_model.id"
            yield from _known(where, "face model", dataset.face_model.id, registry.FACE_MODELS)
        if dataset.detection:
            values = {**config.detection.model_dump(), **dataset.detection}
            yield from _of_detection(f"datasets.{key}.detection", DetectionSettings.model_validate(values))
        if dataset.labels == "tddfa" and config.labelling.weights is None:
            yield f"labelling.weights: expected a checkpoint, since the labels of datasets.{key} are tddfa; found none"
        if [dataset.root, dataset.synthetic, dataset.scans].count(None) != 2:
            yield f"datasets.{key}: expected either root (it exists), synthetic (it is made) or scans (to render)"
    for key, target in config.targets.items():
        yield from _known(f"targets.{key}.kind", "target", target.kind, registry.TARGETS)
        if target.kind == "posmap" and target.size % 32:
            yield f"targets.{key}.size: expected a multiple of 32 for a position map, found {target.size}"
    for key, model in config.models.items():
        yield from _of_model(config, f"models.{key}", model)
        yield from _of_training(config, f"models.{key}.training", model.training)
    for k, pack in enumerate(config.packs):
        yield from _known(f"packs.{k}.frame", "frame", pack.frame, registry.FRAMES)
        yield from _known(f"packs.{k}.target", "target", pack.target, config.targets)
        yield from _known(f"packs.{k}.dataset", "data set", pack.dataset, config.datasets)
    for benchmark in config.evaluation.benchmarks:
        yield from _known("evaluation.benchmarks", "data set", benchmark, config.datasets)
    yield from _of_tddfa(config)
    yield from _of_seen_landmarks(config)
    for name, files in config.evaluation.given.items():
        if not re.fullmatch(NAME, name) or name in config.models:
            yield (
                "evaluation.given: expected a name of letters, digits and underscores that no model has, found "
                f"{name!r}"
            )
        for benchmark in files:
            yield from _known(
                f"evaluation.given.{name}", "benchmark", benchmark, config.evaluation.benchmarks
            )
    for protocol in config.evaluation.protocols:
        yield from _known("evaluation.protocols", "protocol", protocol, [*protocols, "default"])
    for key, shipped in config.shipped.items():
        yield from _of_shipped(config, f"shipped.{key}", shipped)
        yield from _of_training(config, f"shipped.{key}.training", shipped.training)
    if config.census is not None:
        yield from _known("census", "data set", config.census, config.datasets)


def _of_tddfa(config: Config) -> Iterable[str]:
    """The released network beside ours, whose name another system has."""
    for table, names in (("models", config.models), ("evaluation.given", config.evaluation.given)):
        if config.evaluation.tddfa.weights is not None and "tddfa" in names:
            yield f"{table}: expected no system tddfa beside that of evaluation.tddfa.weights, found one; rename it"


def _known(where: str, kind: str, name: str, names: Iterable[str]) -> Iterable[str]:
    names = sorted(names)
    if name not in names:
        yield f"{where}: {registry.unknown(kind, name, names)}"


def _reader_options(where: str, dataset: DatasetSettings) -> Iterable[str]:
    """Settings of a data set that its reader has no use for."""
    if dataset.reader not in registry.DATASETS:
        return
    taken = keywords_of(registry.DATASETS.module(dataset.reader), dataset.reader)
    for name, unused in (("frame_step", 1), ("licence", None)):
        if getattr(dataset, name) != unused and name not in taken:
            yield f"{where}.{name}: expected a reader that takes it, as photos; found {dataset.reader}"


def _truth(config: Config, key: str, dataset: DatasetSettings) -> Iterable[str]:
    """A data set whose reader knows no parameters of a face model, where dense truth is made of it, or that has no
    annotations to be tested by. A benchmark's truth may be points."""
    reader = dataset.reader
    if dataset.labels == "tddfa" or reader not in registry.DATASETS:
        return
    module = registry.DATASETS.module(reader)
    if constant_of(module, reader, "parameters") is not False:
        return
    users = [f"models.{name}.train" for name, model in config.models.items() if key in model.train]
    users += [f"packs.{k}" for k, pack in enumerate(config.packs) if pack.dataset == key]
    if users:
        yield (
            f"datasets.{key}.labels: expected tddfa, since the reader {reader} has no parameters of a face model, of "
            f"which the dense truth for {users[0]} is made; found annotation. Set datasets.{key}.labels=tddfa"
        )
    elif key in config.evaluation.benchmarks and constant_of(module, reader, "annotated") is False:
        yield (
            f"datasets.{key}.labels: expected tddfa, since the reader {reader} has no annotations, of which the truth "
            f"for evaluation.benchmarks is made; found annotation. Set datasets.{key}.labels=tddfa"
        )


def _of_detection(where: str, detection: DetectionSettings) -> Iterable[str]:
    yield from _known(f"{where}.detector", "detector", detection.detector, registry.DETECTORS)
    library = detection.detector in LIBRARY_DETECTORS
    if detection.detector == "faceboxes" and detection.weights == "library":
        yield (
            f"{where}.weights: expected shipped or a path, found library, which is for fan_weights and for the "
            f"detectors {', '.join(LIBRARY_DETECTORS)}"
        )
    if (
        library
        and detection.weights == "shipped"
        and detector_files(detection.detector, "", detection.device)
    ):
        yield f"{where}.weights: expected library or a path for the detector {detection.detector}, found shipped"
    if detection.detector == "sfd" and detection.overlap != SFD_OVERLAP:
        yield f"{where}.overlap: expected {SFD_OVERLAP}, as the library's sfd has it, found {detection.overlap}"
    if detection.detector.startswith("blazeface") and detection.overlap >= 1:
        yield f"{where}.overlap: expected less than 1 for the detector {detection.detector}, found {detection.overlap}"
    looks = detection.detector in BOXED or detection.points == "fan"
    if looks and detection.fan_weights == "shipped" and detection.landmarks == "2d":
        yield (
            f"{where}.landmarks: expected 2.5d or 3d for the shipped FAN, which draws projections of 3D points, "
            "found 2d; set fan_weights to library or a path"
        )
    if detection.landmarks == "3d" and detection.depth_weights == "shipped":
        yield f"{where}.depth_weights: expected library or a path, found shipped"


def _of_model(config: Config, where: str, model: ModelSettings) -> Iterable[str]:
    yield from _known(f"{where}.frame", "frame", model.frame, registry.FRAMES)
    yield from _known(f"{where}.target", "target", model.target, config.targets)
    for dataset in dict.fromkeys([*model.train, *model.unlabelled]):
        key = "train" if dataset in model.train else "unlabelled"
        yield from _known(f"{where}.{key}", "data set", dataset, config.datasets)
        if dataset in config.evaluation.benchmarks:
            yield f"evaluation.benchmarks: {dataset} is what {where} learns from; a benchmark is for testing only"
    yield from _own_loss(where, model.training)
    yield from _of_unlabelled(config, where, model)
    training = {**config.training.model_dump(), **model.training}
    if training["weights_face_png"] and not training["weights_png"]:
        yield f"{where}.training.weights_face_png: expected it beside weights_png, found no weights_png"
    target = config.targets.get(model.target)
    if model.model not in registry.MODELS:
        yield from _known(f"{where}.model", "model", model.model, registry.MODELS)
        return
    module = registry.MODELS.module(model.model)
    kind = constant_of(module, model.model, "target") or "posmap"
    if target and target.kind != kind:
        yield (
            f"{where}.target: expected a target of kind {kind}, which the network {model.model} predicts, found "
            f"{model.target} of kind {target.kind}"
        )
    task = constant_of(module, model.model, "task") or kind
    if task in registry.TASKS:
        yield from _fitting(f"{where}.task", model.task, keywords_of(registry.TASKS.module(task), task))
    else:
        yield f"{where}.model: expected a network that a training task is for, found {model.model}, which has none"
    keywords = keywords_of(module, model.model)
    yield from _fitting(f"{where}.settings", model.settings, keywords)
    if target and target.kind == "posmap":
        for name in ("map_size", "size"):
            size = model.settings.get(name, keywords[name].default) if name in keywords else None
            if size is not None:
                if not keywords[name].misfit(size) and size != target.size:
                    expected = f"the size of its target {model.target}, {target.size}"
                    yield f"{where}.settings.{name}: expected {expected}, found {size}"
                break


def _of_seen_landmarks(config: Config) -> Iterable[str]:
    """Data sets whose detector has the truth or nothing for networks that see landmarks."""
    shown: dict[str, dict[str, list[str]]] = {}
    for name, model in config.models.items():
        known = model.model in registry.MODELS
        if not known or not constant_of(registry.MODELS.module(model.model), model.model, "points"):
            continue
        for dataset in {
            *model.train,
            *model.unlabelled,
            *config.evaluation.benchmarks,
        } & config.datasets.keys():
            found = {**config.detection.model_dump(), **config.datasets[dataset].detection}
            if found["detector"] in NO_FINDERS and found["points"] == "own":
                shown.setdefault(found["detector"], {}).setdefault(dataset, []).append(name)
    for detector, datasets in shown.items():
        models = ", ".join(sorted({name for names in datasets.values() for name in names}))
        yield (
            f"detection.points: expected fan for {', '.join(sorted(datasets))}, of whose faces the detector {detector} "
            f"shows {NO_FINDERS[detector]} to {models}, whose networks see landmarks; found own. Set detection.points, "
            "or that of the data set, to fan, or systems to other models"
        )


def _of_unlabelled(config: Config, where: str, model: ModelSettings) -> Iterable[str]:
    """Pictures to learn from without truth, for a task that has no use for them."""
    if model.model not in registry.MODELS or model.target not in config.targets:
        return
    module = registry.MODELS.module(model.model)
    task = constant_of(module, model.model, "task") or config.targets[model.target].kind
    taken = task in registry.TASKS and constant_of(registry.TASKS.module(task), task, "learns_unlabelled")
    if model.unlabelled and not taken:
        yield f"{where}.unlabelled: expected none for the training task {task}, which learns from truth alone"


def _of_shipped(config: Config, where: str, shipped: ShippedSettings) -> Iterable[str]:
    tasks = registry.PICTURE_TASKS.names()
    if shipped.task in tasks:
        keywords = keywords_of(registry.PICTURE_TASKS.module(shipped.task), shipped.task)
        yield from _fitting(f"{where}.settings", shipped.settings, keywords)
    else:
        hint = registry.suggestion(shipped.task, tasks)
        yield f"{where}.task: expected {' or '.join(tasks)}, found {shipped.task!r}.{hint}"
    for dataset in shipped.datasets:
        yield from _known(f"{where}.datasets", "data set", dataset, config.datasets)
    yield from _own_loss(where, shipped.training)


def _of_training(config: Config, where: str, overlay: Mapping[str, Any]) -> Iterable[str]:
    """Settings of a training that do not go together; the overlay is of the right types."""
    training = TrainingSettings.model_validate({**config.training.model_dump(), **overlay})
    if training.nesterov and (training.optimiser != "sgd" or not training.momentum):
        yield f"{where}.nesterov: expected false but for sgd with a momentum, found true for {training.optimiser}"
    if training.amsgrad and training.optimiser != "adam":
        yield f"{where}.amsgrad: expected false but for adam, found true for {training.optimiser}"
    if training.schedule == "milestones" and not training.milestones:
        yield f"{where}.milestones: expected at least one for the schedule milestones, as [48, 64]; found none"
    if training.milestone_factors and len(training.milestone_factors) != len(training.milestones):
        yield (
            f"{where}.milestone_factors: expected one for each of the {len(training.milestones)} milestones, or none; "
            f"found {len(training.milestone_factors)}"
        )
    if training.batch_size % training.processes:
        yield (
            f"{where}.processes: expected a divisor of batch_size {training.batch_size}, since all make equal shares "
            f"of a batch; found {training.processes}"
        )


def _own_loss(where: str, training: Mapping[str, Any]) -> Iterable[str]:
    if "loss" in training:
        yield from _known(f"{where}.training.loss", "loss", training["loss"], registry.LOSSES)


def _fitting(where: str, given: Mapping[str, Any], keywords: Mapping[str, Keyword]) -> Iterable[str]:
    """Settings of a network or task that it does not take, or not of that type."""
    for name, value in given.items():
        yield from _known(where, "setting", name, keywords)
        if name in keywords and (misfit := keywords[name].misfit(value)):
            yield f"{where}.{name}: {misfit}"
