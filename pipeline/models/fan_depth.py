"""fan_depth: FAN's heat-maps for x and y, and beside it a ResNet that sees crop and heat-maps and says how near each
landmark is.

Paper: A. Bulat, G. Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017; the
layout is that of K. He et al., "Deep residual learning for image recognition", CVPR 2016.
Original code: github.com/1adrianb/face-alignment (BSD-3); written anew here from the description of its layers.
What we changed: stacks, blocks and widths are settings. `DepthNetwork()` is the published ResNet-152 (58,496,388
parameters) and takes its state dictionary name by name. `FanDepth()` joins it to FAN-4; there the depths are learnt in
units of 50 px of a 224 crop, the Gaussians stand where the landmarks are (detection with the published weights moves
them as those expect, `pipeline.detect.depth`), landmarks are decoded between the cells, and the heat-maps may be logits
that a softmax makes maps of.
Licence of this file: MIT. The published weights are the authors' own and are not shipped.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.losses.heatmaps import activate, gaussians
from pipeline.models.backbones.resnet import ResNet
from pipeline.models.fan import DOWNSCALE, FAN
from pipeline.models.heatmaps import decode, from_cells
from pipeline.models.initial import drawn
from pipeline.models.landmark_trunk import in_float, normalised, pixels
from pipeline.models.require import require
from pipeline.registry import MODELS

POOL = 7  # of the last 8 x 8 cells the first 7 x 7, as published; all of fewer
SIDE = 256  # px: the published depth network's input
SPREAD = 3.25  # px of it: the standard deviation of its Gaussians
LEAST_SPREAD = 1.0  # px, at a smaller side: a narrower Gaussian would fall between the pixels
WINDOWS = {"linear": 4, "softmax": 2}  # cells about a peak: FAN's Gaussians have a sigma of 1.75 of them
DEPTH_SIDES = f"a multiple of 32 up to {SIDE}"


class DepthNetwork(ResNet):
    """The depth network. Input (B, 3 + landmarks, 256, 256), or a smaller side that is a multiple of 32: RGB in [0, 1],
    then one heat-map of peak 1 for each landmark; output (B, landmarks) float32 depths, nearer is larger, the zero
    arbitrary; of the published one in pixels of that crop.

    `blocks` bottlenecks in each of the four stages, `width` channels after the first convolution. Spec landmarks 2.4.
    """

    def __init__(
        self, blocks: tuple[int, int, int, int] = (3, 8, 36, 3), width: int = 64, landmarks: int = 68
    ):
        super().__init__(blocks, width, 3 + landmarks)
        self.fc = nn.Linear(self.outputs, landmarks)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.maps(x)
        return in_float(self.fc, torch.flatten(F.avg_pool2d(maps, min(POOL, maps.shape[-1])), 1))


@MODELS.register("fan_depth")
class FanDepth(nn.Module):
    """The system: RGB crops (B, 3, S, S) in [0, 1] -> {"heatmaps_1", "heatmaps_2" and so on: (B, 68, S/4, S/4), one a
    stack, the last the answer; "z": (B, 68) depths in units of 50 px of a 224 crop from 100}; with activation softmax
    "logits_1" and so on in the place of heat-maps.

    The depth network sees Gaussians of peak 1 at FAN's landmarks, or at `points` (B, 68, 2) px of the S x S input where
    they are given, as in training; no gradient goes through them.

    generator: draws the initial weights (PyTorch's own distributions); None draws with seed 0. size: S, a multiple of
    64. stacks, features: of FAN. blocks, width: of the depth network. depth_size: the side to which crop and Gaussians
    are brought for it, a multiple of 32 up to 256; None: S. activation: linear or softmax. Errors: FacemillError.
    """

    target = "landmarks"
    task = "fan_depth"

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        size: int = 256,
        stacks: int = 4,
        features: int = 256,
        blocks: tuple[int, ...] = (3, 8, 36, 3),
        width: int = 64,
        depth_size: int | None = None,
        activation: str = "linear",
    ):
        super().__init__()
        self.size, self.activation = size, activation
        self.depth_size = size if depth_size is None else depth_size
        require("size", size, size > 0 and size % 64 == 0, "a multiple of 64")
        require("blocks", blocks, len(blocks) == 4 and min(blocks) > 0, "four numbers of 1 or more")
        require("width", width, width >= 1, "1 or more")
        require("depth_size", self.depth_size, self.depth_size in range(32, SIDE + 1, 32), DEPTH_SIDES)
        require("activation", activation, activation in WINDOWS, " or ".join(WINDOWS))
        with drawn(generator):
            self.fan = FAN(stacks, features)
            self.depth = DepthNetwork(tuple(blocks), width)

    def forward(self, image: Tensor, points: Tensor | None = None) -> dict[str, Tensor]:
        stacks = self.fan(image)
        found = self._points(stacks[-1]) if points is None else points
        name = "heatmaps" if self.activation == "linear" else "logits"
        maps = {f"{name}_{k}": stack for k, stack in enumerate(stacks, start=1)}
        return maps | {"z": self._depth(image, found.detach())}

    def predict(self, image: Tensor) -> Tensor:
        """(B, 68, 3) landmarks in px of the S x S input, nearer z larger."""
        found = self._points(self.fan(image)[-1])
        depth = self._depth(image, found)[..., None]
        return pixels(torch.cat([normalised(found, self.size), depth], -1), self.size)

    def _points(self, maps: Tensor) -> Tensor:
        """(B, 68, 2) px of the input."""
        maps = maps if self.activation == "linear" else activate(maps, 1.0)
        return from_cells(decode(maps, WINDOWS[self.activation]), DOWNSCALE)

    def _depth(self, image: Tensor, points: Tensor) -> Tensor:
        side, scale = self.depth_size, self.depth_size / self.size
        if scale != 1:
            image = F.interpolate(image, (side, side), mode="bilinear", antialias=scale < 1)
        places = (points.float() + 0.5) * scale - 0.5
        planes = gaussians(places, side, max(SPREAD * side / SIDE, LEAST_SPREAD))
        return self.depth(torch.cat([image, planes], 1))
