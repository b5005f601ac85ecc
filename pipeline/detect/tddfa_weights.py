"""The labeller's network from a published checkpoint: which backbone and width it is, its weights say themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.io.weights import fill, read_state
from pipeline.models.backbones.mobilenet_v1 import DEEPEST
from pipeline.models.tddfa import PARAMETERS, MobileNetV1, ResNet22
from pipeline.records import FacemillError

LANDMARK_HEADS = ("fc_lm.", "conv_lm.")
"""Second outputs of the published checkpoints, of use in their training only."""


def load_tddfa(weights: str | Path) -> nn.Module:
    """The network of a checkpoint of 3DDFA or 3DDFA_V2 (MobileNet-V1 of any width, ResNet-22), or of a state
    dictionary of either, in evaluation mode.

    Errors: FacemillError for a file that is missing or broken, for another backbone, and for another number of
    parameters than 62.
    """
    path = Path(os.path.expandvars(str(weights)))
    state = read_state(path)
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
    return network.eval()


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
