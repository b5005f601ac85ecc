"""Bottleneck residual blocks and stacked hourglasses, the parts of VRN.

Paper: A. Newell et al., "Stacked hourglass networks for human pose estimation", ECCV 2016; the residual blocks are
those of K. He et al., "Identity mappings in deep residual networks", ECCV 2016.
Original code: github.com/princeton-vl/pose-hg-train (BSD-3); written anew here from the description of its layers.
What we changed: depth, features and blocks a place are settings.
Licence of this file: MIT.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """Batch norm, ReLU and a 1x1, 3x3 or 1x1 convolution, three times, beside a skip (a bare 1x1 convolution where the
    channels change): (B, inputs, H, W) -> (B, outputs, H, W) with half the outputs between."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        middle = outputs // 2
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, middle, 1)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outputs, 1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        return self.conv3(F.relu(self.bn3(out))) + self.skip(x)


def bottlenecks(features: int, count: int) -> nn.Sequential:
    """``count`` blocks of one width behind each other."""
    return nn.Sequential(*(Bottleneck(features, features) for _ in range(count)))


class Hourglass(nn.Module):
    """``depth`` levels of pooling and nearest up-sampling, one inside the pooled branch of another, with ``blocks``
    bottlenecks beside each, before and behind it and in the middle: (B, C, H, W) -> the same.

    H and W are multiples of 2^depth.
    """

    def __init__(self, features: int, depth: int, blocks: int):
        super().__init__()
        self.beside = bottlenecks(features, blocks)
        self.before = bottlenecks(features, blocks)
        self.inner = bottlenecks(features, blocks) if depth == 1 else Hourglass(features, depth - 1, blocks)
        self.behind = bottlenecks(features, blocks)

    def forward(self, x: Tensor) -> Tensor:
        below = self.behind(self.inner(self.before(F.max_pool2d(x, 2))))
        return self.beside(x) + F.interpolate(below, scale_factor=2, mode="nearest")


def lin(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution, batch norm and ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs), nn.ReLU())


class Stack(nn.Module):
    """One hourglass of a stack and what is behind it, added to its input: (B, C, H, W) -> the same."""

    def __init__(self, features: int, depth: int, blocks: int):
        super().__init__()
        self.hourglass = Hourglass(features, depth, blocks)
        self.behind = nn.Sequential(
            Bottleneck(features, features), lin(features, features), lin(features, features)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.behind(self.hourglass(x))


def stem(channels: int, features: int) -> nn.Sequential:
    """From the picture to a quarter of its side: (B, channels, S, S) -> (B, features, S / 4, S / 4)."""
    quarter, half = features // 4, features // 2
    return nn.Sequential(
        nn.Conv2d(channels, quarter, 7, stride=2, padding=3),
        nn.BatchNorm2d(quarter),
        nn.ReLU(),
        Bottleneck(quarter, half),
        nn.MaxPool2d(2),
        Bottleneck(half, half),
        Bottleneck(half, features),
    )


class Enlarge(nn.Module):
    """Bilinear up-sampling by four as two products with a matrix: (B, C, h, w) -> (B, C, 4 h, 4 w), square maps.

    ``F.interpolate(x, scale_factor=4, mode="bilinear")`` to rounding; the gradient of that one has no deterministic
    form on a GPU. In float32 at least, whatever autocast says. align_corners: whether the outer pixel centres, rather
    than the outer edges, stay where they are.
    """

    def __init__(self, side: int, align_corners: bool):
        super().__init__()
        self.register_buffer("matrix", interpolation(side, align_corners), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.type(torch.promote_types(x.dtype, torch.float32))
        with torch.autocast(x.device.type, enabled=False):
            matrix = self.matrix.type_as(x)
            return matrix @ (x @ matrix.T)


def interpolation(side: int, align_corners: bool) -> Tensor:
    """(4 side, side): the rows are the weights of the coarse pixels in each fine one, along one axis."""
    fine = torch.arange(4 * side, dtype=torch.float64)
    place = fine * (side - 1) / (4 * side - 1) if align_corners else (fine + 0.5) / 4 - 0.5
    place = place.clamp(0, side - 1)
    return (1 - (place[:, None] - torch.arange(side)).abs()).clamp(min=0).float()
