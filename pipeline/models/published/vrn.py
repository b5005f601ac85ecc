"""The PyTorch port's weights of VRN-Unguided as weights of `VRN(graph="port")` (spec prn_vrn E.3)."""

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
    """The state of the port's graph from the tensors of a checkpoint, which have the same names there.

    Its last up-sampling is set to aligned corners, as in Torch7, where the weights were trained; the port's own file
    leaves PyTorch's default. Raises FacemillError when a tensor is missing, left over or of another shape, and for
    ``statistics``, which a volume has no use for.
    """
    if statistics is not None:
        raise FacemillError("vrn answers with a volume, not with parameters; leave --statistics out")
    return Converted("vrn", key_table("vrn").take(found, path), {"graph": "port", "align_corners": True})
