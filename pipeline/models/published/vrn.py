"""The PyTorch conversion of VRN-Unguided's weights as weights of `VRN` (spec prn_vrn E.2, E.3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pipeline.models.published import Converted, key_table
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError
from pipeline.registry import PUBLISHED


@PUBLISHED.register("vrn")
def convert(found: Mapping[str, Tensor], path: str | Path, statistics: Whitening | None) -> Converted:
    """The state of `VRN(graph="port", align_corners=True)`: Torch7, where the weights were learnt, up-samples from
    corner to corner, and its script hands the network RGB in [0, 1], as ours does.

    Raises FacemillError when a tensor is missing, left over or of another shape, and for ``statistics``.
    """
    if statistics is not None:
        raise FacemillError("vrn answers with a volume, not with parameters; leave --statistics out")
    tensors = key_table("vrn").take(found, path)
    return Converted("vrn_port", tensors, {"graph": "port", "align_corners": True})
