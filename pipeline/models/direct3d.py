"""direct3d: a convolutional network from a gray crop straight to 68 landmarks in 3D.

Paper: none; a student project, the 3D Facial Alignment project of 2020, class First3DFaceAlignmentModel.
Original code: github.com/antoinedandi/FaceAlignment (no licence); written anew from the description of its layers.
What we changed: size, width, hidden units and dropout are settings; `Direct3D()` is the project's network with
44,560,124 parameters. Its crops come from a face's own landmarks instead of the whole frame, scaled to one size.
Licence of this file: MIT. The project published no weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.initial import drawn
from pipeline.models.landmark_trunk import Trunk, pixels
from pipeline.registry import MODELS


@MODELS.register("direct3d")
class Direct3D(nn.Module):
    """The network: gray crops (B, 1, S, S) in [0, 1] -> {"xyz": (B, 68, 3)}, x, y, z in the project's units, which are
    50 px of a 224 crop from pixel 100.

    generator: draws the initial weights (PyTorch's own distributions); None draws with seed 0. size: S. width: channels
    of the first block. hidden: units of the hidden layers. Errors: FacemillError as `Trunk`.
    """

    target = "landmarks"
    channels = 1

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        size: int = 224,
        width: int = 32,
        hidden: int = 1000,
        dropout: float = 0.3,
    ):
        super().__init__()
        self.size = size
        with drawn(generator):
            self.trunk = Trunk(204, size=size, width=width, hidden=hidden, dropout=dropout)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"xyz": self.trunk(image).view(-1, 68, 3)}

    def predict(self, image: Tensor) -> Tensor:
        """(B, 68, 3) landmarks in px of the S x S input, nearer z larger."""
        return pixels(self(image)["xyz"], self.size)
