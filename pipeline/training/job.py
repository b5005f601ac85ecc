"""A training as a job of the chain: what every stage that trains does once its network and task stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipeline.config import TrainingSettings
from pipeline.training.loop import Task, Trained, train


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

    A state left by a killed job is resumed only where settings, seed, code and data are the same; `data` holds the
    digests of what is learnt from. `metadata` goes into the weights file.
    """
    return train(
        network,
        task,
        training,
        state_dir=Path(settings["state"]),
        out_dir=Path(outputs["weights"]).parent,
        key=digest_of([settings, seed, attributes["code_digest"], data]),
        metadata=metadata,
    )


def digest_of(value: Any) -> str:
    """The sha256, in hexadecimal, of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
