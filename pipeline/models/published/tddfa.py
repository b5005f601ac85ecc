"""Checkpoints of 3DDFA and 3DDFA_V2 as networks: which backbone and width one is, its weights say themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.io.weights import fill
from pipeline.models.backbones.mobilenet_v1 import DEEPEST
from pipeline.models.published import Converted
from pipeline.models.tddfa import PARAMETERS, MobileNetV1, ResNet22
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED

LANDMARK_HEADS = ("fc_lm.", "conv_lm.")
"""Second outputs of the published checkpoints, of use in their training only."""
STATISTICS = "param_mean_std_62d_120x120.pkl"
"""3DDFA_V2's file of means and deviations."""


@PUBLISHED.register("tddfa")
def convert(found: Mapping[str, Any], path: str | Path, statistics: Whitening | None) -> Converted:
    """The state of `TDDFA` from a checkpoint and from the statistics that its parameters are whitened with.

    Raises FacemillError without statistics, and as `network_of` does.
    """
    network = network_of(found, path)
    if statistics is None:
        raise FacemillError(
            f"{path}: expected the statistics of its whitened parameters, found none; name 3DDFA_V2's {STATISTICS}, or "
            "3DDFA's param_whitening.pkl for its own checkpoint, with --statistics"
        )
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    whitening = {"param_mean": statistics.mean, "param_std": statistics.std}
    tensors |= {name: torch.from_numpy(value).float() for name, value in whitening.items()}
    if isinstance(network, ResNet22):
        return Converted("resnet22", tensors, {"backbone": "resnet22"})
    width = network.outputs / DEEPEST
    return Converted("mb05" if width == 0.5 else "mb1", tensors, {"width": width})


def network_of(state: Mapping[str, Any], path: str | Path) -> nn.Module:
    """The network of a state dictionary: MobileNet-V1 of any width, or ResNet-22; ``path`` is where it came from.

    Errors: FacemillError for another backbone, and for another number of parameters than 62.
    """
    tensors = {name: value for name, value in state.items() if not name.startswith(LANDMARK_HEADS)}
    if "dw2_1.conv_dw.weight" in tensors:
        # 3DDFA calls the head fc, 3DDFA_V2 fc_param
        tensors = {name.replace("fc_param.", "fc."): value for name, value in tensors.items()}
        # int(1024 w) decides every other count: each is it divided by a power of two
        network: nn.Module = MobileNetV1(width=_head_inputs(tensors, "fc", path) / DEEPEST)
    elif "layer1.0.conv1.weight" in tensors and "conv2.weight" in tensors:
        _head_inputs(tensors, "conv_param", path)
        network = ResNet22()
    else:
        first = next(iter(state), "no tensor at all")
        raise FacemillError(
            f"{path}: expected weights of 3DDFA's MobileNet-V1 (with dw2_1.conv_dw.weight) or ResNet-22 (with "
            f"conv2.weight and layer1.0.conv1.weight), found neither; the first entry is {first}"
        )
    fill(network, tensors, path)
    return network


def _head_inputs(tensors: Mapping[str, Any], head: str, path: Path) -> int:
    """Input channels of a head; FacemillError unless it gives 62 parameters."""
    weight = tensors.get(f"{head}.weight")
    if not isinstance(weight, torch.Tensor) or weight.ndim < 2:
        raise FacemillError(f"{path}: expected the parameters' head {head}.weight, found none")
    if weight.shape[0] != PARAMETERS:
        raise FacemillError(
            f"{path}: expected a network of {PARAMETERS} parameters (12 camera, 40 shape, 10 expression), found one of "
            f"{weight.shape[0]}"
        )
    return int(weight.shape[1])
