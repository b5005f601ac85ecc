"""From crops to stored predictions: every face of a test pack through one network, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from pipeline.evaluation.outputs.base import Answer
from pipeline.evaluation.predictions import Answers
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.models.inputs import network_input, network_points, require_channels
from pipeline.records import PACK, FacemillError

BATCH = 8


def infer(
    network: torch.nn.Module, pack: Path, out: Path, answers: Answers, attributes: Mapping[str, Any]
) -> None:
    """Predict every face of a pack and write the predictions to ``out``.

    float32 throughout, so that a prediction does not depend on what a processor offers for training.

    Args:
        network: (B, C, S, S) in [0, 1], and (B, 68, 2) detected landmarks where its ``points`` says so -> an answer of
            the kind of ``answers``, from its ``predict`` where it has one; on the CPU or a GPU. C is its ``channels``,
            1 for grey crops, or 3 (RGB); S its ``size``, to which the pack's crops are scaled.
    """
    network.eval()
    size = network.size
    with hdf5.open_checked(pack, PACK) as source:
        require_channels(network, source["image"].shape[3], str(pack))
        count, more = len(source["face"]), {**attributes, **answers.attributes}
        with hdf5.create(out, answers.contract, count, answers.output.sizes(size), more) as file:
            file["face"][:] = source["face"][:]
            file["picture"][:] = source["picture"][:]
            for row, transform in enumerate(source["transform"][:]):
                file["transform"][row] = CropTransform.from_array(transform).resized(size).to_array()
            row = 0
            for answer in answered(network, source):
                try:
                    for stored in answers.output.store(answer, size):
                        for name, value in stored.items():
                            file[name][row] = value
                        row += 1
                except FacemillError as problem:
                    raise FacemillError(f"{type(network).__name__}: {problem}") from problem
            file.attrs["landmarks"] = answers.output.landmarks


@torch.inference_mode()
def answered(network: torch.nn.Module, pack: h5py.File) -> Iterator[Answer]:
    """What the network answers for the faces of an open pack, `BATCH` at a time."""
    device = next(network.parameters()).device
    size, channels = network.size, getattr(network, "channels", 3)
    predict = getattr(network, "predict", network)
    for start in range(0, len(pack["face"]), BATCH):
        rows = range(start, min(start + BATCH, len(pack["face"])))
        images = [network_input(pack["image"][row], size, channels) for row in rows]
        inputs = [torch.from_numpy(np.stack(images)).to(device)]
        if getattr(network, "points", False):
            inputs.append(torch.from_numpy(np.stack([_points(pack, row, size) for row in rows])).to(device))
        with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            yield predict(*inputs)


def _points(pack: h5py.File, row: int, size: int) -> np.ndarray:
    crop = CropTransform.from_array(pack["transform"][row])
    return network_points(crop.apply(pack["detected68"][row]), crop.size, size)
