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

from pipeline.models.backbones.resnet import ResNet

POOL = 7  # of the last 8 x 8 cells the first 7 x 7, as published


class DepthNetwork(ResNet):
    """The network. Input (B, 3 + landmarks, 256, 256): RGB in [0, 1], then one heat-map of peak 1 for each landmark;
    output (B, landmarks) depths in pixels of that crop, nearer is larger, the zero arbitrary.

    `blocks` bottlenecks in each of the four stages, `width` channels after the first convolution. Spec landmarks 2.4.
    """

    def __init__(
        self, blocks: tuple[int, int, int, int] = (3, 8, 36, 3), width: int = 64, landmarks: int = 68
    ):
        super().__init__(blocks, width, 3 + landmarks)
        self.fc = nn.Linear(self.outputs, landmarks)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(F.avg_pool2d(self.maps(x), POOL), 1))
