"""ship: copy trained networks into the package, in half precision, with their cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from pipeline.detect.loading import SHIPPED
from pipeline.io.files import read_json, sha256_of, write_bytes, write_json
from pipeline.records import FacemillError

LIMIT = 8_000_000


def ship(
    trained: Mapping[str, Path], pictures_seed: int, folder: Path = SHIPPED
) -> dict[str, dict[str, Any]]:
    """Write <name>.safetensors and <name>.json into `folder` for each trained network (its folder of weights,
    history and card) and return the cards. `pictures_seed` is the config's, from which the people and backgrounds
    that it learnt from were drawn; the card's own `seed` is that of the training.

    Errors: FacemillError for a missing training, or when all weights of the folder would pass 8 MB together.
    """
    files: dict[str, bytes] = {}
    for name, source in trained.items():
        weights = source / "weights.safetensors"
        if not weights.is_file():
            raise FacemillError(
                f"no {weights}; type: python -m pipeline train_shipped --shipped {name} "
                "--configfile workflow/presets/shipped.yaml"
            )
        tensors = safetensors.torch.load_file(weights)
        files[name] = safetensors.torch.save({key: _halved(tensors[key]) for key in sorted(tensors)})
    kept = sum(p.stat().st_size for p in folder.glob("*.safetensors") if p.stem not in files)
    total = kept + sum(len(data) for data in files.values())
    if total > LIMIT:
        raise FacemillError(f"the shipped weights would take {total} bytes, expected at most {LIMIT}")
    cards = {}
    for name, data in files.items():
        path = folder / f"{name}.safetensors"
        write_bytes(path, data)
        card = read_json(trained[name] / "card.json")
        cards[name] = {
            **card,
            "pictures_seed": pictures_seed,
            "precision": "float16",
            "bytes": len(data),
            "sha256": sha256_of(path),
        }
        write_json(folder / f"{name}.json", cards[name])
    return cards


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
