"""Feature extractors that networks choose between: images in, pooled features (B, `outputs`) out."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from pipeline.models.backbones.ghostnet import GhostNet
from pipeline.models.backbones.mobilenet_v1 import MobileNetV1
from pipeline.models.backbones.mobilenet_v2 import MobileNetV2
from pipeline.models.backbones.resnest import ResNeSt50
from pipeline.models.backbones.resnet import resnet50, resnet101
from pipeline.records import FacemillError
from pipeline.registry import unknown

BACKBONES: dict[str, Callable[[float], nn.Module]] = {
    "mobilenet_v1": MobileNetV1,
    "mobilenet_v2": MobileNetV2,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "ghostnet": GhostNet,
    "resnest50": ResNeSt50,
}
"""By name: what builds one from a width factor."""


def build_backbone(name: str, width: float = 1.0) -> nn.Module:
    """The backbone of this name; `width` multiplies its channel counts, 1 is the paper's network.

    Its weights are drawn by torch's own rules from torch's generator. `FacemillError` for an unknown name, or a width
    that leaves a layer without channels.
    """
    if name not in BACKBONES:
        raise FacemillError(unknown("backbone", name, list(BACKBONES)) + "; set settings.backbone")
    return BACKBONES[name](width)
