"""FAN: the face alignment network, stacked hourglasses that paint one heat-map per landmark.

Paper: A. Bulat, G. Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017.
Original code: github.com/1adrianb/face-alignment (BSD-3); written anew here from the description of its layers.
What we changed: the number of stacks, of features and of landmarks are settings. `FAN(stacks=4, features=256)`
is the published network (23,820,176 parameters) and takes its state dictionary as it is, name by name.
Licence of this file: MIT. The published weights are the authors' own and are not shipped.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.records import FacemillError

HOURGLASS_DEPTH = 4
DOWNSCALE = 4  # one heat-map cell is 4 x 4 input pixels


def _conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)


class ConvBlock(nn.Module):
    """Pre-activation block of three 3x3 convolutions whose outputs are concatenated (1/2, 1/4, 1/4), plus a skip.

    (B, inputs, H, W) -> (B, outputs, H, W); outputs is a multiple of 4.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half, quarter = outputs // 2, outputs // 4
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = _conv3x3(inputs, half)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv2 = _conv3x3(half, quarter)
        self.bn3 = nn.BatchNorm2d(quarter)
        self.conv3 = _conv3x3(quarter, quarter)
        self.downsample = None
        if inputs != outputs:
            self.downsample = nn.Sequential(
                nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv1(F.relu(self.bn1(x)))
        second = self.conv2(F.relu(self.bn2(first)))
        third = self.conv3(F.relu(self.bn3(second)))
        skip = x if self.downsample is None else self.downsample(x)
        return torch.cat((first, second, third), dim=1) + skip


class HourGlass(nn.Module):
    """Four levels of pooling and nearest up-sampling with a ConvBlock beside each: (B, C, H, W) -> the same.

    H and W are multiples of 16.
    """

    def __init__(self, features: int, depth: int = HOURGLASS_DEPTH):
        super().__init__()
        self.depth = depth
        for level in range(depth, 0, -1):
            self.add_module(f"b1_{level}", ConvBlock(features, features))
            self.add_module(f"b2_{level}", ConvBlock(features, features))
            if level == 1:
                self.add_module("b2_plus_1", ConvBlock(features, features))
            self.add_module(f"b3_{level}", ConvBlock(features, features))

    def _level(self, level: int, x: Tensor) -> Tensor:
        beside = self.get_submodule(f"b1_{level}")(x)
        below = self.get_submodule(f"b2_{level}")(F.avg_pool2d(x, 2))
        below = self._level(level - 1, below) if level > 1 else self.get_submodule("b2_plus_1")(below)
        below = self.get_submodule(f"b3_{level}")(below)
        return beside + F.interpolate(below, scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        return self._level(self.depth, x)


class FAN(nn.Module):
    """The network. Input (B, 3, S, S) RGB in [0, 1], S a multiple of 64; output a list with one
    (B, landmarks, S/4, S/4) tensor of heat-maps per stack, the last of them the answer.

    `stacks` 1 to 4 hourglasses, `features` channels in each (a multiple of 8; the stem has a quarter and a
    half of them). Errors: FacemillError for settings outside these. Spec landmarks 2.4.
    """

    def __init__(self, stacks: int = 4, features: int = 256, landmarks: int = 68):
        super().__init__()
        if not 1 <= stacks <= 4 or features < 8 or features % 8:
            raise FacemillError(
                f"FAN takes 1 to 4 stacks and a multiple of 8 features; found stacks={stacks}, features={features}"
            )
        self.stacks = stacks
        stem, half = features // 4, features // 2
        self.conv1 = nn.Conv2d(3, stem, kernel_size=7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(stem)
        self.conv2 = ConvBlock(stem, half)
        self.conv3 = ConvBlock(half, half)
        self.conv4 = ConvBlock(half, features)
        for k in range(stacks):
            self.add_module(f"m{k}", HourGlass(features))
            self.add_module(f"top_m_{k}", ConvBlock(features, features))
            self.add_module(f"conv_last{k}", nn.Conv2d(features, features, kernel_size=1))
            self.add_module(f"bn_end{k}", nn.BatchNorm2d(features))
            self.add_module(f"l{k}", nn.Conv2d(features, landmarks, kernel_size=1))
            if k < stacks - 1:
                self.add_module(f"bl{k}", nn.Conv2d(features, features, kernel_size=1))
                self.add_module(f"al{k}", nn.Conv2d(landmarks, features, kernel_size=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        part = self.get_submodule
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.avg_pool2d(self.conv2(x), 2)
        previous = self.conv4(self.conv3(x))
        heatmaps = []
        for k in range(self.stacks):
            top = part(f"top_m_{k}")(part(f"m{k}")(previous))
            top = F.relu(part(f"bn_end{k}")(part(f"conv_last{k}")(top)))
            heatmaps.append(part(f"l{k}")(top))
            if k < self.stacks - 1:
                previous = previous + part(f"bl{k}")(top) + part(f"al{k}")(heatmaps[-1])
        return heatmaps
