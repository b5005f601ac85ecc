"""train: packs -> the weights of one network for one seed, its history and its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.datasets import licences
from pipeline.io.files import sha256_of
from pipeline.models.inputs import require_channels
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import FacemillError
from pipeline.registry import FRAMES, TARGETS, TASKS
from pipeline.training.batches import Packs
from pipeline.training.checkpoints import initial_network, parameter_count, write_card
from pipeline.training.job import digest_of, recorded, run_training
from pipeline.training.task import PackTask, Setup

PACKS = ("train", "val", "unlabelled")


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Train: `inputs` lists train, val and unlabelled of packs, source, files (a warm start's weights, a user's masks),
    weights (of the networks that found or labelled the faces, and of a warm start) and drawings (a user's charts and
    masks); `outputs` weights, history, card; `settings` model, network (its keywords), frame, target, task (name and
    keywords), training, face_model, state (folder of the resumable state), weights_did and drawings_did (what each of
    these inputs did) and face_models (of single data sets: id, path, dataset); `wildcards` seed."""
    seed = int(wildcards["seed"])
    prepared = prepare(inputs, settings, seed, f"models.{wildcards['model']}")
    network, task, packs = prepared.network, prepared.task, prepared.packs
    data = [sha256_of(path) for name in (*PACKS, "files") for path in inputs[name]]
    trained = run_training(
        network,
        task,
        task.training,
        seed,
        settings=settings,
        outputs=outputs,
        attributes=attributes,
        data=data,
        metadata={"model": settings["model"], "settings": settings["network"], "seed": seed},
    )
    write_card(
        Path(outputs["card"]),
        model=settings["model"],
        settings=settings["network"],
        parameters=parameter_count(network),
        frame=settings["frame"],
        target=settings["target"],
        task=settings["task"],
        seed=seed,
        training=recorded(settings["training"]),
        samples={name: len(pack) for name, pack in packs.items() if len(pack)},
        selected=trained.selected,
        ended=trained.ended,
        licences=_licences(inputs, settings, task.setup.face),
        data_digest=digest_of(data),
        code_digest=attributes["code_digest"],
        sha256=trained.sha256,
        command=attributes["command"],
    )


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is trained, what it learns, and the open packs (`PACKS`) that it learns from."""

    network: torch.nn.Module
    task: PackTask
    packs: dict[str, Packs]


def prepare(inputs: Mapping[str, Any], settings: Mapping[str, Any], seed: int, where: str) -> Prepared:
    """Network and task of a training with these `inputs` and `settings` of `run`; `FacemillError` names `where`."""
    training = TrainingSettings.model_validate(settings["training"])
    target = TARGETS[settings["target"]["kind"]](TargetSettings.model_validate(settings["target"]))
    face = load_face_model(**settings["face_model"])
    packs = {
        name: Packs(inputs[name], None if name == "unlabelled" else target, training.memory_limit_mb)
        for name in PACKS
    }
    network = initial_network(settings["model"], settings["network"], seed, training.init_from)
    require_channels(network, packs["train"].channels, where)
    setup = Setup(
        packs["train"],
        packs["val"],
        packs["unlabelled"] if inputs["unlabelled"] else None,
        face,
        target,
        training,
        seed,
        network.size,
        FRAMES[settings["frame"]].padding,
        getattr(network, "channels", 3),
        getattr(network, "points", False),
    )
    task = TASKS[settings["task"]["name"]](setup, **settings["task"]["keywords"])
    try:
        task.require(network)
    except FacemillError as problem:
        raise FacemillError(f"{where}: {problem}") from problem
    if not training.init_from:
        task.prepare(network)
    return Prepared(network, task, packs)


def _licences(
    inputs: Mapping[str, Any], settings: Mapping[str, Any], face: MorphableModel
) -> dict[str, list[str]]:
    """What the weights were made from, by licence."""
    models = [(face.name, face.licence, "")]
    for block in settings["face_models"]:
        own = load_face_model(**{key: value for key, value in block.items() if key != "dataset"})
        models.append((own.name, own.licence, block["dataset"]))
    return licences.joined(
        licences.of_pictures(inputs["source"]),
        licences.of_face_models(models),
        licences.of_weights(zip(inputs["weights"], settings["weights_did"], strict=True)),
        licences.of_files(zip(inputs["drawings"], settings["drawings_did"], strict=True)),
    )
