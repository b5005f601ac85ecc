"""SynergyNet's released checkpoint as weights of `SynergyNet` (spec landmarks 3.2, 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pipeline.models.published import PARALLEL, Converted, key_table
from pipeline.morphable.params62 import COUNT, Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED

PLACES = {
    "I2P.backbone.classifier_ori.1.": "heads.pose.",
    "I2P.backbone.classifier_shape.1.": "heads.shape.",
    "I2P.backbone.classifier_exp.1.": "heads.expression.",
    "I2P.backbone.": "backbone.",
    "forwardDirection.": "refiner.",
    "reverseDirection.": "reversal.",
}
"""How names begin: theirs, and ours; the first that fits."""
STATISTICS = ("param_mean", "param_std")


@PUBLISHED.register("synergynet")
def convert(found: Mapping[str, Tensor], path: str | Path, statistics: Whitening | None) -> Converted:
    """The state of `SynergyNet(legacy_relu_tails=True)` from a checkpoint's state dictionary.

    statistics: what the network's parameters are whitened by; None: the checkpoint's own. The face model that a
    checkpoint holds is not read.

    Raises FacemillError when a tensor is missing, left over or of another shape, and where nothing says how the
    parameters are whitened.
    """
    tensors = {_ours(name): value for name, value in key_table("synergynet").take(found, path).items()}
    if statistics is not None:
        mean, std = (torch.from_numpy(values) for values in (statistics.mean, statistics.std))
    else:
        mean, std = (_own(found, name, path) for name in STATISTICS)
    tensors |= dict(zip(STATISTICS, (mean.float(), std.float()), strict=True))
    return Converted("synergynet", tensors, {"legacy_relu_tails": True})


def _ours(name: str) -> str:
    theirs = next(start for start in PLACES if name.startswith(start))
    return PLACES[theirs] + name.removeprefix(theirs)


def _own(found: Mapping[str, Tensor], name: str, path: str | Path) -> Tensor:
    """A buffer of the whitening, cut to the 62 numbers that the published code uses of it."""
    value = found.get(PARALLEL + name, found.get(name))
    if value is None or value.dim() != 1 or len(value) < COUNT:
        held = "none" if value is None else f"one of shape {tuple(value.shape)}"
        raise FacemillError(
            f"{path}: expected {name} of at least {COUNT} numbers, found {held}; give --statistics, the "
            "param_whitening.pkl that the checkpoint was trained with"
        )
    return value[:COUNT]
