"""The depth network beside 3D-FAN: a ResNet that sees a crop with its 68 heat-maps and says how near each point is.

Paper: A. Bulat, G. Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017; the
layout is that of K. He et al., "Deep residual learning for image recognition", CVPR 2016.
Original code: github.com/1adrianb/face-alignment (BSD-3); written anew here from the description of its layers.
What we changed: blocks and width are settings. `DepthNetwork()` is the published ResNet-152 (58,496,388 parameters)
and takes its state dictionary name by name.
Licence of this file: MIT. The published weights are the authors' own and are not shipped.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EXPANSION = 4  # a block's output has four times the channels of its middle
POOL = 7  # of the last 8 x 8 cells the first 7 x 7, as published


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a skip: (B, inputs, H, W) -> (B, 4 middle, H / stride, W / stride)."""

    def __init__(self, inputs: int, middle: int, stride: int):
        super().__init__()
        outputs = EXPANSION * middle
        self.conv1 = nn.Conv2d(inputs, middle, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outputs, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class DepthNetwork(nn.Module):
    """The network. Input (B, 3 + landmarks, 256, 256): RGB in [0, 1], then one heat-map of peak 1 for each landmark;
    output (B, landmarks) depths in pixels of that crop, nearer is larger, the zero arbitrary.

    `blocks` bottlenecks in each of the four stages, `width` channels after the first convolution. Spec landmarks 2.4.
    """

    def __init__(
        self, blocks: tuple[int, int, int, int] = (3, 8, 36, 3), width: int = 64, landmarks: int = 68
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(3 + landmarks, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for k, count in enumerate(blocks):
            middle = width << k
            stage = []
            for block in range(count):
                stage.append(Bottleneck(inputs, middle, 2 if k and not block else 1))
                inputs = EXPANSION * middle
            self.add_module(f"layer{k + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(inputs, landmarks)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), kernel_size=3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.avg_pool2d(x, POOL), 1))
