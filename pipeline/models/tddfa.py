"""The networks of 3DDFA and 3DDFA_V2: a 120 x 120 crop of a face -> 62 whitened parameters of camera and shape.

Papers: X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016; J. Guo et al., "Towards Fast,
Accurate and Stable 3D Dense Face Alignment", ECCV 2020; the backbones: A. Howard et al., "MobileNets", 2017, and a
residual network of 22 layers without pooling.
Original code: github.com/cleardusk/3DDFA_V2 (MIT); written anew from the description.
What we changed: weights are drawn from a generator that is passed in; the second head of the published checkpoints
(landmarks, used in their training only) is left out.
Licence of this file: MIT. The published weights were learned from 300W-LP with the Basel Face Model: research only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones import mobilenet_v1
from pipeline.models.require import require
from pipeline.registry import MODELS

SIDE = 120
PARAMETERS = 62


class MobileNetV1(mobilenet_v1.MobileNetV1):
    """MobileNet-V1. Input (B, 3, 120, 120), BGR as (value - 127.5) / 128; output (B, 62) whitened parameters.

    `width` multiplies every channel count, cut to whole channels: 1 has 3,270,526 weights, 0.5 has 850,398, running
    statistics not counted. Errors: FacemillError for a width that leaves a layer without channels. Spec prn_vrn F.2.
    """

    def __init__(self, generator: torch.Generator | None = None, width: float = 1.0):
        super().__init__(width)
        self.fc = nn.Linear(self.outputs, PARAMETERS)
        _draw(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(super().forward(x))


class _Residual(nn.Module):
    """Two 3x3 convolutions beside the identity, or a 1x1 convolution where size or channels change."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet22(nn.Module):
    """The residual network of 22 layers: 5x5 and 3x3 convolutions to 64 channels, then 3, 4 and 3 blocks of 128, 256
    and 512, each group halving the side, and a 1x1 convolution whose mean over the map is the output.

    Input and output as `MobileNetV1`; 18,449,246 weights. Spec prn_vrn F.2.
    """

    def __init__(self, generator: torch.Generator | None = None):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        last = 64
        for number, (channels, blocks) in enumerate(((128, 3), (256, 4), (512, 3)), start=1):
            group = [
                _Residual(last, channels, 2),
                *(_Residual(channels, channels, 1) for _ in range(1, blocks)),
            ]
            setattr(self, f"layer{number}", nn.Sequential(*group))
            last = channels
        self.conv_param = nn.Conv2d(last, PARAMETERS, 1)
        _draw(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.conv_param(x).mean(dim=(2, 3))


@MODELS.register("tddfa")
class TDDFA(nn.Module):
    """The network as a system of its own: crops (B, 3, S, S) RGB in [0, 1] -> 62 parameters.

    `forward` gives them whitened, (B, 62); `predict` raw, by the buffers `param_mean` and `param_std` (62,).

    generator: draws the initial weights; None draws with seed 0. backbone: mobilenet_v1 or resnet22. width: of
    MobileNet. size: S. `FacemillError` for a backbone or a width that there is not.
    """

    target = "params"

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        backbone: str = "mobilenet_v1",
        width: float = 1.0,
        size: int = SIDE,
    ):
        super().__init__()
        generator = generator or torch.Generator().manual_seed(0)
        require("backbone", backbone, backbone in ("mobilenet_v1", "resnet22"), "mobilenet_v1 or resnet22")
        if backbone == "resnet22":
            require("width", width, width == 1, "1, the only width of resnet22")
        self.network = MobileNetV1(generator, width) if backbone == "mobilenet_v1" else ResNet22(generator)
        self.size = size
        self.register_buffer("param_mean", torch.zeros(PARAMETERS))
        self.register_buffer("param_std", torch.ones(PARAMETERS))

    def forward(self, image: Tensor) -> Tensor:
        return self.network((image.flip(1) * 255 - 127.5) / 128).float()

    def predict(self, image: Tensor) -> Tensor:
        """Raw parameters (B, 62) float32: 3x4 camera row-major in the y-up 1-based frame of the S px crop, 40 shape
        and 10 expression coefficients."""
        return self(image) * self.param_std + self.param_mean


def _draw(network: nn.Module, generator: torch.Generator | None) -> None:
    """Normal weights of deviation sqrt(2 / (k^2 c_out)) for the convolutions (spec prn_vrn F.2), of sqrt(1 / inputs)
    for a linear layer; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            spread = math.sqrt(2.0 / (module.kernel_size[0] * module.kernel_size[1] * module.out_channels))
        elif isinstance(module, nn.Linear):
            spread = math.sqrt(1.0 / module.in_features)
        else:
            continue
        nn.init.normal_(module.weight, 0.0, spread, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
