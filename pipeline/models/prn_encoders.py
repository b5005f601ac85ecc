"""PRN's encoders: from the crop (B, 3, S, S) to features (B, 32 w, S / 32, S / 32), w the width of its first layer.

Papers: Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression Network", ECCV
2018 (residual); K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR
2015, table 1, configuration D (vgg); A. Howard et al., "MobileNets", 2017, table 1 (mobilenet).
Original code: github.com/yfeng95/PRNet (TensorFlow, MIT) for the residual one; its README names the other two as
backbones that fit, and publishes neither; written anew from the layer tables.
What we changed: VGG-16 has batch norm behind every convolution and no fully connected layers; MobileNet has no pooling
and no classifier. Channel counts follow w: at w = 16 VGG-16 has its paper's 64 to 512, and MobileNet half of its
paper's (16 to 512), so that all three meet the decoder with the same channels.
Licence of this file: MIT.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.tf_layers import SameConv
from pipeline.records import FacemillError
from pipeline.registry import unknown

Norm = dict[str, float]
"""Keywords of batch norm: momentum and eps."""
VGG = ((4, 2), (8, 2), (16, 3), (32, 3), (32, 3))
"""Channels over w, and convolutions, before each halving of the side."""
MOBILENET = (
    (2, 1),
    (4, 2),
    (4, 1),
    (8, 2),
    (8, 1),
    (16, 2),
    *(5 * ((16, 1),)),
    (32, 2),
    (32, 1),
)
"""Channels over w, and stride, of each separable block."""


class ResBlock(nn.Module):
    """1x1, 4x4 (stride s) and 1x1 convolutions around half the channels, plus the shortcut; batch norm and ReLU last.

    The shortcut is a 1x1 convolution without batch norm where side or channels change, else the identity.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm):
        super().__init__()
        middle = outputs // 2
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.conv1 = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle, **norm)
        self.conv2 = SameConv(middle, middle, stride)
        self.bn2 = nn.BatchNorm2d(middle, **norm)
        self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs, **norm)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        return F.relu(self.bn3(self.conv3(out) + self.shortcut(x)))


def residual(width: int, norm: Norm) -> tuple[nn.Sequential, nn.Sequential]:
    """A 4x4 convolution at full side, then two residual blocks a level, the first of which halves the side."""
    channels = [width << level for level in range(6)]
    stem = nn.Sequential(SameConv(3, width, 1), nn.BatchNorm2d(width, **norm), nn.ReLU(inplace=True))
    blocks = nn.Sequential()
    for fine, coarse in pairwise(channels):
        blocks.append(ResBlock(fine, coarse, 2, norm))
        blocks.append(ResBlock(coarse, coarse, 1, norm))
    return stem, blocks


def vgg(width: int, norm: Norm) -> tuple[nn.Sequential, nn.Sequential]:
    """VGG-16's thirteen 3x3 convolutions, the side halved by the largest of 2x2 after each group."""
    last = VGG[0][0] * width
    stem, blocks = _convolved(3, last, 3, 1, norm), nn.Sequential()
    for level, (share, count) in enumerate(VGG):
        for _ in range(count - (level == 0)):
            blocks.extend(_convolved(last, share * width, 3, 1, norm))
            last = share * width
        blocks.append(nn.MaxPool2d(2))
    return stem, blocks


def mobilenet(width: int, norm: Norm) -> tuple[nn.Sequential, nn.Sequential]:
    """MobileNet-V1's 3x3 convolution of stride 2 and thirteen separable blocks: each channel alone, then all."""
    stem, blocks, last = _convolved(3, width, 3, 2, norm), nn.Sequential(), width
    for share, stride in MOBILENET:
        blocks.extend(_convolved(last, last, 3, stride, norm, groups=last))
        blocks.extend(_convolved(last, share * width, 1, 1, norm))
        last = share * width
    return stem, blocks


ENCODERS = {"residual": residual, "vgg": vgg, "mobilenet": mobilenet}


def build_encoder(name: str, width: int, norm: Norm) -> tuple[nn.Sequential, nn.Sequential]:
    """Stem and blocks of the encoder of this name; `FacemillError` for an unknown one."""
    if name not in ENCODERS:
        raise FacemillError(f"{unknown('encoder', name, list(ENCODERS))} Set settings.encoder")
    return ENCODERS[name](width, norm)


def _convolved(
    inputs: int, outputs: int, kernel: int, stride: int, norm: Norm, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, **norm), nn.ReLU(inplace=True))
