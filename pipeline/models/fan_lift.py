"""fan_lift: FAN's 68 landmarks in 2D, lifted to 3D by a residual network that sees nothing else of the picture.

Paper: J. Martinez et al., "A simple yet effective baseline for 3d human pose estimation", ICCV 2017, whose two blocks
of 1,024 units these are (spec landmarks 1.6).
Original code: github.com/una-dinosauria/3d-pose-baseline (TensorFlow, MIT); written anew from the paper's description.
What we changed: faces for bodies. A face's landmarks are counted from their own mean in units of their own rms distance
from it, instead of standardised by a training set's statistics; the answer moves the given x and y and adds z, so that
the network begins near what it is given; there is no limit on the norms of weights.
Licence of this file: MIT.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.initial import drawn
from pipeline.models.landmark_trunk import in_float, normalised, pixels
from pipeline.models.require import require
from pipeline.registry import MODELS

SMALLEST = 1e-3  # px: the rms distance of landmarks that all lie in one place
BEGINNING = 0.1  # of PyTorch's initial weights, in the last layer


class ResidualBlock(nn.Module):
    """Two layers of linear, batch norm, ReLU and dropout beside a skip: (B, units) -> the same."""

    def __init__(self, units: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(*_layer(units, units, dropout), *_layer(units, units, dropout))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


@MODELS.register("fan_lift")
class FanLift(nn.Module):
    """The network: landmarks (B, 68, 2) px of the S x S input -> {"xyz": (B, 68, 3)}, x, y, z in units of 50 px of a
    224 crop from pixel 100. Of the image (B, C, S, S) it takes no notice.

    generator: draws the initial weights (PyTorch's own distributions, the last layer a tenth of them); None draws with
    seed 0. size: S. hidden: units. blocks: residual blocks of two layers. Errors: FacemillError.
    """

    target = "landmarks"
    points = True

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        size: int = 256,
        hidden: int = 1024,
        blocks: int = 2,
        dropout: float = 0.5,
    ):
        super().__init__()
        require("size", size, size >= 1, "1 or more")
        require("hidden", hidden, hidden >= 1, "1 or more")
        require("blocks", blocks, blocks >= 0, "0 or more")
        require("dropout", dropout, 0 <= dropout < 1, "0 or more and less than 1")
        self.size = size
        with drawn(generator):
            inner = [ResidualBlock(hidden, dropout) for _ in range(blocks)]
            self.network = nn.Sequential(*_layer(136, hidden, dropout), *inner, nn.Linear(hidden, 204))
        with torch.no_grad():
            for parameter in self.network[-1].parameters():
                parameter *= BEGINNING

    def forward(self, image: Tensor, points: Tensor) -> dict[str, Tensor]:
        points = points.float()
        middle = points.mean(1, keepdim=True)
        centred = points - middle
        unit = centred.square().sum(-1).mean(-1).sqrt().clamp(min=SMALLEST)[:, None, None]
        moved = in_float(self.network, (centred / unit).flatten(1)).view(-1, 68, 3) * unit
        plane = points + moved[..., :2]
        return {"xyz": normalised(torch.cat([plane, moved[..., 2:]], -1), self.size)}

    def predict(self, image: Tensor, points: Tensor) -> Tensor:
        """(B, 68, 3) landmarks in px of the S x S input, nearer z larger."""
        return pixels(self(image, points)["xyz"], self.size)


def _layer(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout)]
