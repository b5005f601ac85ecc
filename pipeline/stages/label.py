"""label: pictures and detected faces -> pseudo ground truth by the labeller. One job is a shard of a data set's
pictures; only data sets whose labels are tddfa have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from pipeline.config import LabellingSettings
from pipeline.detect.tddfa import Doubt, Label, doubt
from pipeline.detect.tddfa_pictures import label_pictures, load_labeller, read_faces
from pipeline.io import hdf5
from pipeline.io.files import expand
from pipeline.io.tables import read_tsv, write_status
from pipeline.morphable import load_face_model
from pipeline.records import LABELS, SOURCE_COLUMNS, StatusRow
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
    model = load_face_model(**settings["face_model"])
    labeller = load_labeller(options, model, settings["face_model"]["path"], "labelling", "labels: tddfa")
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
        problem = found if isinstance(found, Doubt) else doubt(found, options)
        if problem is None:
            labels.append((face, picture, found))
            status.append(StatusRow(face, picture, "label", None, _value(found)))
        else:
            status.append(StatusRow(face, picture, "label", problem.reason, problem.value, problem.detail))
    with hdf5.create(outputs["labels"], LABELS, len(labels), attributes=attributes) as file:
        for k, (face, picture, label) in enumerate(labels):
            file["face"][k], file["picture"][k] = face, picture
            file["params62"][k], file["roi"][k] = label.parameters, label.roi.to_array()
            file["camera"][k], file["pose_para"][k] = label.camera, label.pose
            file["shape_para"][k], file["exp_para"][k] = label.shape, label.expression
            file["landmarks68"][k], file["image_height"][k] = label.landmarks, label.height
            file["agreement"][k], file["inside"][k] = label.agreement, label.inside
    write_status(outputs["status"], status)


def _value(label: Label) -> float | None:
    """The number of a face that goes on: how far the passes differ, where there are two."""
    return label.agreement if np.isfinite(label.agreement) else None
