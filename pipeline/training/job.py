"""A training as a job of the chain: what every stage that trains does once its network and task stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.config import UPKEEP, TrainingSettings
from pipeline.training.loop import Task, Trained, train

WITHOUT_EFFECT = UPKEEP | {"log_every"}
"""Training settings that cannot change its weights. A history that spans a change of log_every holds both steps."""


def run_training(
    network: torch.nn.Module,
    task: Task,
    training: TrainingSettings,
    seed: int,
    *,
    settings: Mapping[str, Any],
    outputs: Mapping[str, str],
    attributes: Mapping[str, str],
    data: list[str],
    metadata: dict[str, Any] | None = None,
) -> Trained:
    """Train beside `outputs["weights"]`, with the resumable state in `settings["state"]`.

    A state left by a killed job is resumed only where seed, code, data and settings (but for those `WITHOUT_EFFECT`)
    are the same; `data` holds the digests of what is learnt from. `metadata` goes into the weights file.
    """
    return train(
        network,
        task,
        training,
        state_dir=Path(settings["state"]),
        out_dir=Path(outputs["weights"]).parent,
        key=resume_key(settings, seed, attributes["code_digest"], data),
        seed=seed,
        metadata=metadata,
    )


def resume_key(settings: Mapping[str, Any], seed: int, code: str, data: list[str]) -> str:
    """The digest of all that decides the weights of a training."""
    training = {name: value for name, value in settings["training"].items() if name not in WITHOUT_EFFECT}
    return digest_of([{**settings, "training": training}, seed, code, data])


def recorded(training: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a training as its card has them: without those that change no byte."""
    return {name: value for name, value in training.items() if name not in UPKEEP}


def digest_of(value: Any) -> str:
    """The sha256, in hexadecimal, of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
