"""From crops to stored predictions: every face of a test pack through one network, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from pipeline.evaluation.predictions import PREDICTIONS
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.models.inputs import network_input, require_channels
from pipeline.records import PACK, FacemillError

BATCH = 8


def infer(
    network: torch.nn.Module, pack: Path, out: Path, size: int, unit: float, attributes: Mapping[str, Any]
) -> None:
    """Predict a position map for every face of a pack and write them to ``out``.

    float32 throughout, so that a prediction does not depend on what a processor offers for training.

    Args:
        network: (B, C, S, S) in [0, 1] -> (B, 3, S, S) maps in ``unit`` pixels; on the CPU or a GPU. C is its
            ``channels``, 1 for grey crops, or 3 (RGB).
        size: S, the side of the network's input, to which the pack's crops are scaled.
        unit: pixels of the S x S input that an output of 1 stands for (PRN: 1.1 S).
    """
    network.eval()
    with hdf5.open_checked(pack, PACK) as source:
        require_channels(network, source["image"].shape[3], str(pack))
        count = len(source["face"])
        with hdf5.create(out, PREDICTIONS, count, {"S": size}, attributes) as file:
            file["face"][:] = source["face"][:]
            file["picture"][:] = source["picture"][:]
            for row, transform in enumerate(source["transform"][:]):
                file["transform"][row] = CropTransform.from_array(transform).resized(size).to_array()
            for row, position_map in enumerate(predict(network, source, size, unit)):
                file["map"][row] = position_map


@torch.inference_mode()
def predict(network: torch.nn.Module, pack: h5py.File, size: int, unit: float) -> Iterator[np.ndarray]:
    """The map (S, S, 3) float32, in pixels of the S x S input, of each face in turn; arguments as `infer`."""
    device = next(network.parameters()).device
    for start in range(0, len(pack["face"]), BATCH):
        images = [network_input(image, size) for image in pack["image"][start : start + BATCH]]
        batch = torch.from_numpy(np.stack(images)).to(device)
        with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            maps = network(batch)
        if maps.shape != (len(images), 3, size, size):
            raise FacemillError(
                f"{type(network).__name__}: expected maps of shape {(len(images), 3, size, size)}, found "
                f"{tuple(maps.shape)}; set the model's settings.size to its target's size"
            )
        yield from (maps.float().permute(0, 2, 3, 1) * unit).cpu().numpy()
