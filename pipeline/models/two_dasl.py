"""2DASL: a ResNet-50 that sees a face crop with a map of 18 detected landmarks and answers 62 parameters of the face.

Paper: X. Tu et al., "3D Face Reconstruction from A Single Image Assisted by 2D Face Images in the Wild", IEEE TMM 2021
(arXiv:1903.09359); the layout is that of K. He et al., "Deep residual learning for image recognition", CVPR 2016.
Original code: github.com/XgTu/2DASL (MIT), test code and released checkpoints; written anew from its
layers.
What we changed: width, blocks and input side are settings, and the pooling follows the side. Landmarks outside the crop
count for the nearest cell of its border (`legacy_wrap` lets negative ones come in from the other side, as released).
Weights are drawn from a generator; the authors began with ImageNet's. `TwoDASL()` without arguments is the released
network with 23,638,206 parameters and takes its checkpoints name by name.
Licence of this file: MIT. The released weights were learned from 300W-LP with the Basel Face Model: research only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pipeline.losses.points18 import landmark_map
from pipeline.models.backbones.resnet import ResNet
from pipeline.models.initial import drawn
from pipeline.records import FacemillError
from pipeline.registry import MODELS

PARAMETERS = 62
CELLS, POOL = 8, 7  # of the 8 x 8 cells that a 120 px crop ends in, the released pooling sees the first 7 x 7


@MODELS.register("2dasl")
class TwoDASL(ResNet):
    """The network: crops (B, 3, S, S) RGB in [0, 1] and detected landmarks (B, 68, 2) px of them -> 62 parameters.

    `forward` gives them whitened, (B, 62) float32; `predict` raw, by the buffers `param_mean` and `param_std` (62,).

    generator: draws the initial weights (normal, deviation sqrt(2 / (k^2 c_out))); None draws with seed 0. size: S.
    width: channels of the first layer. blocks: bottlenecks in each of the four stages. legacy_wrap: see above.
    `FacemillError` for a side, a width or blocks that the layers cannot have, and for inputs of other shapes.
    Spec landmarks 4.1.
    """

    target = "params"
    points = True
    task = "2dasl"

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        size: int = 120,
        width: int = 64,
        blocks: tuple[int, int, int, int] = (3, 4, 6, 3),
        legacy_wrap: bool = False,
    ):
        if size < 16 or width < 1 or len(blocks) != 4 or min(blocks) < 1:
            raise FacemillError(
                "TwoDASL takes a size of at least 16, a width of at least 1 and four counts of blocks of at least 1; "
                f"found size {size}, width {width}, blocks {list(blocks)}; set the model's settings"
            )
        with drawn(generator):
            super().__init__(tuple(blocks), width, inputs=4, last_stride=1)
            self.fc = nn.Linear(self.outputs, PARAMETERS)
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.normal_(
                        layer.weight, 0.0, math.sqrt(2 / (layer.kernel_size[0] ** 2 * layer.out_channels))
                    )
        self.size = size
        self.legacy_wrap = legacy_wrap
        self.register_buffer("param_mean", torch.zeros(PARAMETERS))
        self.register_buffer("param_std", torch.ones(PARAMETERS))

    def forward(self, image: Tensor, points: Tensor) -> Tensor:
        size = (self.size, self.size)
        if image.shape[1:] != (3, *size) or points.shape != (len(image), 68, 2):
            raise FacemillError(
                f"TwoDASL takes crops (B, 3, {self.size}, {self.size}) and landmarks (B, 68, 2); found "
                f"{tuple(image.shape)} and {tuple(points.shape)}"
            )
        colours = (image.flip(1) * 255 - 127.5) / 128
        marks = landmark_map(points, self.size, self.legacy_wrap)
        cells = self.maps(torch.cat([colours, marks.type_as(colours)], dim=1))
        if cells.shape[-1] == CELLS:
            cells = cells[..., :POOL, :POOL]
        with torch.autocast(cells.device.type, enabled=False):
            return self.fc(cells.type_as(self.fc.weight).mean((2, 3)))

    def predict(self, image: Tensor, points: Tensor) -> Tensor:
        """Raw parameters (B, 62) float32: 3x4 camera row-major in the y-up 1-based frame of the S px crop, 40 shape
        and 10 expression coefficients."""
        return self(image, points) * self.param_std + self.param_mean
