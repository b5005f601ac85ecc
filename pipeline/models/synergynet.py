"""SynergyNet: a crop -> the 62 parameters of camera and face, trained together with 3D landmarks that are refined from
the features and read back into parameters.

Paper: C.-Y. Wu, Q. Xu, U. Neumann, "Synergy between 3DMM and 3D Landmarks for Accurate 3D Facial Geometry", 3DV 2021.
Original code: github.com/choyingw/SynergyNet (MIT); written anew from the paper and the spec's layer tables.
What we changed: input side, widths, the zero border and the backbone are settings, and each of the six backbones brings
features to the refiner, where the published code does so for two. Refiner and reverse module end in their batch norm,
since residuals and whitened parameters have both signs (`legacy_relu_tails` puts the published ReLU behind it). The
refiner's sixth layer meets what all 68 points share once a face instead of once a point: the same sum. Points and
parameters are computed in float32 under autocast. The face model that turns parameters into points is not part of the
network: the training task has it.
Licence of this file: MIT. Weights trained on 300W-LP or on anything made with the Basel Face Model are research-only.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.models.backbones import build_backbone
from pipeline.models.initial import drawn
from pipeline.morphable.params62 import CAMERA, COUNT, EXPRESSION, SHAPE
from pipeline.records import FacemillError
from pipeline.registry import MODELS

PARTS = {"pose": CAMERA, "shape": SHAPE, "expression": EXPRESSION}
"""The heads, in the order of the 62 parameters."""
POINT_LAYERS = (64, 64, 64, 128, 1024)
"""Channels of the layers that every point goes through by itself; the second one's are kept."""
REFINING_LAYERS = (512, 256, 128)
RESIDUAL = 0.05
SMALLEST = 32


def _count(part: slice) -> int:
    return part.stop - part.start


class _Points(nn.Module):
    """What describes 68 points, each by itself and all together: layers conv1 to conv5 with bn1 to bn5."""

    def __init__(self, width: float):
        super().__init__()
        channels = [3, *(max(1, int(count * width)) for count in POINT_LAYERS)]
        for layer, (inputs, outputs) in enumerate(pairwise(channels), start=1):
            self._add(str(layer), inputs, outputs)
        self.local, self.pooled = channels[2], channels[-1]

    def _add(self, name: str, inputs: int, outputs: int) -> None:
        self.add_module(f"conv{name}", nn.Conv1d(inputs, outputs, 1))
        self.add_module(f"bn{name}", nn.BatchNorm1d(outputs))

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(f"bn{name}")(self.get_submodule(f"conv{name}")(x))

    def describe(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Of points (B, N, 3): (B, `local`, N) of each and (B, `pooled`) of all, their maximum."""
        x = points.mT
        for layer in range(1, len(POINT_LAYERS) + 1):
            x = F.relu(self._layer(str(layer), x))
            if layer == 2:
                local = x
        return local, x.amax(dim=2)


class _Refiner(_Points):
    """The forward direction (the paper's MAFA): points, features, shape and expression -> residuals (B, N, 3)."""

    def __init__(self, features: int, width: float, relu_tail: bool):
        super().__init__(width)
        self.relu_tail = relu_tail
        shared = self.pooled + features + COUNT - CAMERA.stop
        channels = [self.local + shared, *(max(1, int(count * width)) for count in REFINING_LAYERS), 3]
        for layer, (inputs, outputs) in enumerate(pairwise(channels), start=6):
            self._add(str(layer), inputs, outputs)

    def forward(self, points: Tensor, features: Tensor, parameters: Tensor) -> Tensor:
        local, pooled = self.describe(points)
        shared = torch.cat([pooled, features, parameters[:, CAMERA.stop :]], dim=1)
        weight = self.conv6.weight
        x = F.conv1d(local, weight[:, : self.local])
        x = x + F.linear(shared, weight[:, self.local :, 0], self.conv6.bias)[:, :, None]
        x = F.relu(self.bn6(x))
        x = F.relu(self._layer("8", F.relu(self._layer("7", x))))
        x = self._layer("9", x).mT
        return F.relu(x) if self.relu_tail else x


class _Reversal(_Points):
    """The reverse direction: points (B, N, 3) -> whitened parameters (B, 62)."""

    def __init__(self, width: float, relu_tail: bool):
        super().__init__(width)
        self.relu_tail = relu_tail
        for head, part in enumerate(PARTS.values(), start=1):
            self._add(f"6_{head}", self.pooled, _count(part))

    def forward(self, points: Tensor) -> Tensor:
        _, pooled = self.describe(points)
        heads = [self._layer(f"6_{head}", pooled[:, :, None]) for head in range(1, len(PARTS) + 1)]
        x = torch.cat(heads, dim=1).squeeze(2)
        return F.relu(x) if self.relu_tail else x


@MODELS.register("synergynet")
class SynergyNet(nn.Module):
    """The network: RGB crops (B, 3, S, S) in [0, 1] -> whitened parameters (B, 62).

    generator: draws the initial weights; None draws with seed 0.
    size: S, the input's side. backbone: a name of `pipeline.models.backbones.BACKBONES`; width: its width factor.
    point_width: width factor of refiner and reverse module. border: px of the S x S input that are blackened on each
    side, as in the published training and tests. dropout: before each of the three heads. legacy_relu_tails: the
    published ReLU behind refiner and reverse module, so that neither says anything negative.
    `FacemillError` for an unknown backbone, and for a size, border or width that the layers cannot have.

    Buffers ``param_mean`` and ``param_std`` (62,): what whitens the parameters, filled by the training task.
    Attributes: ``inference`` names the submodules that `predict` uses. Spec landmarks 3.2.
    """

    target = "params"
    task = "synergynet"
    inference = ("backbone", "heads")

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        size: int = 120,
        backbone: str = "mobilenet_v2",
        width: float = 1.0,
        point_width: float = 1.0,
        border: int = 5,
        dropout: float = 0.2,
        legacy_relu_tails: bool = False,
    ):
        super().__init__()
        if size < SMALLEST:
            raise FacemillError(
                f"SynergyNet takes a side of {SMALLEST} or more; found {size}; set settings.size"
            )
        if not 0 <= 2 * border < size:
            raise FacemillError(
                f"SynergyNet's border leaves nothing of {size} px; found {border}; set settings.border"
            )
        if not 0 <= dropout < 1:
            raise FacemillError(
                f"SynergyNet drops a share from 0 to less than 1; found {dropout}; set settings.dropout"
            )
        if not 0 < point_width < math.inf:
            raise FacemillError(
                f"SynergyNet takes a point width above 0; found {point_width}; set settings.point_width"
            )
        self.size, self.border, self.dropout = size, border, dropout
        with drawn(generator):
            self.backbone = build_backbone(backbone, width)
            features = self.backbone.outputs
            self.heads = nn.ModuleDict(
                {name: nn.Linear(features, _count(part)) for name, part in PARTS.items()}
            )
            self.refiner = _Refiner(features, point_width, legacy_relu_tails)
            self.reversal = _Reversal(point_width, legacy_relu_tails)
            self._initialise()
        self.register_buffer("param_mean", torch.zeros(COUNT))
        self.register_buffer("param_std", torch.ones(COUNT))

    def _initialise(self) -> None:
        """As published: He's normal weights by fan-out for the images' convolutions, small normal ones for the heads;
        the points' convolutions keep torch's own."""
        for layer in self.backbone.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for head in self.heads.values():
            nn.init.normal_(head.weight, 0.0, 0.01)
            nn.init.zeros_(head.bias)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """{"params": whitened (B, 62), "features": pooled (B, C)}, float32."""
        kept = slice(self.border, self.size - self.border)
        bordered = F.pad(image[..., kept, kept], (self.border,) * 4)
        features = self.backbone((bordered.flip(1) * 255.0 - 127.5) / 128.0)
        with torch.autocast(image.device.type, enabled=False):
            features = features.type_as(self.param_mean)
            parts = [head(F.dropout(features, self.dropout, self.training)) for head in self.heads.values()]
            return {"params": torch.cat(parts, dim=1), "features": features}

    def refine(self, points: Tensor, features: Tensor, parameters: Tensor) -> Tensor:
        """The landmarks of ``parameters``, (B, 68, 3) px of the S x S input, moved by 0.05 of what the refiner says of
        them, the features (B, C) and the whitened parameters (B, 62)."""
        with torch.autocast(points.device.type, enabled=False):
            return points + RESIDUAL * self.refiner(points, features, parameters)

    def reverse(self, points: Tensor) -> Tensor:
        """Whitened parameters (B, 62) read from landmarks (B, 68, 3) in px of the S x S input alone."""
        with torch.autocast(points.device.type, enabled=False):
            return self.reversal(points)

    def raw(self, whitened: Tensor) -> Tensor:
        """Parameters (B, 62) of the S px crop, `pipeline.morphable.params62`, from whitened ones."""
        return whitened * self.param_std + self.param_mean

    def whiten(self, raw: Tensor) -> Tensor:
        """The inverse of `raw`."""
        return (raw - self.param_mean) / self.param_std

    def predict(self, image: Tensor) -> Tensor:
        """Raw parameters (B, 62) of RGB crops (B, 3, S, S) in [0, 1]; uses backbone and heads alone."""
        return self.raw(self(image)["params"])
