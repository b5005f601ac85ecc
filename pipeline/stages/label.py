"""label: pictures and detected faces -> pseudo ground truth by the labeller. One job is a shard of a data set's
pictures; only data sets whose labels are tddfa have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config import LabellingSettings
from pipeline.detect.tddfa import Doubt, Label, Labeller, Seen, doubt, require_modes
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.images import PIXELS_AT_ONCE, UnreadablePicture, read_picture
from pipeline.io.tables import read_tsv, write_status
from pipeline.morphable import load_face_model
from pipeline.morphable.whitening import load_whitening, own_whitening
from pipeline.records import DETECTIONS, LABELS, SOURCE_COLUMNS, Reason, StatusRow
from pipeline.seeding import shard_of


def run(
    *,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    settings: Mapping[str, Any],
    wildcards: Mapping[str, str],
    attributes: Mapping[str, str],
) -> None:
    """Label the faces of one shard: `inputs` source, detections; `outputs` labels (h5), status (tsv); `settings` root,
    shards, whole (the picture is the crop already), labelling, face_model. Pictures that repeat an earlier one are
    left out. FacemillError for a face model whose modes are not the labeller's."""
    torch.set_num_threads(1)
    options = LabellingSettings.model_validate(settings["labelling"])
    face_model = settings["face_model"]
    model = load_face_model(**face_model)
    require_modes(model)
    if options.statistics:
        statistics = load_whitening(expand(options.statistics))
    else:
        statistics = own_whitening(expand(face_model["path"]))
    labeller = Labeller(load_tddfa(options.weights), statistics, model, options)
    shard, shards = int(wildcards["shard"]), int(settings["shards"])
    rows = [
        row
        for row in read_tsv(inputs["source"], SOURCE_COLUMNS)
        if shard_of(row["id"], shards) == shard and not row["duplicate_of"]
    ]
    faces = read_faces(inputs["detections"])
    labels: list[tuple[str, str, Label]] = []
    status: list[StatusRow] = []
    for face, picture, found in label_pictures(
        labeller, rows, faces, expand(settings["root"]), bool(settings["whole"])
    ):
        if isinstance(found, Label):
            labels.append((face, picture, found))
            found = StatusRow(face, picture, "label", None, _value(found))
        status.append(found)
    with hdf5.create(outputs["labels"], LABELS, len(labels), attributes=attributes) as file:
        for k, (face, picture, label) in enumerate(labels):
            file["face"][k], file["picture"][k] = face, picture
            file["params62"][k], file["roi"][k] = label.parameters, label.roi.to_array()
            file["camera"][k], file["pose_para"][k] = label.camera, label.pose
            file["shape_para"][k], file["exp_para"][k] = label.shape, label.expression
            file["landmarks68"][k], file["image_height"][k] = label.landmarks, label.height
            file["agreement"][k], file["inside"][k] = label.agreement, label.inside
    write_status(outputs["status"], status)


def read_faces(path: str) -> dict[str, list[tuple[str, np.ndarray, np.ndarray]]]:
    """The faces of a shard's detections by picture, in the order of the file: name, box (4,), landmarks (68, 2)."""
    found: dict[str, list[tuple[str, np.ndarray, np.ndarray]]] = {}
    with hdf5.open_checked(path, DETECTIONS) as file:
        boxes, landmarks = file["box"][:].astype(np.float64), file["landmarks68"][:].astype(np.float64)
        for k, (face, picture) in enumerate(
            zip(hdf5.texts(file["face"]), hdf5.texts(file["picture"]), strict=True)
        ):
            found.setdefault(picture, []).append((face, boxes[k], landmarks[k]))
    return found


def label_pictures(
    labeller: Labeller,
    rows: list[dict[str, str]],
    faces: Mapping[str, list[tuple[str, np.ndarray, np.ndarray]]],
    root: Path,
    whole: bool,
) -> Iterator[tuple[str, str, Label | StatusRow]]:
    """Each detected face of the pictures in `rows` (of a source table) with its picture and its label, or the status
    row that says why it has none; faces of several pictures go through the network together."""
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
                yield face, picture, StatusRow(face, picture, "label", Reason.UNREADABLE, None, detail)
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
) -> Iterator[tuple[str, str, Label | StatusRow]]:
    for (face, picture), found in zip(seen, labeller.label(list(seen.values())), strict=True):
        problem = found if isinstance(found, Doubt) else doubt(found, labeller.settings)
        if problem is None:
            yield face, picture, found
        else:
            yield (
                face,
                picture,
                StatusRow(face, picture, "label", problem.reason, problem.value, problem.detail),
            )


def _value(label: Label) -> float | None:
    """The number of a face that goes on: how far the passes differ, where there are two."""
    return label.agreement if np.isfinite(label.agreement) else None
