"""The labeller's network from a published checkpoint."""

from __future__ import annotations

import os
from pathlib import Path

from torch import nn

from pipeline.io.weights import read_state
from pipeline.models.published.tddfa import network_of


def load_tddfa(weights: str | Path) -> nn.Module:
    """The network of a checkpoint of 3DDFA or 3DDFA_V2 (MobileNet-V1 of any width, ResNet-22), or of a state
    dictionary of either, in evaluation mode.

    Errors: FacemillError for a file that is missing or broken, for another backbone, and for another number of
    parameters than 62.
    """
    path = Path(os.path.expandvars(str(weights)))
    return network_of(read_state(path), path).eval()
