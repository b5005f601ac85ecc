"""Files of a training: the state that a killed run goes on from, and the weights with their card."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from pipeline.io.files import atomic_path, expand, write_bytes, write_json
from pipeline.io.weights import fill, read_safetensors
from pipeline.records import FacemillError
from pipeline.registry import MODELS

STATE_NAME = "state.pt"


def save_state(state_dir: Path, key: str, state: dict[str, Any]) -> None:
    """Write the resumable state of the training ``key`` whole or not at all.

    ``state`` holds tensors, numbers, text, and dicts and lists of them.
    """
    with atomic_path(state_dir / STATE_NAME) as temporary:
        torch.save({"key": key, **state}, temporary)


def load_state(state_dir: Path, key: str) -> dict[str, Any] | None:
    """The state that ``save_state`` left for ``key``; None where there is none or it belongs to another key.

    Raises FacemillError for a file that cannot be read.
    """
    path = state_dir / STATE_NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise FacemillError(
            f"cannot read the training state {path}: {error}; delete it to begin again"
        ) from error
    return state if state.get("key") == key else None


def discard_state(state_dir: Path) -> None:
    """Remove the state folder of a training that has ended, with whatever a killed run left in it."""
    shutil.rmtree(state_dir, ignore_errors=True)


def save_weights(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> str:
    """Write a ``.safetensors`` file, equal to the byte for equal arguments; returns its sha256.

    ``metadata`` is stored as one JSON text under "facemill": the format keeps several entries in no fixed order.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    data = safetensors.torch.save(whole, {"facemill": json.dumps(metadata, sort_keys=True)})
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def load_weights(path: str | Path, model: torch.nn.Module) -> dict[str, Any]:
    """Fill ``model`` from a ``.safetensors`` file; returns the metadata that ``save_weights`` stored.

    Half-precision tensors become the model's own type. Raises FacemillError for a file that is missing, broken, or
    made for another network (the first names that differ are listed).
    """
    tensors, metadata = read_safetensors(path)
    fill(model, tensors, path)
    return metadata


def initial_network(
    name: str, keywords: Mapping[str, Any], seed: int, init_from: str | None = None
) -> torch.nn.Module:
    """The network that a training begins with: weights drawn with ``seed``, or those of a file for a warm start."""
    network = MODELS[name](torch.Generator().manual_seed(seed), **keywords)
    if init_from:
        load_weights(expand(init_from), network)
    return network


def write_card(path: Path, **entries: Any) -> None:
    """The model card beside the weights: what they are, what they were made from, and what they may be used for."""
    write_json(path, entries)


def parameter_count(model: torch.nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
