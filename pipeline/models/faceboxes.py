"""FaceBoxes: a face detector made for one CPU core.

Paper: S. Zhang et al., "FaceBoxes: A CPU Real-time Face Detector with High Accuracy", IJCB 2017.
Original code: github.com/zisianw/FaceBoxes.PyTorch, used by 3DDFA_V2 (MIT); written anew from the description.
What we changed: channels scale with `width`, and the prior sizes are settings, so that a small input can have
finer priors. `FaceBoxes()` without arguments is the published network and takes its state dictionary.
Licence of this file: MIT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.records import FacemillError

STRIDES = (32, 64, 128)
VARIANCES = (0.1, 0.2)  # of the centre and of the logarithm of the size


@dataclass(frozen=True)
class PriorSettings:
    """Prior boxes: for each of the three strides its square sizes in input pixels, and for each size how many
    sub-offsets a cell is divided into per axis (4 means centres at 0, 1/4, 1/2, 3/4 of the cell; 1 means its
    middle). Spec prn_vrn F.1.
    """

    sizes: tuple[tuple[int, ...], ...] = ((32, 64, 128), (256,), (512,))
    density: tuple[tuple[int, ...], ...] = ((4, 2, 1), (1,), (1,))

    def per_cell(self) -> list[int]:
        """Priors of one cell at each stride."""
        return [sum(d * d for d in row) for row in self.density]


def priors(height: int, width: int, settings: PriorSettings = PriorSettings()) -> np.ndarray:
    """(P, 4) float32 priors (centre x, centre y, width, height) as fractions of an input of that size.

    Cells run row by row; in a cell sizes ascend, centre y is the outer and centre x the inner loop; nothing is
    clipped. 720 x 1080 gives 16,680 with the published settings.
    """
    rows = []
    for stride, sizes, density in zip(STRIDES, settings.sizes, settings.density, strict=True):
        cells_y, cells_x = math.ceil(height / stride), math.ceil(width / stride)
        cell = []
        for size, parts in zip(sizes, density, strict=True):
            offsets = [0.5] if parts == 1 else [k / parts for k in range(parts)]
            cell += [(dx, dy, size) for dy in offsets for dx in offsets]
        offset = np.asarray(cell, dtype=np.float64)
        j, i = np.meshgrid(np.arange(cells_x), np.arange(cells_y))
        grid = np.empty((cells_y, cells_x, len(cell), 4))
        grid[..., 0] = (j[..., None] + offset[:, 0]) * stride / width
        grid[..., 1] = (i[..., None] + offset[:, 1]) * stride / height
        grid[..., 2] = offset[:, 2] / width
        grid[..., 3] = offset[:, 2] / height
        rows.append(grid.reshape(-1, 4))
    return np.concatenate(rows).astype(np.float32)


def decode(offsets: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Network offsets (..., P, 4) on priors (P, 4) -> corner boxes (..., P, 4) x1 y1 x2 y2, in the priors' unit."""
    centre = prior[:, :2] + offsets[..., :2] * VARIANCES[0] * prior[:, 2:]
    size = prior[:, 2:] * np.exp(offsets[..., 2:] * VARIANCES[1])
    return np.concatenate([centre - size / 2, centre + size / 2], axis=-1)


def encode(boxes: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Inverse of `decode`: corner boxes (P, 4), one for each prior -> offsets (P, 4) float32."""
    size = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    shift = (centre - prior[:, :2]) / (VARIANCES[0] * prior[:, 2:])
    return np.concatenate([shift, np.log(size / prior[:, 2:]) / VARIANCES[1]], axis=1).astype(np.float32)


class _Unit(nn.Module):
    """Convolution without bias and batch normalisation; the activation is the caller's."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class _Inception(nn.Module):
    """Four branches of a quarter of the channels each: 1x1, pooled 1x1, 3x3, two 3x3."""

    def __init__(self, channels: int, reduced: int):
        super().__init__()
        quarter = channels // 4
        self.branch1x1 = _Unit(channels, quarter)
        self.branch1x1_2 = _Unit(channels, quarter)
        self.branch3x3_reduce = _Unit(channels, reduced)
        self.branch3x3 = _Unit(reduced, quarter, 3)
        self.branch3x3_reduce_2 = _Unit(channels, reduced)
        self.branch3x3_2 = _Unit(reduced, quarter, 3)
        self.branch3x3_3 = _Unit(quarter, quarter, 3)

    def forward(self, x: Tensor) -> Tensor:
        plain = F.relu(self.branch1x1(x))
        pooled = F.relu(self.branch1x1_2(F.avg_pool2d(x, 3, stride=1, padding=1)))
        single = F.relu(self.branch3x3(F.relu(self.branch3x3_reduce(x))))
        double = F.relu(self.branch3x3_2(F.relu(self.branch3x3_reduce_2(x))))
        double = F.relu(self.branch3x3_3(double))
        return torch.cat((plain, pooled, single, double), dim=1)


class FaceBoxes(nn.Module):
    """The network. Input (B, 3, H, W), BGR minus (104, 117, 123), not scaled to one; output offsets (B, P, 4)
    and scores before the softmax (B, P, 2: background, face), P as `priors(H, W)` counts and orders them.

    `width` multiplies every channel count (1 is the published network, 1,008,860 parameters). Errors:
    FacemillError for a width that leaves no whole number of channels. Spec prn_vrn F.1.
    """

    def __init__(self, width: float = 1.0, priors: PriorSettings = PriorSettings()):
        super().__init__()
        if width <= 0 or (8 * width) % 1:
            raise FacemillError(f"FaceBoxes takes a width that is a multiple of 1/8; found {width}")

        def channels(count: int) -> int:
            return round(count * width)

        body, deep = channels(128), channels(256)
        self.conv1 = _Unit(3, channels(24), 7, stride=4)
        self.conv2 = _Unit(2 * channels(24), channels(64), 5, stride=2)
        self.inception1 = _Inception(body, channels(24))
        self.inception2 = _Inception(body, channels(24))
        self.inception3 = _Inception(body, channels(24))
        self.conv3_1 = _Unit(body, body)
        self.conv3_2 = _Unit(body, deep, 3, stride=2)
        self.conv4_1 = _Unit(deep, body)
        self.conv4_2 = _Unit(body, deep, 3, stride=2)
        counts = list(zip((body, deep, deep), priors.per_cell(), strict=True))
        self.loc = nn.ModuleList(nn.Conv2d(c, 4 * n, kernel_size=3, padding=1) for c, n in counts)
        self.conf = nn.ModuleList(nn.Conv2d(c, 2 * n, kernel_size=3, padding=1) for c, n in counts)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for unit in (self.conv1, self.conv2):
            x = unit(x)
            x = F.max_pool2d(F.relu(torch.cat((x, -x), dim=1)), 3, stride=2, padding=1)
        first = self.inception3(self.inception2(self.inception1(x)))
        second = F.relu(self.conv3_2(F.relu(self.conv3_1(first))))
        third = F.relu(self.conv4_2(F.relu(self.conv4_1(second))))
        offsets, scores = [], []
        for source, loc, conf in zip((first, second, third), self.loc, self.conf, strict=True):
            offsets.append(loc(source).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 4)))
            scores.append(conf(source).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 2)))
        return torch.cat(offsets, dim=1), torch.cat(scores, dim=1)
