"""PRNet's published TensorFlow checkpoint as weights of `PRN` (spec prn_vrn C)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from pipeline.models.prn import PRN
from pipeline.models.published import Converted, key_table
from pipeline.models.tf_layers import SameDeconv
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED

SCOPE = "resfcn256"
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}

BLOCK = {
    "shortcut": "/shortcut",
    "conv1": "/Conv",
    "bn1": "/Conv",
    "conv2": "/Conv_1",
    "bn2": "/Conv_1",
    "conv3": "/Conv_2",
    "bn3": "",
}
"""Layers of a residual block: ours, and the scope inside the block's."""


@PUBLISHED.register("prn")
def convert(found: Mapping[str, np.ndarray], path: str | Path, statistics: Whitening | None) -> Converted:
    """The state of `PRN()` from the variables of a checkpoint; the optimiser's are not read.

    Raises FacemillError when a variable is missing, left over or of another shape, and for ``statistics``, which a
    position map has no use for.
    """
    if statistics is not None:
        raise FacemillError("prn answers with a position map, not with parameters; leave --statistics out")
    variables = key_table("prn").take(found, path)
    with torch.device("meta"):
        network = PRN()
    tensors: dict[str, torch.Tensor] = {}
    for name, (scope, layer) in _scopes(network).items():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for ours, theirs in NORM.items():
                tensors[f"{name}.{ours}"] = torch.from_numpy(variables[f"{scope}/BatchNorm/{theirs}"])
        else:
            inner = ".conv" if isinstance(layer, SameDeconv) else ""
            tensors[f"{name}{inner}.weight"] = _kernel(variables[f"{scope}/weights"], layer)
    return Converted("prnet", tensors)


def _kernel(kernel: np.ndarray, layer: torch.nn.Module) -> torch.Tensor:
    """A kernel (height, width, in, out), or (height, width, out, in) of a transposed convolution, as our layer has it.

    Ours are (out, in, height, width), and (in, out, ...) where the transposed convolution doubles the side; of stride 1
    it is held as the convolution that it is.
    """
    if isinstance(layer, SameDeconv) and layer.stride == 1:
        kernel = kernel.transpose(2, 3, 0, 1)[:, :, ::-1, ::-1]
    else:
        kernel = kernel.transpose(3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(kernel))


def _scopes(network: PRN) -> dict[str, tuple[str, torch.nn.Module]]:
    """Our layers by name, each with the scope of its variables; TensorFlow counts the scopes of a kind from none on."""
    found = {"stem.0": (f"{SCOPE}/Conv", network.stem[0]), "stem.1": (f"{SCOPE}/Conv", network.stem[1])}
    for number, block in enumerate(network.encoder):
        scope = f"{SCOPE}/{_counted('resBlock', number)}"
        for ours, theirs in BLOCK.items():
            layer = getattr(block, ours)
            if not isinstance(layer, torch.nn.Identity):
                found[f"encoder.{number}.{ours}"] = f"{scope}{theirs}", layer
    layers = [*network.decoder.named_children()]
    pairs = [(f"decoder.{name}", layer) for name, layer in layers if not isinstance(layer, torch.nn.ReLU)]
    pairs += [("last", network.last), ("last_bn", network.last_bn)]
    for place, (name, layer) in enumerate(pairs):
        found[name] = f"{SCOPE}/{_counted('Conv2d_transpose', place // 2)}", layer
    return found


def _counted(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name
