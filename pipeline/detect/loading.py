"""Networks from files: the shipped ones, the published ones in torch's cache, or a path. Nothing is downloaded."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.io.files import read_json, sha256_of
from pipeline.io.weights import fill, read_safetensors, read_state
from pipeline.models.faceboxes import FaceBoxes, PriorSettings
from pipeline.models.fan import FAN
from pipeline.records import FacemillError

SHIPPED = Path(__file__).parent / "weights"
PUBLISHED_FAN = "3DFAN4-7835d9f11d.pth.tar"
PUBLISHED_FAN_URL = f"https://www.adrianbulat.com/downloads/python-fan/{PUBLISHED_FAN}"


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network in evaluation mode and its card: `side`, `settings`, thresholds, and where it came from."""

    module: nn.Module
    card: dict[str, Any]
    path: Path


def load_fan(weights: str = "shipped") -> LoadedNetwork:
    """FAN from `shipped`, `library` (the published 3DFAN-4 in torch's cache, its hash checked) or a path: a
    .safetensors file with its .json card beside it, or a state dictionary of face-alignment's own FAN."""
    if weights == "library":
        return _published_fan(library_file(PUBLISHED_FAN, PUBLISHED_FAN_URL))
    path = SHIPPED / "fan.safetensors" if weights == "shipped" else Path(os.path.expandvars(weights))
    if path.suffix != ".safetensors":
        return _published_fan(path)
    return _with_card(path, lambda settings: FAN(**settings))


def load_faceboxes(weights: str = "shipped") -> LoadedNetwork:
    """FaceBoxes from `shipped` or a path: .safetensors with its card, or the published FaceBoxesProd.pth."""
    path = SHIPPED / "detector.safetensors" if weights == "shipped" else Path(os.path.expandvars(weights))
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


def library_file(name: str, url: str) -> Path:
    """A published file in torch's cache, found by name, its sha256 compared with the digits in the name.

    Errors: FacemillError that names the file, the folder and the command, when it is missing or another file.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / name
    command = f"curl --create-dirs -o {path} {url}"
    if not path.is_file():
        raise FacemillError(f"weights: library expects {name} in {folder}; found none. Type: {command}")
    expected = re.search(r"-([0-9a-f]{8,})\.", name).group(1)
    found = sha256_of(path)[: len(expected)]
    if found != expected:
        raise FacemillError(
            f"weights: library expects {name} in {folder} with a sha256 that begins {expected}; found {found}, "
            f"a damaged or another file. Type: {command}"
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
