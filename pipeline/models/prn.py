"""PRN: a residual encoder and a transposed-convolution decoder that turn a face crop into its UV position map.

Paper: Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression Network",
ECCV 2018.
Original code: github.com/yfeng95/PRNet (TensorFlow, MIT), class resfcn256; written anew from its layer table.
What we changed: width, sides of input and map, encoder and batch-norm momentum are settings. `PRN()` without
arguments is the paper's network with 13,353,618 parameters, TensorFlow's SAME padding included.
Licence of this file: MIT. Weights trained on 300W-LP or on anything made with the Basel Face Model are research-only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.prn_encoders import build_encoder
from pipeline.models.tf_layers import CENTRE, SameDeconv
from pipeline.records import FacemillError
from pipeline.registry import MODELS

LEVELS = 5
"""How often the encoder halves the side."""
TAIL_NOISE, TAIL_SHIFT = 0.1, 2.0


@MODELS.register("prn")
class PRN(nn.Module):
    """The network: RGB crops (B, 3, S, S) in [0, 1] -> normalised maps (B, 3, M, M) in (0, 1), x, y, z of 1.1 sides of
    the crop.

    generator: draws the initial weights (Xavier, uniform; as TensorFlow's default); None draws with seed 0.
    width: channels of the first layer. size: S, a multiple of 32. map_size: M, S times or over a power of two, None for
    S; each halving leaves out the decoder's finest level, each doubling adds one of ``width`` channels. encoder:
    residual, vgg or mobilenet. bn_momentum: PyTorch's, 0.001 is the paper's decay of 0.999; a short training wants
    more. open_tail: the last two layers, of three channels, begin as near copies and the two batch norms before them
    shifted into the open side of their ReLU, so that no coordinate is cut off at the start; with Xavier weights there a
    short training stays at the mean face for hundreds of updates.
    `FacemillError` for a width, side or encoder that the layers cannot have.
    Spec prn_vrn C.
    """

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        width: int = 16,
        size: int = 256,
        map_size: int | None = None,
        encoder: str = "residual",
        bn_momentum: float = 0.001,
        bn_eps: float = 1e-3,
        open_tail: bool = False,
    ):
        super().__init__()
        if size < 32 or size % 32:
            raise FacemillError(f"PRN takes a side that is a multiple of 32; found {size}; set settings.size")
        if width < 1:
            raise FacemillError(f"PRN takes a width of 1 or more; found {width}; set settings.width")
        self.size, self.map_size = size, size if map_size is None else map_size
        norm = {"momentum": bn_momentum, "eps": bn_eps}
        self.stem, self.encoder = build_encoder(encoder, width, norm)
        last = width << LEVELS
        self.decoder = nn.Sequential(*_deconv(last, last, 1, norm))
        for level in range(LEVELS - 1, LEVELS - 1 - _doublings(size, self.map_size), -1):
            channels = width << max(level, 0)
            self.decoder.extend(_deconv(last, channels, 2, norm))
            for _ in range(2 if level >= 2 else 1):
                self.decoder.extend(_deconv(channels, channels, 1, norm))
            last = channels
        self.decoder.extend(_deconv(last, 3, 1, norm))
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


def _doublings(size: int, map_size: int) -> int:
    """How often the decoder doubles the side of the features to that of the map; once at least."""
    for doublings in range(1, 2 * LEVELS):
        if size << doublings == map_size << LEVELS:
            return doublings
    raise FacemillError(
        f"PRN takes a map whose side is the input's times or over a power of two (1/16 to 16); found {map_size} for an "
        f"input of {size}; set settings.map_size"
    )
