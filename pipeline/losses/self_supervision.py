"""What 2DASL learns from pictures without truth: consistency of landmarks, and a critic (spec landmarks 4.2)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import softplus

from pipeline.losses.base import PIXELS


def consistency(found: Tensor, expected: Tensor, side: int, factors: Tensor | None = None) -> Tensor:
    """Mean square of the differences of landmarks (B, n, d) px of a crop with this side, each times its point's factor
    (n,), if given; float32, px of a 120 px crop."""
    difference = (found.float() - expected.float()) * (PIXELS / side)
    if factors is not None:
        difference = difference * factors[:, None]
    return difference.square().mean()


def adversarial(critic: torch.nn.Module, fake: Tensor) -> Tensor:
    """What the network pays where the critic sees that its features (B, k) are not real: binary cross-entropy with the
    label real. The gradient reaches the features, never the critic."""
    fixed = {name: value.detach() for name, value in critic.state_dict(keep_vars=True).items()}
    return softplus(-functional_call(critic, fixed, (fake,))).mean()


def criticism(critic: torch.nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What the critic pays: the mean of its two binary cross-entropies over real and predicted features (B, k). The
    gradient reaches the critic, never the features."""
    return (softplus(-critic(real.detach())).mean() + softplus(critic(fake.detach())).mean()) / 2
