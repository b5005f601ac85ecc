"""PRN: a residual encoder and a transposed-convolution decoder that turn a face crop into its UV position map.

Paper: Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression Network",
ECCV 2018.
Original code: github.com/yfeng95/PRNet (TensorFlow, MIT), class resfcn256; written anew from its layer table.
What we changed: width, input side and batch-norm momentum are settings. `PRN()` without arguments is the paper's
network with 13,353,618 parameters, TensorFlow's SAME padding included.
Licence of this file: MIT. Weights trained on 300W-LP or on anything made with the Basel Face Model are research-only.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.records import FacemillError
from pipeline.registry import MODELS

KERNEL = 4
CENTRE = 2  # of a stride-1 transposed convolution's kernel, held turned: the tap that meets the same pixel
TAIL_NOISE, TAIL_SHIFT = 0.1, 2.0


class SameConv(nn.Conv2d):
    """4x4 convolution without bias and with TensorFlow's SAME padding: of the three rows (or columns) of zeros that
    stride 1 needs, one stands before and two after; stride 2 on an even side needs one on each side."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__(inputs, outputs, KERNEL, stride, padding=stride // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (1, 2, 1, 2)) if self.stride == (1, 1) else x)


class SameDeconv(nn.Module):
    """4x4 transposed convolution without bias, SAME: the gradient of ``SameConv``. Stride 2 doubles the side; stride 1
    cuts the full output by one row (and column) at the start and by two at the end.

    At stride 1 that is a convolution with the kernel turned by 180 degrees, after two rows of zeros before and one
    behind, and is held and computed as one (bf16 updates at 96 on a busy CPU: 1 and 17 % less processor time in two
    pairs of runs; in fp32 7 % more in one pair). TensorFlow's kernels (height, width, out, in) come in as
    ``kernel.transpose(2, 3, 0, 1)[:, :, ::-1, ::-1]`` at stride 1 and as ``kernel.transpose(3, 2, 0, 1)`` at stride 2.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.stride = stride
        if stride == 1:
            self.conv = nn.Conv2d(inputs, outputs, KERNEL, bias=False)
        else:
            self.conv = nn.ConvTranspose2d(inputs, outputs, KERNEL, stride, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (2, 1, 2, 1)) if self.stride == 1 else x)


class ResBlock(nn.Module):
    """1x1, 4x4 (stride s) and 1x1 convolutions around half the channels, plus the shortcut; batch norm and ReLU last.

    The shortcut is a 1x1 convolution without batch norm where side or channels change, else the identity.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, norm: dict[str, float]):
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


@MODELS.register("prn")
class PRN(nn.Module):
    """The network: RGB crops (B, 3, S, S) in [0, 1] -> normalised maps (B, 3, S, S) in (0, 1), x, y, z of 1.1 S px.

    generator: draws the initial weights (Xavier, uniform; as TensorFlow's default); None draws with seed 0.
    width: channels of the first layer. size: S, a multiple of 32. bn_momentum: PyTorch's, 0.001 is the paper's decay
    of 0.999; a short training wants more. open_tail: the last two layers, of three channels, begin as near copies and
    the two batch norms before them shifted into the open side of their ReLU, so that no coordinate is cut off at the
    start; with Xavier weights there a short training stays at the mean face for hundreds of updates.
    `FacemillError` for a width or side that the layers cannot have.
    Spec prn_vrn C.
    """

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        width: int = 16,
        size: int = 256,
        bn_momentum: float = 0.001,
        bn_eps: float = 1e-3,
        open_tail: bool = False,
    ):
        super().__init__()
        if size < 32 or size % 32:
            raise FacemillError(f"PRN takes a side that is a multiple of 32; found {size}; set settings.size")
        if width < 1:
            raise FacemillError(f"PRN takes a width of 1 or more; found {width}; set settings.width")
        self.size = size
        norm = {"momentum": bn_momentum, "eps": bn_eps}
        channels = [width << level for level in range(6)]
        self.stem = nn.Sequential(SameConv(3, width, 1), nn.BatchNorm2d(width, **norm), nn.ReLU(inplace=True))
        self.encoder = nn.Sequential()
        for fine, coarse in pairwise(channels):
            self.encoder.append(ResBlock(fine, coarse, 2, norm))
            self.encoder.append(ResBlock(coarse, coarse, 1, norm))
        self.decoder = nn.Sequential(*_deconv(channels[5], channels[5], 1, norm))
        for level in range(4, -1, -1):
            self.decoder.extend(_deconv(channels[level + 1], channels[level], 2, norm))
            for _ in range(2 if level >= 2 else 1):
                self.decoder.extend(_deconv(channels[level], channels[level], 1, norm))
        self.decoder.extend(_deconv(width, 3, 1, norm))
        self.decoder.extend(_deconv(3, 3, 1, norm))
        self.last = SameDeconv(3, 3, 1)
        self.last_bn = nn.BatchNorm2d(3, **norm)
        self._initialise(generator or torch.Generator().manual_seed(0))
        if open_tail:
            self._open_tail()

    def _initialise(self, generator: torch.Generator) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight, generator=generator)

    @torch.no_grad()
    def _open_tail(self) -> None:
        *_, first_bn, _, second, second_bn, _ = self.decoder
        for layer in (second, self.last):
            layer.conv.weight *= TAIL_NOISE
            layer.conv.weight[range(3), range(3), CENTRE, CENTRE] += 1
        for norm in (first_bn, second_bn):
            norm.bias.fill_(TAIL_SHIFT)

    def forward(self, x: Tensor) -> Tensor:
        x = self.last(self.decoder(self.encoder(self.stem(x))))
        return torch.sigmoid(self.last_bn(x.float()))


def _deconv(inputs: int, outputs: int, stride: int, norm: dict[str, float]) -> list[nn.Module]:
    return [SameDeconv(inputs, outputs, stride), nn.BatchNorm2d(outputs, **norm), nn.ReLU(inplace=True)]
