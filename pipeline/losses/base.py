"""What every loss returns: named parts that add up."""

from __future__ import annotations

from dataclasses import dataclass

import torch

PIXELS = 120
"""The side of the crops of 3DDFA, SynergyNet and 2DASL: errors are counted in its px whatever the side, so that weights
and constants keep their meaning."""


@dataclass(frozen=True)
class Losses:
    """The parts of one loss, each a scalar tensor already multiplied by its own weight.

    The names stand in the history beside the total, so that a part which goes wrong can be seen alone.
    """

    parts: dict[str, torch.Tensor]

    @property
    def total(self) -> torch.Tensor:
        """The sum of the parts, which is what the optimiser sees."""
        return torch.stack(list(self.parts.values())).sum()
