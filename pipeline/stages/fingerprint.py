"""fingerprint: pictures and the faces found in them -> small grey pictures, to know copies by. One job is a shard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from pipeline.datasets.likeness import face_patch, thumbnail
from pipeline.geometry.frames import CropTransform, Roi120
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import UnreadablePicture, read_picture
from pipeline.io.tables import read_tsv
from pipeline.records import DETECTIONS, FACE_FINGERPRINTS, FINGERPRINTS, SOURCE_COLUMNS
from pipeline.seeding import shard_of


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Fingerprint one shard: `inputs` source, detections; `outputs` fingerprints (h5), whose group `faces` holds the
    faces; `settings` root, shards. Pictures that cannot be read or repeat an earlier one byte by byte are left out,
    as are faces that detection rejected."""
    faces = _faces(inputs["detections"])
    root = expand(settings["root"])
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    pictures: list[tuple[str, np.ndarray]] = []
    patches: list[tuple[str, str, np.ndarray]] = []
    for row in read_tsv(inputs["source"], SOURCE_COLUMNS):
        name = row["id"]
        if shard_of(name, shards) != shard or row["duplicate_of"]:
            continue
        try:
            picture = read_picture(root / row["path"])
        except UnreadablePicture:
            continue
        pictures.append((name, thumbnail(picture)))
        for face, landmarks in faces.get(name, []):
            patches.append((face, name, face_patch(picture, face_square(landmarks, picture.shape[:2]))))
    with hdf5.create(outputs["fingerprints"], FINGERPRINTS, len(pictures), attributes=attributes) as file:
        _fill(file, ("picture", "thumbnail"), pictures)
        hdf5.create_datasets(file.create_group("faces"), FACE_FINGERPRINTS, len(patches))
        _fill(file["faces"], ("face", "picture", "patch"), patches)


def face_square(landmarks: np.ndarray, size: tuple[int, int]) -> CropTransform:
    """The square that a face is compared in: that of `roi120`; without landmarks (68, 2) the whole picture."""
    if np.isfinite(landmarks).all() and (np.ptp(landmarks, axis=0) > 0).all():
        return Roi120.from_landmarks(landmarks)
    return CropTransform.whole(*size, Roi120.size)


def _fill(group: h5py.Group, names: tuple[str, ...], samples: list[tuple]) -> None:
    """Write samples, tuples of what the datasets `names` hold."""
    for name, values in zip(names, zip(*samples, strict=True), strict=False):
        group[name][:] = list(values)


def _faces(path: str) -> dict[str, list[tuple[str, np.ndarray]]]:
    """The faces of a shard's detections by picture: name and landmarks (68, 2)."""
    found: dict[str, list[tuple[str, np.ndarray]]] = {}
    with hdf5.open_checked(path, DETECTIONS) as file:
        landmarks = file["landmarks68"][:].astype(np.float64)
        for face, name, points in zip(
            hdf5.texts(file["face"]), hdf5.texts(file["picture"]), landmarks, strict=True
        ):
            found.setdefault(name, []).append((face, points))
    return found
