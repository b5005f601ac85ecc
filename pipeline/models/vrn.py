"""VRN: stacked hourglasses that say of every voxel of a face's volume whether it is inside.

Paper: A. Jackson et al., "Large pose 3D face reconstruction from a single image via direct volumetric CNN regression",
ICCV 2017.
Original code: github.com/AaronJackson/vrn (MIT; weights and viewer, the training was never published); written anew
here. The graph of its converted weights is that of github.com/Pani122/3DFaceReconstruction, see vrn_port.py.
What we changed: the answer is logits, not probabilities; variant, graph, features, stacks, depth, blocks and size are
settings, and the slices follow the size. `VRN()` is the paper's VRN-Unguided with textbook hourglasses, and
`VRN(graph="port")` the converted graph of 19,184,968 parameters, which takes the port's state dictionary name by name.
Licence of this file: MIT. Weights trained on 300W-LP or on anything made with the Basel Face Model are research-only.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.models.heatmaps import decode, from_cells
from pipeline.models.hourglass import Enlarge, Stack, lin, stem
from pipeline.models.initial import drawn
from pipeline.models.vrn_port import DEPTH, port_layers
from pipeline.records import FacemillError
from pipeline.registry import MODELS

DOWNSCALE = 4  # a cell of the features and of a heat-map is 4 x 4 pixels of the input
SIDE, SLICES = 192, 200  # of the paper's volume
LANDMARKS = 68


@MODELS.register("vrn")
class VRN(nn.Module):
    """RGB crops (B, 3, S, S) in [0, 1] -> logits (B, D, S, S) of the voxels by slice, row and column, D = 200 S / 192.

    The voxels share their outer edges with the crop's pixels and with the 200 slices of the paper's volume.

    generator: draws the initial weights (torch's defaults); None draws with seed 0.
    variant: "unguided"; "multitask": of ``stacks`` hourglasses, two or more, the last is one for the volume and one
    for 68 heat-maps (B, 68, S / 4, S / 4); "guided": heat-maps first, by ``stacks`` hourglasses of their own, which the
    second network sees beside the picture, enlarged.
    graph: "hourglass", the textbook's, or "port", that of the published weights (unguided, stacks 2, depth 4).
    features: channels, a multiple of 8; the stem has a quarter and a half of them. stacks: hourglasses one after the
    other. depth: levels of one. blocks: residual blocks at each place of one; 3 as in the published weights.
    size: S, a multiple of 24, that the volume may have whole slices, and of 4 * 2^depth (port: of 8).
    align_corners: how the last, bilinear up-sampling lies; the port's weights were trained with True (Torch7's).
    `FacemillError` for settings that exclude each other. Spec prn_vrn E.3.
    """

    target = "volume"

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        variant: Literal["unguided", "multitask", "guided"] = "unguided",
        graph: Literal["hourglass", "port"] = "hourglass",
        features: int = 256,
        stacks: int = 2,
        depth: int = 4,
        blocks: int = 3,
        size: int = 192,
        align_corners: bool = False,
    ):
        super().__init__()
        _check(variant, graph, features, stacks, depth, blocks, size)
        self.variant, self.graph, self.size = variant, graph, size
        self.slices = SLICES * size // SIDE
        cells = size // DOWNSCALE
        with drawn(generator):
            if graph == "port":
                for name, layer in port_layers(features, cells, self.slices, align_corners).named_children():
                    self.add_module(name, layer)
                return
            guides = LANDMARKS if variant == "guided" else 0
            if variant == "guided":
                self.guide = nn.Sequential(
                    stem(3, features), _stacks(features, depth, blocks, stacks), _head(features, LANDMARKS)
                )
                self.enlarge_guide = Enlarge(cells, align_corners)
            shared = stacks - 1 if variant == "multitask" else stacks
            self.shared = nn.Sequential(stem(3 + guides, features), _stacks(features, depth, blocks, shared))
            forked = [_stacks(features, depth, blocks, stacks - shared)] if shared < stacks else []
            self.volume = nn.Sequential(*forked, _head(features, self.slices))
            self.enlarge = Enlarge(cells, align_corners)
            if variant == "multitask":
                self.heatmaps = nn.Sequential(_stacks(features, depth, blocks, 1), _head(features, LANDMARKS))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits "volume" in float32, and "heatmaps" of the variants that have them."""
        if self.graph == "port":
            for layer in self.children():
                image = layer(image)
            return {"volume": image[0]}
        answer = {}
        if self.variant == "guided":
            answer["heatmaps"] = self.guide(image).float()
            image = torch.cat([image, self.enlarge_guide(answer["heatmaps"]).type_as(image)], dim=1)
        features = self.shared(image)
        if self.variant == "multitask":
            answer["heatmaps"] = self.heatmaps(features).float()
        return {"volume": self.enlarge(self.volume(features)), **answer}

    def predict(self, image: Tensor) -> dict[str, Tensor]:
        """The logits "volume" (B, D, S, S) and, of the variants with heat-maps, "landmarks" (B, 68, 2) in px of the
        S x S input."""
        answer = self(image)
        out = {"volume": answer["volume"]}
        if "heatmaps" in answer:
            out["landmarks"] = from_cells(decode(answer["heatmaps"]), DOWNSCALE)
        return out


def _stacks(features: int, depth: int, blocks: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Stack(features, depth, blocks) for _ in range(count)))


def _head(features: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(lin(features, features), nn.Conv2d(features, outputs, 1))


def _check(variant: str, graph: str, features: int, stacks: int, depth: int, blocks: int, size: int) -> None:
    for name, value, known in (
        ("variant", variant, ("unguided", "multitask", "guided")),
        ("graph", graph, ("hourglass", "port")),
    ):
        if value not in known:
            raise FacemillError(
                f"VRN has a {name} of {', '.join(known)}; found {value!r}; set settings.{name}"
            )
    if graph == "port" and (variant, stacks, depth, blocks) != ("unguided", 2, DEPTH, 3):
        raise FacemillError(
            f"VRN's graph port is unguided with 2 stacks of depth {DEPTH} and 3 blocks; found {variant}, "
            f"stacks={stacks}, depth={depth}, blocks={blocks}; set settings.graph=hourglass for these"
        )
    if variant == "multitask" and stacks == 1:
        raise FacemillError(
            "VRN's variant multitask takes two stacks or more, the last of them one for volume and one for heat-maps; "
            "found stacks=1; set settings.stacks"
        )
    if features < 8 or features % 8 or min(stacks, depth, blocks) < 1:
        raise FacemillError(
            f"VRN takes a multiple of 8 features and at least one stack, level and block; found features={features}, "
            f"stacks={stacks}, depth={depth}, blocks={blocks}"
        )
    pooled = DOWNSCALE * 2 ** (1 if graph == "port" else depth)
    if size < 24 or size % 24 or size % pooled:
        raise FacemillError(
            f"VRN takes a side that is a multiple of 24, for whole slices, and of {pooled}, for its poolings; found "
            f"{size}; set settings.size or settings.depth (96 goes with depth 3, 192 with 4)"
        )
