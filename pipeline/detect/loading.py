"""Networks from files: the shipped ones, the published ones in torch's cache, or a path. Nothing is downloaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.io.files import expand, read_json, sha256_of
from pipeline.io.published import FILES, Published, fan_file
from pipeline.io.weights import fill, read_safetensors, read_state
from pipeline.models.faceboxes import FaceBoxes, PriorSettings
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.records import FacemillError

SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network in evaluation mode and its card: `side`, `settings`, thresholds, and where it came from."""

    module: nn.Module
    card: dict[str, Any]
    path: Path


def load_fan(weights: str = "shipped", landmarks: str = "2.5d") -> LoadedNetwork:
    """FAN from `shipped`, `library` (in torch's cache, its hash checked: 2DFAN-4 for `landmarks` "2d", else 3DFAN-4)
    or a path: a .safetensors file with its .json card beside it, or a state dictionary of face-alignment's own FAN."""
    if weights == "library":
        return _published_fan(library_file(fan_file(landmarks)))
    path = SHIPPED / "fan.safetensors" if weights == "shipped" else expand(weights)
    if path.suffix != ".safetensors":
        return _published_fan(path)
    return _with_card(path, lambda settings: FAN(**settings))


def load_faceboxes(weights: str = "shipped") -> LoadedNetwork:
    """FaceBoxes from `shipped` or a path: .safetensors with its card, or the published FaceBoxesProd.pth."""
    path = SHIPPED / "detector.safetensors" if weights == "shipped" else expand(weights)
    if path.suffix != ".safetensors":
        network = FaceBoxes()
        fill(network, read_state(path), path)
        return LoadedNetwork(network.eval(), {"settings": {}, "side": None}, path)
    return _with_card(path, lambda settings: faceboxes_from(settings)[0])


def faceboxes_from(settings: dict[str, Any]) -> tuple[FaceBoxes, PriorSettings]:
    """The network and the priors of a card's settings: `width`, `sizes`, `density`."""
    values = dict(settings)
    width = values.pop("width", 1.0)
    priors = PriorSettings(**{name: tuple(tuple(row) for row in rows) for name, rows in values.items()})
    return FaceBoxes(width, priors), priors


def load_depth(weights: str = "library") -> LoadedNetwork:
    """The depth network from `library` (in torch's cache, its hash checked) or the path of such a checkpoint: a
    dictionary with `state_dict`, or that alone. Only tensors and plain values are unpickled."""
    path = library_file(FILES["depth"]) if weights == "library" else expand(weights)
    state = read_state(path)
    if "conv1.weight" not in state or "layer4.0.conv1.weight" not in state:
        raise FacemillError(
            f"{path}: expected the state of a ResNet, found one without 'layer4.0.conv1.weight'"
        )
    width, planes = state["conv1.weight"].shape[:2]
    counts = [
        sum(bool(re.fullmatch(rf"layer{k}\.\d+\.conv1\.weight", n)) for n in state) for k in range(1, 5)
    ]
    network = DepthNetwork(tuple(counts), width, planes - 3)
    fill(network, state, path)
    return LoadedNetwork(network.eval(), {"settings": {"blocks": counts, "width": width}, "side": 256}, path)


def library_file(file: Published) -> Path:
    """A published file in torch's cache, found by name, its sha256 compared with the digits in the name.

    Errors: FacemillError that names the file, the folder and the command, when it is missing or another file.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / file.name
    expects = f"weights: library expects {file.name} in {path.parent}"
    if not path.is_file():
        raise FacemillError(f"{expects}; found none. Type: {file.command(path)}")
    found = sha256_of(path)
    if file.digits and not found.startswith(file.digits):
        raise FacemillError(
            f"{expects} with a sha256 that begins {file.digits}; found {found[: len(file.digits)]}, a damaged or "
            f"another file. Type: {file.command(path)}"
        )
    return path


def _published_fan(path: Path) -> LoadedNetwork:
    state = read_state(path)
    if "l0.weight" not in state:
        raise FacemillError(f"{path}: expected a FAN state dictionary, found one without 'l0.weight'")
    stacks = sum(1 for name in state if re.fullmatch(r"l\d\.weight", name))
    landmarks, features = state["l0.weight"].shape[:2]
    network = FAN(stacks, features, landmarks)
    fill(network, state, path)
    return LoadedNetwork(
        network.eval(), {"settings": {"stacks": stacks, "features": features}, "side": 256}, path
    )


def _with_card(path: Path, build: Any) -> LoadedNetwork:
    card = read_json(path.with_suffix(".json"))
    if not isinstance(card, dict) or "settings" not in card or "side" not in card:
        raise FacemillError(f"{path.with_suffix('.json')}: expected a card with 'settings' and 'side'")
    network = build(card["settings"])
    fill(network, read_safetensors(path)[0], path)
    return LoadedNetwork(network.eval(), card, path)
