"""2DASL's self-critic: a small network that tells the parameters of a labelled face from predicted ones.

Paper: X. Tu et al., IEEE TMM 2021 (arXiv:1903.09359).
Original code: the public history of github.com/XgTu/2DASL, class Discriminator of advers_proj_utils_3.py at commit
ead2e164 (MIT); written anew from its list of layers.
What we changed: it answers logits, so the last linear map of one number and the sigmoid are the loss's; the drop-out is
a setting.
Licence of this file: MIT.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.models.initial import drawn

SLOPE = 0.2


class Critic(nn.Module):
    """Features (B, `inputs`) -> logits (B,) float32, positive for real ones.

    Linear layers to 512, 1024, 1024 and 1 numbers with leaky ReLU between. generator: draws the weights; None draws
    with seed 0. dropout: of the second and the third layer.
    """

    def __init__(self, inputs: int, generator: torch.Generator | None = None, dropout: float = 0.4):
        super().__init__()
        with drawn(generator):
            self.layers = nn.Sequential(
                nn.Linear(inputs, 512),
                nn.LeakyReLU(SLOPE),
                nn.Linear(512, 1024),
                nn.Dropout(dropout),
                nn.LeakyReLU(SLOPE),
                nn.Linear(1024, 1024),
                nn.Dropout(dropout),
                nn.LeakyReLU(SLOPE),
                nn.Linear(1024, 1),
            )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features).float()[:, 0]
