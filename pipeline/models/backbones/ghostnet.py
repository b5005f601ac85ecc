"""GhostNet: half of every layer's maps are computed from the other half by cheap convolutions of single channels.

Paper: K. Han et al., "GhostNet: More Features from Cheap Operations", CVPR 2020, table 7. Parameter names: those of the
authors' code (github.com/huawei-noah/Efficient-AI-Backbones, Apache-2.0), which SynergyNet bundles; written anew from
the table.
What we changed: the classifier is left out, the width is a setting.
Licence of this file: MIT.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones.widths import require_width, scaled

STEM, SQUEEZED, LAST = 16, 960, 1280
STAGES = (
    ((3, 16, 16, 0, 1),),
    ((3, 48, 24, 0, 2),),
    ((3, 72, 24, 0, 1),),
    ((5, 72, 40, 1, 2),),
    ((5, 120, 40, 1, 1),),
    ((3, 240, 80, 0, 2),),
    ((3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 1, 1), (3, 672, 112, 1, 1)),
    ((5, 672, 160, 1, 2),),
    ((5, 960, 160, 0, 1), (5, 960, 160, 1, 1), (5, 960, 160, 0, 1), (5, 960, 160, 1, 1)),
)
"""Table 7: kernel, channels inside, channels out, squeeze and excitation, stride."""
DIVISOR, REDUCTION, CHEAP = 4, 4, 3


def _normalised(convolution: nn.Conv2d, rectified: bool) -> nn.Sequential:
    layers = nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))
    return layers.append(nn.ReLU(inplace=True)) if rectified else layers


class _Ghost(nn.Module):
    """1x1 convolution to half of the outputs, and 3x3 convolutions of each of those to the other half."""

    def __init__(self, inputs: int, outputs: int, rectified: bool):
        super().__init__()
        half = (outputs + 1) // 2
        self.outputs = outputs
        self.primary_conv = _normalised(nn.Conv2d(inputs, half, 1, bias=False), rectified)
        cheap = nn.Conv2d(half, half, CHEAP, padding=CHEAP // 2, groups=half, bias=False)
        self.cheap_operation = _normalised(cheap, rectified)

    def forward(self, x: Tensor) -> Tensor:
        first = self.primary_conv(x)
        return torch.cat([first, self.cheap_operation(first)], dim=1)[:, : self.outputs]


class _SqueezeExcite(nn.Module):
    """Every channel weighed by what all channels' means say."""

    def __init__(self, channels: int):
        super().__init__()
        inner = scaled(channels, 1 / REDUCTION, DIVISOR)
        self.conv_reduce = nn.Conv2d(channels, inner, 1)
        self.conv_expand = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean(dim=(2, 3), keepdim=True)
        return x * F.hardsigmoid(self.conv_expand(F.relu(self.conv_reduce(means))))


class _GhostBottleneck(nn.Module):
    """Two ghost modules beside a shortcut; between them channels are strided and weighed where the table says so."""

    def __init__(self, inputs: int, inner: int, outputs: int, kernel: int, stride: int, excited: bool):
        super().__init__()

        def single(channels: int) -> nn.Conv2d:
            return nn.Conv2d(
                channels, channels, kernel, stride, padding=kernel // 2, groups=channels, bias=False
            )

        self.ghost1 = _Ghost(inputs, inner, True)
        self.strided = stride > 1
        if self.strided:
            self.conv_dw, self.bn_dw = single(inner), nn.BatchNorm2d(inner)
        self.se = _SqueezeExcite(inner) if excited else nn.Identity()
        self.ghost2 = _Ghost(inner, outputs, False)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                single(inputs),
                nn.BatchNorm2d(inputs),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.ghost1(x)
        if self.strided:
            inner = self.bn_dw(self.conv_dw(inner))
        return self.ghost2(self.se(inner)) + self.shortcut(x)


class _Squeeze(nn.Module):
    """The 1x1 convolution behind the last stage."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn1(self.conv(x)))


class GhostNet(nn.Module):
    """Pooled features (B, 1280) of images (B, 3, H, W).

    `width` multiplies the channel counts, rounded to multiples of 4; the last layer keeps its 1280, as published.
    `FacemillError` for a width below 1/16.
    """

    def __init__(self, width: float = 1.0):
        super().__init__()
        require_width("GhostNet", width, STEM)
        last = scaled(STEM, width, DIVISOR)
        self.conv_stem = nn.Conv2d(3, last, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(last)
        self.blocks = nn.Sequential()
        for rows in STAGES:
            stage = nn.Sequential()
            for kernel, inner, channels, excited, stride in rows:
                outputs = scaled(channels, width, DIVISOR)
                inner = scaled(inner, width, DIVISOR)
                stage.append(_GhostBottleneck(last, inner, outputs, kernel, stride, bool(excited)))
                last = outputs
            self.blocks.append(stage)
        squeezed = scaled(SQUEEZED, width, DIVISOR)
        self.blocks.append(nn.Sequential(_Squeeze(last, squeezed)))
        self.conv_head = nn.Conv2d(squeezed, LAST, 1)
        self.outputs = LAST

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.bn1(self.conv_stem(x))))
        return F.relu(self.conv_head(x.mean(dim=(2, 3), keepdim=True))).flatten(1)
