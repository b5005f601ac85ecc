"""From a volume of probabilities to files: a coloured mesh as OBJ, PLY or GLB, or the voxels themselves as .npy."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.evaluation.isosurface import LEVEL, crop_surface
from pipeline.geometry.surface import crop_colours, enlarged, outward, upright
from pipeline.io import hdf5
from pipeline.io.arrays import read_npy
from pipeline.io.files import write_bytes
from pipeline.io.meshes import Mesh, write_glb, write_obj, write_ply
from pipeline.models.inputs import network_input
from pipeline.records import PACK, FacemillError
from pipeline.registry import MODELS
from pipeline.training.checkpoints import load_weights

WRITERS = {".obj": write_obj, ".ply": write_ply, ".glb": write_glb}
SUFFIXES = (*WRITERS, ".npy")


def write_volume(
    path: str | Path, probabilities: np.ndarray, depth_scale: float, image: np.ndarray | None = None
) -> str:
    """Write a volume (D, S, S) of probabilities to ``path``, by its ending; returns what was written, in words.

    A mesh has x and y in px of the 192 crop, y up from the crop's last row, and z in the same px, nearer larger, 0 at
    the face's mean depth. image: crop (F, F, 3) uint8 that colours it. ``.npy`` has (192, 192, 200) uint8 of 0 and 1 in
    the order x, y, z, as 3DFaceReconstruction's files, its depth stretched as predicted.
    """
    path = Path(path)
    require_suffix(path)
    fine = enlarged(probabilities)
    if path.suffix.lower() == ".npy":
        voxels = (fine > LEVEL).transpose(2, 1, 0).astype(np.uint8)
        buffer = BytesIO()
        np.save(buffer, np.ascontiguousarray(voxels))
        write_bytes(path, buffer.getvalue())
        return f"{voxels.sum()} of {voxels.size} voxels inside"
    vertices, triangles = crop_surface(fine, depth_scale)
    colours = None if image is None else crop_colours(vertices, image)
    points = upright(vertices)
    WRITERS[path.suffix.lower()](path, Mesh(points, outward(points, triangles), colours))
    return f"{len(points)} vertices, {len(triangles)} triangles"


def require_suffix(path: Path) -> None:
    """`FacemillError` for an ending that cannot be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise FacemillError(f"{path}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix!r}")


def predicted(
    inputs: Mapping[str, Any], settings: Mapping[str, Any], picture: str | None
) -> tuple[str, np.ndarray, np.ndarray]:
    """The picture (without one, the pack's first), the volume (D, S, S) float32 of probabilities that a trained network
    predicts for it, and its crop (F, F, C) uint8.

    inputs, settings: of the infer job. Stored predictions hold bits, whose surface is blocky; so the network is asked.
    """
    torch.set_num_threads(1)
    network = MODELS[settings["model"]](**settings["network"])
    if getattr(network, "target", "posmap") != "volume":
        raise FacemillError(f"expected a network that predicts volumes, found {settings['model']}")
    load_weights(inputs["weights"], network)
    network.eval()
    with hdf5.open_checked(inputs["pack"], PACK) as pack:
        pictures = hdf5.texts(pack["picture"])
        if not pictures or picture not in (None, *pictures):
            raise FacemillError(f"{inputs['pack']}: expected the picture {picture}, found none of that id")
        row = pictures.index(picture) if picture else 0
        image = pack["image"][row]
    with torch.inference_mode():
        answer = network.predict(torch.from_numpy(network_input(image, network.size))[None])
    return pictures[row], answer["volume"][0].sigmoid().numpy(), image


def read_probabilities(path: str | Path) -> np.ndarray:
    """A volume (D, S, S) in an .npy file: probabilities, or 0 and 1; `FacemillError` for anything else."""
    volume = read_npy(path)
    if volume.dtype.kind not in "fiub" or not ((volume >= 0) & (volume <= 1)).all():
        raise FacemillError(f"{path}: expected probabilities from 0 to 1, found {volume.dtype} with others")
    return volume
