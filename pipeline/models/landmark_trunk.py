"""The convolutional network of the 3D Facial Alignment project, and the units in which it learns landmarks.

Original code: github.com/antoinedandi/FaceAlignment (2020, no licence); written anew from the description of its layers
(spec landmarks 1.1, 1.2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.require import require

KERNELS = (4, 3, 2, 1)
REFERENCE, ORIGIN, UNIT = 224, 100.0, 50.0
"""t = (p - 100) / 50 for every coordinate p in px of a 224 crop."""


def normalised(points: Tensor, size: int) -> Tensor:
    """Landmarks (..., 2 or 3) px of a crop with this side -> the numbers t that the networks learn; x and y go to 224
    by the crop's outer edges, z by its scale."""
    return (points * (REFERENCE / size) + _offset(points, size) - ORIGIN) / UNIT


def pixels(values: Tensor, size: int) -> Tensor:
    """Inverse of `normalised`."""
    return (values * UNIT + ORIGIN - _offset(values, size)) * (size / REFERENCE)


def _offset(points: Tensor, size: int) -> Tensor:
    edge = 0.5 * REFERENCE / size - 0.5
    return points.new_tensor([edge, edge, 0.0][: points.shape[-1]])


def in_float(module: nn.Module, x: Tensor) -> Tensor:
    """What a module makes of x in its weights' own type, under autocast too, as float32: coordinates need more digits
    than bf16 has."""
    with torch.autocast(x.device.type, enabled=False):
        return module(x.type_as(next(module.parameters()))).float()


def dense(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    """Linear, batch norm, ELU, dropout."""
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ELU(), nn.Dropout(dropout)]


class Trunk(nn.Module):
    """Gray crops (B, 1, S, S) in [0, 1] -> (B, outputs) float32.

    Four blocks of convolution (kernels 4, 3, 2, 1, no padding), batch norm, ELU, 2x2 max-pooling and dropout; two
    hidden layers; the output layer. `width` channels after the first block, doubled by each later one; `hidden` units.
    Errors: FacemillError for a size below 32, no width, no hidden unit or a dropout outside [0, 1).
    """

    def __init__(self, outputs: int, *, size: int, width: int, hidden: int, dropout: float):
        super().__init__()
        require("size", size, size >= 32, "32 or more")
        require("width", width, width >= 1, "1 or more")
        require("hidden", hidden, hidden >= 1, "1 or more")
        require("dropout", dropout, 0 <= dropout < 1, "0 or more and less than 1")
        self.blocks = nn.Sequential()
        inputs, side = 1, size
        for level, kernel in enumerate(KERNELS):
            channels = width << level
            self.blocks.extend(
                [nn.Conv2d(inputs, channels, kernel), nn.BatchNorm2d(channels), nn.ELU(), nn.MaxPool2d(2)]
            )
            self.blocks.append(nn.Dropout(dropout))
            inputs, side = channels, (side - kernel + 1) // 2
        self.head = nn.Sequential(*dense(inputs * side**2, hidden, dropout), *dense(hidden, hidden, dropout))
        self.last = nn.Linear(hidden, outputs)

    def forward(self, image: Tensor) -> Tensor:
        return in_float(self.last, self.head(self.blocks(image).flatten(1)))
