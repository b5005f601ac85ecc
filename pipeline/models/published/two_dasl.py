"""2DASL's published checkpoints as weights of `TwoDASL` (spec landmarks 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pipeline.models.published import Converted, key_table
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED

STATISTICS = "param_whitening.pkl"
"""3DDFA's file of means and deviations: 2DASL was trained on 3DDFA's parameters and ships a copy of it."""


@PUBLISHED.register("2dasl")
def convert(found: Mapping[str, Tensor], path: str | Path, statistics: Whitening | None) -> Converted:
    """The state of `TwoDASL()` from the tensors of a checkpoint (stage 1 or 2), which have the same names there, and
    from the statistics that its parameters are whitened with.

    Raises FacemillError when a tensor is missing, left over or of another shape, and without statistics.
    """
    tensors = key_table("two_dasl").take(found, path)
    if statistics is None:
        raise FacemillError(
            f"{path}: expected the statistics of its whitened parameters, found none; name 2DASL's or 3DDFA's "
            f"{STATISTICS} with --statistics"
        )
    whitening = {"param_mean": statistics.mean, "param_std": statistics.std}
    return Converted("2dasl", tensors | {name: torch.from_numpy(v).float() for name, v in whitening.items()})
