"""MobileNet-V1: a plain chain of separable convolutions.

Paper: A. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
table 1. Parameter names: those of 3DDFA's and SynergyNet's public code (MIT), written anew from the table.
What we changed: the classifier is left out, the width is a setting.
Licence of this file: MIT.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones.widths import require_width

BLOCKS = (
    ("dw2_1", 64, 1),
    ("dw2_2", 128, 2),
    ("dw3_1", 128, 1),
    ("dw3_2", 256, 2),
    ("dw4_1", 256, 1),
    ("dw4_2", 512, 2),
    ("dw5_1", 512, 1),
    ("dw5_2", 512, 1),
    ("dw5_3", 512, 1),
    ("dw5_4", 512, 1),
    ("dw5_5", 512, 1),
    ("dw5_6", 1024, 2),
    ("dw6", 1024, 1),
)
"""The separable blocks: name, channels at width 1, stride."""
STEM, DEEPEST = 32, 1024


class _Separable(nn.Module):
    """A 3x3 convolution of each channel, then a 1x1 convolution of all, each normalised and rectified."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv_dw = nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False)
        self.bn_dw = nn.BatchNorm2d(inputs)
        self.conv_sep = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn_dw(self.conv_dw(x)))
        return F.relu(self.bn_sep(self.conv_sep(x)))


class MobileNetV1(nn.Module):
    """Pooled features (B, `outputs`) of images (B, 3, H, W): `outputs` is 1024 at width 1.

    `width` multiplies every channel count, cut to whole channels. `FacemillError` for one that leaves a layer without.
    """

    def __init__(self, width: float = 1.0):
        super().__init__()
        require_width("MobileNetV1", width, STEM)
        last = int(STEM * width)
        self.conv1 = nn.Conv2d(3, last, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(last)
        for name, channels, stride in BLOCKS:
            setattr(self, name, _Separable(last, int(channels * width), stride))
            last = int(channels * width)
        self.outputs = last

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for name, _, _ in BLOCKS:
            x = getattr(self, name)(x)
        return x.mean(dim=(2, 3))
