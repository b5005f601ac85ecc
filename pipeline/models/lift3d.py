"""lift3d: a convolutional network from a gray crop to 68 landmarks in 2D, and a small one that lifts them to 3D.

Paper: none; a student project, the 3D Facial Alignment project of 2020, class Second3DFaceAlignmentModel.
Original code: github.com/antoinedandi/FaceAlignment (no licence); written anew from the description of its layers.
What we changed: the outputs are put together as they are meant, x and y from the first network and z from the second.
The original writes 136 numbers and then 68 behind each other against a target that runs x, y, z by landmark, so that
its first part learns all of landmarks 0 to 44 (`legacy_order=True`). The first network learns its 2D landmarks with a
loss of its own. Sizes are settings; `Lift3D()` is the project's network with 44,595,892 parameters.
Licence of this file: MIT. The project published no weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.initial import drawn
from pipeline.models.landmark_trunk import Trunk, dense, in_float, pixels
from pipeline.registry import MODELS

LIFTING_LAYERS = 5


@MODELS.register("lift3d")
class Lift3D(nn.Module):
    """The network: gray crops (B, 1, S, S) in [0, 1] -> {"xyz": (B, 68, 3)}, and "plane2d" (B, 68, 2), the 2D network's
    own landmarks, where they are such; in the project's units, 50 px of a 224 crop from pixel 100.

    generator: draws the initial weights (PyTorch's own distributions); None draws with seed 0. size: S. width: channels
    of the first block. hidden: units of the 2D network's hidden layers. legacy_order: the original's order of outputs;
    there is no "plane2d" then. frozen_2d: the 2D network stays as `training.init_from` gives it, dropout and batch
    norms included, and only the lifting network learns. Errors: FacemillError as `Trunk`.
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
        legacy_order: bool = False,
        frozen_2d: bool = False,
    ):
        super().__init__()
        self.size, self.legacy_order, self.frozen_2d = size, legacy_order, frozen_2d
        with drawn(generator):
            self.plane = Trunk(136, size=size, width=width, hidden=hidden, dropout=dropout)
            layers = [layer for _ in range(LIFTING_LAYERS) for layer in dense(136, 136, dropout)]
            self.lift = nn.Sequential(*layers, nn.Linear(136, 68))
        self.plane.requires_grad_(not frozen_2d)

    def train(self, mode: bool = True) -> Lift3D:
        """Training mode; a frozen 2D network stays in evaluation mode."""
        super().train(mode)
        if self.frozen_2d:
            self.plane.eval()
        return self

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        flat = self.plane(image)
        depth = in_float(self.lift, flat)
        if self.legacy_order:
            return {"xyz": torch.cat([flat, depth], 1).view(-1, 68, 3)}
        plane = flat.view(-1, 68, 2)
        return {"xyz": torch.cat([plane, depth[..., None]], -1), "plane2d": plane}

    def predict(self, image: Tensor) -> Tensor:
        """(B, 68, 3) landmarks in px of the S x S input, nearer z larger."""
        return pixels(self(image)["xyz"], self.size)
