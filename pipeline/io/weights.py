"""Weights of a network from files of tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch

from pipeline.records import FacemillError


def read_safetensors(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a ``.safetensors`` file by name, and what it holds as JSON under "facemill", else nothing.

    Raises FacemillError for a file that is missing or broken.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return tensors, json.loads((file.metadata() or {}).get("facemill", "{}"))
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise FacemillError(f"cannot read weights {path}: {error}; expected a .safetensors file") from error


def fill(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Give ``model`` the tensors of ``path`` name by name; half precision becomes the model's own type.

    Raises FacemillError where they were made for another network; it names the first that differs.
    """
    own = model.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            raise FacemillError(f"weights {path}: no tensor {name!r} that {type(model).__name__} needs")
        if tensors[name].shape != tensor.shape:
            raise FacemillError(
                f"weights {path}: {name!r} is {tuple(tensors[name].shape)}, {type(model).__name__} as configured "
                f"needs {tuple(tensor.shape)}; set the model's settings to those in its card.json"
            )
    extra = sorted(set(tensors) - set(own))
    if extra:
        raise FacemillError(
            f"weights {path}: {type(model).__name__} has no {extra[0]!r} ({len(extra)} such tensors)"
        )
    model.load_state_dict(tensors)
