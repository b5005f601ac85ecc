"""ResNeSt-50: a residual network whose 3x3 convolutions are split in two and weighed against each other by attention.

Paper: H. Zhang et al., "ResNeSt: Split-Attention Networks", 2020, section 3 and appendix (fast setting 2s1x64d: average
pooling behind the 3x3 convolution, deep stem, pooled shortcuts). Parameter names: those of the authors' code
(github.com/zhanghang1989/ResNeSt, Apache-2.0), which SynergyNet bundles; written anew from the paper.
What we changed: the classifier is left out, the width is a setting.
Licence of this file: MIT.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones.resnet import EXPANSION
from pipeline.models.backbones.widths import require_width

BLOCKS = (3, 4, 6, 3)
STEM, FIRST = 32, 64
RADIX, REDUCTION, NARROWEST = 2, 4, 32


class _SplitAttention(nn.Module):
    """A 3x3 convolution to two maps per channel, and their sum weighed by a softmax over the two, which their pooled
    sum decides: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(channels * RADIX // REDUCTION, NARROWEST)
        self.conv = nn.Conv2d(channels, RADIX * channels, 3, padding=1, groups=RADIX, bias=False)
        self.bn0 = nn.BatchNorm2d(RADIX * channels)
        self.fc1 = nn.Conv2d(channels, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.fc2 = nn.Conv2d(inner, RADIX * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        splits = F.relu(self.bn0(self.conv(x))).unflatten(1, (RADIX, -1))
        pooled = splits.sum(dim=1).mean(dim=(2, 3), keepdim=True)
        weights = self.fc2(F.relu(self.bn1(self.fc1(pooled)))).unflatten(1, (RADIX, -1)).softmax(dim=1)
        return (weights * splits).sum(dim=1)


class _Block(nn.Module):
    """A bottleneck around split attention: (B, inputs, H, W) -> (B, 4 middle, H / stride, W / stride).

    `pooled`: 3x3 average pooling of the stride behind the attention, as the first block of all stages but one has it.
    """

    def __init__(self, inputs: int, middle: int, stride: int, pooled: bool):
        super().__init__()
        outputs = EXPANSION * middle
        self.conv1 = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = _SplitAttention(middle)
        self.avd_layer = nn.AvgPool2d(3, stride, padding=1) if pooled else nn.Identity()
        self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.avd_layer(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        inner = self.bn3(self.conv3(inner))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class ResNeSt50(nn.Module):
    """Pooled features (B, `outputs`) of images (B, 3, H, W): `outputs` is 2048 at width 1.

    `width` multiplies every channel count but the attention's, which keeps at least 32.
    `FacemillError` for one that leaves a layer without channels.
    """

    def __init__(self, width: float = 1.0):
        super().__init__()
        require_width("ResNeSt-50", width, STEM)
        stem, last = int(STEM * width), 2 * int(STEM * width)
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.Conv2d(stem, last, 3, padding=1, bias=False),
        )
        self.bn1 = nn.BatchNorm2d(last)
        for k, count in enumerate(BLOCKS):
            middle = int(FIRST * width) << k
            stage = nn.Sequential()
            for block in range(count):
                first = block == 0 and k > 0
                stage.append(_Block(last, middle, 2 if first else 1, first))
                last = EXPANSION * middle
            self.add_module(f"layer{k + 1}", stage)
        self.outputs = last

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), kernel_size=3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))
