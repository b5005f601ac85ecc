"""Residual networks of bottlenecks.

Paper: K. He et al., "Deep residual learning for image recognition", CVPR 2016, table 1; the stride of a stage stands at
the 3x3 convolution, as in torchvision (BSD-3), whose parameter names these are. Written anew from the table.
What we changed: the classifier is left out; stem, inputs, blocks and the last stride are settings.
Licence of this file: MIT.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones.widths import require_width

EXPANSION = 4  # a block's output has four times the channels of its middle
STEM = 64


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


class ResNet(nn.Module):
    """Pooled features (B, `outputs`) of images (B, `inputs`, H, W): `outputs` is 32 `stem`, 2048 for 64.

    blocks: bottlenecks in each of the four stages. stem: channels after the first convolution. last_stride: of the
    fourth stage; 1 keeps its map at 1/16 of the image's side.
    """

    def __init__(
        self, blocks: tuple[int, int, int, int], stem: int = STEM, inputs: int = 3, last_stride: int = 2
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, stem, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        last = stem
        for k, (count, stride) in enumerate(zip(blocks, (1, 2, 2, last_stride), strict=True)):
            middle = stem << k
            stage = nn.Sequential()
            for block in range(count):
                stage.append(Bottleneck(last, middle, 1 if block else stride))
                last = EXPANSION * middle
            self.add_module(f"layer{k + 1}", stage)
        self.outputs = last

    def maps(self, x: Tensor) -> Tensor:
        """The last stage's feature maps (B, `outputs`, H / 32, W / 32), rounded up."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), kernel_size=3, stride=2, padding=1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean(dim=(2, 3))


def resnet50(width: float = 1.0) -> ResNet:
    """The network of 50 layers; `width` multiplies every channel count."""
    require_width("ResNet-50", width, STEM)
    return ResNet((3, 4, 6, 3), int(STEM * width))


def resnet101(width: float = 1.0) -> ResNet:
    """The network of 101 layers; `width` multiplies every channel count."""
    require_width("ResNet-101", width, STEM)
    return ResNet((3, 4, 23, 3), int(STEM * width))
