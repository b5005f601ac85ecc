"""MobileNet-V2: inverted residuals with linear bottlenecks.

Paper: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2. Parameter names:
those of torchvision (BSD-3) and SynergyNet (MIT), written anew from the table.
What we changed: the classifier is left out, the width is a setting.
Licence of this file: MIT.
"""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.models.backbones.widths import require_width, scaled

STEM, LAST = 32, 1280
BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Table 2: expansion, channels, blocks, stride of the first block."""
DIVISOR = 8


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class _InvertedResidual(nn.Module):
    """1x1 expansion (none where it is 1), 3x3 convolution of each channel, linear 1x1 projection; the input is added
    where side and channels stay."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.conv = nn.Sequential()
        if expansion != 1:
            self.conv.append(_convolution(inputs, inner, 1))
        self.conv.append(_convolution(inner, inner, 3, stride, groups=inner))
        self.conv.append(nn.Conv2d(inner, outputs, 1, bias=False))
        self.conv.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """Pooled features (B, `outputs`) of images (B, 3, H, W): `outputs` is 1280, more for a width above 1.

    `width` multiplies the channel counts, rounded to multiples of 8; below 1 the last layer keeps its 1280, as in the
    paper. `FacemillError` for a width below 1/32.
    """

    def __init__(self, width: float = 1.0):
        super().__init__()
        require_width("MobileNetV2", width, STEM)
        last = scaled(STEM, width, DIVISOR)
        self.features = nn.Sequential(_convolution(3, last, 3, 2))
        for expansion, channels, blocks, stride in BLOCKS:
            outputs = scaled(channels, width, DIVISOR)
            for block in range(blocks):
                step = stride if block == 0 else 1
                self.features.append(_InvertedResidual(last, outputs, step, expansion))
                last = outputs
        self.outputs = scaled(LAST, max(1.0, width), DIVISOR)
        self.features.append(_convolution(last, self.outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x).mean(dim=(2, 3))
