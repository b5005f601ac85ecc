"""The labeller from files to files: its network loaded for a face model, and faces of many pictures through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from pipeline.config import TddfaSettings
from pipeline.detect.tddfa import Doubt, Label, Labeller, Seen, require_modes
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import PIXELS_AT_ONCE, UnreadablePicture, read_picture
from pipeline.morphable import MorphableModel
from pipeline.morphable.whitening import load_whitening, own_whitening
from pipeline.records import DETECTIONS, Reason

Face = tuple[str, np.ndarray, np.ndarray]
"""Name, box (4,) and landmarks (68, 2; NaN where there are none) of a detected face, px of its picture."""


def load_labeller(
    settings: TddfaSettings, model: MorphableModel, path: str | None, block: str, user: str
) -> Labeller:
    """The labeller of a face model, with its checkpoint and its statistics.

    Args:
        path: the face model's file or folder, as its settings have it.
        block: the config's block that `settings` is, for messages.
        user: the setting that asks for the network, for messages.

    Raises:
        FacemillError: a file is missing or wrong, or the face model has other modes than the network predicts.
    """
    require_modes(model, user)
    if settings.statistics:
        statistics = load_whitening(expand(settings.statistics))
    else:
        statistics = own_whitening(expand(path), f"{block}.statistics")
    return Labeller(load_tddfa(settings.weights), statistics, model, settings)


def read_faces(path: str) -> dict[str, list[Face]]:
    """The faces of a shard's detections by picture, in the order of the file."""
    found: dict[str, list[Face]] = {}
    with hdf5.open_checked(path, DETECTIONS) as file:
        boxes, landmarks = file["box"][:].astype(np.float64), file["landmarks68"][:].astype(np.float64)
        for k, (face, picture) in enumerate(
            zip(hdf5.texts(file["face"]), hdf5.texts(file["picture"]), strict=True)
        ):
            found.setdefault(picture, []).append((face, boxes[k], landmarks[k]))
    return found


def label_pictures(
    labeller: Labeller,
    rows: Iterable[Mapping[str, str]],
    faces: Mapping[str, list[Face]],
    root: Path,
    whole: bool,
) -> Iterator[tuple[str, str, Label | Doubt]]:
    """Each detected face of the pictures in `rows` (of a source table) with its picture and its label, or why it has
    none; faces of several pictures go through the network together. whole: each picture is a crop already."""
    seen: dict[tuple[str, str], Seen] = {}
    pixels = 0
    for row in rows:
        picture = row["id"]
        if picture not in faces:
            continue
        try:
            image = read_picture(root / row["path"])
        except UnreadablePicture as problem:
            detail = str(problem).removeprefix(f"{root}/")
            for face, _, _ in faces[picture]:
                yield face, picture, Doubt(Reason.UNREADABLE, None, detail)
            continue
        for face, box, landmarks in faces[picture]:
            seen[face, picture] = Seen(image, box, landmarks, whole)
        pixels += image.shape[0] * image.shape[1]
        if len(seen) >= labeller.settings.batch or pixels > PIXELS_AT_ONCE:
            yield from _labelled(labeller, seen)
            seen, pixels = {}, 0
    yield from _labelled(labeller, seen)


def _labelled(
    labeller: Labeller, seen: Mapping[tuple[str, str], Seen]
) -> Iterator[tuple[str, str, Label | Doubt]]:
    for (face, picture), found in zip(seen, labeller.label(list(seen.values())), strict=True):
        yield face, picture, found
