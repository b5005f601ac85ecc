"""Weights of a network from files of tensors."""

from __future__ import annotations

import json
import re
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


def read_state(path: str | Path) -> dict[str, Any]:
    """The state dictionary that torch saved in a file, or the one in its entry "state_dict" (2DASL: "res_state_dict"),
    as trainers write it; names without the prefix that ``DataParallel`` gives them. Nothing but tensors and plain
    values is unpickled.

    Raises FacemillError for a file that is missing, broken, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FacemillError(f"no weights file {path}; expected shipped, library or the path of a file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise FacemillError(_unread(path, error)) from error
    for entry in ("state_dict", "res_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(entry), dict):
            state = state[entry]
    if not isinstance(state, dict):
        raise FacemillError(f"{path}: expected a state dictionary, found {type(state).__name__}")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def _unread(path: Path, error: Exception) -> str:
    """Why torch did not read a file; it refuses pickles that hold more than tensors and plain values."""
    refused = re.search(r"(?:Unsupported global: GLOBAL|Unsupported class) (\S+)", str(error))
    if refused is None:
        return f"{path} is no file of weights that torch reads ({type(error).__name__})"
    plain = path.with_name(f"{path.name.split('.')[0]}-tensors.pth")
    return (
        f"{path}: expected tensors and plain values, found {refused[1]}, which reading would execute. If you trust the "
        f"file, take its tensors out once and name {plain}. Type: python -c \"import torch; s = torch.load('{path}', "
        f"weights_only=False); torch.save(s.get('state_dict', s), '{plain}')\""
    )


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
